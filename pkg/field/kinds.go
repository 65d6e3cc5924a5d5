package field

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

func invalid(format string, args ...any) error { return fault.New(fault.Invalid, format, args...) }

func errNotSecret(name string) error {
	return fault.New(fault.Invalid, "%s is not a secret", name).Hint("give it plainly: --set %s=VALUE", name)
}

func errPlainSecret(name string) error {
	return fault.New(fault.Invalid, "%s is a secret and must not be given in plain text", name).
		Hint("%s", howToSet(Info{Name: name, Kind: KindSecret}))
}

// String is a field of text. Check, if set, validates and canonicalises.
type String struct {
	Name, Title, Help string
	Required          bool
	Default, Example  string
	Choices           []string
	Check             func(string) (string, error)
}

// Info implements Field.
func (f String) Info() Info {
	return Info{Name: f.Name, Title: f.Title, Help: f.Help, Kind: KindString, Required: f.Required, Default: f.Default, Example: f.Example, Choices: f.Choices}
}

// Parse implements Field. Text that has NUL or line breaks at its ends is trimmed
// or refused; an empty text is refused, since leaving a field out says that.
func (f String) Parse(text string) (any, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return nil, invalid("the value is empty")
	case strings.ContainsRune(text, 0):
		return nil, invalid("the value contains a NUL character")
	case len(f.Choices) > 0 && !slices.Contains(f.Choices, text):
		err := fault.New(fault.Invalid, "%q is not one of: %s", text, strings.Join(f.Choices, ", "))
		if near := Nearest(text, f.Choices); near != "" {
			err = err.Hint("did you mean %q?", near)
		}
		return nil, err
	case f.Check != nil:
		return f.Check(text)
	}
	return text, nil
}

// Accept implements Field.
func (f String) Accept(value any) (any, error) {
	if text, ok := value.(string); ok {
		return f.Parse(text)
	}
	return nil, invalid("must be a string, not %s", KindOf(value))
}

// Get reads the value; "" when there is none.
func (f String) Get(v Values) string {
	text, _ := v.plain[f.Name].(string)
	return text
}

// Secret is a field whose value lives in the secret store.
type Secret struct {
	Name, Title, Help string
	Required          bool
	Multiline         bool // a key, a certificate, a JSON document: prompts read to end of input
	Check             func(secret.Text) error
}

// Info implements Field.
func (f Secret) Info() Info {
	return Info{Name: f.Name, Title: f.Title, Help: f.Help, Kind: KindSecret, Required: f.Required}
}

// Parse implements Field: it refuses, since secrets are never parsed from text
// that can be seen.
func (f Secret) Parse(string) (any, error) { return nil, errPlainSecret(f.Name) }

// Accept implements Field: it refuses, since secrets never come from TOML.
func (f Secret) Accept(any) (any, error) { return nil, errPlainSecret(f.Name) }

func (f Secret) check(value secret.Text) error {
	if value.IsEmpty() {
		return invalid("the secret is empty")
	}
	if f.Check != nil {
		return f.Check(value)
	}
	return nil
}

// Get reads the value; the empty secret when there is none.
func (f Secret) Get(v Values) secret.Text { return v.secrets[f.Name] }

// Bool is a field that is true or false; without a value it is false.
type Bool struct {
	Name, Title, Help string
	Default           string // "true" or "false"
}

// Info implements Field.
func (f Bool) Info() Info {
	return Info{Name: f.Name, Title: f.Title, Help: f.Help, Kind: KindBool, Default: f.Default, Choices: []string{"true", "false"}}
}

// Parse implements Field.
func (f Bool) Parse(text string) (any, error) {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "true", "yes", "on", "1":
		return true, nil
	case "false", "no", "off", "0":
		return false, nil
	}
	return nil, invalid("%q is neither true nor false", text)
}

// Accept implements Field.
func (f Bool) Accept(value any) (any, error) {
	switch value := value.(type) {
	case bool:
		return value, nil
	case string:
		return f.Parse(value)
	}
	return nil, invalid("must be true or false, not %s", KindOf(value))
}

// Get reads the value; false when there is none.
func (f Bool) Get(v Values) bool {
	value, _ := v.plain[f.Name].(bool)
	return value
}

// Int is a field of a whole number between Min and Max, both included; Max 0 is
// no bound.
type Int struct {
	Name, Title, Help string
	Required          bool
	Default, Example  string
	Min, Max          int64
}

// Info implements Field.
func (f Int) Info() Info {
	return Info{Name: f.Name, Title: f.Title, Help: f.Help, Kind: KindInt, Required: f.Required, Default: f.Default, Example: f.Example}
}

