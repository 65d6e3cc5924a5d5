package aws

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
)

// outOfPlace are variables that the SDKs and the AWS CLI look at, with values that would
// show or break things.
func outOfPlace(elsewhere string) map[string]string {
	out := map[string]string{
		"AWS_ACCESS_KEY_ID": "AKIACANARYENV", "AWS_SECRET_ACCESS_KEY": "canary-env", "AWS_SESSION_TOKEN": "canary-env",
		"AWS_REGION": "mars-north-1", "AWS_DEFAULT_REGION": "mars-north-1", "AWS_PROFILE": "canary-env", "AWS_DEFAULT_PROFILE": "canary-env",
		"AWS_CONFIG_FILE": "/canary-env", "AWS_SHARED_CREDENTIALS_FILE": "/canary-env", "AWS_CA_BUNDLE": "/canary-env",
		"AWS_WEB_IDENTITY_TOKEN_FILE": "/canary-env", "AWS_ROLE_ARN": "arn:aws:iam::000000000000:role/canary-env", "AWS_ROLE_SESSION_NAME": "canary-env",
		"AWS_CONTAINER_CREDENTIALS_FULL_URI": elsewhere, "AWS_EC2_METADATA_SERVICE_ENDPOINT": elsewhere,
		"AWS_USE_FIPS_ENDPOINT": "true", "AWS_USE_DUALSTACK_ENDPOINT": "true", "AWS_STS_REGIONAL_ENDPOINTS": "legacy",
		"AWS_S3_US_EAST_1_REGIONAL_ENDPOINT": "legacy", "AWS_S3_USE_ARN_REGION": "true", "AWS_S3_DISABLE_MULTIREGION_ACCESS_POINTS": "true",
		"AWS_MAX_ATTEMPTS": "1", "AWS_RETRY_MODE": "adaptive", "AWS_DEFAULTS_MODE": "mobile", "AWS_NEW_RETRIES_2026": "true",
		"AWS_ENABLE_DEFAULT_SOCKET_TIMEOUT_2026": "true", "AWS_ENABLE_ENDPOINT_DISCOVERY": "true", "AWS_ACCOUNT_ID_ENDPOINT_MODE": "required",
		"AWS_SDK_UA_APP_ID": "canary-env", "AWS_EXECUTION_ENV": "canary-env", "AWS_LAMBDA_FUNCTION_NAME": "canary-env", "_X_AMZN_TRACE_ID": "Root=canary-env",
		"AWS_REQUEST_CHECKSUM_CALCULATION": "WHEN_SUPPORTED", "AWS_RESPONSE_CHECKSUM_VALIDATION": "WHEN_REQUIRED", "AWS_AUTH_SCHEME_PREFERENCE": "sigv4a",
		"AWS_DISABLE_REQUEST_COMPRESSION": "true", "AWS_SIGV4A_SIGNING_REGION_SET": "*", "AWS_BEARER_TOKEN_BEDROCK": "canary-env",
		"AWS_ENDPOINT_URL": elsewhere, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
	}
	for _, service := range []string{"STS", "S3", "EKS", "ECR", "ECR_PUBLIC", "SSO", "SSO_OIDC"} {
		out["AWS_ENDPOINT_URL_"+service] = elsewhere
	}
	return out
}

// The environment of whoever started the process makes no difference to what is sent,
// and nothing is sent elsewhere. Not parallel: it changes the environment.
func TestTheEnvironmentDoesNotMatter(t *testing.T) {
	var elsewhere sync.Once
	stranger := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		elsewhere.Do(func() { t.Errorf("it asks at an address from the environment: %s", r.URL) })
	}))
	defer stranger.Close()
	for _, endpoint := range []string{"", "https://vpce.example.com"} {
		for name := range outOfPlace("") {
			t.Setenv(name, "") // which brings it back at the end
			if err := os.Unsetenv(name); err != nil {
				t.Fatal(err)
			}
		}
		clean := sentWith(t, endpoint)
		for name, value := range outOfPlace(stranger.URL) {
			t.Setenv(name, value)
		}
		if diff := cmp.Diff(clean, sentWith(t, endpoint)); diff != "" {
			t.Errorf("the environment changes requests: %s", diff)
		}
	}
}

