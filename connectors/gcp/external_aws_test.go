package gcp

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/svcconn/svcconn/connectors/aws/awstest"
	"github.com/svcconn/svcconn/connectors/gcp/gcptest"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
)

// askAWS has a fake AWS tell whose a signed request is, as Google has AWS tell it.
func askAWS(amazon *awstest.Server) func(*http.Request) (string, error) {
	return func(signed *http.Request) (string, error) {
		request := signed.Clone(signed.Context())
		request.URL.Scheme, request.URL.Host = "http", strings.TrimPrefix(amazon.URL(), "http://")
		response, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			return "", err
		}
		defer func() { _ = response.Body.Close() }()
		raw, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusOK {
			return "", fmt.Errorf("%s: %s %w", response.Status, raw, err)
		}
		var said struct {
			ARN string `xml:"GetCallerIdentityResult>Arn"`
		}
		return said.ARN, xml.Unmarshal(raw, &said)
	}
}

// amazonWorld is a Google with a pool that takes the roles of an AWS.
type amazonWorld struct {
	*poolWorld
	amazon *awstest.Server
	role   string
}

func newAmazonWorld(t *testing.T) *amazonWorld {
	t.Helper()
	w := &amazonWorld{poolWorld: newPoolWorld(t), amazon: awstest.Start(t, awstest.Options{Now: time.Now})}
	w.role = w.amazon.Account("123456789012").Role("builder", awstest.Role{})
	w.audience = w.project.WorkloadPool("clouds", "aws", gcptest.Provider{AWS: askAWS(w.amazon)})
	return w
}

func (w *amazonWorld) configuration(source map[string]any) string {
	all := map[string]any{"environment_id": "aws1", "regional_cred_verification_url": usualVerification}
	for key, value := range source {
		all[key] = value
	}
	return configurationJSON(w.t, w.audience, all, map[string]any{"subject_token_type": "urn:ietf:params:aws:token-type:aws4_request"})
}

// TestExternalAWSMachine: the keys of a machine's role, by the second version of its
// metadata service, sign what AWS tells Google the role for.
func TestExternalAWSMachine(t *testing.T) {
	t.Parallel()
	w := newAmazonWorld(t)
	endpoint, err := w.amazon.Instance(w.role)
	if err != nil {
		t.Fatal(err)
	}
	zone := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Aws-Ec2-Metadata-Token") == "" {
			http.Error(rw, "", http.StatusUnauthorized)
		}
		_, _ = fmt.Fprint(rw, "eu-central-1b")
	}))
	defer zone.Close()
	s := w.session(methodExternal, externalFields(w.configuration(map[string]any{
		"url": endpoint + "latest/meta-data/iam/security-credentials/", "region_url": zone.URL, "imdsv2_session_token_url": endpoint + "latest/api/token",
	}), nil))
	got := must(s.tokenFor(t.Context(), purpose{}))(t)
	lasts(t, got, time.Hour)
	if name, _ := w.TokenInfo(got.text.Reveal()); !strings.Contains(name, "/workloadIdentityPools/clouds/subject/arn:aws:sts::123456789012:assumed-role/builder/") {
		t.Errorf("it is a token of %q", name)
	}
}

