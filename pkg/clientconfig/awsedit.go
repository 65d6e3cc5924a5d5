package clientconfig

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/fault"
)

// awsProfile is what a login writes: a profile, and the section with the endpoints of
// single services that it refers to, if it has any.
type awsProfile struct {
	login    AWSLogin
	profile  iniSection
	services iniSection // without settings where there is none to write
}

// servicesOf is the name of the section that a profile of ours refers to.
func servicesOf(profile string) string { return program + "-" + profile }

// The settings of a profile that are a login's to write.
var profileKeys = []string{"credential_process", "region", "endpoint_url", "use_fips_endpoint", "use_dualstack_endpoint"}

const keyServices = "services"

// sections are the sections for a login.
func (l AWSLogin) sections(goos string) (awsProfile, error) {
	command, err := commandLine(goos, l.words())
	out := awsProfile{
		login:    l,
		profile:  iniSection{kind: kindProfile, name: l.Profile},
		services: iniSection{kind: kindServices, name: servicesOf(l.Profile)},
	}
	values := map[string]string{"credential_process": command, "region": l.Says.Region, "endpoint_url": l.Says.Endpoint,
		"use_fips_endpoint": onlyTrue(l.Says.FIPS), "use_dualstack_endpoint": onlyTrue(l.Says.DualStack)}
	for _, key := range profileKeys {
		out.profile.set(key, values[key])
	}
	for _, service := range slices.Sorted(maps.Keys(l.Says.Endpoints)) {
		out.services.set(service, "\nendpoint_url = "+l.Says.Endpoints[service])
	}
	if len(out.services.settings) > 0 {
		out.profile.set(keyServices, out.services.name)
	}
	return out, err
}

func (s *iniSection) set(key, value string) {
	if value != "" {
		s.settings = append(s.settings, iniSetting{key: key, value: value})
	}
}

func onlyTrue(on bool) string {
	if on {
		return "true"
	}
	return ""
}

// onAWSFile is an edit of a file of the AWS SDKs.
func onAWSFile(change func(*awsFile, *record) ([]Change, error)) edit {
	return func(file string, text []byte, r *record) ([]byte, []Change, error) {
		f, err := parseAWS(file, text)
		if err != nil {
			return nil, nil, err
		}
		r.pruneAWS(f)
		changes, err := change(f, r)
		if err != nil || len(changes) == 0 {
			return text, nil, err
		}
		for i := range changes {
			changes[i].Tool, changes[i].File = AWS, file
		}
		if !f.exists {
			return nil, changes, nil
		}
		return append([]byte{}, f.text...), changes, nil // an empty file is no missing one
	}
}

// leadAWS writes the profiles.
func leadAWS(wanted []awsProfile) edit {
	return onAWSFile(func(f *awsFile, r *record) ([]Change, error) {
		var changes []Change
		for _, w := range wanted {
			change, err := f.put(w, r)
			if err != nil {
				return nil, err
			}
			if change != nil {
				changes = append(changes, *change)
			}
		}
		return changes, nil
	})
}

// put writes one profile; nil is no change.
func (f *awsFile) put(w awsProfile, r *record) (*Change, error) {
	old, err := f.own(w)
	if err != nil || f.has(w) {
		return nil, err
	}
	change := &Change{Key: w.profile.name, Before: old.leadsTo(), After: w.profile.leadsTo()}
	if !f.exists {
		r.note(place{}, nil)
		f.exists = true
	}
	err = f.putSection(w.profile, r, func(v iniSetting) bool {
		return slices.Contains(profileKeys, v.key) || v.key == keyServices && (v.value == w.services.name || len(w.services.settings) > 0)
	})
	if err == nil {
		err = f.putSection(w.services, r, func(iniSetting) bool { return true })
	}
	if err == nil && !f.has(w) {
		err = fault.New(fault.Invalid, "%s is laid out in a way that svcconn does not edit", f.file).
			Hint("change profile %s by hand as --dry-run shows for an empty AWS_CONFIG_FILE", w.profile.name)
	}
	return change, err
}

func (f *awsFile) putSection(s iniSection, r *record, own func(iniSetting) bool) error {
	found := f.find(s.kind, s.name)
	switch {
	case len(found) == 0 && len(s.settings) == 0:
		return nil
	case len(found) == 0:
		return f.append(s, r)
	case len(s.settings) == 0:
		return f.remove(found[0], r)
	}
	return f.replace(found[0], s, own)
}

