package gcptest_test

import (
	"cmp"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2/google/externalaccount"

	"github.com/svcconn/svcconn/connectors/aws/awstest"
	"github.com/svcconn/svcconn/connectors/gcp/gcptest"
)

// keysOf supplies x/oauth2 with AWS's keys.
type keysOf awstest.Keys

func (keysOf) AwsRegion(context.Context, externalaccount.SupplierOptions) (string, error) {
	return "eu-central-1", nil
}

func (k keysOf) AwsSecurityCredentials(context.Context, externalaccount.SupplierOptions) (*externalaccount.AwsSecurityCredentials, error) {
	return &externalaccount.AwsSecurityCredentials{AccessKeyID: k.AccessKeyID, SecretAccessKey: k.SecretAccessKey, SessionToken: k.SessionToken}, nil
}

// askAWS asks a fake AWS whose a signed request is.
func askAWS(cloud *awstest.Server) func(*http.Request) (string, error) {
	return func(r *http.Request) (string, error) {
		there, err := url.Parse(cloud.URL())
		if err != nil {
			return "", err
		}
		sent := r.Clone(r.Context())
		sent.URL.Scheme, sent.URL.Host = there.Scheme, there.Host
		response, err := http.DefaultClient.Do(sent)
		if err != nil {
			return "", err
		}
		defer func() { _ = response.Body.Close() }()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			return "", err
		}
		var out struct {
			Arn string `xml:"GetCallerIdentityResult>Arn"`
		}
		if response.StatusCode != http.StatusOK || xml.Unmarshal(body, &out) != nil {
			return "", errors.New(response.Status)
		}
		return out.Arn, nil
	}
}

func TestIdentitiesOfAWSGetTokens(t *testing.T) {
	t.Parallel()
	s, cloud := gcptest.Start(t, gcptest.Options{}), awstest.Start(t, awstest.Options{})
	keys := cloud.Account("111111111111").User("jane")
	audience := s.Project("one").WorkloadPool("clouds", "aws", gcptest.Provider{AWS: askAWS(cloud), Attributes: map[string]string{"account": "account"}})
	source := func(k awstest.Keys) (string, error) {
		source, err := externalaccount.NewTokenSource(asGoogle(t, s), externalaccount.Config{
			Audience: audience, SubjectTokenType: awsType, AwsSecurityCredentialsSupplier: keysOf(k), Scopes: []string{cloudScope},
		})
		if err != nil {
			t.Fatal(err)
		}
		got, err := source.Token()
		if err != nil {
			return "", err
		}
		who, _ := s.TokenInfo(got.AccessToken)
		return who, nil
	}
	who, err := source(keys)
	if err != nil || !strings.HasSuffix(who, "/workloadIdentityPools/clouds/subject/arn:aws:iam::111111111111:user/jane") {
		t.Errorf("%s, %v", who, err)
	}
	keys.SecretAccessKey = "wrong"
	if who, err := source(keys); err == nil || !strings.Contains(err.Error(), "invalid_grant") || !strings.Contains(err.Error(), "403") {
		t.Errorf("a wrong signature: %s, %v", who, err)
	}
}

func TestRequestsForAWSAreChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	arn := "arn:aws:sts::111111111111:assumed-role/worker/session"
	audience := w.Project("one").WorkloadPool("clouds", "aws", gcptest.Provider{AWS: func(r *http.Request) (string, error) {
		if r.Host != "sts.eu-central-1.amazonaws.com" || r.URL.Query().Get("Action") != "GetCallerIdentity" || r.Header.Get("X-Amz-Date") == "" {
			return "", errors.New("the request is not what was signed")
		}
		return arn, nil
	}})
	const address, signed = "https://sts.eu-central-1.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15", "AWS4-HMAC-SHA256 SignedHeaders=host;x-amz-date;x-goog-cloud-target-resource"
	good := map[string]string{"Host": "sts.eu-central-1.amazonaws.com", "X-Amz-Date": "20260504T120000Z", "Authorization": signed, "x-goog-cloud-target-resource": audience}
	for what, test := range map[string]struct {
		method, url string
		change      map[string]string // of the headers
		code, text  string            // "" is success
	}{
		"as it must be":           {},
		"the target with https:":  {change: map[string]string{"x-goog-cloud-target-resource": "https:" + audience}},
		"another target":          {change: map[string]string{"x-goog-cloud-target-resource": audience + "x"}, code: "invalid_grant", text: "x-goog-cloud-target-resource"},
		"a target nobody signed":  {change: map[string]string{"Authorization": "AWS4-HMAC-SHA256 SignedHeaders=host"}, code: "invalid_grant", text: "not signed"},
		"another method":          {method: "GET", code: "invalid_request", text: "GetCallerIdentity"},
		"no method at all":        {method: "G T", code: "invalid_request", text: "format"},
		"another call":            {url: "https://sts.amazonaws.com?Action=AssumeRole", code: "invalid_request", text: "GetCallerIdentity"},
		"another host":            {url: "https://sts.amazonaws.com.example.com?Action=GetCallerIdentity", code: "invalid_request", text: "GetCallerIdentity"},
		"without TLS":             {url: "http://sts.eu-central-1.amazonaws.com?Action=GetCallerIdentity", code: "invalid_request", text: "GetCallerIdentity"},
		"another host in headers": {change: map[string]string{"Host": "sts.amazonaws.com"}, code: "invalid_request", text: "another host"},
		"what AWS refuses":        {change: map[string]string{"X-Amz-Date": ""}, code: "invalid_grant", text: "not what was signed"},
	} {
		headers := maps.Clone(good)
		maps.Copy(headers, test.change)
		got := w.awsExchange(t, audience, awsToken(cmp.Or(test.method, http.MethodPost), cmp.Or(test.url, address), headers))
		if test.code == "" {
			got.good(t)
			continue
		}
		got.oauthRefused(t, what, 400, test.code, test.text)
	}
	for _, text := range []string{"%", "{", "text"} {
		w.awsExchange(t, audience, text).oauthRefused(t, text, 400, "invalid_request", "Invalid format of AWS credentials.")
	}
	arn = "nobody"
	w.awsExchange(t, audience, awsToken(http.MethodPost, address, good)).oauthRefused(t, "no ARN", 400, "invalid_grant", "ARN")
}

// awsToken is a request for AWS as a subject token.
func awsToken(method, address string, headers map[string]string) string {
	var list []map[string]string
	for key, value := range headers {
		list = append(list, map[string]string{"key": key, "value": value})
	}
	text, _ := json.Marshal(map[string]any{"url": address, "method": method, "headers": list})
	return url.QueryEscape(string(text))
}

func (w *world) awsExchange(t *testing.T, audience, token string) reply {
	t.Helper()
	return w.post(t, "/v1/token", form("grant_type", exchange, "audience", audience, "scope", cloudScope, "requested_token_type", accessType, "subject_token_type", awsType, "subject_token", token))
}
