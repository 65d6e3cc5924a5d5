package gcptest_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"

	"github.com/svcconn/svcconn/connectors/gcp/gcptest"
	"github.com/svcconn/svcconn/pkg/registrytest"
)

func (w *world) images(t *testing.T) registrytest.Images {
	return registrytest.Images{T: t, HTTP: through(t, w.Server).Transport}
}

func loginOf(token string) authn.Authenticator {
	return &authn.Basic{Username: "oauth2accesstoken", Password: token}
}

const ourImages = "europe-west1-docker.pkg.dev/acme/images"

func newRegistry(t *testing.T) (*world, *gcptest.Project, registrytest.Images) {
	t.Helper()
	w := newWorld(t)
	p := w.Project("acme")
	p.Repository("europe-west1", "images", gcptest.Repository{})
	return w, p, w.images(t)
}

// tokenOf is an access token of an account of the project.
func (w *world) tokenOf(p *gcptest.Project, name, scope string, permissions ...string) string {
	return w.IssueToken("serviceAccount:"+p.ServiceAccount(name, permissions...).Email(), scope, time.Hour)
}

func TestRegistriesTakeAccessTokensAlone(t *testing.T) {
	t.Parallel()
	w, p, r := newRegistry(t)
	token := w.tokenOf(p, "robot", "")
	if err := r.Push(ourImages+"/team/app", loginOf(token)); err != nil {
		t.Fatal(err)
	}
	for _, user := range []string{"oauth2accesstoken", "_token", "_dcgcr_2_1_26_token", "_dcgcloud_token"} {
		if err := r.Pull(ourImages+"/team/app", &authn.Basic{Username: user, Password: token}); err != nil {
			t.Errorf("%s: %v", user, err)
		}
	}
	if err := r.Pull(ourImages+"/team/app", &authn.Bearer{Token: token}); err != nil {
		t.Error(err)
	}
	revoked := w.tokenOf(p, "robot", "")
	w.RevokeToken(revoked)
	bound := strings.TrimPrefix(w.bound(t, token, "bucket", `"inRole:roles/storage.admin"`).Get("Authorization"), "Bearer ")
	for what, test := range map[string]struct {
		as   authn.Authenticator
		says string
	}{
		"a wrong password": {loginOf("wrong"), "authentication failed"},
		"a revoked token":  {loginOf(revoked), "authentication failed"},
		"a bound token":    {loginOf(bound), "authentication failed"},
		"another user":     {&authn.Basic{Username: "jane", Password: token}, "No valid credential was supplied."},
		"no version":       {&authn.Basic{Username: "_dcgcr__token", Password: token}, "No valid credential was supplied."},
	} {
		registrytest.RefusedAs(t, what, r.Pull(ourImages+"/team/app", test.as), http.StatusUnauthorized, test.says)
	}
	w.advance(time.Hour)
	registrytest.RefusedAs(t, "an expired token", r.Pull(ourImages+"/team/app", loginOf(token)), http.StatusUnauthorized, "authentication failed")
	if w.Count("registry", "push") == 0 || w.Count("registry", "pull") == 0 || w.Count("registry", "token") == 0 || w.Count("registry", "ping") == 0 {
		t.Error(w.Calls())
	}
}

