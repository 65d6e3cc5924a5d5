package registry

import (
	"strings"
	"testing"

	"github.com/svcconn/svcconn/pkg/fault"
)

func TestCheckName(t *testing.T) {
	t.Parallel()
	good := []string{"a", "hub", "AWS-prod", "eu-west-1.dev_2", "0", "console", "com", "com10", "nul-1", "auxiliary", strings.Repeat("a", 100)}
	for _, name := range good {
		if err := CheckName(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	bad := []string{
		"", ".hidden", "-flag", "_x", "a b", "a/b", `a\b`, "..", "a\n", "é", "a:b", "a\x00", strings.Repeat("a", 101),
		"a.", "con", "NUL", "Com1", "lpt9", "aux.x", "prn.",
	}
	for _, name := range bad {
		if err := CheckName(name); !fault.Is(err, fault.Invalid) || fault.HintOf(err) == "" {
			t.Errorf("%q: got %v", name, err)
		}
	}
}

func FuzzCheckName(f *testing.F) {
	f.Add("hub")
	f.Add("con.x")
	f.Fuzz(func(t *testing.T, name string) {
		if CheckName(name) != nil {
			return
		}
		if back, ok := nameOf(name + extension); !ok || back != name {
			t.Errorf("the file of %q is that of %q", name, back)
		}
		if strings.ContainsAny(name, "/\\:*?\"<>| ") || len(name) > 100 {
			t.Errorf("%q cannot be a file's name everywhere", name)
		}
	})
}
