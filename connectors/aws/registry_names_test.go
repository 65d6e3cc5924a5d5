package aws

import (
	"slices"
	"strings"
	"testing"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/registryname"
)

const (
	ownAccount   = "123456789012"
	otherAccount = "210987654321"
	ownRegistry  = ownAccount + ".dkr.ecr.eu-central-1.amazonaws.com"
)

func registryFields(t testing.TB, more ...any) field.Values {
	return fieldsOf(t, append([]any{"region", "eu-central-1", "regions", "eu-west-1", "account_id", ownAccount}, more...)...)
}

func TestParseRegistry(t *testing.T) {
	t.Parallel()
	values, r := registryFields(t, "registry_ids", otherAccount), resourceNamed(t, registryType)
	repository := strings.Repeat("a", 256)
	for in, want := range map[string]string{
		ownRegistry: ownRegistry,
		"https://" + strings.ToUpper(ownRegistry):                         ownRegistry,
		"http://" + ownRegistry + "./v2/":                                 ownRegistry,
		ownRegistry + ":443/team/app":                                     ownRegistry + "/team/app",
		"https://" + ownRegistry + "/v2/team/app":                         ownRegistry + "/team/app",
		ownRegistry + "/docker-hub/library/a__b--c.d":                     ownRegistry + "/docker-hub/library/a__b--c.d",
		ownRegistry + "/" + repository:                                    ownRegistry + "/" + repository,
		ownAccount + ".dkr.ecr.us-east-1.amazonaws.com":                   ownAccount + ".dkr.ecr.us-east-1.amazonaws.com",
		otherAccount + ".dkr.ecr.ap-south-1.amazonaws.com/app":            otherAccount + ".dkr.ecr.ap-south-1.amazonaws.com/app",
		ownAccount + ".dkr.ecr-fips.us-east-1.amazonaws.com":              ownAccount + ".dkr.ecr-fips.us-east-1.amazonaws.com",
		ownAccount + ".dkr-ecr.eu-west-1.on.aws/app":                      ownAccount + ".dkr-ecr.eu-west-1.on.aws/app",
		ownAccount + ".dkr-ecr-fips.us-west-2.on.aws":                     ownAccount + ".dkr-ecr-fips.us-west-2.on.aws",
		"arn:aws:ecr:eu-central-1:" + ownAccount + ":repository/team/app": ownRegistry + "/team/app",
		"arn:aws:ecr:eu-central-1:" + ownAccount + ":repository":          ownRegistry,
		"arn:aws:ecr:us-east-1:" + otherAccount + ":repository/app":       otherAccount + ".dkr.ecr.us-east-1.amazonaws.com/app",
		"public.ecr.aws":                         "public.ecr.aws",
		"https://public.ecr.aws/":                "public.ecr.aws",
		"public.ecr.aws/docker/library/alpine":   "public.ecr.aws/docker/library/alpine",
		"public.ecr.aws/a1b2c3d4":                "public.ecr.aws/a1b2c3d4",
		"ecr-public.aws.com/eks-distro/etcd-io/": "ecr-public.aws.com/eks-distro/etcd-io",
	} {
		if got, err := r.Parse(values, in); err != nil || got != want {
			t.Errorf("%q became %q, %v", in, got, err)
		}
		if again, err := r.Parse(values, want); err != nil || again != want {
			t.Errorf("%q, canonical, became %q, %v", want, again, err)
		}
	}
}

// Every partition's domain is served to connectors of that partition alone.
func TestParseRegistryInEveryPartition(t *testing.T) {
	t.Parallel()
	r := resourceNamed(t, registryType)
	for _, p := range partitions {
		host := ownAccount + ".dkr.ecr." + regionOfEach[p.id] + "." + p.domain
		arn := "arn:" + p.id + ":ecr:" + regionOfEach[p.id] + ":" + ownAccount + ":repository/app"
		for _, other := range partitions {
			values := fieldsOf(t, "region", regionOfEach[other.id], "account_id", ownAccount)
			for in, want := range map[string]string{host: host, arn: host + "/app"} {
				got, err := r.Parse(values, in)
				if other.id != p.id {
					wantInvalid(t, in, err, "in partition "+p.id+", and the connector in "+other.id, p.id)
				} else if err != nil || got != want {
					t.Errorf("%s: %q became %q, %v", other.id, in, got, err)
				}
			}
		}
	}
}

