package broker

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/registry"
	"github.com/svcconn/svcconn/pkg/secret"
)

func TestLocate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.one("exact", "registry.example.com")
	w.one("path", "registry.example.com/team/app")
	w.register(draft("many", "cloud", map[string]string{"domain": "cloud.example"}))
	pinned := w.register(draft("pinned", "cloud", map[string]string{"domain": "cloud.example"}))
	w.one("twin1", "twin.example.com")
	w.one("twin2", "twin.example.com")
	if err := w.pins.Set(t.Context(), registry.Pin{ResourceType: DockerRegistry, Address: "a.cloud.example", Connector: pinned.Connector.ID, ResourceName: "a.cloud.example"}); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		address, connector, resource string
		kind                         fault.Kind
	}{
		{"registry.example.com", "exact", "registry.example.com", ""},
		{"https://registry.example.com/v2/", "exact", "registry.example.com", ""},
		{"registry.example.com:443", "exact", "registry.example.com", ""},
		{"registry.example.com/team/other", "exact", "registry.example.com", ""},
		{"registry.example.com/team/app", "path", "registry.example.com/team/app", ""},
		{"registry.example.com/team/app/x", "path", "registry.example.com/team/app", ""},
		{"registry.example.com/team/apple", "exact", "registry.example.com", ""},
		{"a.cloud.example", "pinned", "a.cloud.example", ""},
		{"b.cloud.example", "", "", fault.Ambiguous},
		{"twin.example.com", "", "", fault.Ambiguous},
		{"registry.example.com.evil.tld", "", "", ""},
		{"evil-registry.example.com", "", "", ""},
		{"cloud.example.evil.tld", "", "", ""},
		{"registry.example.com:5000", "", "", ""},
	} {
		located, err := w.locate(tc.address)
		if fault.KindOf(err) != tc.kind {
			t.Errorf("%s: error %v, want kind %q", tc.address, err, tc.kind)
			continue
		}
		switch {
		case located == nil && tc.connector != "":
			t.Errorf("%s: nobody, want %s", tc.address, tc.connector)
		case located != nil && (located.Connector.Name != tc.connector || located.ResourceName != tc.resource):
			t.Errorf("%s: %s as %s, want %s as %s", tc.address, located.Connector.Name, located.ResourceName, tc.connector, tc.resource)
		}
	}
	_, err := w.locate("twin.example.com")
	if hint := fault.HintOf(err); !strings.Contains(err.Error(), "twin1, twin2") || !strings.Contains(hint, "svcconn login docker --connector twin1 twin.example.com") {
		t.Errorf("error %v, hint %q: it names neither both nor the command that settles it", err, hint)
	}
}

