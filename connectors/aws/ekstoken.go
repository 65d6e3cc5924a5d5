package aws

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awssts "github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

// A token of EKS is a signed question to STS, who the signer is, which the cluster asks
// in the signer's place.
// https://github.com/kubernetes-sigs/aws-iam-authenticator#api-authorization-from-outside-a-cluster
const (
	tokenPrefix   = "k8s-aws-v1."
	clusterHeader = "x-k8s-aws-id"
	// tokenLife is how long STS answers the question after it was signed. What the URL
	// says of that is ignored, but has to be there: old servers want a minute or less.
	tokenLife    = 15 * time.Minute
	tokenExpires = time.Minute
	maxToken     = 4096
)

// tokenQuery is what the question may consist of.
var tokenQuery = []string{
	"Action", "Version", "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires",
	"X-Amz-Security-Token", "X-Amz-Signature", "X-Amz-SignedHeaders",
}

// noBody is the digest of an empty body.
const noBody = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// clusterToken signs a token for a cluster, and says until when it is good if the keys
// are.
func (s *session) clusterToken(ctx context.Context, k keys, name string) (secret.Text, time.Time, error) {
	request, err := s.identityRequest(ctx)
	if err != nil {
		return secret.Text{}, time.Time{}, err
	}
	request.Header.Set(clusterHeader, name)
	signed := s.host.Now()
	address, _, err := v4.NewSigner().PresignHTTP(ctx, k.sdk(), request, noBody, "sts", s.region(), signed)
	if err != nil {
		return secret.Text{}, time.Time{}, fault.New(fault.Failed, "the token for cluster %s: %w", name, err)
	}
	token := tokenPrefix + base64.RawURLEncoding.EncodeToString([]byte(address))
	if err := checkToken(name, address, len(token)); err != nil {
		return secret.Text{}, time.Time{}, err
	}
	return secret.New(token), signed.Truncate(time.Second).Add(tokenLife), nil
}

// identityRequest is the question to STS, at the endpoint of the connector.
func (c *clients) identityRequest(ctx context.Context) (*http.Request, error) {
	region := c.region()
	endpoint, err := awssts.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, awssts.EndpointParameters{
		Region: &region, Endpoint: c.endpoint(endpointSTS),
		UseFIPS: awssdk.Bool(fipsField.Get(c.values)), UseDualStack: awssdk.Bool(dualStackField.Get(c.values)),
	})
	if err != nil {
		return nil, fault.New(fault.Invalid, "no address of STS for these fields: %w", err)
	}
	at := endpoint.URI
	at.Path = strings.TrimSuffix(at.Path, "/") + "/"
	at.RawQuery = url.Values{
		"Action": {"GetCallerIdentity"}, "Version": {"2011-06-15"},
		"X-Amz-Expires": {strconv.Itoa(int(tokenExpires / time.Second))},
	}.Encode()
	return http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
}

// checkToken refuses what no cluster would take. Nothing of the token is repeated.
func checkToken(name, address string, length int) error {
	u, err := url.Parse(address)
	if err != nil {
		return fault.New(fault.Failed, "the token for cluster %s is not made of a URL", name)
	}
	if u.Path != "/" {
		return fault.New(fault.Invalid, "clusters ask STS at the root of a host, and the connector's endpoint has the path %s", u.Path).
			Hint("leave the path out of %s", endpointSTS.Name)
	}
	for key, values := range u.Query() {
		if !slices.Contains(tokenQuery, key) || len(values) != 1 {
			return fault.New(fault.Failed, "the token for cluster %s has %q in it, which clusters refuse", name, key)
		}
	}
	if length > maxToken {
		return fault.New(fault.Invalid, "the token for cluster %s has %d bytes, and clusters take %d: the keys' session token is too long", name, length, maxToken).
			Hint("give the role fewer session tags, and a shorter policy")
	}
	return nil
}
