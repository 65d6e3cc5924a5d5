package clientconfig

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
)

// The sections and settings of a configuration that a login writes.
// https://cloud.google.com/sdk/docs/properties
const (
	sectionCore      = "core"
	sectionAuth      = "auth"
	sectionBilling   = "billing"
	sectionEndpoints = "api_endpoint_overrides"

	keyProject      = "project"
	keyUniverse     = "universe_domain"
	keyCredentials  = "credential_file_override"
	keyQuotaProject = "quota_project"
)

// gcloudFile is a configuration of gcloud.
type gcloudFile struct{ iniFile }

// parseGcloud refuses what gcloud does not read. Its errors name file and line and never
// quote the file, which may hold the password of a proxy.
func parseGcloud(file string, text []byte) (*gcloudFile, error) {
	f := &gcloudFile{iniFile{file: file, reader: Gcloud, text: text, exists: text != nil, header: plainHeader}}
	if err := f.parse(); err != nil {
		return f, err
	}
	return f, f.check()
}

// plainHeader reads "[name]", and a comment behind it.
func plainHeader(text string) (iniSection, bool) {
	name, behind, closed := strings.Cut(text[1:], "]")
	behind = strings.TrimSpace(behind)
	good := closed && name != "" && name == strings.TrimSpace(name) && !strings.Contains(behind, "]") && (behind == "" || isComment(behind))
	return iniSection{name: name}, good
}

// check finds what Python's configparser, as gcloud uses it, stumbles over, or reads in
// another way than we do.
func (f *gcloudFile) check() error {
	number := 0
	for line := range bytes.Lines(f.text) {
		number++
		text := strings.TrimRight(string(line), "\r\n")
		if strings.ContainsFunc(text, func(r rune) bool { return r != '\t' && unicode.IsControl(r) }) {
			return f.invalid(number, "there is a control character")
		}
		if strings.TrimLeftFunc(text, unicode.IsSpace) != strings.TrimLeft(text, " \t") {
			return f.invalid(number, "it begins with a space of another kind than usual")
		}
	}
	for i, s := range f.sections {
		if slices.ContainsFunc(f.sections[:i], func(other iniSection) bool { return other.name == s.name }) {
			return f.invalid(f.lineOf(s.from), "a section is there twice")
		}
		for j, v := range s.settings {
			if slices.ContainsFunc(s.settings[:j], func(other iniSetting) bool { return other.key == v.key }) {
				return f.invalid(f.lineOf(v.from), "a setting is there twice")
			}
			if !interpolates(v.value) {
				return f.invalid(f.lineOf(v.from), "there is a % that neither %% nor %( begins with")
			}
		}
	}
	return nil
}

func (f *gcloudFile) lineOf(at int) int { return 1 + bytes.Count(f.text[:at], []byte("\n")) }

// interpolates reports whether configparser accepts the percent signs of a value.
func interpolates(value string) bool {
	rest := strings.ReplaceAll(value, "%%", "")
	for i := strings.IndexByte(rest, '%'); i >= 0; i = strings.IndexByte(rest, '%') {
		if !strings.HasPrefix(rest[i+1:], "(") {
			return false
		}
		rest = rest[i+1:]
	}
	return true
}

// says is what the configuration says of a setting; "" is nothing.
func (f *gcloudFile) says(section, key string) string {
	for _, s := range f.find("", section) {
		return strings.ReplaceAll(s.value(key), "%%", "%")
	}
	return ""
}

// ownCredentials is the credential file that the configuration names if it is in our
// folder, else "".
func (f *gcloudFile) ownCredentials(folder string) string {
	path := f.says(sectionAuth, keyCredentials)
	if path == "" || strings.Contains(path, "\n") || filepath.Dir(path) != folder {
		return ""
	}
	return path
}

// set gives a setting its value, in place where it is there. A new section comes last; what
// sets it off is in the record.
func (f *gcloudFile) set(section, key, value string, r *record) error {
	wanted := iniSection{name: section, settings: []iniSetting{{key: key, value: strings.ReplaceAll(value, "%", "%%")}}}
	found := f.find("", section)
	if len(found) == 0 {
		r.take(wanted.place())
		return f.append(wanted, r)
	}
	text, s := wanted.settingLines(f.newline()), found[0]
	if i := slices.IndexFunc(s.settings, func(v iniSetting) bool { return v.key == key }); i >= 0 {
		return f.splice(s.settings[i].from, s.settings[i].to, text)
	}
	if !bytes.HasSuffix(f.text[:s.to], []byte("\n")) {
		text = f.newline() + text
	}
	return f.splice(s.to, s.to, text)
}

// unset removes a setting, and its section if nothing is left in there.
func (f *gcloudFile) unset(section, key string, r *record) error {
	found := f.find("", section)
	if len(found) == 0 {
		return nil
	}
	s := found[0]
	i := slices.IndexFunc(s.settings, func(v iniSetting) bool { return v.key == key })
	if i < 0 {
		return nil
	}
	if err := f.splice(s.settings[i].from, s.settings[i].to, ""); err != nil || len(s.settings) > 1 {
		return err
	}
	if before := bytes.ReplaceAll(f.text[:s.from], []byte("\r\n"), []byte("\n")); !bytes.HasSuffix(before, []byte("\n\n")) {
		r.take(s.place()) // gcloud, or somebody else, has written the file in another layout
	}
	if err := f.remove(f.find("", section)[0], r); err != nil || s.from > 0 || !bytes.HasPrefix(f.text, []byte(f.newline())) {
		return err
	}
	return f.splice(0, len(f.newline()), "") // what set off the next one
}

// redactedGcloud is a configuration of gcloud for a diff, without what a login does not
// write.
func (s snapshotText) redactedGcloud() []byte {
	f, err := parseGcloud(s.path, s.text)
	if err != nil {
		return nil
	}
	return f.redacted(func(at int) bool {
		return slices.ContainsFunc(f.sections, func(s iniSection) bool {
			return slices.ContainsFunc(s.settings, func(v iniSetting) bool { return v.from <= at && at < v.to && loginWrites(s.name, v.key) })
		})
	})
}

// loginWrites reports whether a login writes such settings.
func loginWrites(section, key string) bool {
	switch fmt.Sprint(section, "/", key) {
	case sectionCore + "/" + keyProject, sectionCore + "/" + keyUniverse, sectionAuth + "/" + keyCredentials, sectionBilling + "/" + keyQuotaProject:
		return true
	}
	return section == sectionEndpoints
}