// own returns the profile that a login changes, a zero one if there is none yet. One
// that svcconn did not write is an error.
func (f *awsFile) own(w awsProfile) (iniSection, error) {
	found := f.find(kindProfile, w.profile.name)
	services := f.find(kindServices, w.services.name)
	ours := len(found) == 1 && found[0].processWords() != nil
	what := "profile " + w.profile.name
	switch {
	case len(found) > 1:
	case len(found) == 1 && !ours:
	case len(services) > 1, len(services) == 1 && (!ours || found[0].value(keyServices) != w.services.name):
		what = "section [" + kindServices + " " + w.services.name + "]"
	case ours:
		return found[0], nil
	default:
		return iniSection{}, nil
	}
	return iniSection{}, fault.New(fault.Failed, "%s has a %s already that svcconn did not write", f.file, what).
		Hint("choose another name: svcconn login aws %s --connector %s --profile %s-svcconn", w.login.ResourceName, w.login.Connector, w.login.Profile)
}

// has reports whether the file says what is wanted, whatever it says beside that.
func (f *awsFile) has(w awsProfile) bool {
	profile, services := f.find(kindProfile, w.profile.name), f.find(kindServices, w.services.name)
	if len(profile) != 1 || len(services) != min(len(w.services.settings), 1) {
		return false
	}
	for _, key := range profileKeys {
		if profile[0].value(key) != w.profile.value(key) {
			return false
		}
	}
	if len(services) == 0 {
		return profile[0].value(keyServices) != w.services.name
	}
	return profile[0].value(keyServices) == w.services.name &&
		slices.EqualFunc(services[0].settings, w.services.settings, func(a, b iniSetting) bool { return a.key == b.key && a.value == b.value })
}

// leadsTo says what a profile of ours leads to; "" for every other profile.
func (s iniSection) leadsTo() string { return commandLeadsTo(s.processWords()) }

// releaseAWS removes the profiles that lead here and are selected.
func releaseAWS(selected func(profile, resource string) bool) edit {
	return onAWSFile(func(f *awsFile, r *record) ([]Change, error) {
		var changes []Change
		for _, s := range slices.Backward(f.sections) { // what comes later moves nothing before it
			if words := s.processWords(); words != nil && selected(s.name, wordAfter(words, flagResourceName)) {
				changes = append(changes, Change{Key: s.name, Before: s.leadsTo()})
			}
		}
		slices.Reverse(changes)
		for _, c := range changes {
			if err := f.release(c.Key, r); err != nil {
				return nil, err
			}
		}
		if len(changes) > 0 && f.leadsNowhere() {
			if _, made := r.take(place{}); made && len(bytes.TrimSpace(f.text)) == 0 {
				f.exists = false
			}
			r.pruneAWS(f)
		}
		return changes, nil
	})
}

// release removes a profile of ours, and the section that it refers to.
func (f *awsFile) release(profile string, r *record) error {
	for _, s := range slices.Backward(f.find(kindServices, servicesOf(profile))) {
		if f.refers(profile, s.name) {
			if err := f.remove(s, r); err != nil {
				return err
			}
		}
	}
	for _, s := range slices.Backward(f.find(kindProfile, profile)) {
		if s.processWords() == nil {
			continue
		}
		if err := f.remove(s, r); err != nil {
			return err
		}
	}
	return nil
}

// refers reports whether our profile, and no other, refers to a section of services.
func (f *awsFile) refers(profile, services string) bool {
	ours := false
	for _, s := range f.sections {
		if s.value(keyServices) != services {
			continue
		}
		if s.name != profile || s.processWords() == nil {
			return false
		}
		ours = true
	}
	return ours
}

func (f *awsFile) leadsNowhere() bool {
	return !slices.ContainsFunc(f.sections, func(s iniSection) bool { return s.processWords() != nil })
}

// pruneAWS forgets what counts no more because nothing leads here.
func (r *record) pruneAWS(f *awsFile) {
	r.Replaced = slices.DeleteFunc(r.Replaced, func(old replacement) bool {
		if f.leadsNowhere() || len(old.Place) != 2 {
			return f.leadsNowhere()
		}
		name := old.Place[1]
		if old.Place[0] == kindServices {
			name = strings.TrimPrefix(name, program+"-")
		}
		return !slices.ContainsFunc(f.find(kindProfile, name), func(s iniSection) bool { return s.processWords() != nil })
	})
}