func TestParseRegistryRefuses(t *testing.T) {
	t.Parallel()
	values, r := registryFields(t), resourceNamed(t, registryType)
	for _, test := range []struct{ in, text, hint string }{
		{"", "empty", ""},
		{"alpine", "not a registry", ""},
		{"ghcr.io/acme/app", "ghcr.io is not a registry of ECR", ""},
		{ownRegistry + ".evil.tld", "not a registry of ECR", ""},
		{"evil-" + ownRegistry, "not a registry of ECR", ""},
		{"evil." + ownRegistry, "not a registry of ECR", ""},
		{ownRegistry + ":5000", "not a registry of ECR", ""},
		{ownAccount + ".dkr.ecr.eu-central-1.amazonaws.com.cn", "not a registry of ECR", ""},
		{ownAccount + ".dkr.ecr.eu-central-1.amazonaws.co", "not a registry of ECR", ""},
		{ownAccount + ".dkr.ecr.eu-central-1.xamazonaws.com", "not a registry of ECR", ""},
		{ownAccount + ".dkr-ecr.eu-central-1.amazonaws.com", "not a registry of ECR", ""},
		{ownAccount + ".dkr.ecr.eu-central-1.on.aws", "not a registry of ECR", ""},
		{ownAccount + ".dkr.ecr.eu.central-1.amazonaws.com", "not a registry of ECR", ""},
		{ownAccount + ".dkr.ecr.amazonaws.com", "not a registry of ECR", ""},
		{"12345678901.dkr.ecr.eu-central-1.amazonaws.com", "not a registry of ECR", ""},
		{"api.ecr.eu-central-1.amazonaws.com", "not a registry of ECR", ""},
		{"xn--" + ownRegistry, "internationalised", ""},
		{ownAccount + ".dkr.ecr.eu-central-1.аmazonaws.com", "not a registry of ECR", ""}, // a Cyrillic letter
		{"evil@" + ownRegistry, "user name or password", ""},
		{ownRegistry + "@evil.tld", "user name or password", ""},
		{ownRegistry + "?x=" + pastedSecret, "query", ""},
		{ownRegistry + "/app:latest", "not the name of a repository", "without tag"},
		{ownRegistry + "/app@sha256:" + strings.Repeat("a", 64), "not the name of a repository", ""},
		{ownRegistry + "/App", "not the name of a repository", ""},
		{ownRegistry + "/a", "not the name of a repository", ""},
		{ownRegistry + "/" + strings.Repeat("a", 257), "not the name of a repository", ""},
		{"https://" + ownRegistry + "/v2/v2", "not the name of a repository", ""},
		{otherAccount + ".dkr.ecr.eu-central-1.amazonaws.com", "the registry is of account " + otherAccount + ", and the connector is for " + ownAccount, "--set registry_ids=" + otherAccount},
		{"arn:aws:ecr:eu-central-1:" + otherAccount + ":repository/app", "of account " + otherAccount + ", and the connector is for " + ownAccount, ""},
		{ownAccount + ".dkr.ecr.xx-north-1.amazonaws.com", "no partition is known to have", ""},
		{ownAccount + ".dkr.ecr.us-gov-west-1.amazonaws.com", "in partition aws-us-gov, and the connector in aws", ""},
		{"arn:aws:ecr:cn-north-1:" + ownAccount + ":repository/app", "in partition aws-cn, and the connector in aws", ""},
		{"arn:aws:ecr:eu-central-1:" + ownAccount + ":repository/", "not a repository", ""},
		{"arn:aws:ecr:eu-central-1:" + ownAccount + ":repository/*", "not the name of a repository", ""},
		{"arn:aws:ecr:eu-central-1:" + ownAccount + ":image/app", "not a repository", ""},
		{"arn:aws:ecr::" + ownAccount + ":repository/app", "no region", ""},
		{"arn:aws:ecr-public::" + ownAccount + ":repository/app", "does not tell the address", "public.ecr.aws/ALIAS/REPOSITORY"},
		{"arn:aws:eks:eu-central-1:" + ownAccount + ":cluster/app", `"eks", not of ecr`, ""},
		{"public.ecr.aws.evil.tld", "not a registry of ECR", ""},
		{"public.ecr.aws:444", "not a registry of ECR", ""},
		{"public.ecr.aws/1alias", "alias", ""},
		{"public.ecr.aws/" + strings.Repeat("a", 51), "alias", ""},
		{"public.ecr.aws/alias/" + strings.Repeat("a", 206), "public repository", ""},
		{"public.ecr.aws/alias/app:1", "public repository", "without tag"},
	} {
		got, err := r.Parse(values, test.in)
		if err == nil || got != "" {
			t.Errorf("%q became %q, %v", test.in, got, err)
			continue
		}
		wantInvalid(t, test.in, err, test.text, test.hint)
		if strings.Contains(err.Error(), pastedSecret) {
			t.Errorf("the error repeats a query: %v", err)
		}
	}
	_, err := r.Parse(fieldsOf(t, "region", "cn-north-1"), "public.ecr.aws")
	wantInvalid(t, "ECR Public in China", err, "ECR Public is in partition aws, and the connector in aws-cn", "")
}

