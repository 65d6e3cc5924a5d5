package secret

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

const canary = "canary-h5Jd81Wq"

// hidden has the secret where fmt does not ask the type.
type hidden struct {
	text Text
	ptr  *Text
	list []Text
	dict map[string]Text
	any  any
}

func containers() map[string]any {
	t := New(canary)
	return map[string]any{
		"alone": t, "pointer": &t, "slice": []Text{t}, "map": map[string]Text{"k": t}, "array": [1]Text{t},
		"struct": struct{ T Text }{t}, "unexported": hidden{t, &t, []Text{t}, map[string]Text{"k": t}, t},
		"interface": any(t), "nested": []any{map[string]any{"k": hidden{text: t}}}, "error": fmt.Errorf("wrapped %v", t),
	}
}

func TestNoVerbPrintsASecret(t *testing.T) {
	t.Parallel()
	for name, value := range containers() {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X", "%o", "%b", "%c", "%U", "%e", "%g", "%t", "%p", "%T", "%w", "%10s", "%-10v", "%.3s", "%[1]v"} {
			if got := fmt.Sprintf(verb, value); leaks(got) {
				t.Errorf("%s under %s: %s", name, verb, got)
			}
		}
		if got := fmt.Sprint(value) + fmt.Sprintln(value); leaks(got) {
			t.Errorf("%s printed: %s", name, got)
		}
	}
}

func TestNoEncoderPrintsASecret(t *testing.T) {
	t.Parallel()
	for name, value := range containers() {
		text, err := json.Marshal(value)
		if leaks(string(text)) || err != nil && leaks(err.Error()) {
			t.Errorf("%s as JSON: %s %v", name, text, err)
		}
		for _, handler := range []func(*bytes.Buffer) slog.Handler{
			func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
			func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
		} {
			var out bytes.Buffer
			slog.New(handler(&out)).Info("m", "k", value, slog.Group("g", "k", value))
			if leaks(out.String()) {
				t.Errorf("%s in a log: %s", name, &out)
			}
		}
	}
	if got, _ := json.Marshal(New(canary)); string(got) != `"[redacted]"` {
		t.Errorf("JSON is %s", got)
	}
}

// leaks looks for the secret as text and as the numbers of its bytes.
func leaks(out string) bool {
	for _, form := range []string{canary, fmt.Sprintf("%x", canary), fmt.Sprintf("%X", canary), strings.Trim(fmt.Sprint([]byte(canary)), "[]")} {
		if strings.Contains(out, form) {
			return true
		}
	}
	return false
}

func TestASecretIsNotDecoded(t *testing.T) {
	t.Parallel()
	var into struct{ T Text }
	if err := json.Unmarshal([]byte(`{"T":"`+canary+`"}`), &into); err == nil || !into.T.IsEmpty() || strings.Contains(err.Error(), canary) {
		t.Errorf("decoded: %v", err)
	}
}

func TestReveal(t *testing.T) {
	t.Parallel()
	text := New(canary)
	if text.Reveal() != canary || text.Len() != len(canary) || text.IsEmpty() || !text.Equal(New(canary)) || text.Equal(New("x")) {
		t.Error("a secret is not what it was made of")
	}
	var zero Text
	if zero.Reveal() != "" || !zero.IsEmpty() || !zero.Equal(New("")) || fmt.Sprint(zero) != Redacted {
		t.Error("the zero secret is not the empty one")
	}
}
