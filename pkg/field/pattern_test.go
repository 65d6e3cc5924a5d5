package field

import (
	"slices"
	"sync"
	"testing"
)

func TestPattern(t *testing.T) {
	t.Parallel()
	pattern := Lazily(`^([a-z]+)-([0-9]+)$`)
	for text, want := range map[string][]string{"ab-12": {"ab-12", "ab", "12"}, "ab-": nil, "": nil} {
		if got := pattern.FindStringSubmatch(text); !slices.Equal(got, want) || pattern.MatchString(text) != (want != nil) {
			t.Errorf("%q: %q", text, got)
		}
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if first, second := pattern(), pattern(); first != second {
				t.Error("it is compiled twice")
			}
		})
	}
	all.Wait()
}

// A malformed expression is a bug, which does nothing as long as nobody needs it.
func TestPatternIsCompiledLate(t *testing.T) {
	t.Parallel()
	pattern := Lazily(`(`)
	defer func() {
		if recover() == nil {
			t.Error("a malformed expression matches")
		}
	}()
	pattern.MatchString("")
}
