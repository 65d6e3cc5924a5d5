package clientconfig

import (
	"bytes"
	"strings"

	"github.com/svcconn/svcconn/pkg/secret"
)

// redactedAWS is a file of the AWS SDKs for a diff: line by line as it is, without the
// values, and without the comments, of sections that are not ours.
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

// ownAt reports whether the text there is of a section that a login wrote.
func (f *awsFile) ownAt(at int) bool {
	for _, s := range f.sections {
		if s.from <= at && at < s.to {
			profile, isServices := strings.CutPrefix(s.name, awsProgram+"-")
			return s.processWords() != nil || s.kind == kindServices && isServices && f.refers(profile, s.name)
		}
	}
	return false
}

// redactedLine keeps the names of sections and settings, and the layout.
func redactedLine(line string) string {
	text := strings.TrimSpace(line)
	if text == "" {
		return line
	}
	layout := func(shown string) string { return strings.Replace(line, text, shown, 1) }
	key, _, isSetting := strings.Cut(text, "=")
	switch {
	case isComment(text):
		return layout(text[:1] + " " + secret.Redacted)
	case text[0] == '[':
		header, _, _ := strings.Cut(text, "]")
		return layout(header + "]")
	case isSetting:
		return layout(key + "= " + secret.Redacted)
	}
	return layout(secret.Redacted)
}
