package kubeapi_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/kubeapi"
	"github.com/svcconn/svcconn/pkg/kubetest"
	"github.com/svcconn/svcconn/pkg/secret"
)

const (
	password = "canary-Tq4pXw9Lm2"
	token    = "canary-Vb7nRk3Hs5"
)

func pullSecret() kubeapi.PullSecret {
	return kubeapi.PullSecret{Name: "regcred", Namespace: "default", Connector: "team", Key: "registry.example.com", Login: connector.RegistryLogin{
		Registry: "registry.example.com", Username: "ci", Secret: secret.New(password), Expires: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC),
	}}
}

func authFor(s *kubetest.Server) connector.KubernetesAuth {
	return connector.KubernetesAuth{Token: secret.New(token), Endpoint: connector.KubernetesEndpoint{
		Cluster: "prod", Server: s.URL(), CertificateAuthority: s.CertificateAuthority(),
	}}
}

func start(t *testing.T, forbidden ...string) *kubetest.Server {
	return kubetest.Start(t, kubetest.Options{Tokens: map[string]kubetest.User{token: {Name: "ci"}}, Forbidden: forbidden})
}

func apply(t *testing.T, auth connector.KubernetesAuth, s kubeapi.PullSecret) error {
	t.Helper()
	client, err := kubeapi.New(auth, nil)
	if err != nil {
		t.Fatal(err)
	}
	return client.ApplySecret(t.Context(), s)
}

func TestManifest(t *testing.T) {
	t.Parallel()
	manifest, err := pullSecret().Manifest()
	if err != nil {
		t.Fatal(err)
	}
	config := `{"auths":{"registry.example.com":{"auth":"` + base64.StdEncoding.EncodeToString([]byte("ci:"+password)) + `","password":"` + password + `","username":"ci"}}}`
	want := `{
  "apiVersion": "v1",
  "kind": "Secret",
  "metadata": {
    "name": "regcred",
    "namespace": "default",
    "labels": {
      "app.kubernetes.io/managed-by": "svcconn"
    },
    "annotations": {
      "svcconn.dev/connector": "team",
      "svcconn.dev/expires-at": "2030-01-02T03:04:05Z"
    }
  },
  "type": "kubernetes.io/dockerconfigjson",
  "data": {
    ".dockerconfigjson": "` + base64.StdEncoding.EncodeToString([]byte(config)) + `"
  }
}
`
	if diff := cmp.Diff(want, manifest.Reveal()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	forever := pullSecret()
	forever.Login.Expires = time.Time{}
	if manifest, err := forever.Manifest(); err != nil || strings.Contains(manifest.Reveal(), "expires-at") {
		t.Errorf("without expiry: %v", err)
	}
}

func TestManifestsThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*kubeapi.PullSecret){
		"name":           func(s *kubeapi.PullSecret) { s.Name = "Reg_Cred" },
		"long name":      func(s *kubeapi.PullSecret) { s.Name = strings.Repeat("a", 254) },
		"namespace":      func(s *kubeapi.PullSecret) { s.Namespace = "a.b" },
		"identity token": func(s *kubeapi.PullSecret) { s.Login.Username = connector.IdentityTokenUser },
	} {
		s := pullSecret()
		spoil(&s)
		if _, err := s.Manifest(); !fault.Is(err, fault.Invalid) || fault.HintOf(err) == "" {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestNameFor(t *testing.T) {
	t.Parallel()
	for registry, want := range map[string]string{
		"registry.example.com":      "svcconn-registry.example.com",
		"registry.example.com:5000": "svcconn-registry.example.com-5000",
		"[::1]:5000":                "svcconn-1--5000",
	} {
		s := pullSecret()
		s.Name = kubeapi.NameFor(registry)
		if _, err := s.Manifest(); s.Name != want || err != nil {
			t.Errorf("%s: got %s, want %s; %v", registry, s.Name, want, err)
		}
	}
}

func TestApply(t *testing.T) {
	t.Parallel()
	server := start(t)
	s := pullSecret()
	for range 2 { // made, then brought to the same state
		if err := apply(t, authFor(server), s); err != nil {
			t.Fatal(err)
		}
	}
	got, ok := server.Secret("default", "regcred")
	if !ok || got.Manager != "svcconn" || got.Type != "kubernetes.io/dockerconfigjson" || got.Annotations["svcconn.dev/expires-at"] != "2030-01-02T03:04:05Z" {
		t.Errorf("got %+v", got)
	}
	var config struct {
		Auths map[string]struct{ Username, Password string }
	}
	if err := json.Unmarshal(got.Data[".dockerconfigjson"], &config); err != nil || config.Auths["registry.example.com"].Password != password {
		t.Errorf("the login is not there: %v", err)
	}
}

func TestApplyByClientCertificate(t *testing.T) {
	t.Parallel()
	server := start(t)
	auth := authFor(server)
	certificate, key, err := server.ClientCertificate(kubetest.User{Name: "ci"}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	auth.Token, auth.ClientCertificate, auth.ClientKey = secret.Text{}, certificate, secret.New(key)
	if err := apply(t, auth, pullSecret()); err != nil {
		t.Error(err)
	}
}

func TestApplyFails(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		spoil func(*kubetest.Server, *connector.KubernetesAuth, *kubeapi.PullSecret)
		kind  fault.Kind
		want  string
	}{
		"wrong token": {func(_ *kubetest.Server, a *connector.KubernetesAuth, _ *kubeapi.PullSecret) {
			a.Token = secret.New("x")
		}, fault.Denied, "Unauthorized"},
		"namespace": {func(_ *kubetest.Server, _ *connector.KubernetesAuth, s *kubeapi.PullSecret) { s.Namespace = "web" }, fault.NotFound, `namespaces "web" not found`},
		"somebody else's": {func(k *kubetest.Server, _ *connector.KubernetesAuth, s *kubeapi.PullSecret) {
			k.PutSecret(s.Namespace, s.Name, kubetest.Secret{Manager: "argocd"})
		}, fault.Failed, "argocd"},
		"another type": {func(k *kubetest.Server, _ *connector.KubernetesAuth, s *kubeapi.PullSecret) {
			k.PutSecret(s.Namespace, s.Name, kubetest.Secret{Manager: "svcconn", Type: "Opaque"})
		}, fault.Failed, "immutable"},
		"another authority": {func(_ *kubetest.Server, a *connector.KubernetesAuth, _ *kubeapi.PullSecret) {
			a.Endpoint.CertificateAuthority = ""
		}, fault.Unavailable, "certificate"},
		"nobody there": {func(_ *kubetest.Server, a *connector.KubernetesAuth, _ *kubeapi.PullSecret) {
			a.Endpoint.Server = "https://127.0.0.1:1"
		}, fault.Unavailable, "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := start(t)
			auth, s := authFor(server), pullSecret()
			tc.spoil(server, &auth, &s)
			err := apply(t, auth, s)
			if !fault.Is(err, tc.kind) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v (%s)", err, fault.KindOf(err))
			}
			noCanary(t, err)
		})
	}
	err := apply(t, authFor(start(t, "patch secrets")), pullSecret())
	if !fault.Is(err, fault.Denied) || !strings.Contains(fault.HintOf(err), "patch and create secrets") {
		t.Errorf("forbidden: %v", err)
	}
}

