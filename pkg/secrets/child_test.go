package secrets_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// childMark is set in a process that runs one test alone.
const childMark = "SVCCONN_TEST_CHILD"

// inChild runs the body of a test in a process of its own, so that its environment,
// which is where go-keyring finds the bus, can be changed while other tests run.
//
// The parent may change how the child is started.
func inChild(t *testing.T, body func(*testing.T), change ...func(*exec.Cmd)) {
	t.Helper()
	if os.Getenv(childMark) == t.Name() {
		body(t)
		return
	}
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=5m")
	cmd.Env = append(os.Environ(), childMark+"="+t.Name())
	for _, f := range change {
		f(cmd)
	}
	out, err := cmd.CombinedOutput()
	switch text := string(out); {
	case strings.Contains(text, "--- SKIP: "+t.Name()):
		t.Skip(text)
	case err != nil || !strings.Contains(text, "--- PASS: "+t.Name()):
		t.Fatalf("%v\n%s", err, text)
	}
}
