package aws

import (
	"slices"
	"sync/atomic"
	"testing"

	"github.com/svcconn/svcconn/connectors/aws/awstest"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
)

// actions is an IAM policy that allows some actions on everything.
func actions(names ...string) string { return policyOf(allow(names, "*")) }

// scoped opens a connector for a resource type, or for one resource of it.
func (w *world) scoped(t *testing.T, method, resourceType, name string, fields map[string]any) *session {
	t.Helper()
	spec := w.spec(t, method, fields)
	spec.ResourceType, spec.ResourceName = resourceType, name
	return w.open(t, spec)
}

// ofRole opens a connector of a role of account1 that has some policies; none are all
// rights.
func (w *world) ofRole(t *testing.T, fields map[string]any, policies ...string) *session {
	t.Helper()
	role := w.Account(account1).Role("deployer", awstest.Role{Policies: policies})
	all := map[string]any{"role_arn": role}
	for name, value := range fields {
		all[name] = value
	}
	return w.opened(t, methodRole, with(w.Account(account1).User("jane", onlyAssume), all))
}

// listingOf lists the names of a resource type, sorted, and checks that they are canonical and
// are yielded by one at a time.
func listingOf(t *testing.T, s *session, resourceType string) ([]string, error) {
	t.Helper()
	var names []string
	var busy atomic.Bool
	err := s.List(t.Context(), resourceType, func(r connector.Resource) error {
		if !busy.CompareAndSwap(false, true) {
			t.Error("two are yielded at once")
		}
		defer busy.Store(false)
		names = append(names, r.Name)
		canonical, err := resourceNamed(t, resourceType).Parse(s.values, r.Name)
		if err != nil || canonical != r.Name || r.Type != resourceType {
			t.Errorf("%s %q is listed, and is named %q, %v", r.Type, r.Name, canonical, err)
		}
		return nil
	})
	slices.Sort(names)
	return names, err
}

// minted mints a credential, which has to work.
func minted[T connector.Credential](t *testing.T, s *session, resourceType, name string, access connector.Access) T {
	t.Helper()
	credential, err := s.Mint(t.Context(), connector.Request{ResourceType: resourceType, ResourceName: name, Access: access})
	if err != nil {
		t.Fatalf("%s: %v (%s)", name, err, fault.HintOf(err))
	}
	out, ok := credential.(T)
	if !ok {
		t.Fatalf("%s: %T", name, credential)
	}
	return out
}

// asKeys is a credential as a client has it.
func asKeys(k connector.AWSKeys) keys {
	return keys{id: k.AccessKeyID, secret: k.SecretAccessKey, token: k.SessionToken, expires: k.Expires, account: k.Account}
}