func TestABrokenConnectorIsNotAnUnknownRegistry(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.one("hub", "registry.example.com")
	file := filepath.Join(w.dirs.Config, "connectors", "hub.toml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, broken := range []string{
		strings.Replace(string(text), "type =", "tpye =", 1),
		strings.Replace(string(text), `type = "one"`, `type = "nowhere"`, 1),
		strings.Replace(string(text), `type = 'one'`, `type = 'nowhere'`, 1),
	} {
		if broken == string(text) {
			continue
		}
		if err := os.WriteFile(file, []byte(broken), 0o600); err != nil {
			t.Fatal(err)
		}
		if located, err := w.locate("registry.example.com"); err == nil {
			t.Errorf("located %v without an error although the connector is broken", located)
		}
		if located, err := w.locate("elsewhere.example.com"); err != nil || located != nil {
			t.Errorf("a broken connector spoils another registry: %v, %v", located, err)
		}
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if located, err := w.locate("registry.example.com"); err != nil || located.Connector.ID != v.Connector.ID {
		t.Errorf("a mended file is not used: %v, %v", located, err)
	}
}

func TestConcurrentCallersCauseOneMint(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.one("hub", "registry.example.com")
	var wg sync.WaitGroup
	for range 300 {
		wg.Go(func() {
			grant, err := w.Credential(t.Context(), Request{Connector: "hub"})
			if err != nil || grant.Credential.(connector.RegistryLogin).Secret.Reveal() != canary {
				t.Errorf("Credential: %v", err)
			}
		})
	}
	wg.Wait()
	if got := w.cloud.mints.Load(); got != 1 {
		t.Errorf("%d mints", got)
	}
	text, err := os.ReadFile(w.audit.Path())
	if err != nil {
		t.Fatal(err)
	}
	minted, handed := strings.Count(string(text), `"outcome":"minted"`), strings.Count(string(text), `"outcome":"handed-out"`)
	if minted != 1 || handed != 300 || strings.Contains(string(text), canary) {
		t.Errorf("audit: %d minted, %d handed out", minted, handed)
	}
}

func TestAChangeIsSeenByTheNextRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.one("hub", "registry.example.com")
	get := func(want string) {
		t.Helper()
		grant, err := w.Credential(t.Context(), Request{ResourceType: DockerRegistry, ResourceName: "registry.example.com"})
		if err != nil {
			t.Fatal(err)
		}
		if got := grant.Credential.(connector.RegistryLogin).Secret.Reveal(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	get(canary)
	get(canary)
	if w.cloud.mints.Load() != 1 {
		t.Errorf("%d mints", w.cloud.mints.Load())
	}
	other := w.another() // another process changes the password
	old, err := other.Find(t.Context(), "hub")
	if err != nil {
		t.Fatal(err)
	}
	fresh := "changed-" + canary
	w.cloud.password.Store(&fresh)
	change := DraftOf(old)
	change.Keep = nil
	change.Spec.Values.SetSecret("password", secret.New(fresh))
	if _, err := other.Update(t.Context(), old, change, true); err != nil {
		t.Fatal(err)
	}
	get(fresh)
	if accounts := w.keyring.accounts(); len(accounts) != 1 {
		t.Errorf("the keyring still has the former secrets: %d entries", len(accounts))
	}
	current, err := other.Find(t.Context(), "hub")
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Delete(t.Context(), current); err != nil {
		t.Fatal(err)
	}
	if located, err := w.locate("registry.example.com"); located != nil || err != nil {
		t.Errorf("a deleted connector serves: %v, %v", located, err)
	}
	if accounts := w.keyring.accounts(); len(accounts) != 0 {
		t.Errorf("deleting left %d entries in the keyring", len(accounts))
	}
	if kept := w.Kept(); len(kept) != 0 {
		t.Errorf("deleting left %d kept credentials", len(kept))
	}
}

func TestRegisterIsAllOrNothing(t *testing.T) {
	t.Parallel()
	wrong := "wrong"
	for name, tc := range map[string]struct {
		prepare func(*world, *Draft)
		kind    fault.Kind
	}{
		"wrong password":  {func(w *world, _ *Draft) { w.cloud.password.Store(&wrong) }, fault.Denied},
		"keyring fails":   {func(w *world, _ *Draft) { w.keyring.break_(errors.New("full"), nil) }, fault.Unavailable},
		"unknown field":   {func(_ *world, d *Draft) { d.Spec.Values.Set("domian", "x") }, fault.Invalid},
		"unknown type":    {func(_ *world, d *Draft) { d.Spec.Type = "cluod" }, fault.Invalid},
		"missing field":   {func(_ *world, d *Draft) { d.Spec.Values.Unset("domain") }, fault.Invalid},
		"bad name":        {func(_ *world, d *Draft) { d.Name = "../x" }, fault.Invalid},
		"name taken":      {func(w *world, d *Draft) { w.one(d.Name, "x.example.com") }, fault.Failed},
		"expired already": {func(w *world, d *Draft) { d.ExpiresAt = w.host.Now() }, fault.Invalid},
		"folder unusable": {func(w *world, _ *Draft) {
			if err := os.MkdirAll(w.dirs.Config, 0o700); err != nil {
				w.t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(w.dirs.Config, "connectors"), nil, 0o600); err != nil {
				w.t.Fatal(err)
			}
		}, fault.Invalid},
		"lifetime too long": {func(_ *world, d *Draft) { d.Spec.Expiration = 2 * time.Hour }, fault.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			d := draft("hub", "one", map[string]string{"domain": "d", "only": "registry.example.com"})
			tc.prepare(w, &d)
			before := w.keyring.accounts()
			_, err := w.Register(t.Context(), d, true)
			if !fault.Is(err, tc.kind) {
				t.Fatalf("error %v (%s), want %s", err, fault.KindOf(err), tc.kind)
			}
			if strings.Contains(err.Error()+fault.HintOf(err), canary) {
				t.Error("the error has the secret")
			}
			if diff := cmp.Diff(before, w.keyring.accounts()); diff != "" {
				t.Errorf("the keyring changed: %s", diff)
			}
			if orphans, err := w.pending.List(); err != nil || len(orphans) != 0 {
				t.Errorf("the journal has %v, %v", orphans, err)
			}
			if located, _ := w.locate("registry.example.com"); located != nil {
				t.Error("something was registered")
			}
		})
	}
}

// An operation can be listed as dead in the instant before it has its lock, and have
// ended well by the time that somebody sweeps.
func TestSweepingSparesWhatHasEndedWell(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.one("kept", "kept.example.com")
	kept, err := w.Find(t.Context(), "kept")
	if err != nil {
		t.Fatal(err)
	}
	w.settle(t.Context(), registry.SecretKey{Store: kept.Secrets.Store, Key: kept.Secrets.Key})
	if _, err := w.Credential(t.Context(), Request{Connector: "kept"}); err != nil {
		t.Errorf("its secrets are gone: %v", err)
	}
	if orphans, err := w.pending.List(); err != nil || len(orphans) != 0 {
		t.Errorf("the journal has %v, %v", orphans, err)
	}
}

func TestSecretsOfAnOperationThatDiedAreSwept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.one("kept", "kept.example.com")
	store, err := w.secrets.Named("keyring")
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Put(t.Context(), "dead-id/gen", secret.New(canary)); err != nil {
		t.Fatal(err)
	}
	journal := filepath.Join(w.dirs.State, "pending", "keyring%2Fdead-id%2Fgen") // as a killed process leaves it
	if err := os.WriteFile(journal, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	w.one("next", "next.example.com")
	if accounts := w.keyring.accounts(); len(accounts) != 2 {
		t.Errorf("%d entries in the keyring, want those of two connectors: %v", len(accounts), accounts)
	}
	if _, err := w.Credential(t.Context(), Request{Connector: "kept"}); err != nil {
		t.Errorf("sweeping hurt another connector: %v", err)
	}
}

func TestEnvReferencesAreTheCallersOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	calling := func(value string, set bool) context.Context {
		return WithCaller(t.Context(), Caller{LookupEnv: func(_ context.Context, name string) (secret.Text, bool, error) {
			return secret.New(value), set && name == "PW", nil
		}})
	}
	d := draft("ci", "one", map[string]string{"domain": "d", "only": "registry.example.com"})
	d.Spec.Values.Unset("password")
	d.References = map[string]string{"password": "env:PW"}
	if _, err := w.Register(calling(canary, true), d, true); err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{"first", "second", "first"} {
		grant, err := w.Credential(calling(value, true), Request{Connector: "ci"})
		if err != nil {
			t.Fatal(err)
		}
		if got := grant.Credential.(connector.RegistryLogin).Secret.Reveal(); got != value {
			t.Errorf("one caller was served the secret of another: %q, want %q", got, value)
		}
	}
	if w.cloud.mints.Load() != 2 {
		t.Errorf("%d mints for two identities", w.cloud.mints.Load())
	}
	if _, err := w.Credential(calling("", false), Request{Connector: "ci"}); !fault.Is(err, fault.NeedsPerson) {
		t.Errorf("without the variable: %v (%s)", err, fault.KindOf(err))
	}
	if len(w.keyring.accounts()) != 0 {
		t.Error("a reference was stored as a secret")
	}
}

