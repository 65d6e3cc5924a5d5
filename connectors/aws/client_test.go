package aws

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/field"
)

// askedAt are the hosts, and paths of buckets, that the services are asked at.
func askedAt(t *testing.T, fields map[string]any) map[string]string {
	t.Helper()
	out := map[string]string{}
	service := ""
	c := wire(t, "", func(h *connector.Host, v *field.Values) {
		for name, value := range fields {
			v.Set(name, value)
		}
		h.HTTP = roundTripper(func(r *http.Request) (*http.Response, error) {
			out[service] = r.URL.Scheme + "://" + r.URL.Host
			if service == "S3, without bodies" {
				out[service] += r.URL.Path
			}
			return &http.Response{StatusCode: http.StatusForbidden, Body: http.NoBody, Header: http.Header{}, Request: r}, nil
		})
	})
	for name, ask := range asking {
		service = name
		if err := ask(t.Context(), c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	return out
}

// Each service is asked in its region, in the way that the fields say, and nowhere else.
// The calls of the table are for eu-central-1, whatever the connector's region.
func TestEndpoints(t *testing.T) {
	t.Parallel()
	for what, test := range map[string]struct {
		fields map[string]any
		want   map[string]string
	}{
		"AWS's own": {nil, map[string]string{
			"STS": "https://sts.eu-central-1.amazonaws.com", "ECR": "https://api.ecr.eu-central-1.amazonaws.com",
			"ECR Public": "https://api.ecr-public.us-east-1.amazonaws.com", "EKS": "https://eks.eu-central-1.amazonaws.com",
			"S3": "https://s3.eu-central-1.amazonaws.com", "S3, without bodies": "https://zenfiles.s3.eu-central-1.amazonaws.com/",
			"SSO": "https://portal.sso.eu-central-1.amazonaws.com", "SSO OIDC": "https://oidc.eu-central-1.amazonaws.com",
		}},
		"dual-stack": {map[string]any{"use_dualstack_endpoint": true}, map[string]string{
			"STS": "https://sts.eu-central-1.api.aws", "ECR": "https://ecr.eu-central-1.api.aws",
			"ECR Public": "https://api.ecr-public.us-east-1.amazonaws.com", "EKS": "https://eks.eu-central-1.api.aws",
			"S3": "https://s3.dualstack.eu-central-1.amazonaws.com", "S3, without bodies": "https://zenfiles.s3.dualstack.eu-central-1.amazonaws.com/",
			"SSO": "https://portal.sso.eu-central-1.amazonaws.com", "SSO OIDC": "https://oidc.eu-central-1.amazonaws.com",
		}},
		"one for all": {map[string]any{"endpoint_url": "https://vpce.example.com"}, map[string]string{
			"STS": "https://vpce.example.com", "ECR": "https://vpce.example.com", "ECR Public": "https://vpce.example.com", "EKS": "https://vpce.example.com",
			"S3": "https://vpce.example.com", "S3, without bodies": "https://vpce.example.com/zenfiles", "SSO": "https://vpce.example.com", "SSO OIDC": "https://vpce.example.com",
		}},
		"each its own": {map[string]any{
			"endpoint_url": "https://vpce.example.com", "endpoint_url_sts": "https://sts.example.com", "endpoint_url_s3": "https://s3.example.com",
			"endpoint_url_eks": "https://eks.example.com", "endpoint_url_ecr": "https://ecr.example.com", "endpoint_url_ecr_public": "https://public.example.com",
			"endpoint_url_sso": "https://sso.example.com", "endpoint_url_sso_oidc": "https://oidc.example.com",
		}, map[string]string{
			"STS": "https://sts.example.com", "ECR": "https://ecr.example.com", "ECR Public": "https://public.example.com", "EKS": "https://eks.example.com",
			"S3": "https://s3.example.com", "S3, without bodies": "https://s3.example.com/zenfiles", "SSO": "https://sso.example.com", "SSO OIDC": "https://oidc.example.com",
		}},
	} {
		if diff := cmp.Diff(test.want, askedAt(t, test.fields)); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
	for region, want := range map[string]string{
		"us-east-1": "https://sts.us-east-1.amazonaws.com", "cn-north-1": "https://sts.cn-north-1.amazonaws.com.cn",
		"us-gov-west-1": "https://sts.us-gov-west-1.amazonaws.com", "eusc-de-east-1": "https://sts.eusc-de-east-1.amazonaws.eu",
	} {
		if got := askedAt(t, map[string]any{"region": region})["STS"]; got != want {
			t.Errorf("STS of %s is asked at %s", region, got)
		}
	}
	if got := askedAt(t, map[string]any{"region": "us-west-2", "use_fips_endpoint": true})["STS"]; got != "https://sts-fips.us-west-2.amazonaws.com" {
		t.Errorf("STS with validated cryptography is asked at %s", got)
	}
}
