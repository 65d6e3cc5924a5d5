package gcp

import (
	"bytes"
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google/externalaccount"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/hop"
	"github.com/svcconn/svcconn/pkg/proc"
	"github.com/svcconn/svcconn/pkg/secret"
)

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// What a service was too busy for is asked again, with the whole question, whoever asks.
func TestCallsAreRepeated(t *testing.T) {
	t.Parallel()
	good := map[string]string{storageAPI.service: "{}", oauthAPI.service: `{"access_token":"x","expires_in":3600}`}
	for what, fails := range map[string]func(w http.ResponseWriter){
		"429": func(w http.ResponseWriter) { w.WriteHeader(429) }, "500": func(w http.ResponseWriter) { w.WriteHeader(500) },
		"502": func(w http.ResponseWriter) { w.WriteHeader(502) }, "503": func(w http.ResponseWriter) { w.WriteHeader(503) }, "504": func(w http.ResponseWriter) { w.WriteHeader(504) },
		"broken": func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
		"torn": func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "99")
			_, _ = w.Write([]byte("{"))
		},
	} {
		for _, a := range both {
			t.Run(a.service+", "+what, func(t *testing.T) {
				t.Parallel()
				var asked atomic.Int64
				bodies := make(chan string, 2*maxTries)
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					body, _ := io.ReadAll(r.Body)
					bodies <- string(body)
					if asked.Add(1) < maxTries {
						fails(w)
						return
					}
					w.Header().Set("Content-Type", "application/json")
					_, _ = w.Write([]byte(good[a.service]))
				}))
				defer server.Close()
				if err := asks(t.Context(), wired(t, server.URL, unpooled), a); err != nil {
					t.Error(err)
				}
				close(bodies)
				all := slices.Collect(func(yield func(string) bool) {
					for body := range bodies {
						if !yield(body) {
							return
						}
					}
				})
				if len(all) != maxTries || all[0] == "" || len(slices.Compact(all)) != 1 {
					t.Errorf("it was asked %q", all)
				}
			})
		}
	}
}

// unpooled has a connection of its own for every request: net/http repeats what breaks on
// one that it used before.
func unpooled(h *connector.Host, _ *field.Values) {
	h.HTTP = unkept{&http.Transport{DisableKeepAlives: true}}
}

type unkept struct{ http.RoundTripper }

func TestHowCallsAreRepeated(t *testing.T) {
	t.Parallel()
	again := repeating(nil, proc.Real().Now)
	if again.Tries != maxTries || again.Longest != longestPause || !again.Broken || again.Pause == nil || again.Now == nil {
		t.Errorf("%+v", again)
	}
	for tried := range maxTries {
		if wait := again.Wait(tried); wait <= 0 || wait > longestPause {
			t.Errorf("after %d tries it waits for %s", tried, wait)
		}
	}
}

// What leaves says who we are and nothing of the machine.
func TestUserAgent(t *testing.T) {
	t.Parallel()
	asked := 0
	c := wired(t, "", func(h *connector.Host, _ *field.Values) {
		h.HTTP = roundTripper(func(r *http.Request) (*http.Response, error) {
			asked++
			if r.Header.Get("User-Agent") != "svcconn" || r.Header.Get("X-Goog-Api-Client") != "" || r.URL.Scheme != "https" {
				t.Errorf("%s %s: %v", r.Method, r.URL, r.Header)
			}
			return &http.Response{StatusCode: http.StatusForbidden, Body: http.NoBody, Header: http.Header{}, Request: r}, nil
		})
	})
	for _, a := range []api{storageAPI, containerAPI, registryAPI, credentialsAPI, stsAPI, oauthAPI} {
		says(t, a.service, asks(t.Context(), c, a), fault.Denied, "refuses without a word", "")
	}
	if asked != 6 {
		t.Errorf("%d requests", asked)
	}
}

// A stream that never ends is not read to its end.
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
	for _, a := range both {
		says(t, a.service, asks(t.Context(), wired(t, server.URL), a), fault.Failed, fmt.Sprintf("an answer of more than %d MiB", maxBody), "api_endpoint_")
	}
}

// A certificate authority of the connector's own is trusted, and nobody else.
func TestOwnAuthority(t *testing.T) {
	t.Parallel()
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) }))
	defer secure.Close()
	own := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}))
	c := wired(t, secure.URL, func(_ *connector.Host, v *field.Values) { v.Set(authorityField.Name, own) })
	if err := asks(t.Context(), c, storageAPI); err != nil {
		t.Error(err)
	}
	if _, err := newClients(connector.Host{HTTP: unkept{}, Now: proc.Real().Now}, c.values); !fault.Is(err, fault.Failed) {
		t.Errorf("a way of talking that knows no certificates: %v", err)
	}
}

// What is close by is asked directly, in the same way otherwise.
func TestWithoutProxy(t *testing.T) {
	t.Parallel()
	c := wired(t, "", func(h *connector.Host, _ *field.Values) { h.HTTP = &http.Transport{Proxy: http.ProxyFromEnvironment} })
	again, ok := withoutProxy(c.http.Transport).(hop.Again)
	if inner, isOurs := again.Inner.(outgoing); !ok || !isOurs || inner.inner.(*http.Transport).Proxy != nil || again.Tries != maxTries {
		t.Errorf("%+v", again)
	}
	if other := (unkept{}); withoutProxy(other) != other {
		t.Error("a way of talking of somebody else's is changed")
	}
}

// Within one call of x/oauth2's, two services may be asked: each is called by its name.
func TestFederationThatBecomesAnAccount(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"access_token":"canary","issued_token_type":"x","token_type":"Bearer","expires_in":3600}`))
			return
		}
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(status("PERMISSION_DENIED", "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).")))
	}))
	defer server.Close()
	c := wired(t, server.URL)
	ctx := t.Context()
	source := externalaccount.Config{
		Audience: "//iam.googleapis.com/x", SubjectTokenType: "urn:ietf:params:oauth:token-type:jwt", TokenURL: server.URL + "/token", Scopes: []string{"x"},
		SubjectTokenSupplier:           supplier{},
		ServiceAccountImpersonationURL: server.URL + "/v1/projects/-/serviceAccounts/target@acme-prod.iam.gserviceaccount.com:generateAccessToken",
	}
	_, err := c.fetch(ctx, stsAPI, tokenOf(source), secret.New("canary"))
	says(t, "becoming an account", err, fault.Denied, "IAM refuses us iam.serviceAccounts.getAccessToken on target@acme-prod.iam.gserviceaccount.com: PERMISSION_DENIED", "--role=roles/iam.serviceAccountTokenCreator")
}

type supplier struct{}

func (supplier) SubjectToken(context.Context, externalaccount.SupplierOptions) (string, error) {
	return "canary", nil
}

func tokenOf(config externalaccount.Config) func(context.Context) (*oauth2.Token, error) {
	return func(ctx context.Context) (*oauth2.Token, error) {
		source, err := externalaccount.NewTokenSource(ctx, config)
		if err != nil {
			return nil, err
		}
		return source.Token()
	}
}
