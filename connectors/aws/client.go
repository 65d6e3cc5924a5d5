package aws

import (
	"context"
	"net/http"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecrpublic"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sso"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"
	awssts "github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/field"
)

// clients makes the SDK's clients for the fields of a connector. The SDK is given all
// that it needs to know, so that it looks at no environment, file or metadata service.
type clients struct {
	host   connector.Host
	values field.Values
	http   *http.Client
	// retryer is what repeats calls; tests have one that does not wait.
	retryer func() awssdk.Retryer
}

func newClients(host connector.Host, values field.Values) (*clients, error) {
	transport, err := transportFor(host, values)
	if err != nil {
		return nil, err
	}
	return &clients{
		host: host, values: values, retryer: func() awssdk.Retryer { return newRetryer(host.Now) },
		http: &http.Client{
			Transport: transport, Timeout: patience,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// now is the time of the host; nothing else decides when a signature was made.
func (c *clients) now() time.Time { return c.host.Now() }

// region is the connector's own region.
func (c *clients) region() string { return regionField.Get(c.values) }

// config is what all clients have in common. The zero keys sign nothing.
func (c *clients) config(region string, endpoint field.String, k keys) awssdk.Config {
	config := awssdk.Config{
		Region: region, HTTPClient: c.http, Retryer: c.retryer, DisableClockSkewCorrection: true,
		Credentials: awssdk.AnonymousCredentials{}, BaseEndpoint: c.endpoint(endpoint),
	}
	if k.id != "" {
		config.Credentials = awssdk.CredentialsProviderFunc(func(context.Context) (awssdk.Credentials, error) { return k.sdk(), nil })
	}
	return config
}

// sdk is the keys as the SDK has them.
func (k keys) sdk() awssdk.Credentials {
	return awssdk.Credentials{AccessKeyID: k.id, SecretAccessKey: k.secret.Reveal(), SessionToken: k.token.Reveal(), AccountID: k.account}
}

// endpoint is the address of a service where it is not AWS's own.
func (c *clients) endpoint(own field.String) *string {
	for _, f := range []field.String{own, endpointField} {
		if address := f.Get(c.values); address != "" {
			return &address
		}
	}
	return nil
}

func (c *clients) fips() awssdk.FIPSEndpointState {
	if fipsField.Get(c.values) {
		return awssdk.FIPSEndpointStateEnabled
	}
	return awssdk.FIPSEndpointStateDisabled
}

func (c *clients) dualStack() awssdk.DualStackEndpointState {
	if dualStackField.Get(c.values) {
		return awssdk.DualStackEndpointStateEnabled
	}
	return awssdk.DualStackEndpointStateDisabled
}

// signer signs with the host's clock.
type signer struct {
	now   func() time.Time
	inner *v4.Signer
}

func (c *clients) signer() signer { return signer{c.host.Now, v4.NewSigner()} }

// SignHTTP implements the signer interfaces of the SDK's clients.
func (s signer) SignHTTP(ctx context.Context, credentials awssdk.Credentials, r *http.Request, payloadHash, service, region string, _ time.Time, options ...func(*v4.SignerOptions)) error {
	return s.inner.SignHTTP(ctx, credentials, r, payloadHash, service, region, s.now(), options...)
}

// sts is STS in the connector's own region.
func (c *clients) sts(k keys) *awssts.Client {
	return awssts.NewFromConfig(c.config(c.region(), endpointSTS, k), func(o *awssts.Options) {
		o.HTTPSignerV4 = c.signer()
		o.EndpointOptions.UseFIPSEndpoint, o.EndpointOptions.UseDualStackEndpoint = c.fips(), c.dualStack()
	})
}

// s3 is S3 in a region. Where it is not AWS's own, buckets are in the path: its host has
// no names for them.
func (c *clients) s3(k keys, region string) *s3.Client {
	return s3.NewFromConfig(c.config(region, endpointS3, k), func(o *s3.Options) {
		o.HTTPSignerV4 = c.signer()
		o.UsePathStyle = o.BaseEndpoint != nil
		o.EndpointOptions.UseFIPSEndpoint, o.EndpointOptions.UseDualStackEndpoint = c.fips(), c.dualStack()
	})
}

func (c *clients) eks(k keys, region string) *eks.Client {
	return eks.NewFromConfig(c.config(region, endpointEKS, k), func(o *eks.Options) {
		o.HTTPSignerV4 = c.signer()
		o.EndpointOptions.UseFIPSEndpoint, o.EndpointOptions.UseDualStackEndpoint = c.fips(), c.dualStack()
	})
}

func (c *clients) ecr(k keys, region string) *ecr.Client {
	return ecr.NewFromConfig(c.config(region, endpointECR, k), func(o *ecr.Options) {
		o.HTTPSignerV4 = c.signer()
		o.EndpointOptions.UseFIPSEndpoint, o.EndpointOptions.UseDualStackEndpoint = c.fips(), c.dualStack()
	})
}

// ecrPublicRegion is the one region that has the API of ECR Public.
// https://docs.aws.amazon.com/general/latest/gr/ecr-public.html
const ecrPublicRegion = "us-east-1"

func (c *clients) ecrPublic(k keys) *ecrpublic.Client {
	return ecrpublic.NewFromConfig(c.config(ecrPublicRegion, endpointECRPublic, k), func(o *ecrpublic.Options) { o.HTTPSignerV4 = c.signer() })
}

// sso is the portal of IAM Identity Center, which takes a bearer token.
func (c *clients) sso(region string) *sso.Client {
	return sso.NewFromConfig(c.config(region, endpointSSO, keys{}))
}

// ssoLogin is the login of IAM Identity Center, which takes no signature.
func (c *clients) ssoLogin(region string) *ssooidc.Client {
	return ssooidc.NewFromConfig(c.config(region, endpointSSOOIDC, keys{}))
}