func TestExpiryOfStoredSecretsAndOfCredentials(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := draft("hub", "one", map[string]string{"domain": "d", "only": "registry.example.com"})
	end := w.host.Now().Add(time.Hour)
	d.ExpiresAt = end
	w.register(d)
	w.cloud.lifetime.Store(int64(2 * time.Hour))
	grant, err := w.Credential(t.Context(), Request{Connector: "hub"})
	if err != nil || !grant.Credential.Expiry().Equal(end) {
		t.Errorf("expires at %v, want the earlier of both, %v (%v)", grant.Credential.Expiry(), end, err)
	}
	w.advance(54 * time.Minute)
	if _, err := w.Credential(t.Context(), Request{Connector: "hub"}); err != nil {
		t.Errorf("before the skew: %v", err)
	}
	w.advance(time.Minute)
	if _, err := w.Credential(t.Context(), Request{Connector: "hub"}); !fault.Is(err, fault.Denied) {
		t.Errorf("at the skew of 5 min: %v, want denied", err)
	}
	if logins, err := w.Logins(t.Context()); err != nil || len(logins) != 0 {
		t.Errorf("what get refuses is listed: %v, %v", logins, err)
	}
}

func TestACredentialThatIsExpiredOnArrivalIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.one("hub", "registry.example.com")
	w.cloud.lifetime.Store(int64(-time.Second))
	_, err := w.Credential(t.Context(), Request{Connector: "hub"})
	if err == nil || !strings.Contains(fault.HintOf(err), "clock") {
		t.Errorf("error %v, hint %q", err, fault.HintOf(err))
	}
}

func TestResourcesOfOneBadConnectorHideNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.register(draft("many", "cloud", map[string]string{"domain": "cloud.example"}))
	w.one("single", "registry.example.com")
	bad := draft("bad", "one", map[string]string{"domain": "d", "only": "bad.example.com"})
	bad.Spec.Values.SetSecret("password", secret.New("wrong"))
	if _, err := w.Register(t.Context(), bad, false); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(w.dirs.Config, "connectors", "broken.toml"), []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	list := func(filter Filter) map[string]string {
		out := map[string]string{}
		err := w.Resources(t.Context(), filter, func(r Row) error {
			text := strings.Join(r.Names, ",")
			if r.Err != nil {
				text = string(fault.KindOf(r.Err))
			}
			out[r.Connector.Name+"/"+r.ResourceType] = text
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	if diff := cmp.Diff(map[string]string{
		"many/docker-registry": "a.cloud.example,b.cloud.example", "many/bucket": "denied",
		"single/docker-registry": "registry.example.com", "bad/docker-registry": "denied", "broken/": "invalid",
	}, list(Filter{})); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"many/docker-registry": "b.cloud.example", "bad/docker-registry": "denied", "broken/": "invalid"},
		list(Filter{ResourceType: DockerRegistry, ResourceName: "B.cloud.example"})); diff != "" {
		t.Errorf("by name: -want +got\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"single/docker-registry": "registry.example.com"}, list(Filter{Connector: "single"})); diff != "" {
		t.Errorf("by connector: -want +got\n%s", diff)
	}
	if err := w.Resources(t.Context(), Filter{ResourceType: "nonsense"}, func(Row) error { return nil }); !fault.Is(err, fault.NotFound) {
		t.Errorf("unknown resource type: %v", err)
	}
}

func TestLocateBySpelling(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, name := range []string{"photos", "twin", "twin2"} {
		d := draft(name, "cloud", map[string]string{"domain": "cloud.example"})
		d.Spec.ResourceType, d.Spec.ResourceName = "bucket", strings.TrimRight(name, "2")
		if _, err := w.Register(t.Context(), d, false); err != nil {
			t.Fatal(err)
		}
	}
	for address, want := range map[string]fault.Kind{"photos": "", "PHOTOS": "", "Twin": fault.Ambiguous, "Other": fault.NotFound, "bad name!": fault.NotFound} {
		grant, err := w.Credential(t.Context(), Request{ResourceType: "bucket", ResourceName: address})
		switch {
		case want != "" && !fault.Is(err, want):
			t.Errorf("%s: %v, want %s", address, err, want)
		case want == "" && (err != nil || grant.Connector.Name != "photos" || grant.ResourceName != "photos"):
			t.Errorf("%s: %+v, %v", address, grant, err)
		}
	}
}

func TestExplainTellsWhyAnAddressIsNotServed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.register(draft("many", "cloud", map[string]string{"domain": "cloud.example"}))
	x, err := w.Explain(t.Context(), DockerRegistry, "elsewhere.example.com", "")
	if err != nil || len(x.Candidates) != 1 || x.Candidates[0].Serves || !strings.Contains(x.Candidates[0].Reason, "--connector") {
		t.Errorf("%+v, %v", x.Candidates, err)
	}
	if failure := x.Failure(); !strings.Contains(fault.HintOf(failure), "svcconn register") {
		t.Errorf("%v (%s)", failure, fault.HintOf(failure))
	}
}

