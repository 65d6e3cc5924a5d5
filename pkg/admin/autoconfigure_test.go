package admin

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/proc"
	"github.com/svcconn/svcconn/pkg/prompt"
)

// detecting is a connector type with two auth methods and two resource types, of which
// auto-configuration finds one login.
func detecting(found func(hints map[string]string) (connector.Detected, error)) *connector.Type {
	t := *testTypes()[1]
	t.MethodHint = true
	t.Methods = []connector.AuthMethod{
		{Name: "secret-key", Title: "Secret key", Doc: "Keys.", Fields: field.Set{testMode}},
		{Name: "iam-role", Title: "Role", Doc: "A role.", Fields: field.Set{testMode}, Temporary: true, Lifetime: connector.TTLBounds{Default: time.Hour}},
	}
	t.Detect = func(_ context.Context, _ connector.Host, hints map[string]string) ([]connector.Detected, error) {
		d, err := found(hints)
		d.Source = connector.Source{Description: "the cupboard", File: "/cupboard", Key: "drawer", PlainText: true}
		return []connector.Detected{d}, err
	}
	return &t
}

func TestAutoConfigure(t *testing.T) {
	t.Parallel()
	end := time.Date(2999, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, test := range map[string]struct {
		args  string
		found connector.Detected
		want  []string // of what is printed and of the connector's file
	}{
		"what is found": {"", connector.Detected{Spec: connector.Spec{Method: "secret-key"}},
			[]string{"Found a login in the cupboard.", "also stays in /cupboard (drawer)", `auth_method = "secret-key"`}},
		"its expiration and expiry": {"", connector.Detected{Spec: connector.Spec{Method: "iam-role", Expiration: 2 * time.Hour}, Temporary: true, Expires: end},
			[]string{`expiration = "2h"`, "2999-01-02T03:04:05Z"}},
		"the person's own win": {"--expiration 3h --expires-at 2998-01-01T00:00:00Z", connector.Detected{Spec: connector.Spec{Method: "iam-role", Expiration: 2 * time.Hour}, Temporary: true, Expires: end},
			[]string{`expiration = "3h"`, "2998-01-01T00:00:00Z"}},
		"nobody knows the end": {"", connector.Detected{Spec: connector.Spec{Method: "secret-key"}, Temporary: true},
			[]string{"nothing says until when", "hint: say it: --expires-at"}},
		"the person knows the end": {"--expires-at 2998-01-01T00:00:00Z", connector.Detected{Spec: connector.Spec{Method: "secret-key"}, Temporary: true},
			[]string{"2998-01-01T00:00:00Z"}},
		"the method that was asked for": {"--auth-method iam-role", connector.Detected{Spec: connector.Spec{Method: "iam-role"}},
			[]string{`auth_method = "iam-role"`}},
		"another method": {"--auth-method iam-role", connector.Detected{Spec: connector.Spec{Method: "secret-key"}},
			[]string{"the login in the cupboard is one for auth method secret-key, not iam-role", "leave --auth-method out"}},
		"no method": {"--auth-method iam-rloe", connector.Detected{}, []string{`unknown auth method of connector type cloud "iam-rloe"`, `did you mean "iam-role"`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked := ""
			typ := detecting(func(hints map[string]string) (connector.Detected, error) {
				asked = hints[connector.HintMethod]
				return test.found, nil
			})
			got := autoConfigured(t, typ, test.args)
			for _, part := range test.want {
				if !strings.Contains(got, part) {
					t.Errorf("it lacks %q: %s", part, got)
				}
			}
			if want := strings.Contains(test.args, "--auth-method iam-role"); (asked == "iam-role") != want {
				t.Errorf("the method %q was asked for", asked)
			}
		})
	}
}

// autoConfigured is all that registering prints, and the connector's file.
func autoConfigured(t *testing.T, typ *connector.Type, args string) string {
	t.Helper()
	config := t.TempDir()
	var out bytes.Buffer
	w := proc.World{
		Args:  append([]string{"register", "x", "--type", typ.Name, "--auto-configure", "--no-verify"}, strings.Fields(args)...),
		Env:   []string{"SVCCONN_CONFIG_DIR=" + config, "SVCCONN_STATE_DIR=" + t.TempDir(), "SVCCONN_RUNTIME_DIR=" + t.TempDir(), "SVCCONN_AGENT=off", "HOME=" + config},
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out, Now: time.Now,
	}
	run(t.Context(), newApp(w, connector.NewTypes(typ), prompt.Terminal{}))
	raw, err := os.ReadFile(filepath.Join(config, "connectors", "x.toml"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return out.String() + string(raw)
}
