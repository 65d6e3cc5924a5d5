package registrytest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/svcconn/svcconn/pkg/registrytest"
)

const (
	password = "correct-horse-7261"
	identity = "identity-token-9152"
)

func users() map[string]registrytest.User {
	return map[string]registrytest.User{
		"ci":     {Password: password, IdentityToken: identity},
		"reader": {Password: password, ReadOnly: true},
	}
}

func basicAuth(user string) authn.Authenticator {
	return &authn.Basic{Username: user, Password: password}
}

// push writes an image with go-containerregistry's own client.
func push(t *testing.T, s *registrytest.Server, repository string, auth authn.Authenticator) error {
	t.Helper()
	tag, err := name.NewTag(s.Host() + "/" + repository + ":v1")
	if err != nil {
		t.Fatal(err)
	}
	image, err := random.Image(64, 1)
	if err != nil {
		t.Fatal(err)
	}
	return remote.Write(tag, image, remote.WithAuth(auth), remote.WithTransport(s.Transport()))
}

func pull(t *testing.T, s *registrytest.Server, repository string, auth authn.Authenticator) error {
	t.Helper()
	tag, err := name.NewTag(s.Host() + "/" + repository + ":v1")
	if err != nil {
		t.Fatal(err)
	}
	_, err = remote.Image(tag, remote.WithAuth(auth), remote.WithTransport(s.Transport()))
	return err
}

func TestPushAndPull(t *testing.T) {
	t.Parallel()
	for _, mode := range []registrytest.Mode{registrytest.Basic, registrytest.Bearer} {
		for _, tls := range []bool{false, true} {
			s := registrytest.Start(t, registrytest.Options{Mode: mode, Users: users(), TLS: tls, Public: "public/"})
			if err := push(t, s, "public/app", basicAuth("ci")); err != nil {
				t.Fatalf("%s, TLS %v: %v", mode, tls, err)
			}
			for what, err := range map[string]error{
				"the writer pulls":              pull(t, s, "public/app", basicAuth("ci")),
				"the reader pulls":              pull(t, s, "public/app", basicAuth("reader")),
				"the identity token pulls":      identityError(t, s, mode, "public/app", identity),
				"anybody pulls what is public":  pull(t, s, "public/app", authn.Anonymous),
				"the writer pushes what is not": push(t, s, "private/app", basicAuth("ci")),
				"the reader pulls what is not":  pull(t, s, "private/app", basicAuth("reader")),
				"the identity token pulls, too": identityError(t, s, mode, "private/app", identity),
			} {
				if err != nil {
					t.Errorf("%s, TLS %v: %s: %v", mode, tls, what, err)
				}
			}
			for what, err := range map[string]error{
				"the reader pushes":                 push(t, s, "public/app", basicAuth("reader")),
				"anybody pushes":                    push(t, s, "public/app", authn.Anonymous),
				"anybody pulls what is not public":  pull(t, s, "private/app", authn.Anonymous),
				"a wrong password pulls":            pull(t, s, "public/app", &authn.Basic{Username: "ci", Password: "wrong"}),
				"an unknown user pulls":             pull(t, s, "public/app", &authn.Basic{Username: "nobody", Password: password}),
				"an unknown identity token pulls":   pull(t, s, "public/app", &authn.Bearer{Token: "wrong"}),
				"a refresh token that is not known": pull(t, s, "private/app", authn.FromConfig(authn.AuthConfig{IdentityToken: "wrong"})),
			} {
				if err == nil {
					t.Errorf("%s, TLS %v: %s: it was let through", mode, tls, what)
				}
			}
		}
	}
}

// identityError pulls with an identity token, which only a token server knows.
func identityError(t *testing.T, s *registrytest.Server, mode registrytest.Mode, repository, token string) error {
	if mode != registrytest.Bearer {
		return nil
	}
	return pull(t, s, repository, authn.FromConfig(authn.AuthConfig{IdentityToken: token}))
}

// get asks for a path with an Authorization header and returns status and body.
func get(t *testing.T, s *registrytest.Server, path, authorization string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	return do(t, s, r)
}