// While the account is unknown, the connector is for its regions.
func TestParseRegistryOfUnknownAccount(t *testing.T) {
	t.Parallel()
	values, r := fieldsOf(t, "region", "eu-central-1", "regions", "eu-west-1", "registry_ids", otherAccount), resourceNamed(t, registryType)
	for _, name := range []string{ownRegistry, "999999999999.dkr.ecr.eu-west-1.amazonaws.com", otherAccount + ".dkr.ecr.us-east-1.amazonaws.com"} {
		if got, err := r.Parse(values, name); err != nil || got != name {
			t.Errorf("%q became %q, %v", name, got, err)
		}
	}
	_, err := r.Parse(values, ownAccount+".dkr.ecr.us-east-1.amazonaws.com")
	wantInvalid(t, "another region", err, "in region us-east-1, and the connector is for eu-central-1, eu-west-1", "--set regions=eu-west-1,us-east-1")
}

func TestParseRegistryInItsOwnDomain(t *testing.T) {
	t.Parallel()
	const local = "000000000000.dkr.ecr.eu-central-1.localhost.localstack.cloud:4566"
	values, r := fieldsOf(t, "region", "eu-central-1", "registry_domain", "localhost.localstack.cloud:4566"), resourceNamed(t, registryType)
	for in, want := range map[string]string{
		local: local, "http://" + local + "/v2/app": local + "/app", "arn:aws:ecr:eu-central-1:000000000000:repository/app": local + "/app",
	} {
		if got, err := r.Parse(values, in); err != nil || got != want {
			t.Errorf("%q became %q, %v", in, got, err)
		}
	}
	for _, in := range []string{strings.TrimSuffix(local, ":4566"), strings.TrimSuffix(local, "6"), ownRegistry} {
		_, err := r.Parse(values, in)
		wantInvalid(t, in, err, "not a registry of ECR in the domain localhost.localstack.cloud:4566", "")
	}
}

