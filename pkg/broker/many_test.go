package broker

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/registry"
)

func TestManyAreThoseThatOnlyTheirServiceCanList(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.register(draft("all", "cloud", map[string]string{"domain": "d.example.com"}))
	scoped := draft("scoped", "cloud", map[string]string{"domain": "d.example.com"})
	scoped.Spec.ResourceType, scoped.Spec.ResourceName = DockerRegistry, "a.d.example.com"
	w.register(scoped)
	w.one("one", "registry.example.com")
	for resourceType, want := range map[string][]string{DockerRegistry: {"all"}, "bucket": {"all"}, KubernetesCluster: nil} {
		many, err := w.Many(t.Context(), resourceType)
		var names []string
		for _, c := range many {
			names = append(names, c.Name)
		}
		if diff := cmp.Diff(want, names); err != nil || diff != "" {
			t.Errorf("%s: %v: %s", resourceType, err, diff)
		}
	}
}

// What docker's `list` is told needs no network: hosts that are one connector's, and
// those that were pinned, as long as `get` would serve them.
func TestLoginsHavePinnedHosts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	all := w.register(draft("all", "cloud", map[string]string{"domain": "d.example.com"}))
	w.one("one", "registry.example.com")
	w.one("part", "other.example.com/team")
	for address, name := range map[string]string{
		"a.d.example.com": "a.d.example.com", "b.d.example.com": "b.d.example.com/app", "b.d.example.com/app": "b.d.example.com/app",
		"elsewhere.example.com": "a.d.example.com",
	} {
		pin := registry.Pin{ResourceType: DockerRegistry, Address: address, Connector: all.Connector.ID, ResourceName: name}
		if err := w.Pin(t.Context(), pin); err != nil {
			t.Fatal(err)
		}
	}
	gone := registry.Pin{ResourceType: DockerRegistry, Address: "gone.example.com", Connector: "no-such-connector"}
	if err := w.Pin(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	logins, err := w.Logins(t.Context())
	want := []Login{{"a.d.example.com", "cloud"}, {"b.d.example.com", "cloud"}, {"elsewhere.example.com", "cloud"}, {"registry.example.com", "cloud"}}
	if diff := cmp.Diff(want, logins); err != nil || diff != "" {
		t.Errorf("%v: %s", err, diff)
	}
	if located, err := w.locate("b.d.example.com"); err != nil || located.ResourceName != "b.d.example.com/app" {
		t.Errorf("%+v, %v", located, err)
	}
	if w.cloud.mints.Load() != 0 {
		t.Error("listing mints")
	}
}

// A host is pinned, since docker asks for hosts alone; what lies below it and is another
// connector's stays that one's.
func TestAPinnedHostLeavesOthersTheirRepositories(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	alpha := w.one("alpha", "eu.example.com/alpha")
	w.one("beta", "eu.example.com/beta")
	w.one("twin1", "eu.example.com/twin")
	w.one("twin2", "eu.example.com/twin")
	if err := w.Pin(t.Context(), registry.Pin{ResourceType: DockerRegistry, Address: "eu.example.com", Connector: alpha.Connector.ID, ResourceName: "eu.example.com/alpha"}); err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{
		"eu.example.com": "alpha", "eu.example.com/alpha/app": "alpha", "eu.example.com/beta": "beta", "eu.example.com/beta/app": "beta", "eu.example.com/gamma": "alpha",
	} {
		located, err := w.locate(address)
		if err != nil || located == nil || located.Connector.Name != want {
			t.Errorf("%s: %+v, %v, want %s", address, located, err, want)
		}
		x, err := w.Explain(t.Context(), DockerRegistry, address, "")
		if err != nil || x.Located == nil || x.Located.Connector.Name != want {
			t.Errorf("explain %s: %+v, %v", address, x.Located, err)
		}
	}
	if _, err := w.locate("eu.example.com/twin/app"); !fault.Is(err, fault.Ambiguous) {
		t.Errorf("%v, want ambiguous", err)
	}
}

// An entry that names its connector is explained by that, whoever else could serve.
func TestExplainingWhatIsNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.register(draft("all", "cloud", map[string]string{"domain": "d.example.com"}))
	x, err := w.Explain(t.Context(), DockerRegistry, "elsewhere.example.com", "all")
	if err != nil || x.Failure() != nil || x.Located == nil || x.Located.Reason != "it was named" {
		t.Errorf("%+v, %v", x.Located, err)
	}
	x, err = w.Explain(t.Context(), DockerRegistry, "elsewhere.example.com", "gone")
	if err != nil || x.Located != nil || !fault.Is(x.Failure(), fault.NotFound) {
		t.Errorf("%+v, %v, %v", x.Located, err, x.Failure())
	}
}

func TestTheLeastLifeAndTheAccessAreTheServices(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.one("hub", "registry.example.com")
	w.cloud.lifetime.Store(int64(time.Hour))
	ask := func(request Request) uint64 {
		t.Helper()
		request.Connector = "hub"
		grant, err := w.Credential(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		return grant.Serial
	}
	first := ask(Request{})
	if written := ask(Request{Access: "write"}); written != first {
		t.Error("write is what is meant where nothing is said, and was minted apart")
	}
	if read := ask(Request{Access: "read"}); read == first {
		t.Error("a credential to write with was handed out to read with")
	}
	w.advance(50 * time.Minute)
	if kept := ask(Request{}); kept != first {
		t.Error("10 minutes do for most")
	}
	if early := ask(Request{Left: 15 * time.Minute}); early <= first {
		t.Error("a credential with 10 minutes left was handed out to somebody who wants 15")
	}
}

func TestVerifyingOneResourceFailsWithIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.register(draft("many", "cloud", map[string]string{"domain": "d"}))
	v, err := w.Verify(t.Context(), "many", DockerRegistry, "a.d", false)
	if err != nil || v.Err != nil || len(v.Rows) != 1 || len(v.Rows[0].Names) != 1 {
		t.Errorf("one that there is: %+v, %v", v, err)
	}
	v, err = w.Verify(t.Context(), "many", DockerRegistry, "z.d", false)
	if err != nil || !fault.Is(v.Err, fault.NotFound) || v.Identity == nil {
		t.Errorf("one that there is not: %v, %v", v.Err, err)
	}
	if v, err = w.Verify(t.Context(), "many", "bucket", "", false); err != nil || v.Err != nil || !fault.Is(v.Rows[0].Err, fault.Denied) {
		t.Errorf("all of a type: %+v, %v", v, err)
	}
}
