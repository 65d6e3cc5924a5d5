package connectortest

import (
	"regexp"
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/field"
)

var (
	kebab = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	snake = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
)

// declarations checks what describe-type and the prompts print.
func (r *run) declarations() {
	if err := panics(func() { connector.NewTypes(r.Type) }); err != nil {
		r.wrong("the type is malformed: %v", err)
		return
	}
	r.named("the type", kebab, r.Type.Name, r.Type.Title, r.Type.Doc)
	r.wrongIf(r.Type.Icon == "", "the type has no icon")
	for _, m := range r.Type.Methods {
		r.subject = "auth method " + m.Name + ": "
		r.named("it", kebab, m.Name, m.Title, m.Doc)
		r.wrongIf(m.Lifetime != connector.TTLBounds{} && m.Lifetime.Default <= 0, "a lifetime can be asked of it, and it has no default")
		for _, f := range m.Fields {
			r.field(f)
		}
	}
	for _, t := range r.Type.Resources {
		r.subject = "resource type " + t.Name + ": "
		r.named("it", kebab, t.Name, t.Title, t.Doc)
		r.wrongIf(t.Icon == "", "it has no icon")
		r.wrongIf(len(t.Formats) == 0, "it has no formats")
	}
}

func panics(f func()) (what any) {
	defer func() { what = recover() }()
	f()
	return nil
}

func (r *run) wrongIf(bad bool, format string, args ...any) {
	if bad {
		r.wrong(format, args...)
	}
}

func (r *run) named(what string, form *regexp.Regexp, name, title, doc string) {
	r.wrongIf(!form.MatchString(name), "%s is called %q", what, name)
	r.wrongIf(title != strings.TrimSpace(title) || strings.HasSuffix(title, "."), "%s has the title %q", what, title)
	r.wrongIf(!strings.HasSuffix(doc, "."), "the documentation of %s does not end with a period: %q", what, doc)
}

func (r *run) field(f field.Field) {
	info := f.Info()
	r.named("field "+info.Name, snake, info.Name, info.Title, info.Help)
	for what, text := range map[string]string{"example": info.Example, "default": info.Default} {
		if text == "" {
			continue
		}
		value, err := f.Parse(text)
		if err != nil {
			r.wrong("field %s does not accept its own %s: %v", info.Name, what, err)
			continue
		}
		if again, err := f.Accept(value); err != nil || !sameValue(again, value) {
			r.wrong("field %s makes %v of its own canonical %v: %v", info.Name, again, value, err)
		}
	}
	r.wrongIf(info.Required && info.Default != "", "field %s is required and has a default", info.Name)
}

func sameValue(a, b any) bool {
	if list, ok := a.([]string); ok {
		other, _ := b.([]string)
		return slices.Equal(list, other)
	}
	return a == b
}