// sentWith is what the calls of all services send, without what is never the same twice.
func sentWith(t *testing.T, endpoint string) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for _, service := range slices.Sorted(maps.Keys(asking)) {
		c := wire(t, endpoint, func(h *connector.Host, _ *field.Values) {
			h.Now = fixedTime
			h.HTTP = roundTripper(func(r *http.Request) (*http.Response, error) {
				out[service] = append(out[service], shown(t, r))
				return &http.Response{StatusCode: http.StatusServiceUnavailable, Body: http.NoBody, Header: http.Header{}, Request: r}, nil
			})
		})
		if err := asking[service](t.Context(), c); err == nil {
			t.Errorf("%s: no error", service)
		}
		if len(out[service]) != maxAttempts {
			t.Errorf("%s was asked %d times", service, len(out[service]))
		}
	}
	return out
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func shown(t *testing.T, r *http.Request) string {
	t.Helper()
	for _, random := range []string{"Amz-Sdk-Invocation-Id", "Authorization"} {
		r.Header.Del(random)
	}
	body := []byte{}
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
	}
	lines := []string{r.Method + " " + r.URL.String(), string(body)}
	for name, values := range r.Header {
		lines = append(lines, name+": "+strings.Join(values, ","))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// What leaves says who we are and nothing of the machine.
func TestUserAgent(t *testing.T) {
	t.Parallel()
	var agents []string
	c := wire(t, "", func(h *connector.Host, _ *field.Values) {
		h.HTTP = roundTripper(func(r *http.Request) (*http.Response, error) {
			agents = append(agents, r.Header.Get("User-Agent")+r.Header.Get("X-Amz-User-Agent"))
			return &http.Response{StatusCode: http.StatusForbidden, Body: http.NoBody, Header: http.Header{}, Request: r}, nil
		})
	})
	for service, ask := range asking {
		if err := ask(t.Context(), c); err == nil {
			t.Errorf("%s: no error", service)
		}
	}
	for _, agent := range agents {
		if agent != "svcconn" {
			t.Errorf("it calls itself %q", agent)
		}
	}
}

// The SDK closes a body while net/http may still be at work with it; how that ends
// depends on how it is read.
func TestBodiesAreReadAndNotWritten(t *testing.T) {
	t.Parallel()
	bodies := 0
	c := wire(t, "", func(h *connector.Host, _ *field.Values) {
		h.HTTP = roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.Body != nil {
				bodies++
				if _, ok := r.Body.(io.WriterTo); ok {
					t.Errorf("the body for %s ends as the SDK likes it", r.URL)
				}
			}
			return &http.Response{StatusCode: http.StatusForbidden, Body: http.NoBody, Header: http.Header{}, Request: r}, nil
		})
	})
	for service, ask := range asking {
		if err := ask(t.Context(), c); err == nil {
			t.Errorf("%s: no error", service)
		}
	}
	if bodies == 0 {
		t.Error("no request had a body")
	}
}

// A redirect is an answer, and nobody is asked with our keys at where it leads.
func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	stranger := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("it follows to %s", r.URL) }))
	defer stranger.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, stranger.URL+r.URL.Path, status)
		}))
		c := wire(t, server.URL)
		for service, ask := range asking {
			if err := c.failed(t.Context(), service, ask(t.Context(), c)); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %d is %q: %v", service, status, fault.KindOf(err), err)
			}
		}
		server.Close()
	}
}

// An answer without end is not read to its end.
func TestAnswersAreBounded(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		blank := bytes.Repeat([]byte(" "), 1<<20)
		for range 2 * maxBody {
			if _, err := w.Write(blank); err != nil {
				return
			}
		}
	}))
	defer server.Close()
	c := wire(t, server.URL)
	for _, service := range []string{"ECR", "SSO"} {
		says(t, service, c.failed(t.Context(), service, asking[service](t.Context(), c)), fault.Failed, "an answer of more than 8 MiB", "endpoint_url")
	}
}

// Whatever a service says, what is printed of it is one line without our secrets.
func FuzzPrintable(f *testing.F) {
	f.Add("The request signature we calculated does not match. The Canonical String for this request should have been 'GET\n/\nX-Amz-Security-Token=", "'")
	f.Add("Authorization: AWS4-HMAC-SHA256 Credential=AKIA/20260801/eu-central-1/sts/aws4_request, Signature=", "")
	f.Add("https://x/?X-Amz-Signature=00&secretAccessKey=", "&x")
	f.Add(strings.Repeat("x", maxWords-7), "")
	f.Fuzz(func(t *testing.T, before, after string) {
		c := &clients{}
		c.values.SetSecret("s", wireKeys().secret)
		for _, text := range []string{before + wireSecret + after, before + "X-Amz-Security-Token=" + wireToken, before + " Signature=" + wireToken} {
			words := c.printable(text)
			if strings.Contains(words, wireSecret) || strings.Contains(words, wireToken) && !strings.Contains(before+after, wireToken[:4]) {
				t.Fatalf("%q became %q", text, words)
			}
			if len(words) > maxWords+len(" …") || strings.ContainsAny(words, "\n\r\x1b") {
				t.Fatalf("%q", words)
			}
		}
	})
}

func TestPrintable(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("IQoJb3JpZ2luX2VjE", 20)
	hash := strings.Repeat("0a", 32)
	c := &clients{}
	for text, want := range map[string]string{
		"User: arn:aws:sts::123456789012:assumed-role/deployer/svcconn is not authorized": "User: arn:aws:sts::123456789012:assumed-role/deployer/svcconn is not authorized",
		"The security token included in the request is expired":                           "The security token included in the request is expired",
		"no match.\n\nThe Canonical String for this request should have been\n'GET\n/":    "no match.",
		"x The String-to-Sign should have been 'AWS4-HMAC-SHA256":                         "x",
		"Credential=AKIA/1/2/sts/aws4_request, SignedHeaders=host, Signature=" + hash:     "Credential=[redacted], SignedHeaders=host, Signature=[redacted]",
		"?X-Amz-Credential=AKIA%2F1&X-Amz-Signature=ab&X-Amz-Expires=60":                  "?X-Amz-Credential=[redacted]&X-Amz-Signature=[redacted]&X-Amz-Expires=60",
		"x-amz-security-token:" + long + " end":                                           "x-amz-security-token:[redacted] end",
		`{"refreshToken":"abc","other":"x"}`:                                              `{"refreshToken":[redacted]","other":"x"}`,
		"it was " + long + ".":                                                            "it was [redacted].",
		"it was " + hash + ".":                                                            "it was [redacted].",
		"the token eyJhbGciOi.eyJpc3MiOi.c2ln is bad":                                     "the token [redacted] is bad",
	} {
		if got := c.printable(text); got != want {
			t.Errorf("%q became %q, not %q", text, got, want)
		}
	}
}