func TestRegistriesAskForPermissions(t *testing.T) {
	t.Parallel()
	w, p, r := newRegistry(t)
	p.Repository("us", "gcr.io", gcptest.Repository{})
	p.Repository("europe-west1", "java", gcptest.Repository{Format: "MAVEN"})
	p.Repository("europe-west1", "proxy", gcptest.Repository{Mode: "REMOTE"})
	all := loginOf(w.tokenOf(p, "robot", ""))
	reader := loginOf(w.tokenOf(p, "reader", "", "artifactregistry.repositories.downloadArtifacts"))
	for _, image := range []string{ourImages + "/app", "gcr.io/acme/app", "gcr.io/acme/team/app"} {
		if err := r.Push(image, all); err != nil {
			t.Fatal(err)
		}
		if err := r.Pull(image, reader); err != nil {
			t.Error(err)
		}
	}
	const path = `"projects/acme/locations/europe-west1/repositories/images" (or it may not exist)`
	registrytest.RefusedAs(t, "a reader pushes", r.Push(ourImages+"/app", reader), http.StatusForbidden, `DENIED: Permission "artifactregistry.repositories.uploadArtifacts" denied on resource `+path)
	registrytest.RefusedAs(t, "nobody pulls", r.Pull(ourImages+"/app", authn.Anonymous), http.StatusForbidden, `DENIED: Unauthenticated request. Unauthenticated requests do not have permission "artifactregistry.repositories.downloadArtifacts" on resource `+path)
	registrytest.RefusedAs(t, "a stranger", r.Pull(ourImages+"/app", loginOf(w.tokenOf(w.Project("theirs"), "robot", ""))), http.StatusForbidden, "downloadArtifacts")
	registrytest.RefusedAs(t, "another's project", r.Pull("europe-west1-docker.pkg.dev/theirs/images/app", all), http.StatusForbidden, "projects/theirs/locations/europe-west1/repositories/images")
	registrytest.RefusedAs(t, "no repository", r.Push("europe-west1-docker.pkg.dev/acme/nope/app", all), http.StatusNotFound, `NAME_UNKNOWN: Repository "nope" not found`)
	registrytest.RefusedAs(t, "another location", r.Pull("us-docker.pkg.dev/acme/images/app", all), http.StatusNotFound, `Repository "images" not found`)
	registrytest.RefusedAs(t, "no image", r.Push("europe-west1-docker.pkg.dev/acme/images", all), http.StatusBadRequest, "NAME_INVALID: Missing image name.")
	registrytest.RefusedAs(t, "another format", r.Pull("europe-west1-docker.pkg.dev/acme/java/app", all), http.StatusBadRequest, "MAVEN")
	registrytest.RefusedAs(t, "a mirror", r.Push("europe-west1-docker.pkg.dev/acme/proxy/app", all), http.StatusBadRequest, "remote")
	p.Disable("artifactregistry.googleapis.com")
	registrytest.RefusedAs(t, "not enabled", r.Pull(ourImages+"/app", all), http.StatusForbidden, "DENIED: Artifact Registry API has not been used in project "+p.Number())
}

func TestScopesOfRegistries(t *testing.T) {
	t.Parallel()
	w, p, r := newRegistry(t)
	for scope, may := range map[string]struct{ pull, push bool }{
		cloudScope: {true, true}, cloudScope + ".read-only": {true, false}, emailScope: {false, false},
		storageScope + "read_only": {true, false}, storageScope + "read_write": {true, true}, storageScope + "full_control": {true, true},
	} {
		login := loginOf(w.tokenOf(p, "robot", scope))
		if err := r.Push(ourImages+"/app", login); may.push && err != nil {
			t.Errorf("%s: %v", scope, err)
		} else if !may.push {
			registrytest.RefusedAs(t, scope, err, http.StatusUnauthorized, "insufficient authentication scopes")
		}
		if err := r.Push(ourImages+"/app", loginOf(w.tokenOf(p, "robot", ""))); err != nil {
			t.Fatal(err)
		}
		if err := r.Pull(ourImages+"/app", login); may.pull && err != nil {
			t.Errorf("%s: %v", scope, err)
		} else if !may.pull {
			registrytest.RefusedAs(t, scope, err, http.StatusUnauthorized, "insufficient authentication scopes")
		}
	}
}

