package fault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
)

func TestKindAndHintOfChains(t *testing.T) {
	t.Parallel()
	base := New(Denied, "denied: %w", io.EOF).Hint("log in")
	for _, tc := range []struct {
		name, text, hint string
		err              error
		kind             Kind
	}{
		{"nil", "", "", nil, ""},
		{"plain", "EOF", "", io.EOF, Failed},
		{"deadline", "context deadline exceeded", "", context.DeadlineExceeded, Unavailable},
		{"wrapped cancel", "x: context canceled", "", fmt.Errorf("x: %w", context.Canceled), Interrupted},
		{"fault", "denied: EOF", "log in", base, Denied},
		{"wrapped fault", "a: denied: EOF", "log in", fmt.Errorf("a: %w", base), Denied},
		{"within", "connector hub: denied: EOF", "log in", Within(base, "connector %s", "hub"), Denied},
		{"outer kind counts", "b: denied: EOF", "try again", New(Unavailable, "b: %w", base).Hint("try again"), Unavailable},
		{"inner hint shows through", "b: denied: EOF", "log in", New(Unavailable, "b: %w", base), Unavailable},
		{"a hint does not replace one", "denied: EOF", "log in", WithHint(base, "other"), Denied},
		{"a hint for a plain error", "EOF", "do x", WithHint(io.EOF, "do %s", "x"), Failed},
	} {
		if KindOf(tc.err) != tc.kind || HintOf(tc.err) != tc.hint {
			t.Errorf("%s: kind %q hint %q, want %q and %q", tc.name, KindOf(tc.err), HintOf(tc.err), tc.kind, tc.hint)
		}
		if tc.err != nil && tc.err.Error() != tc.text {
			t.Errorf("%s: text %q, want %q", tc.name, tc.err, tc.text)
		}
	}
	if !errors.Is(Within(base, "x"), io.EOF) {
		t.Error("the cause is lost")
	}
	if Within(nil, "x") != nil || WithHint(nil, "x") != nil || Is(nil, Failed) {
		t.Error("nothing became an error")
	}
}
