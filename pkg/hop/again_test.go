package hop

import (
	"context"
	"net/http"
	"testing"
	"time"
)

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]struct {
		wait  time.Duration
		said  bool
		later string
	}{
		"":                              {0, false, "later"},
		"0":                             {0, true, "in 0 seconds"},
		"90":                            {90 * time.Second, true, "in 90 seconds"},
		"-1":                            {0, false, "after -1"},
		"99999999999":                   {0, false, "in 99999999999 seconds"},
		"soon\x1b":                      {0, false, "after soon"},
		"Sat, 01 Aug 2026 12:00:30 GMT": {30 * time.Second, true, "after Sat, 01 Aug 2026 12:00:30 GMT"},
		"Mon, 02 Jan 2006 15:04:05 GMT": {0, true, "after Mon, 02 Jan 2006 15:04:05 GMT"},
	} {
		header := http.Header{"Retry-After": {text}}
		if wait, said := RetryAfter(header, now); wait != want.wait || said != want.said || Later(header) != want.later {
			t.Errorf("%q is %s, %v: try again %s", text, wait, said, Later(header))
		}
	}
}

func TestPause(t *testing.T) {
	t.Parallel()
	if err := Pause(t.Context(), time.Nanosecond); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Pause(ctx, time.Hour); err == nil {
		t.Error("it waited for nobody")
	}
}
