package aws

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/connectors/aws/awstest"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/secret"
)

// TestAWSsOwnHosts has all resource types at the hosts that the SDK and we know, in
// several partitions, and with FIPS and dual-stack endpoints.
func TestAWSsOwnHosts(t *testing.T) {
	t.Parallel()
	for what, test := range map[string]struct {
		partition, region string
		fields            map[string]any
		registry, sts     string
	}{
		"default":    {"aws", "us-east-1", nil, account1 + ".dkr.ecr.us-east-1.amazonaws.com", "sts.us-east-1.amazonaws.com"},
		"China":      {"aws-cn", "cn-north-1", nil, account1 + ".dkr.ecr.cn-north-1.amazonaws.com.cn", "sts.cn-north-1.amazonaws.com.cn"},
		"GovCloud":   {"aws-us-gov", "us-gov-west-1", nil, account1 + ".dkr.ecr.us-gov-west-1.amazonaws.com", "sts.us-gov-west-1.amazonaws.com"},
		"FIPS":       {"aws", "us-east-1", map[string]any{"use_fips_endpoint": true}, account1 + ".dkr.ecr.us-east-1.amazonaws.com", "sts-fips.us-east-1.amazonaws.com"},
		"dual stack": {"aws", "us-east-1", map[string]any{"use_dualstack_endpoint": true}, account1 + ".dkr.ecr.us-east-1.amazonaws.com", "sts.us-east-1.api.aws"},
	} {
		w := newWorld(t)
		a := w.AccountIn(test.partition, account1)
		a.Bucket("zenfiles", test.region)
		a.Cluster(test.region, "production", awstest.Cluster{Endpoint: "https://kube.example.com"})
		a.Repository(test.region, "app")
		jane := a.User("jane")
		s := w.behindProxy(t, jane, a.Role("deployer", awstest.Role{}), test.region, test.fields)
		for resourceType, want := range map[string][]string{
			bucketType: {"s3://zenfiles"}, clusterType: {"production"}, registryType: {test.registry, test.registry + "/app"},
		} {
			names, err := listingOf(t, s, resourceType)
			if diff := cmp.Diff(want, names); err != nil || diff != "" {
				t.Errorf("%s, %s: %v: -want +got:\n%s", what, resourceType, err, diff)
			}
		}
		if k := minted[connector.AWSKeys](t, s, bucketType, "zenfiles", connector.ReadOnly); k.Region != test.region {
			t.Errorf("%s: the bucket is in %s", what, k.Region)
		}
		auth := minted[connector.KubernetesAuth](t, s, clusterType, "production", connector.ReadWrite)
		if host := address(t, auth.Token).Host; host != test.sts {
			t.Errorf("%s: the token asks %s", what, host)
		}
		login := minted[connector.RegistryLogin](t, s, registryType, test.registry+"/app", connector.ReadWrite)
		if found, ok := w.Login(login.Username, login.Secret.Reveal()); !ok || !found.Allowed("ecr:PutImage", account1, "app") || !login.Expires.Equal(noon.Add(time.Hour)) {
			t.Errorf("%s: %+v", what, login)
		}
	}
}

// behindProxy opens a connector that finds AWS at its own hosts, by way of a proxy.
func (w *world) behindProxy(t *testing.T, k awstest.Keys, role, region string, fields map[string]any) *session {
	t.Helper()
	proxy, err := url.Parse(w.ProxyURL())
	if err != nil {
		t.Fatal(err)
	}
	w.host.HTTP = &http.Transport{Proxy: http.ProxyURL(proxy)}
	spec := connector.Spec{Type: typeName, Method: methodRole}
	for name, value := range fields {
		spec.Values.Set(name, value)
	}
	spec.Values.Set("region", region)
	spec.Values.Set("ca_bundle", w.CertificateAuthority())
	spec.Values.Set("aws_access_key_id", k.AccessKeyID)
	spec.Values.SetSecret("aws_secret_access_key", secret.New(k.SecretAccessKey))
	spec.Values.Set("role_arn", role)
	return w.open(t, spec)
}

// S3 tells the region of a bucket in an answer to a request that went to the wrong one.
func TestBucketInAnotherRegionAtItsOwnHost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.Account(account1)
	a.Bucket("zenfiles", "ap-south-1")
	a.Bucket("files.example.com", "ap-south-1")
	for _, region := range []string{"us-east-1", "eu-central-1"} {
		s := w.behindProxy(t, a.User("jane"), a.Role("deployer", awstest.Role{}), region, nil)
		for _, name := range []string{"zenfiles", "files.example.com"} {
			if k := minted[connector.AWSKeys](t, s, bucketType, name, connector.ReadOnly); k.Region != "ap-south-1" {
				t.Errorf("%s from %s: %s", name, region, k.Region)
			}
			s.settings.ResourceName = bucketPrefix + name
			if names, err := listingOf(t, s, bucketType); err != nil || !cmp.Equal(names, []string{bucketPrefix + name}) {
				t.Errorf("%s from %s: %v, %v", name, region, names, err)
			}
			s.settings.ResourceName = ""
		}
	}
}
