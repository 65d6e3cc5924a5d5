package clientconfig

import (
	"slices"
	"strings"
)

// redactedAWS is a file of the AWS SDKs for a diff, without what a login does not write.
func (s snapshotText) redactedAWS() []byte {
	f, err := parseAWS(s.path, s.text)
	if err != nil {
		return nil
	}
	return f.redacted(f.ownAt)
}

// ownAt reports whether the line there is a setting that a login wrote.
func (f *awsFile) ownAt(at int) bool {
	for _, s := range f.sections {
		if at < s.from || s.to <= at {
			continue
		}
		profile, isServices := strings.CutPrefix(s.name, program+"-")
		own := profileKeys
		if s.kind == kindServices && isServices && f.refers(profile, s.name) {
			own = nil
		} else if s.processWords() == nil {
			return false
		}
		return slices.ContainsFunc(s.settings, func(v iniSetting) bool {
			return v.from <= at && at < v.to && (own == nil || v.key == keyServices || slices.Contains(own, v.key))
		})
	}
	return false
}
