package clientconfig

import (
	"bytes"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/svcconn/svcconn/pkg/fault"
)

// gcloudSetting is a setting that a login writes.
type gcloudSetting struct{ section, key, value string }

func (s gcloudSetting) place() place { return place{s.section, s.key} }

// gcloudConfiguration is what a login writes into a configuration.
type gcloudConfiguration struct {
	login       GcloudLogin
	credentials string
	settings    []gcloudSetting
}

// configuration is the configuration for a login.
func (l GcloudLogin) configuration(env Env) (gcloudConfiguration, error) {
	out := gcloudConfiguration{login: l, credentials: env.GcloudCredentials(l.Configuration)}
	all := []gcloudSetting{
		{sectionCore, keyProject, l.Says.Project}, {sectionCore, keyUniverse, l.Says.Universe},
		{sectionAuth, keyCredentials, out.credentials}, {sectionBilling, keyQuotaProject, l.Says.QuotaProject},
	}
	for _, service := range slices.Sorted(maps.Keys(l.Says.Endpoints)) { // gcloud wants the slash
		all = append(all, gcloudSetting{sectionEndpoints, service, strings.TrimSuffix(l.Says.Endpoints[service], "/") + "/"})
	}
	for _, s := range all {
		if strings.ContainsFunc(s.value, unicode.IsControl) || s.value != strings.TrimSpace(s.value) {
			return out, fault.New(fault.Invalid, "%q cannot be the value of %s/%s in a configuration of gcloud", s.value, s.section, s.key)
		}
		if s.value != "" {
			out.settings = append(out.settings, s)
		}
	}
	return out, nil
}

// onGcloudFile is an edit of a configuration of gcloud.
func onGcloudFile(change func(*gcloudFile, *record) (*Change, error)) edit {
	return func(file string, text []byte, r *record) ([]byte, []Change, error) {
		f, err := parseGcloud(file, text)
		if err != nil {
			return nil, nil, err
		}
		change, err := change(f, r)
		if err != nil || change == nil {
			return text, nil, err
		}
		change.Tool, change.File, change.Key = Gcloud, file, strings.TrimPrefix(filepath.Base(file), gcloudPrefix)
		if !f.exists {
			return nil, []Change{*change}, nil
		}
		return bytes.Clone(f.text), []Change{*change}, nil
	}
}

// leadGcloud writes a configuration.
func leadGcloud(w gcloudConfiguration) edit {
	return onGcloudFile(func(f *gcloudFile, r *record) (*Change, error) {
		before := f.says(sectionAuth, keyCredentials)
		if f.exists && before != w.credentials {
			return nil, fault.New(fault.Failed, "%s is a configuration already that svcconn did not write", f.file).
				Hint("choose another name: svcconn login gcloud %s --connector %s --configuration %s-svcconn", w.login.ResourceName, w.login.Connector, w.login.Configuration)
		}
		if f.exists && f.has(w, r) {
			return nil, nil
		}
		if !f.exists {
			r.Replaced = nil // of one that somebody removed
			r.note(place{}, nil)
			f.exists = true
		}
		if err := f.put(w, r); err != nil {
			return nil, err
		}
		return &Change{Before: before, After: w.credentials}, nil
	})
}

// put writes the settings, and removes those that a former login wrote.
func (f *gcloudFile) put(w gcloudConfiguration, r *record) error {
	for _, old := range slices.Backward(f.owned(w.credentials, r)) {
		if !slices.ContainsFunc(w.settings, func(s gcloudSetting) bool { return slices.Equal(s.place(), old.place()) }) {
			r.take(old.place())
			if err := f.unset(old.section, old.key, r); err != nil {
				return err
			}
		}
	}
	for _, s := range w.settings {
		if f.says(s.section, s.key) != s.value {
			if err := f.set(s.section, s.key, s.value, r); err != nil {
				return err
			}
		}
		if !r.knows(s.place()) {
			r.note(s.place(), nil)
		}
	}
	if err := f.check(); err != nil || !f.has(w, r) {
		return fault.New(fault.Invalid, "%s is laid out in a way that svcconn does not edit", f.file).
			Hint("remove it with `gcloud config configurations delete %s`, and log in again", w.login.Configuration)
	}
	return nil
}

// has reports whether the file says what is wanted, and nothing that a former login wrote.
func (f *gcloudFile) has(w gcloudConfiguration, r *record) bool {
	wanted := map[string]string{}
	for _, s := range w.settings {
		wanted[fmt.Sprint(s.place())] = s.value
		if f.says(s.section, s.key) != s.value {
			return false
		}
	}
	return !slices.ContainsFunc(f.owned(w.credentials, r), func(s gcloudSetting) bool { _, ok := wanted[fmt.Sprint(s.place())]; return !ok })
}

// owned are the settings in the file that a login wrote: those in the record; without a
// record, all that a login writes if the file is the one that the credential file was made
// for, and else the one that leads to us.
func (f *gcloudFile) owned(credentials string, r *record) []gcloudSetting {
	var out []gcloudSetting
	for _, s := range f.sections {
		for _, v := range s.settings {
			here := gcloudSetting{s.name, v.key, v.value}
			leads := s.name == sectionAuth && v.key == keyCredentials
			if leads || r.knows(here.place()) || len(r.Replaced) == 0 && f.madeFor(credentials) && loginWrites(s.name, v.key) {
				out = append(out, here)
			}
		}
	}
	return out
}

// madeFor reports whether the configuration has the name that a credential file was made
// for.
func (f *gcloudFile) madeFor(credentials string) bool {
	return filepath.Base(f.file) == gcloudPrefix+credentialFile{path: credentials}.configuration()
}

// releaseGcloud removes what leads to a credential file in our folder, and the whole
// configuration if nothing else is in it.
func releaseGcloud(folder string) edit {
	release := onGcloudFile(func(f *gcloudFile, r *record) (*Change, error) {
		credentials := f.ownCredentials(folder)
		if credentials == "" {
			r.Replaced = nil
			return nil, nil
		}
		made := r.knows(place{}) || len(r.Replaced) == 0 && f.madeFor(credentials)
		for _, s := range slices.Backward(f.owned(credentials, r)) { // what sets a section off is intact then
			if err := f.unset(s.section, s.key, r); err != nil {
				return nil, err
			}
		}
		r.Replaced = nil
		if f.ownCredentials(folder) != "" {
			return nil, f.invalid(1, "it is laid out in a way that svcconn does not edit")
		}
		f.exists = !made || len(bytes.TrimSpace(f.text)) > 0
		return &Change{Before: credentials}, nil
	})
	return func(file string, text []byte, r *record) ([]byte, []Change, error) {
		if !bytes.Contains(text, []byte(keyCredentials)) { // whatever is wrong with it
			r.Replaced = nil
			return text, nil, nil
		}
		return release(file, text, r)
	}
}