func do(t *testing.T, s *registrytest.Server, r *http.Request) (int, string) {
	t.Helper()
	response, err := s.Transport().RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func token(t *testing.T, s *registrytest.Server, user, scope string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL()+"/token?service=registrytest&scope="+url.QueryEscape(scope), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(user, password)
	status, body := do(t, s, r)
	var answer struct{ Token string }
	if err := json.Unmarshal([]byte(body), &answer); err != nil || status != http.StatusOK {
		t.Fatalf("token: %d %s", status, body)
	}
	return answer.Token
}

func TestTokensAreChecked(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	clock := now
	s := registrytest.Start(t, registrytest.Options{Mode: registrytest.Bearer, Users: users(), TokenLifetime: time.Minute, Now: func() time.Time { return clock }})
	good := token(t, s, "ci", "repository:app:pull")
	other := registrytest.Start(t, registrytest.Options{Mode: registrytest.Bearer, Users: users(), Now: func() time.Time { return now }})
	header, rest, _ := strings.Cut(good, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	for what, test := range map[string]struct {
		token, path string
		status      int
	}{
		"a good token":                 {good, "/v2/", 200},
		"a good token, unknown image":  {good, "/v2/app/manifests/v1", 404},
		"a repository not asked for":   {good, "/v2/other/manifests/v1", 401},
		"the catalog not asked for":    {good, "/v2/_catalog", 401},
		"of another server":            {token(t, other, "ci", ""), "/v2/", 401},
		"with an altered payload":      {header + "." + payload + "x." + signature, "/v2/", 401},
		"with an altered signature":    {good + "x", "/v2/", 401},
		"without a signature":          {header + "." + payload + ".", "/v2/", 401},
		"empty":                        {"", "/v2/", 401},
		"a reader's, asking for push":  {token(t, s, "reader", "repository:app:push"), "/v2/app/manifests/v1", 401},
		"outside of the registry path": {good, "/", 404},
	} {
		if status, body := get(t, s, test.path, "Bearer "+test.token); status != test.status {
			t.Errorf("%s: %d %s, want %d", what, status, body, test.status)
		}
	}
	clock = now.Add(time.Minute)
	if status, _ := get(t, s, "/v2/", "Bearer "+good); status != http.StatusUnauthorized {
		t.Errorf("an expired token: %d", status)
	}
}

func TestOAuth(t *testing.T) {
	t.Parallel()
	s := registrytest.Start(t, registrytest.Options{Mode: registrytest.Bearer, Users: users()})
	base := url.Values{"service": {"registrytest"}, "client_id": {"test"}, "scope": {"repository:app:pull"}}
	for what, test := range map[string]struct {
		change map[string]string
		status int
		says   string
	}{
		"a refresh token":       {map[string]string{"grant_type": "refresh_token", "refresh_token": identity}, 200, "access_token"},
		"a password":            {map[string]string{"grant_type": "password", "username": "ci", "password": password, "access_type": "offline"}, 200, identity},
		"a wrong refresh token": {map[string]string{"grant_type": "refresh_token", "refresh_token": "wrong"}, 400, "invalid_grant"},
		"no refresh token":      {map[string]string{"grant_type": "refresh_token"}, 400, "invalid_grant"},
		"a wrong password":      {map[string]string{"grant_type": "password", "username": "ci", "password": "wrong"}, 400, "invalid_grant"},
		"another grant":         {map[string]string{"grant_type": "client_credentials"}, 400, "unsupported_grant_type"},
		"another service":       {map[string]string{"service": "other"}, 400, "invalid_request"},
		"no client":             {map[string]string{"client_id": ""}, 400, "invalid_request"},
	} {
		form := url.Values{}
		for key, value := range base {
			form[key] = value
		}
		for key, value := range test.change {
			form.Set(key, value)
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL()+"/token", strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if status, body := do(t, s, r); status != test.status || !strings.Contains(body, test.says) {
			t.Errorf("%s: %d %s", what, status, body)
		}
	}
}

func TestFaultsAndRecords(t *testing.T) {
	t.Parallel()
	s := registrytest.Start(t, registrytest.Options{Mode: registrytest.Basic, Users: users()})
	s.Inject(registrytest.Fault{At: registrytest.AtRegistry, Status: 429, RetryAfter: "7", Times: 2, Body: "slow down"})
	for range 2 {
		if status, body := get(t, s, "/v2/", ""); status != 429 || body != "slow down" {
			t.Errorf("throttled: %d %s", status, body)
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL()+"/v2/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("ci", password)
	if status, _ := do(t, s, r); status != 200 {
		t.Errorf("after the faults: %d", status)
	}
	requests := s.Requests()
	if s.Count(registrytest.AtRegistry) != 3 || len(requests) != 3 || requests[0].Status != 429 || requests[2].User != "ci" || requests[2].Scheme != "Basic" {
		t.Errorf("recorded %+v", requests)
	}
	s.Forget()
	s.Inject(registrytest.Fault{At: registrytest.AtRegistry, Status: 503})
	s.Heal()
	if status, _ := get(t, s, "/v2/", ""); status != 401 || len(s.Requests()) != 1 {
		t.Errorf("after healing: %d, %d recorded", status, len(s.Requests()))
	}
}

func TestHangs(t *testing.T) {
	t.Parallel()
	s := registrytest.Start(t, registrytest.Options{SeparateTokenServer: true})
	s.Inject(registrytest.Fault{At: registrytest.AtRegistry, Hang: true})
	done := make(chan error)
	go func() {
		response, err := s.Transport().RoundTrip(mustRequest(s.URL() + "/v2/"))
		if err == nil {
			response.Body.Close()
		}
		done <- err
	}()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; err == nil {
		t.Error("a hanging request was answered")
	}
	if err := s.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
}

func mustRequest(url string) *http.Request {
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		panic(err)
	}
	return r
}

func TestAddressTaken(t *testing.T) {
	t.Parallel()
	s := registrytest.Start(t, registrytest.Options{})
	if second, err := registrytest.New(registrytest.Options{Addr: s.Host()}); err == nil {
		t.Errorf("two registries at one address: %v", second.Close())
	}
}
