package admin

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// Stories of the command line, as a person or a script lives through them.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("SVCCONN_CONFIG_DIR", env.WorkDir+"/config")
			env.Setenv("SVCCONN_AGENT", "off")
			return nil
		},
	})
}