func TestTheDeadlineNamesTheSlowHop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.one("hub", "registry.example.com")
		w.cloud.hang.Store(true)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err := w.Credential(ctx, Request{Connector: "hub"})
		if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "waiting for registry.example.com") || !strings.Contains(err.Error(), "connector hub") {
			t.Errorf("error %v (%s)", err, fault.KindOf(err))
		}
		time.Sleep(time.Minute) // bubble time: the mint ends by its own bound
	})
}

func TestExplainTellsTheWholeDecision(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.one("hub", "registry.example.com")
	w.one("other", "other.example.com")
	x, err := w.Explain(t.Context(), DockerRegistry, "https://registry.example.com/v1/", "")
	if err != nil || x.Located == nil || x.Located.Connector.Name != "hub" || x.Kept != nil || x.Failure() != nil {
		t.Fatalf("%+v, %v", x, err)
	}
	want := []Candidate{{"hub", true, "its resource is registry.example.com"}, {"other", false, "its resource is other.example.com"}}
	if diff := cmp.Diff(want, x.Candidates); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if _, err := w.Credential(t.Context(), Request{Connector: "hub"}); err != nil {
		t.Fatal(err)
	}
	if x, _ = w.Explain(t.Context(), DockerRegistry, "registry.example.com", ""); x.Kept == nil {
		t.Error("what is kept is not told")
	}
	if x, _ = w.Explain(t.Context(), DockerRegistry, "nowhere.example.com", ""); x.Located != nil || !fault.Is(x.Failure(), fault.NotFound) {
		t.Errorf("unknown host: %+v", x)
	}
	w.keyring.break_(nil, errors.New("locked away"))
	w.Forget(t.Context(), "")
	if _, err := w.Credential(t.Context(), Request{Connector: "hub"}); err == nil {
		t.Fatal("no error without the keyring")
	}
	if x, _ = w.Explain(t.Context(), DockerRegistry, "registry.example.com", ""); x.Failure() == nil {
		t.Error("the last error is not told")
	}
}

func TestOutsideTheScopeIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.one("hub", "registry.example.com")
	w.register(draft("many", "cloud", map[string]string{"domain": "cloud.example"}))
	for _, request := range []Request{
		{Connector: "hub", ResourceName: "other.example.com"},
		{Connector: "hub", ResourceType: "bucket"},
		{Connector: "many"},
		{Connector: "many", ResourceName: "a.cloud.example"},
		{Connector: "many", ResourceType: DockerRegistry},
		{Connector: "many", ResourceType: DockerRegistry, ResourceName: "bad name!"},
		{},
		{ResourceType: DockerRegistry},
	} {
		_, err := w.Credential(t.Context(), request)
		if kind := fault.KindOf(err); kind != fault.Invalid && kind != fault.NotFound || fault.HintOf(err) == "" {
			t.Errorf("%+v: %v (%s), hint %q", request, err, kind, fault.HintOf(err))
		}
	}
	if w.cloud.mints.Load() != 0 {
		t.Error("something was minted")
	}
}

// A login is no key file: who asks for one of a type that has none gets nothing.
func TestNoKeyFileOfATypeWithoutThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.one("hub", "registry.example.com")
	_, err := w.Credential(t.Context(), Request{Connector: "hub", KeyFile: true})
	if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "no key files") {
		t.Errorf("%v", err)
	}
}