func TestPublicImages(t *testing.T) {
	t.Parallel()
	w, p, r := newRegistry(t)
	p.Repository("europe", "eu.gcr.io", gcptest.Repository{Public: true})
	owner := loginOf(w.tokenOf(p, "robot", ""))
	if err := r.Push("eu.gcr.io/acme/app", owner); err != nil {
		t.Fatal(err)
	}
	stranger := loginOf(w.tokenOf(w.Project("theirs"), "robot", ""))
	for what, as := range map[string]authn.Authenticator{"the owner": owner, "nobody": authn.Anonymous, "a stranger": stranger} {
		if err := r.Pull("eu.gcr.io/acme/app", as); err != nil {
			t.Errorf("%s pulls: %v", what, err)
		}
		if what != "the owner" {
			registrytest.RefusedAs(t, what+" pushes", r.Push("eu.gcr.io/acme/app", as), http.StatusForbidden, "uploadArtifacts")
		}
	}
	registrytest.RefusedAs(t, "a login that is none", r.Pull("eu.gcr.io/acme/app", loginOf("wrong")), http.StatusUnauthorized, "")
}

func TestRepositoriesAreMadeOnPush(t *testing.T) {
	t.Parallel()
	w, p, r := newRegistry(t)
	writer := loginOf(w.tokenOf(p, "writer", "", "artifactregistry.repositories.uploadArtifacts", "artifactregistry.repositories.downloadArtifacts"))
	registrytest.RefusedAs(t, "a writer", r.Push("asia.gcr.io/acme/app", writer), http.StatusForbidden, "gcr.io repo does not exist. Creating on push requires the artifactregistry.repositories.createOnPush permission")
	registrytest.RefusedAs(t, "a puller", r.Pull("asia.gcr.io/acme/app", loginOf(w.tokenOf(p, "robot", ""))), http.StatusNotFound, `Repository "asia.gcr.io" not found`)
	if err := r.Push("asia.gcr.io/acme/app", loginOf(w.tokenOf(p, "robot", ""))); err != nil {
		t.Fatal(err)
	}
	if err := r.Push("asia.gcr.io/acme/app", writer); err != nil {
		t.Error(err)
	}
	w.ask(t, http.MethodGet, "/v1/projects/acme/locations/asia/repositories/asia.gcr.io", w.robotOf(p, "robot"), "").good(t)
}

func TestProjectsWithinADomain(t *testing.T) {
	t.Parallel()
	w, _, r := newRegistry(t)
	p := w.Project("example.com:acme")
	p.Repository("us", "images", gcptest.Repository{})
	p.Repository("us", "us.gcr.io", gcptest.Repository{})
	login := loginOf(w.tokenOf(p, "robot", ""))
	for _, image := range []string{"us-docker.pkg.dev/example.com/acme/images/app", "us.gcr.io/example.com/acme/app"} {
		if err := r.Push(image, login); err != nil {
			t.Fatal(err)
		}
		if err := r.Pull(image, login); err != nil {
			t.Error(err)
		}
	}
	registrytest.RefusedAs(t, "no image", r.Push("us.gcr.io/example.com/acme", login), http.StatusBadRequest, "NAME_INVALID")
}

func TestChallengesOfRegistries(t *testing.T) {
	t.Parallel()
	w, p, _ := newRegistry(t)
	client, token := through(t, w.Server), w.tokenOf(p, "robot", "")
	const host = "europe-west1-docker.pkg.dev"
	const realm = `Bearer realm="https://` + host + `/v2/token"`
	for what, test := range map[string]struct{ method, address, want string }{
		"a ping":       {"GET", "https://" + host + "/v2/", realm},
		"gcr.io":       {"GET", "https://gcr.io/v2/", `Bearer realm="https://gcr.io/v2/token",service="gcr.io"`},
		"pulling":      {"GET", "https://" + host + "/v2/acme/images/app/manifests/v1", realm + `,service="` + host + `",scope="repository:acme/images/app:pull"`},
		"pushing":      {"POST", "https://" + host + "/v2/acme/images/app/blobs/uploads/", realm + `,service="` + host + `",scope="repository:acme/images/app:push,pull"`},
		"deleting":     {"DELETE", "https://" + host + "/v2/acme/images/app/manifests/v1", realm + `,service="` + host + `",scope="repository:acme/images/app:delete"`},
		"without TLS":  {"GET", "http://" + host + "/v2/", `Bearer realm="http://` + host + `/v2/token"`},
		"another path": {"GET", "https://" + host + "/v2/_catalog", ""},
	} {
		got := ask(t, client, test.method, test.address, nil, "")
		if got.header.Get("Www-Authenticate") != test.want || got.header.Get("Docker-Distribution-Api-Version") != "registry/2.0" || test.want != "" && got.status != http.StatusUnauthorized {
			t.Errorf("%s: %d %q, want %q", what, got.status, got.header.Get("Www-Authenticate"), test.want)
		}
	}
	if got := ask(t, client, http.MethodGet, "https://"+host+"/v2/", bearer(token), ""); got.status != http.StatusOK {
		t.Errorf("%d %s", got.status, got.body)
	}
	w.Throttle("registry", "ping", 1)
	if got := ask(t, client, http.MethodGet, "https://"+host+"/v2/", bearer(token), ""); got.status != http.StatusTooManyRequests || !strings.Contains(got.body, "TOOMANYREQUESTS") {
		t.Errorf("%d %s", got.status, got.body)
	}
}

