package aws

import (
	"strings"
	"testing"

	awssts "github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
)

// fieldsOf are values from NAME, VALUE, NAME, VALUE…, as they come out of their checks.
func fieldsOf(t testing.TB, pairs ...any) field.Values {
	t.Helper()
	var values field.Values
	for i := 0; i < len(pairs); i += 2 {
		name := pairs[i].(string)
		f, ok := commonFields().Find(name)
		if !ok {
			t.Fatalf("no field %s", name)
		}
		canonical, err := f.Accept(pairs[i+1])
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		values.Set(name, canonical)
	}
	return values
}

// regionOfEach is a region of each partition.
var regionOfEach = map[string]string{
	"aws": "eu-central-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1", "aws-eusc": "eusc-de-east-1",
	"aws-iso": "us-iso-east-1", "aws-iso-b": "us-isob-east-1", "aws-iso-e": "eu-isoe-west-1", "aws-iso-f": "us-isof-south-1",
}

// The table agrees with the SDK about where a partition's services are.
func TestPartitionsAreTheSDKs(t *testing.T) {
	t.Parallel()
	for _, p := range partitions {
		region := regionOfEach[p.id]
		endpoint, err := awssts.NewDefaultEndpointResolverV2().ResolveEndpoint(t.Context(), awssts.EndpointParameters{Region: &region})
		if want := "sts." + region + "." + p.domain; err != nil || endpoint.URI.Host != want {
			t.Errorf("%s: the SDK's STS is at %s (%v), not %s", p.id, endpoint.URI.Host, err, want)
		}
		if found, ok := partitionOfRegion(region); !ok || found.id != p.id {
			t.Errorf("region %s is of %s, not %s", region, found.id, p.id)
		}
	}
	if len(regionOfEach) != len(partitions) || len(partitionNames()) != len(partitions) {
		t.Errorf("%d partitions, and regions of %d", len(partitions), len(regionOfEach))
	}
}

func TestPartitionOfRegion(t *testing.T) {
	t.Parallel()
	for region, want := range map[string]string{
		"us-east-1": "aws", "ap-southeast-7": "aws", "il-central-1": "aws", "mx-central-1": "aws", "ca-west-12": "aws", "us-gov-east-1": "aws-us-gov",
		"cn-northwest-1": "aws-cn", "us-iso-west-1": "aws-iso", "us-isob-west-1": "aws-iso-b", "us-isof-east-1": "aws-iso-f",
		"": "", "us-east": "", "us-east-1a": "", "aws-global": "", "xx-east-1": "", "us-east-1.evil.tld": "", "us-gov-evil-east-1": "", "eusc-fr-west-1": "",
	} {
		if p, known := partitionOfRegion(region); p.id != want || known != (want != "") {
			t.Errorf("region %q is of partition %q, not %q", region, p.id, want)
		}
	}
}

func TestPartitionIn(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		fields     []any
		want       string
		text, hint string
	}{
		{fields: []any{"region", "eu-west-1"}, want: "aws"},
		{fields: []any{"region", "eu-west-1", "partition", "aws"}, want: "aws"},
		{fields: []any{"region", "cn-north-1", "regions", "cn-northwest-1"}, want: "aws-cn"},
		{fields: []any{"region", "nz-north-1", "partition", "aws"}, want: "aws"},
		{fields: []any{"region", "garage", "partition", "aws"}, want: "aws"},
		{fields: []any{"region", "eusc-fr-west-1", "partition", "aws-eusc", "endpoint_url", "https://h.example.com"}, want: "aws-eusc"},
		{fields: []any{"region", "nz-north-1"}, text: `no partition of AWS is known to have a region "nz-north-1"`, hint: "--set partition=aws"},
		{fields: []any{"region", "eu-west-1", "partition", "aws-cn"}, text: "region eu-west-1 is in partition aws, and the field partition says aws-cn", hint: "--unset partition"},
		{fields: []any{"region", "eusc-fr-west-1", "partition", "aws-eusc"}, text: "nor where its services are", hint: "--set endpoint_url=URL"},
		{fields: []any{"region", "eu-west-1", "regions", "us-east-1,cn-north-1"}, text: "region cn-north-1 is in partition aws-cn, and the connector's region eu-west-1 in aws", hint: "a connector of its own"},
	} {
		p, err := partitionIn(fieldsOf(t, test.fields...))
		if test.text == "" {
			if err != nil || p.id != test.want {
				t.Errorf("%v: %q, %v", test.fields, p.id, err)
			}
			continue
		}
		wantInvalid(t, test.fields, err, test.text, test.hint)
	}
}

// wantInvalid checks an error, and that it is fault.Invalid.
func wantInvalid(t testing.TB, what any, err error, text, hint string) {
	t.Helper()
	switch {
	case err == nil:
		t.Errorf("%v: no error", what)
	case !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), text) || !strings.Contains(fault.HintOf(err), hint):
		t.Errorf("%v: %s: %q (hint %q), want %q (hint %q)", what, fault.KindOf(err), err, fault.HintOf(err), text, hint)
	}
}
