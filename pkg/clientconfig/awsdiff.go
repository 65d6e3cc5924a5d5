package clientconfig

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/secret"
)

// redactedAWS is a file of the AWS SDKs for a diff: line by line as it is, without the
// values, and without the comments, that a login does not write.
func (s snapshotText) redactedAWS() []byte {
	f, err := parseAWS(s.path, s.text)
	if err != nil {
		return nil
	}
	var out bytes.Buffer
	at := 0
	for line := range bytes.Lines(f.text) {
		if f.ownAt(at) {
			out.Write(line)
		} else {
			out.WriteString(redactedLine(string(line)))
		}
		at += len(line)
	}
	return out.Bytes()
}

// ownAt reports whether the line there is a setting that a login wrote.
func (f *awsFile) ownAt(at int) bool {
	for _, s := range f.sections {
		if at < s.from || s.to <= at {
			continue
		}
		profile, isServices := strings.CutPrefix(s.name, awsProgram+"-")
		own := profileKeys
		if s.kind == kindServices && isServices && f.refers(profile, s.name) {
			own = nil
		} else if s.processWords() == nil {
			return false
		}
		return slices.ContainsFunc(s.settings, func(v awsSetting) bool {
			return v.from <= at && at < v.to && (own == nil || v.key == keyServices || slices.Contains(own, v.key))
		})
	}
	return false
}

// keyShown is what keys look like, and secrets do not.
var keyShown = regexp.MustCompile(`^[a-z][a-z0-9_]{0,40}$`)

// redactedLine keeps the names of sections and settings, and the layout.
func redactedLine(line string) string {
	text := strings.TrimSpace(line)
	if text == "" {
		return line
	}
	layout := func(shown string) string { return strings.Replace(line, text, shown, 1) }
	sign := strings.IndexAny(text, "=:")
	switch {
	case isComment(text):
		return layout(text[:1] + " " + secret.Redacted)
	case text[0] == '[':
		header, _, _ := strings.Cut(text, "]")
		return layout(header + "]")
	case sign > 0 && keyShown.MatchString(strings.TrimSpace(text[:sign])):
		return layout(text[:sign+1] + " " + secret.Redacted)
	}
	return layout(secret.Redacted)
}