// TestTokensOfRegistries: what a registry gives for an access token is good for what it was
// asked for alone, and ends with the access token.
func TestTokensOfRegistries(t *testing.T) {
	t.Parallel()
	w, p, r := newRegistry(t)
	access := w.tokenOf(p, "robot", "")
	if err := r.Push(ourImages+"/app", loginOf(access)); err != nil {
		t.Fatal(err)
	}
	client := through(t, w.Server)
	const front = "https://europe-west1-docker.pkg.dev/v2/"
	give := func(as http.Header, query string) reply {
		return ask(t, client, http.MethodGet, front+"token?"+query, as, "")
	}
	basic := func(user, password string) http.Header {
		out := &http.Request{Header: http.Header{}}
		out.SetBasicAuth(user, password)
		return out.Header
	}
	status := func(token, method, path string) int {
		return ask(t, client, method, front+path, bearer(token), "").status
	}
	token := give(basic("oauth2accesstoken", access), "service=x&scope=repository:acme/images/app:pull&scope=repository:acme/images/b:push,pull").good(t).field(t, "token")
	for path, want := range map[string]int{
		"GET acme/images/app/manifests/v1": 200, "POST acme/images/app/blobs/uploads/": 401, "POST acme/images/b/blobs/uploads/": 202,
		"GET acme/images/c/manifests/v1": 401, "GET ": 200, "DELETE acme/images/app/manifests/v1": 401,
	} {
		method, path, _ := strings.Cut(path, " ")
		if got := status(token, method, path); got != want {
			t.Errorf("%s %s: %d, want %d", method, path, got, want)
		}
	}
	every := give(basic("oauth2accesstoken", access), "scope=repository:acme/images/app:*").good(t).field(t, "token")
	if got := status(every, http.MethodDelete, "acme/images/app/manifests/v1"); got != http.StatusAccepted {
		t.Errorf("%d", got)
	}
	nobody := give(nil, "service=x").good(t).field(t, "token")
	if got := status(nobody, http.MethodGet, ""); got != http.StatusUnauthorized {
		t.Errorf("%d", got)
	}
	for _, query := range []string{"scope=registry:catalog:*", "scope=repository:app", "scope=repository:acme/images/app:fly", "scope=repository:acme:pull"} {
		if got := give(basic("oauth2accesstoken", access), query); got.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", query, got.status, got.body)
		}
	}
	if got := ask(t, client, http.MethodPost, front+"token", nil, ""); got.status != http.StatusNotFound {
		t.Errorf("%d", got.status) // as at Google, where clients try GET then
	}
	p.ServiceAccount("robot", "storage.*")
	if got := status(token, http.MethodGet, "acme/images/b/manifests/v1"); got != http.StatusForbidden {
		t.Errorf("what may no longer be: %d", got)
	}
	w.RevokeToken(access)
	if got := status(token, http.MethodGet, "acme/images/app/manifests/v1"); got != http.StatusUnauthorized {
		t.Errorf("of a revoked token: %d", got)
	}
}