func TestServes(t *testing.T) {
	t.Parallel()
	r := resourceNamed(t, registryType)
	of := func(resourceType, name string) connector.Settings {
		return connector.Settings{ResourceType: resourceType, ResourceName: name, Values: registryFields(t)}
	}
	for _, test := range []struct {
		settings connector.Settings
		address  string
		want     string
	}{
		{of("", ""), ownRegistry, ownRegistry},
		{of(registryType, ""), "https://" + ownRegistry + "/v2/team/app", ownRegistry + "/team/app"},
		{of("", ""), otherAccount + ".dkr.ecr.eu-central-1.amazonaws.com", ""},
		{of("", ""), "public.ecr.aws", ""},
		{of("", ""), "arn:aws:ecr:eu-central-1:" + ownAccount + ":repository/app", ""},
		{of("", ""), "public.ecr.aws/docker/library/alpine", ""},
		{of(registryType, "public.ecr.aws"), "public.ecr.aws/docker/library/alpine", "public.ecr.aws"},
		{of(registryType, "public.ecr.aws"), ownRegistry, ""},
		{of(registryType, ownRegistry+"/team"), ownRegistry + "/team/app", ownRegistry + "/team"},
		{of(registryType, ownRegistry+"/team"), ownRegistry + "/teams", ""},
		{of(registryType, ownRegistry+"/team"), ownRegistry, ""},
	} {
		name, ok := r.Serves(test.settings, test.address)
		if ok != (test.want != "") || ok && name != test.want {
			t.Errorf("%q, in scope %q: %q, %v, want %q", test.address, test.settings.ResourceName, name, ok, test.want)
		}
	}
	if r.Username(field.Values{}) != "AWS" {
		t.Error("the user name of ECR is AWS")
	}
}

// What is accepted or served is a host of the partition's own domains, of an account that
// the connector is for; it is the host that the text names; and it is a fixed point.
func FuzzParseRegistry(f *testing.F) {
	for _, seed := range []string{
		ownRegistry, ownRegistry + "/team/app", "https://" + ownRegistry + "/v2/", ownRegistry + ".evil.tld", ownRegistry + ".:443", "user@" + ownRegistry,
		ownAccount + ".dkr-ecr-fips.us-west-2.on.aws/a-b", "public.ecr.aws/docker/x", "ecr-public.aws.com", "arn:aws:ecr:eu-west-1:" + ownAccount + ":repository/app",
		"https://" + ownRegistry + "/v2/v2", ownRegistry + "/v1", "xn--" + ownRegistry, ownAccount + ".dkr.ecr.eu-central-1.amazonaws.com.cn",
	} {
		f.Add(seed)
	}
	values, r := registryFields(f), resourceNamed(f, registryType)
	f.Fuzz(func(t *testing.T, text string) {
		served, ok := r.Serves(connector.Settings{Values: values}, text)
		once, err := r.Parse(values, text)
		if err != nil {
			if !fault.Is(err, fault.Invalid) || ok {
				t.Fatalf("%q: %v; served: %v", text, err, ok)
			}
			return
		}
		if ok && served != once {
			t.Fatalf("%q is %q, and served as %q", text, once, served)
		}
		if twice, err := r.Parse(values, once); err != nil || twice != once {
			t.Fatalf("%q is %q, which is %q, %v", text, once, twice, err)
		}
		host, _, _ := strings.Cut(once, "/")
		if !isECR(host) {
			t.Fatalf("%q became %q", text, once)
		}
		if isARN(text) {
			return
		}
		if named, _, err := registryname.Address(text); err != nil || named != host {
			t.Fatalf("%q became %q, and names %q, %v", text, once, named, err)
		}
	})
}

// isECR knows the hosts of registryFields by other means than the parser.
func isECR(host string) bool {
	if host == "public.ecr.aws" || host == "ecr-public.aws.com" {
		return true
	}
	return strings.HasPrefix(host, ownAccount+".dkr") && slices.ContainsFunc([]string{".amazonaws.com", ".on.aws"}, func(domain string) bool {
		return strings.HasSuffix(host, domain) && !strings.Contains(strings.TrimSuffix(host, domain), "evil")
	})
}
