package field

import (
	"maps"
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/secret"
)

// Values are the values of some fields, by name. Plain values are string, bool,
// int64 or []string; secrets have their own type and are never among them. The
// zero value is empty and ready to use. Copies share nothing once Clone is used.
type Values struct {
	plain   map[string]any
	secrets map[string]secret.Text
}

// Set sets a plain value.
func (v *Values) Set(name string, value any) {
	if v.plain == nil {
		v.plain = map[string]any{}
	}
	v.plain[strings.ReplaceAll(name, "-", "_")] = value
}

// SetSecret sets a secret value.
func (v *Values) SetSecret(name string, value secret.Text) {
	if v.secrets == nil {
		v.secrets = map[string]secret.Text{}
	}
	v.secrets[strings.ReplaceAll(name, "-", "_")] = value
}

// Unset removes a value of either sort.
func (v *Values) Unset(name string) {
	name = strings.ReplaceAll(name, "-", "_")
	delete(v.plain, name)
	delete(v.secrets, name)
}

// Has reports whether there is a value of that name.
func (v Values) Has(name string) bool {
	_, plain := v.plain[name]
	_, hidden := v.secrets[name]
	return plain || hidden
}

// Plain returns a copy of the values that are not secret.
func (v Values) Plain() map[string]any { return maps.Clone(v.plain) }

// Secrets returns a copy of the secret values.
func (v Values) Secrets() map[string]secret.Text { return maps.Clone(v.secrets) }

// Clone returns an independent copy.
func (v Values) Clone() Values {
	return Values{plain: maps.Clone(v.plain), secrets: maps.Clone(v.secrets)}
}

func (v Values) names() []string {
	names := slices.Collect(maps.Keys(v.plain))
	for name := range v.secrets {
		if _, both := v.plain[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// take moves the value called name into v, checked by f.
func (v *Values) take(f Field, from Values, name string) error {
	info := f.Info()
	hidden, isSecret := from.secrets[name]
	if s, ok := f.(Secret); ok {
		return v.takeSecret(s, hidden, isSecret)
	}
	if isSecret {
		return errNotSecret(info.Name)
	}
	value, err := f.Accept(from.plain[name])
	if err == nil {
		v.Set(info.Name, value)
	}
	return err
}

func (v *Values) takeSecret(f Secret, value secret.Text, given bool) error {
	if !given {
		return errPlainSecret(f.Name)
	}
	if err := f.check(value); err != nil {
		return err
	}
	v.SetSecret(f.Name, value)
	return nil
}