// Parse implements Field.
func (f Int) Parse(text string) (any, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil {
		return nil, invalid("%q is not a whole number", text)
	}
	return f.Accept(n)
}

// Accept implements Field.
func (f Int) Accept(value any) (any, error) {
	var n int64
	switch value := value.(type) {
	case int64:
		n = value
	case int:
		n = int64(value)
	case string:
		return f.Parse(value)
	default:
		return nil, invalid("must be a whole number, not %s", KindOf(value))
	}
	if n < f.Min {
		return nil, invalid("%d is below the least value, %d", n, f.Min)
	}
	if f.Max != 0 && n > f.Max {
		return nil, invalid("%d is above the greatest value, %d", n, f.Max)
	}
	return n, nil
}

// Get reads the value; 0 when there is none.
func (f Int) Get(v Values) int64 {
	n, _ := v.plain[f.Name].(int64)
	return n
}

// Duration is a field of a time span between Min and Max, both included; Max 0 is
// no bound. Its canonical form is Go's text ("15m0s").
type Duration struct {
	Name, Title, Help string
	Required          bool
	Default, Example  string
	Min, Max          time.Duration
}

// Info implements Field.
func (f Duration) Info() Info {
	return Info{Name: f.Name, Title: f.Title, Help: f.Help, Kind: KindDuration, Required: f.Required, Default: f.Default, Example: f.Example}
}

// Parse implements Field: Go's durations, or a number of seconds.
func (f Duration) Parse(text string) (any, error) {
	d, err := ParseDuration(text)
	if err != nil {
		return nil, err
	}
	if d < f.Min {
		return nil, invalid("%s is below the least value, %s", d, f.Min)
	}
	if f.Max != 0 && d > f.Max {
		return nil, invalid("%s is above the greatest value, %s", d, f.Max)
	}
	return d.String(), nil
}

// Accept implements Field.
func (f Duration) Accept(value any) (any, error) {
	switch value := value.(type) {
	case string:
		return f.Parse(value)
	case int64:
		return f.Parse(strconv.FormatInt(value, 10))
	}
	return nil, invalid("must be a duration such as \"15m\", not %s", KindOf(value))
}

// Get reads the value; 0 when there is none.
func (f Duration) Get(v Values) time.Duration {
	text, _ := v.plain[f.Name].(string)
	d, _ := time.ParseDuration(text)
	return d
}

// ParseDuration reads a duration that is not negative: Go's text ("15m") or a
// number of seconds ("900").
func ParseDuration(text string) (time.Duration, error) {
	text = strings.TrimSpace(text)
	if seconds, err := strconv.ParseInt(text, 10, 32); err == nil && seconds >= 0 {
		return time.Duration(seconds) * time.Second, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, fault.New(fault.Invalid, "%q is not a duration", text).Hint("write it as 90s, 15m or 1h30m, or as a number of seconds")
	}
	return d, nil
}

// List is a field of several strings. As text they are separated by commas; a
// JSON-like bracketed list is not accepted.
type List struct {
	Name, Title, Help string
	Required          bool
	Default, Example  string
	Check             func(string) (string, error)
}

// Info implements Field.
func (f List) Info() Info {
	return Info{Name: f.Name, Title: f.Title, Help: f.Help, Kind: KindList, Required: f.Required, Default: f.Default, Example: f.Example}
}

// Parse implements Field.
func (f List) Parse(text string) (any, error) {
	var items []any
	for item := range strings.SplitSeq(text, ",") {
		items = append(items, strings.TrimSpace(item))
	}
	return f.Accept(items)
}

// Accept implements Field.
func (f List) Accept(value any) (any, error) {
	var items []any
	switch value := value.(type) {
	case string:
		return f.Parse(value)
	case []any:
		items = value
	case []string:
		for _, item := range value {
			items = append(items, item)
		}
	default:
		return nil, invalid("must be a list of strings, not %s", KindOf(value))
	}
	out := make([]string, 0, len(items))
	for _, item := range items {
		text, err := String{Check: f.Check}.Accept(item)
		if err != nil {
			return nil, err
		}
		out = append(out, text.(string))
	}
	return out, nil
}

// Get reads the value; nil when there is none.
func (f List) Get(v Values) []string {
	items, _ := v.plain[f.Name].([]string)
	return slices.Clone(items)
}

// KindOf names the kind of a decoded TOML value for a person: "a string", "a whole
// number", "a table".
func KindOf(value any) string {
	switch value.(type) {
	case string:
		return "a string"
	case bool:
		return "true or false"
	case int64, int:
		return "a whole number"
	case float64:
		return "a number with a fraction"
	case []any, []string:
		return "a list"
	case map[string]any:
		return "a table"
	case nil:
		return "nothing"
	}
	return "something else"
}
