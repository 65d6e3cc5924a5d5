package broker

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/secret"
)

// The fake connector type for accounts: the service tells which account a login is for,
// and one of its auth methods takes the identity of the machine.
var accountID = field.Int{Name: "account_id", Title: "Account", Help: "The account.", Min: 1, Max: 99}

func accountType(c *cloud) *connector.Type {
	account := connector.ResourceType{Name: "account", Title: "Account", Doc: "An account.", Parse: parse}
	return &connector.Type{
		Name: "accounts", Title: "Accounts", Doc: "Accounts.", Resources: []connector.ResourceType{account},
		Methods: []connector.AuthMethod{
			{Name: "password", Title: "Password", Doc: "A password.", Fields: field.Set{password, accountID}},
			{Name: "implicit", Title: "Implicit", Doc: "This machine.", Fields: field.Set{accountID}, Ambient: true,
				Reads: func(h connector.Host, _ field.Values) []string { return []string{filepath.Join(h.Home, "profile")} }},
			{Name: "either", Title: "Either", Doc: "This machine, or not.", Fields: field.Set{accountID},
				AmbientWith: func(v field.Values) bool { return accountID.Get(v) == 42 }},
			{Name: "confused", Title: "Confused", Doc: "A service that talks nonsense.", Fields: field.Set{accountID}},
		},
		Open: func(_ connector.Host, s connector.Settings) (connector.Session, error) {
			return accountSession{cloudSession{c, s}}, nil
		},
	}
}

type accountSession struct{ cloudSession }

func (s accountSession) Verify(context.Context) (connector.Identity, error) {
	learned := map[string]string{accountID.Name: "42", "no_such_field": "x"}
	if s.settings.Method.Name == "confused" {
		learned[accountID.Name] = "forty-two"
	}
	return connector.Identity{Name: "user", Learned: learned}, nil
}

func (s accountSession) List(_ context.Context, resourceType string, yield func(connector.Resource) error) error {
	return yield(connector.Resource{Type: resourceType, Name: "42"})
}

func accountDraft(method string) Draft {
	d := Draft{Name: "acme", Spec: connector.Spec{Type: "accounts", Method: method}}
	if method == "password" {
		d.Spec.Values.SetSecret("password", secret.New(canary))
	}
	return d
}

func TestWhatTheServiceTellsIsStoredOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v, err := w.Register(t.Context(), accountDraft("password"), true)
	if err != nil || v.Connector.Configuration["account_id"] != int64(42) {
		t.Fatalf("%v: %v", v.Connector.Configuration, err)
	}
	if _, stray := v.Connector.Configuration["no_such_field"]; stray {
		t.Error("what is no field was stored")
	}
	if _, err := w.Register(t.Context(), accountDraft("confused"), true); err == nil {
		t.Error("a name was taken twice")
	}
	given := accountDraft("password")
	given.Name = "given"
	given.Spec.Values.Set("account_id", int64(7))
	if v, err = w.Register(t.Context(), given, true); err != nil || v.Connector.Configuration["account_id"] != int64(7) {
		t.Errorf("what the person gave became %v: %v", v.Connector.Configuration, err)
	}
	unverified := accountDraft("password")
	unverified.Name = "unverified"
	if v, err = w.Register(t.Context(), unverified, false); err != nil || v.Connector.Configuration["account_id"] != nil {
		t.Errorf("unverified, it became %v: %v", v.Connector.Configuration, err)
	}
	confused := accountDraft("confused")
	confused.Name = "confused"
	if _, err := w.Register(t.Context(), confused, true); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "account_id") {
		t.Errorf("nonsense of the service: %v", err)
	}
}

func TestImplicitIdentityHasToBeAllowed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := w.Register(t.Context(), accountDraft("implicit"), true); !fault.Is(err, fault.Denied) || !strings.Contains(fault.HintOf(err), "allow_implicit = true") {
		t.Fatalf("not allowed: %v (%s)", err, fault.HintOf(err))
	}
	if _, err := w.Register(t.Context(), accountDraft("implicit"), false); err != nil {
		t.Fatal(err)
	}
	request := Request{Connector: "acme", ResourceType: "account", ResourceName: "42"}
	if _, err := w.Credential(t.Context(), request); !fault.Is(err, fault.Denied) {
		t.Errorf("not allowed, it mints: %v", err)
	}
	v, err := w.Verify(t.Context(), "acme", "", "", false)
	if err != nil || !fault.Is(v.Err, fault.Denied) {
		t.Errorf("not allowed, it verifies: %v, %v", v.Err, err)
	}
	w.write("config/config.toml", "[connectors]\nallow_implicit = true\n")
	w.advance(time.Minute) // a failure is remembered for a moment
	if _, err := w.Credential(t.Context(), request); err != nil {
		t.Errorf("allowed: %v", err)
	}
	w.write("config/config.toml", "[connectors]\nallow_implicit = false\n")
	if _, err := w.Credential(t.Context(), request); !fault.Is(err, fault.Denied) || !strings.Contains(fault.HintOf(err), "allow_implicit = true") {
		t.Errorf("no longer allowed, what was minted before is handed out: %v", err)
	}
}

// A method can be ambient with some of its fields alone.
func TestImplicitIdentityByFields(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	draft := accountDraft("either")
	draft.Spec.Values.Set("account_id", int64(42))
	_, err := w.Register(t.Context(), draft, true)
	if !fault.Is(err, fault.Denied) || !strings.Contains(err.Error(), "with these fields") || !strings.Contains(fault.HintOf(err), "allow_implicit = true") {
		t.Errorf("not allowed: %v (%s)", err, fault.HintOf(err))
	}
	draft.Spec.Values.Set("account_id", int64(41))
	if _, err := w.Register(t.Context(), draft, true); err != nil {
		t.Errorf("with other fields: %v", err)
	}
	w.write("config/config.toml", "[connectors]\nallow_implicit = true\n")
	draft.Name = "allowed"
	draft.Spec.Values.Set("account_id", int64(42))
	if _, err := w.Register(t.Context(), draft, true); err != nil {
		t.Errorf("allowed: %v", err)
	}
}

func TestAnotherIdentityInAFileOfOthersIsSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write("config/config.toml", "[connectors]\nallow_implicit = true\n")
	if _, err := w.Register(t.Context(), accountDraft("implicit"), false); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		profile string
		mints   int64
	}{{"", 1}, {"", 1}, {"jane", 2}, {"", 2}, {"mallory", 3}} {
		if step.profile != "" {
			w.write("home/profile", step.profile)
		}
		if _, err := w.Credential(t.Context(), Request{Connector: "acme", ResourceType: "account", ResourceName: "42"}); err != nil {
			t.Fatal(err)
		}
		if got := w.cloud.mints.Load(); got != step.mints {
			t.Errorf("with %q in the file: %d mints, want %d", step.profile, got, step.mints)
		}
	}
}