// TestExternalAWSProcess: what a credential process prints, such as svcconn's own for a
// connector of type aws.
func TestExternalAWSProcess(t *testing.T) {
	t.Parallel()
	w := newAmazonWorld(t)
	keys := w.amazon.Account("123456789012").User("jane")
	printed := func(change map[string]any) []byte {
		object := map[string]any{"Version": 1, "AccessKeyId": keys.AccessKeyID, "SecretAccessKey": keys.SecretAccessKey, "Expiration": time.Now().Add(time.Hour).UTC().Format(time.RFC3339)}
		for key, value := range change {
			object[key] = value
		}
		raw, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	configuration := w.configuration(nil)
	process := fields{"aws_region": "eu-central-1", "aws_credential_process": "svcconn credential --connector 'aws prod'"}
	var ran connector.Command
	play := func(finished connector.Finished) *session {
		w.host.Run = func(_ context.Context, c connector.Command) (connector.Finished, error) {
			ran = c
			return finished, nil
		}
		return w.session(methodExternal, externalFields(configuration, process))
	}
	got := must(play(connector.Finished{Stdout: printed(nil)}).tokenFor(t.Context(), purpose{}))(t)
	if name, _ := w.TokenInfo(got.text.Reveal()); !strings.HasSuffix(name, "/subject/arn:aws:iam::123456789012:user/jane") {
		t.Errorf("it is a token of %q", name)
	}
	if fmt.Sprintf("%s %q", ran.Program, ran.Args) != `svcconn ["credential" "--connector" "aws prod"]` {
		t.Errorf("it ran %+v", ran)
	}
	for name, test := range map[string]struct {
		finished connector.Finished
		kind     fault.Kind
		words    []string
	}{
		"failed":       {connector.Finished{Failure: "exit status 1", Stderr: []byte("log in first")}, fault.Failed, []string{"aws_credential_process: program svcconn: exit status 1: log in first"}},
		"not JSON":     {connector.Finished{Stdout: []byte(planted)}, fault.Failed, []string{"not JSON of keys"}},
		"version 2":    {connector.Finished{Stdout: printed(map[string]any{"Version": 2})}, fault.Failed, []string{"version 1"}},
		"no keys":      {connector.Finished{Stdout: printed(map[string]any{"AccessKeyId": ""})}, fault.Failed, []string{"no keys"}},
		"over":         {connector.Finished{Stdout: printed(map[string]any{"Expiration": "2020-01-01T00:00:00Z"})}, fault.Denied, []string{"have expired"}},
		"damaged":      {connector.Finished{Stdout: printed(map[string]any{"SecretAccessKey": planted})}, fault.Denied, []string{"Security Token Service"}},
		"unknown keys": {connector.Finished{Stdout: printed(map[string]any{"AccessKeyId": "AKIAIOSFODNN7EXAMPLE"})}, fault.Denied, []string{"Security Token Service"}},
	} {
		_, err := play(test.finished).tokenFor(t.Context(), purpose{})
		t.Run(name, func(t *testing.T) { failsAs(t, err, test.kind, test.words, planted, keys.SecretAccessKey) })
	}
}

func TestExternalAWSMachinesThatHaveNoKeys(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answers map[string]string // by path; none is 404
		kind    fault.Kind
		words   []string
	}{
		"no session":   {map[string]string{}, fault.Failed, []string{"404 Not Found", "aws_credential_process"}},
		"bad session":  {map[string]string{"/session": "a b " + planted}, fault.Failed, []string{"is no token"}},
		"no zone":      {map[string]string{"/session": planted}, fault.Failed, []string{"404"}},
		"bad zone":     {map[string]string{"/session": planted, "/zone": "x\x1b"}, fault.Failed, []string{"is not a zone of AWS"}},
		"empty zone":   {map[string]string{"/session": planted, "/zone": ""}, fault.Failed, []string{"is not a zone of AWS"}},
		"no role":      {map[string]string{"/session": planted, "/zone": "eu-central-1a"}, fault.Failed, []string{"404"}},
		"no keys":      {map[string]string{"/session": planted, "/zone": "eu-central-1a", "/keys": "r/x"}, fault.Failed, []string{"404"}},
		"keys no JSON": {map[string]string{"/session": planted, "/zone": "eu-central-1a", "/keys": "r", "/keys/r": planted}, fault.Failed, []string{"not JSON"}},
		"empty keys":   {map[string]string{"/session": planted, "/zone": "eu-central-1a", "/keys": "r", "/keys/r": `{"Code":"Failed","SecretAccessKey":"` + planted + `"}`}, fault.Failed, []string{"no keys"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			service := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				text, ok := test.answers[r.URL.Path]
				if !ok {
					http.NotFound(rw, r)
					return
				}
				_, _ = fmt.Fprint(rw, text)
			}))
			defer service.Close()
			host := newClosedHost(t)
			host.HTTP = nil
			prove := proverOf(t, host, map[string]any{
				"environment_id": "aws1", "url": service.URL + "/keys", "region_url": service.URL + "/zone", "imdsv2_session_token_url": service.URL + "/session",
			}, nil)
			_, err := prove(t.Context())
			failsAs(t, err, test.kind, test.words, planted, "\x1b")
		})
	}
}
