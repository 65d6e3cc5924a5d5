package clientconfig

import (
	"bytes"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/tailscale/hujson"

	"github.com/svcconn/svcconn/pkg/secret"
)

// Diff shows the changes as a unified diff, empty if there are none. Of the files'
// values only names of helpers are shown: everything else (logins, headers, proxies
// with passwords) reads [redacted].
func (p *Plan) Diff() string {
	var out strings.Builder
	for i, f := range p.files {
		if len(f.changes) == 0 {
			continue
		}
		redacted := p.steps[i].redacted
		if redacted == nil {
			redacted = snapshotText.redacted
		}
		out.Write(unified(f.before, f.after, redacted))
	}
	return out.String()
}

func unified(before, after snapshotText, redacted func(snapshotText) []byte) []byte {
	text := diff.Diff(before.name(), redacted(before), after.name(), redacted(after))
	_, text, _ = bytes.Cut(text, []byte("\n")) // "diff A B": git's, patch does without
	return text
}

func (s snapshotText) name() string {
	if s.text == nil {
		return "/dev/null"
	}
	return s.path
}

func (s snapshotText) redacted() []byte {
	d, err := parse(s.path, s.text)
	if err != nil || len(d.root.Members) == 0 { // nothing but space and braces
		return s.text
	}
	for i := range d.root.Members {
		m := &d.root.Members[i]
		switch name := nameOf(*m); {
		case strings.EqualFold(name, memberHelpers), strings.EqualFold(name, memberStore):
		default:
			hide(&m.Value)
		}
	}
	return d.text()
}

// hide redacts every string and number in v, and names that could be URLs with a
// password.
func hide(v *hujson.Value) {
	switch value := v.Value.(type) {
	case hujson.Literal:
		if isKind(*v, `"0`) {
			v.Value = hujson.String(secret.Redacted)
		}
	case *hujson.Array:
		for i := range value.Elements {
			hide(&value.Elements[i])
		}
	case *hujson.Object:
		for i := range value.Members {
			if strings.Contains(nameOf(value.Members[i]), "@") {
				hide(&value.Members[i].Name)
			}
			hide(&value.Members[i].Value)
		}
	}
}