func noCanary(t *testing.T, err error) {
	t.Helper()
	if text := err.Error() + fault.HintOf(err); strings.Contains(text, "canary-") {
		t.Errorf("the error has a secret: %s", text)
	}
}

// TestHostileServer: one that repeats what it is sent, or sends us elsewhere.
func TestHostileServer(t *testing.T) {
	t.Parallel()
	elsewhere := false
	other := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere = true }))
	defer other.Close()
	for name, handler := range map[string]http.HandlerFunc{
		"echo": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusUnprocessableEntity)
			_ = json.NewEncoder(w).Encode(map[string]string{"message": "invalid: " + password})
		},
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
		},
		"noise": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadGateway)
			_, _ = w.Write([]byte("<html>"))
		},
	} {
		server := httptest.NewTLSServer(handler)
		defer server.Close()
		auth := connector.KubernetesAuth{Token: secret.New(token), Endpoint: connector.KubernetesEndpoint{Server: server.URL, Insecure: true}}
		err := apply(t, auth, pullSecret())
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		noCanary(t, err)
	}
	if elsewhere {
		t.Error("the redirect was followed")
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for name, auth := range map[string]connector.KubernetesAuth{
		"plain HTTP":    {Endpoint: connector.KubernetesEndpoint{Server: "http://prod.example.com"}},
		"no authority":  {Endpoint: connector.KubernetesEndpoint{Server: "https://prod.example.com", CertificateAuthority: "x"}},
		"no proxy":      {Endpoint: connector.KubernetesEndpoint{Server: "https://prod.example.com", ProxyURL: "://" + token}},
		"half a client": {Endpoint: connector.KubernetesEndpoint{Server: "https://prod.example.com"}, ClientCertificate: "x", ClientKey: secret.New(token)},
	} {
		_, err := kubeapi.New(auth, nil)
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: got %v", name, err)
			continue
		}
		noCanary(t, err)
	}
}
