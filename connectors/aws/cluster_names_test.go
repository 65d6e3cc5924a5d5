package aws

import (
	"strings"
	"testing"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
)

func resourceNamed(t testing.TB, name string) *connector.ResourceType {
	t.Helper()
	k, err := kindOf(name)
	if err != nil {
		t.Fatal(err)
	}
	return &k.ResourceType
}

func clusterFields(t testing.TB) field.Values {
	return fieldsOf(t, "region", "eu-central-1", "regions", "eu-west-1", "account_id", "123456789012")
}

func TestParseCluster(t *testing.T) {
	t.Parallel()
	values, r := clusterFields(t), resourceNamed(t, clusterType)
	long := strings.Repeat("a", 100)
	for in, want := range map[string]string{
		"production":              "production",
		"Prod_1-a":                "Prod_1-a",
		long:                      long,
		"eu-central-1/production": "production",
		"eu-west-1/production":    "eu-west-1/production",
		"arn:aws:eks:eu-central-1:123456789012:cluster/production": "production",
		"arn:aws:eks:eu-west-1:123456789012:cluster/production":    "eu-west-1/production",
	} {
		if got, err := r.Parse(values, in); err != nil || got != want {
			t.Errorf("%q became %q, %v", in, got, err)
		}
		if again, err := r.Parse(values, want); err != nil || again != want {
			t.Errorf("%q, canonical, became %q, %v", want, again, err)
		}
	}
	unverified := fieldsOf(t, "region", "eu-central-1")
	if got, err := r.Parse(unverified, "arn:aws:eks:eu-central-1:210987654321:cluster/production"); err != nil || got != "production" {
		t.Errorf("with the account unknown: %q, %v", got, err)
	}
}

func TestParseClusterRefuses(t *testing.T) {
	t.Parallel()
	values, r := clusterFields(t), resourceNamed(t, clusterType)
	for _, test := range []struct{ in, text, hint string }{
		{"", "not the name of a cluster", ""},
		{"-production", "not the name of a cluster", ""},
		{"pro duction", "not the name of a cluster", ""},
		{"production*", "not the name of a cluster", ""},
		{strings.Repeat("a", 101), "1 to 100", ""},
		{"https://ABC.gr7.eu-central-1.eks.amazonaws.com", "not the name of a cluster", ""},
		{"us-east-1/production", "the cluster is in region us-east-1, and the connector is for eu-central-1, eu-west-1", "--set regions=eu-west-1,us-east-1"},
		{"EU-WEST-1/production", "not the name of a region", ""},
		{"eu-west-1/a/b", "not the name of a cluster", ""},
		{"arn:aws:eks:us-east-1:123456789012:cluster/production", "in region us-east-1, and the connector is for eu-central-1, eu-west-1", ""},
		{"arn:aws:eks:eu-central-1:210987654321:cluster/production", "of account 210987654321, and the connector for account 123456789012", "210987654321"},
		{"arn:aws-cn:eks:cn-north-1:123456789012:cluster/production", "in partition aws-cn, and the connector in aws", ""},
		{"arn:aws:eks::123456789012:cluster/production", "it has no region", ""},
		{"arn:aws:eks:eu-central-1::cluster/production", "it has no account", ""},
		{"arn:aws:eks:eu-central-1:123456789012:nodegroup/production", "not a cluster", ""},
		{"arn:aws:eks:eu-central-1:123456789012:cluster/", "not the name of a cluster", ""},
		{"arn:aws:eks:eu-central-1:12345678901:cluster/production", "twelve digits", ""},
		{"arn:aws:eks:EU:123456789012:cluster/production", "not the name of a region", ""},
		{"arn:aws:ecs:eu-central-1:123456789012:cluster/production", `"ecs", not of eks`, ""},
	} {
		got, err := r.Parse(values, test.in)
		if err == nil || got != "" {
			t.Errorf("%q became %q, %v", test.in, got, err)
			continue
		}
		wantInvalid(t, test.in, err, test.text, test.hint)
	}
}

func FuzzParseCluster(f *testing.F) {
	for _, seed := range []string{"production", "eu-west-1/a", "arn:aws:eks:eu-west-1:123456789012:cluster/production", "eu-central-1/eu-west-1/a"} {
		f.Add(seed)
	}
	values, r := clusterFields(f), resourceNamed(f, clusterType)
	f.Fuzz(func(t *testing.T, text string) {
		once, err := r.Parse(values, text)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		if twice, err := r.Parse(values, once); err != nil || twice != once {
			t.Fatalf("%q is %q, which is %q, %v", text, once, twice, err)
		}
		if name := strings.TrimPrefix(once, "eu-west-1/"); !clusterName.MatchString(name) {
			t.Fatalf("%q became %q", text, once)
		}
	})
}
