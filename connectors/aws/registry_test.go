package aws

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/connectors/aws/awstest"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
)

// registryWorld has repositories in two regions, and some of another account that lets
// the first one in.
func registryWorld(t *testing.T) *world {
	w := newWorld(t)
	for _, name := range []string{"app", "team/app", "team/web"} {
		w.Account(account1).Repository("eu-central-1", name)
	}
	w.Account(account1).Repository("us-east-1", "far")
	grant := awstest.Grant{To: []string{account1}, Actions: []string{"ecr:*"}}
	w.Account(account2).Repository("eu-central-1", "shared", grant)
	w.Account(account2).RegistryPolicy("eu-central-1", grant)
	return w
}

const (
	registry1  = account1 + ".dkr.ecr.eu-central-1.amazonaws.com"
	registryW1 = account1 + ".dkr.ecr.eu-west-1.amazonaws.com"
	registry2  = account2 + ".dkr.ecr.eu-central-1.amazonaws.com"
	registryW2 = account2 + ".dkr.ecr.eu-west-1.amazonaws.com"
)

func TestListRegistries(t *testing.T) {
	t.Parallel()
	own := []string{registry1, registry1 + "/app", registry1 + "/team/app", registry1 + "/team/web"}
	for what, test := range map[string]struct {
		fields   map[string]any
		policies []string
		want     []string
		err      string
	}{
		"own region":             {nil, nil, own, ""},
		"an empty registry too":  {twoRegions, nil, append(own[:4:4], registryW1), ""},
		"without seeing into it": {nil, []string{actions("ecr:GetAuthorizationToken")}, []string{registry1}, ""},
		"without any right":      {twoRegions, []string{actions("s3:GetObject")}, nil, "region eu-west-1: "},
		"another account's": {
			map[string]any{"regions": []string{"eu-west-1"}, "registry_ids": []string{account2, account1, account2}}, nil,
			append(own[:4:4], registryW1, registry2, registry2+"/shared", registryW2), "",
		},
	} {
		w := registryWorld(t)
		names, err := listingOf(t, w.ofRole(t, test.fields, test.policies...), registryType)
		if diff := cmp.Diff(test.want, names); diff != "" {
			t.Errorf("%s: -want +got:\n%s", what, diff)
		}
		if (err != nil) != (test.err != "") || err != nil && (!fault.Is(err, fault.Denied) || !strings.Contains(err.Error(), test.err)) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestListPublicRegistries(t *testing.T) {
	t.Parallel()
	w := registryWorld(t)
	w.Account(account1).PublicRegistry("acme", "app")
	names, err := listingOf(t, w.ofRole(t, nil, actions("ecr:GetAuthorizationToken", "ecr-public:DescribeRegistries")), registryType)
	if diff := cmp.Diff([]string{registry1, "public.ecr.aws/acme"}, names); err != nil || diff != "" {
		t.Errorf("%v: -want +got:\n%s", err, diff)
	}
}

// Whoever has ECR inside a network of their own need not have ECR Public there.
func TestPublicRegistriesAreAskedForWhereTheyAre(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		fields []any
		want   bool
	}{
		{[]any{"region", "eu-central-1"}, true},
		{[]any{"region", "eu-central-1", "endpoint_url", "https://a.example.com"}, true},
		{[]any{"region", "eu-central-1", "endpoint_url_ecr", "https://a.example.com"}, false},
		{[]any{"region", "eu-central-1", "endpoint_url_ecr", "https://a.example.com", "endpoint_url_ecr_public", "https://b.example.com"}, true},
		{[]any{"region", "cn-north-1"}, false},
	} {
		s := signing(t, test.fields...)
		p, err := partitionIn(s.values)
		if s.partition = p; err != nil || s.hasPublic() != test.want {
			t.Errorf("%v: %v, %v", test.fields, s.hasPublic(), err)
		}
	}
}

// A connector for one registry proves its use with the right to log in, and no other.
func TestListOneRegistry(t *testing.T) {
	t.Parallel()
	w := registryWorld(t)
	jane := w.Account(account1).User("jane", onlyAssume)
	role := w.Account(account1).Role("reader", awstest.Role{Policies: []string{actions("ecr:GetAuthorizationToken")}})
	for _, name := range []string{registry1, registry1 + "/team/app", registry2 + "/shared"} {
		w.ResetCalls()
		s := w.scoped(t, methodRole, registryType, name, with(jane, map[string]any{"role_arn": role, "registry_ids": []string{account2}}))
		names, err := listingOf(t, s, registryType)
		if err != nil || !cmp.Equal(names, []string{name}) || w.Count("ecr", "DescribeRepositories") != 0 || w.Count("ecr", "GetAuthorizationToken") != 1 {
			t.Errorf("%s: %v, %v after %v", name, names, err, w.Calls())
		}
	}
	public := w.scoped(t, methodRole, registryType, publicHost, with(jane, map[string]any{"role_arn": role}))
	if _, err := listingOf(t, public, registryType); !fault.Is(err, fault.Denied) {
		t.Errorf("ECR Public: %v", err)
	}
}

// A login can do what its repository and access are for.
func TestMintRegistry(t *testing.T) {
	t.Parallel()
	w := registryWorld(t)
	s := w.ofRole(t, map[string]any{"account_id": account1, "registry_ids": []string{account2}})
	for _, test := range []struct {
		name, account, repository string
		access                    connector.Access
		pulls, pushes, pullsOther bool
	}{
		{registry1 + "/team/app", account1, "team/app", connector.ReadOnly, true, false, false},
		{registry1 + "/team/app", account1, "team/app", connector.ReadWrite, true, true, false},
		{registry1, account1, "team/app", connector.ReadOnly, true, false, true},
		{registry1, account1, "team/app", connector.ReadWrite, true, true, true},
		{registry2 + "/shared", account2, "shared", connector.ReadOnly, true, false, false},
		{account1 + ".dkr.ecr-fips.eu-central-1.amazonaws.com/app", account1, "app", connector.ReadOnly, true, false, false},
	} {
		got := minted[connector.RegistryLogin](t, s, registryType, test.name, test.access)
		host, _, _ := strings.Cut(test.name, "/")
		if got.Registry != host || got.Username != "AWS" || !got.Expires.Equal(noon.Add(time.Hour)) {
			t.Errorf("%s: %+v", test.name, got)
		}
		login, ok := w.Login(got.Username, got.Secret.Reveal())
		if !ok {
			t.Errorf("%s: not a login", test.name)
			continue
		}
		for action, want := range map[string]bool{"ecr:BatchGetImage": test.pulls, "ecr:PutImage": test.pushes, "ecr:BatchImportUpstreamImage": test.pulls, "ecr:DeleteRepository": false} {
			if login.Allowed(action, test.account, test.repository) != want {
				t.Errorf("%s, %s: %s is %v", test.name, test.access, action, !want)
			}
		}
		if login.Allowed("ecr:BatchGetImage", account1, "team/web") != test.pullsOther {
			t.Errorf("%s: another repository is open: %v", test.name, !test.pullsOther)
		}
	}
}

// A registry in a region that the connector does not list is one of its account all the
// same; a login of keys that last has ECR's own end.
func TestMintRegistryElsewhere(t *testing.T) {
	t.Parallel()
	w := registryWorld(t)
	s := w.opened(t, methodSecretKey, with(w.Account(account1).User("jane"), map[string]any{"account_id": account1}))
	got := minted[connector.RegistryLogin](t, s, registryType, account1+".dkr.ecr.us-east-1.amazonaws.com/far", connector.ReadOnly)
	login, ok := w.Login(got.Username, got.Secret.Reveal())
	if !ok || login.Region != "us-east-1" || !got.Expires.Equal(noon.Add(12*time.Hour)) {
		t.Errorf("%+v, %+v", got, login)
	}
	if n := w.Count("sts", "GetCallerIdentity"); n != 0 {
		t.Errorf("STS is asked %d times", n)
	}
}

func TestMintPublicRegistry(t *testing.T) {
	t.Parallel()
	w := registryWorld(t)
	s := w.ofRole(t, map[string]any{"account_id": account1})
	for _, name := range []string{"public.ecr.aws", "public.ecr.aws/acme/app"} {
		got := minted[connector.RegistryLogin](t, s, registryType, name, connector.ReadWrite)
		login, ok := w.Login(got.Username, got.Secret.Reveal())
		if !ok || !login.Public || got.Registry != "public.ecr.aws" || !got.Expires.Equal(noon.Add(time.Hour)) {
			t.Errorf("%s: %+v, %+v", name, got, login)
		}
	}
}

// What ECR says of a host is not believed beyond its domain.
func TestRegistryInAnotherDomain(t *testing.T) {
	t.Parallel()
	s := signing(t, "region", "eu-central-1")
	s.partition = ownPartitionOf(t, "aws")
	for endpoint, text := range map[string]string{
		"https://" + registry1 + ".evil.tld": "not a registry of ECR",
		"https://" + registryW1:              "in eu-west-1",
		"":                                   "does not say where",
	} {
		_, err := s.registryIn("eu-central-1", endpoint)
		if !fault.Is(err, fault.Failed) || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v", endpoint, err)
		}
	}
	if r, err := s.registryIn("eu-central-1", "https://"+registry1); err != nil || r.account != account1 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestAuthorizationTokensThatAreNone(t *testing.T) {
	t.Parallel()
	text := func(s string) *string { return &s }
	for what, token := range map[string]*string{
		"none": nil, "empty": text(""), "not base64": text("*" + planted), "no password": text("QVdTOg=="), "another user": text("bWU6eA=="), "no colon": text("QVdT"),
	} {
		_, err := authorizationOf("ECR", token, &noon)
		if !fault.Is(err, fault.Failed) {
			t.Errorf("%s: %v", what, err)
		}
		noCanary(t, what, err)
	}
	if _, err := authorizationOf("ECR", text("QVdTOng="), nil); !fault.Is(err, fault.Failed) {
		t.Errorf("without an end: %v", err)
	}
}

// Keys of another account than the connector's list nothing.
func TestListRegistriesOfAnotherAccount(t *testing.T) {
	t.Parallel()
	w := registryWorld(t)
	s := w.opened(t, methodSecretKey, with(w.Account(account2).User("jane"), map[string]any{"account_id": account1}))
	names, err := listingOf(t, s, registryType)
	if len(names) != 0 || !fault.Is(err, fault.Denied) || !strings.Contains(err.Error(), "for account "+account2+", and the connector for account "+account1) {
		t.Errorf("%v, %v", names, err)
	}
}
