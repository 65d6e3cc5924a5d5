package clientconfig

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/svcconn/svcconn/pkg/secret"
)

// redacted is the file for a diff: line by line as it is, without the comments, and
// without the values but of lines that ownAt says are ours.
func (f *iniFile) redacted(ownAt func(at int) bool) []byte {
	var out bytes.Buffer
	at := 0
	for line := range bytes.Lines(f.text) {
		if ownAt(at) {
			out.Write(line)
		} else {
			out.WriteString(redactedLine(string(line)))
		}
		at += len(line)
	}
	return out.Bytes()
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