func TestRegistriesElsewhere(t *testing.T) {
	t.Parallel()
	w, p, _ := newRegistry(t)
	at := httptest.NewServer(w.Registry("europe-west1-docker.pkg.dev"))
	t.Cleanup(at.Close)
	here := registrytest.Images{T: t, HTTP: http.DefaultTransport}
	image := strings.TrimPrefix(at.URL, "http://") + "/acme/images/app"
	if err := here.Push(image, loginOf(w.tokenOf(p, "robot", ""))); err != nil {
		t.Fatal(err)
	}
	if err := w.images(t).Pull(ourImages+"/app", loginOf(w.tokenOf(p, "robot", ""))); err != nil {
		t.Error(err)
	}
	w.Universe("apis-berlin.example", "pkg-berlin.example")
	if err := w.images(t).Pull("europe-west1-docker.pkg-berlin.example/acme/images/app", loginOf(w.tokenOf(p, "robot", ""))); err != nil {
		t.Error(err)
	}
	for _, host := range []string{"example.com", "europe-west1-maven.pkg.dev", "xx.gcr.io", "docker.pkg.dev"} {
		rec := httptest.NewRecorder()
		w.Registry(host).ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v2/", nil))
		if rec.Code != http.StatusNotFound {
			t.Errorf("%s: %d", host, rec.Code)
		}
	}
}

func TestAuthenticator(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.Project("acme")
	at := httptest.NewServer(w.Authenticator())
	t.Cleanup(at.Close)
	review := func(token string) reply {
		body, _ := json.Marshal(map[string]any{"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": map[string]any{"token": token, "audiences": []string{"x"}}})
		return ask(t, http.DefaultClient, http.MethodPost, at.URL, nil, string(body)).good(t)
	}
	robot := p.ServiceAccount("robot")
	full, over := w.tokenOf(p, "robot", ""), w.IssueToken("user:jane@example.com", "", time.Second)
	number := w.ask(t, http.MethodPost, "/tokeninfo", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, "access_token="+full).good(t).field(t, "azp")
	w.advance(time.Second)
	pool := "principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/subject/ci"
	for what, test := range map[string]struct{ token, user string }{
		"an account":       {full, robot.Email()},
		"a person":         {w.IssueToken("user:jane@example.com", "", time.Hour), "jane@example.com"},
		"without address":  {w.tokenOf(p, "robot", cloudScope), number},
		"a workload":       {w.IssueToken(pool, cloudScope, time.Hour), pool},
		"a narrow scope":   {w.tokenOf(p, "robot", emailScope), ""},
		"one that is over": {over, ""},
		"one that is none": {"wrong", ""},
		"a boundary":       {strings.TrimPrefix(w.bound(t, full, "bucket", `"inRole:roles/storage.admin"`).Get("Authorization"), "Bearer "), ""},
	} {
		got := review(test.token)
		if got.field(t, "kind") != "TokenReview" || got.field(t, "apiVersion") != "authentication.k8s.io/v1" || got.field(t, "status", "authenticated") != map[bool]string{true: "true", false: "false"}[test.user != ""] {
			t.Errorf("%s: %s", what, got.body)
		}
		if test.user != "" && got.field(t, "status", "user", "username") != test.user {
			t.Errorf("%s: %s, want %s", what, got.body, test.user)
		}
		if strings.Contains(got.body, test.token) {
			t.Errorf("%s: the answer repeats the token", what)
		}
	}
	for _, body := range []string{"", "{}", `{"apiVersion":"authentication.k8s.io/v1beta1","kind":"TokenReview","spec":{"token":"x"}}`, `{"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview"}`} {
		if got := ask(t, http.DefaultClient, http.MethodPost, at.URL, nil, body); got.status != http.StatusBadRequest {
			t.Errorf("%s: %d", body, got.status)
		}
	}
	if w.Count("gke", "authenticate") != 8 {
		t.Error(w.Calls())
	}
}
