package agent

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	kubelet "k8s.io/kubelet/pkg/apis/credentialprovider/v1"

	"github.com/svcconn/svcconn/pkg/broker"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/secret"
	"github.com/svcconn/svcconn/pkg/wire"
)

// request is what kubelet writes, by its own type.
func request(t *testing.T, image string) string {
	t.Helper()
	in := kubelet.CredentialProviderRequest{Image: image}
	in.APIVersion, in.Kind = kubelet.SchemeGroupVersion.String(), "CredentialProviderRequest"
	text, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// response is what kubelet reads, as strictly as it does.
func response(t *testing.T, body secret.Text) kubelet.CredentialProviderResponse {
	t.Helper()
	var out kubelet.CredentialProviderResponse
	decoder := json.NewDecoder(strings.NewReader(body.Reveal()))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&out); err != nil {
		t.Fatalf("%v: %s", err, body.Reveal())
	}
	if out.APIVersion != "credentialprovider.kubelet.k8s.io/v1" || out.Kind != "CredentialProviderResponse" {
		t.Errorf("got version %s, kind %s", out.APIVersion, out.Kind)
	}
	return out
}

func registered(t *testing.T, w *agentWorld, name, user, registry string) {
	t.Helper()
	values := field.Values{}
	values.Set(usernameField, user)
	values.Set(registryField, registry)
	values.SetSecret(passwordField, secret.New(canary))
	if _, err := w.broker.Register(t.Context(), broker.Draft{Name: name, Spec: connector.Spec{Type: "cloud", Method: passwordMethod, Values: values}}, false); err != nil {
		t.Fatal(err)
	}
}

func TestKubelet(t *testing.T) {
	t.Parallel()
	w := start(t, "v1")
	registered(t, w, "hub", "ci", "docker.io")
	registered(t, w, "team", "team", "registry.example.com:5000")
	registered(t, w, "part", "part", "registry.example.com/part")
	registered(t, w, "token", connector.IdentityTokenUser, "token.example.com")
	for _, tc := range []struct{ image, key, at, user string }{
		{"docker.io/library/busybox", "Registry", "docker.io", "ci"},
		{"busybox:1.36", "Registry", "docker.io", "ci"},
		{"index.docker.io/library/busybox@sha256:" + strings.Repeat("a", 64), "Registry", "index.docker.io", "ci"},
		{"registry.example.com:5000/a/b:v1", "Registry", "registry.example.com:5000", "team"},
		{"registry.example.com/part/of:it", "Image", "registry.example.com/part/of", "part"},
	} {
		answer, err := w.call(wire.KubeletGet, request(t, tc.image))
		if err != nil {
			t.Errorf("%s: %v", tc.image, err)
			continue
		}
		got := response(t, answer.Body)
		want := map[string]kubelet.AuthConfig{tc.at: {Username: tc.user, Password: canary}}
		if diff := cmp.Diff(want, got.Auth); diff != "" || string(got.CacheKeyType) != tc.key || got.CacheDuration != nil {
			t.Errorf("%s: %s for %v: -want +got\n%s", tc.image, got.CacheKeyType, got.CacheDuration, diff)
		}
	}
	for _, image := range []string{"nowhere.example.com/a", "registry.example.com/other", "registry.example.com.evil.tld/a"} {
		answer, err := w.call(wire.KubeletGet, request(t, image))
		if err != nil {
			t.Errorf("%s: %v", image, err)
			continue
		}
		if got := response(t, answer.Body); len(got.Auth) > 0 || got.CacheKeyType != kubelet.RegistryPluginCacheKeyType || got.CacheDuration == nil || got.CacheDuration.Duration != 0 {
			t.Errorf("%s: got %+v", image, got)
		}
	}
	_, err := w.call(wire.KubeletGet, request(t, "token.example.com/a"))
	if !fault.Is(err, fault.Failed) || !strings.Contains(err.Error(), "identity token") {
		t.Errorf("identity token: %v", err)
	}
}

func TestKubeletRequestsThatAreRefused(t *testing.T) {
	t.Parallel()
	good := request(t, "a.example.com/b")
	for name, text := range map[string]string{
		"nothing":         "",
		"not JSON":        "image: " + canary,
		"unknown field":   strings.Replace(good, `"image"`, `"images"`, 1),
		"two":             good + good,
		"another version": strings.Replace(good, "/v1", "/v1alpha1", 1),
		"another kind":    strings.Replace(good, "Request", "Response", 1),
		"no image":        request(t, " "),
		"account token":   strings.Replace(good, `"image"`, `"serviceAccountToken":"`+canary+`","image"`, 1),
		"annotations":     strings.Replace(good, `"image"`, `"serviceAccountAnnotations":{"a":"b"},"image"`, 1),
	} {
		_, err := parseKubelet(secret.New(text))
		if !fault.Is(err, fault.Invalid) || fault.HintOf(err) == "" || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestHalfOfTheRemainingLife also has its spelling: one provider once said 21.6µs.
func TestHalfOfTheRemainingLife(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := &Server{now: func() time.Time { return now }}
	for left, want := range map[time.Duration]string{
		12 * time.Hour: "6h0m0s", 3 * time.Second: "1s", time.Millisecond: "0s", -time.Hour: "0s",
	} {
		if got := s.halfOf(now.Add(left)); got == nil || *got != want {
			t.Errorf("%v left: got %v, want %s", left, got, want)
		}
	}
	if got := s.halfOf(time.Time{}); got != nil {
		t.Errorf("what does not expire: got %s", *got)
	}
}

// FuzzKubelet: no input makes it panic, and what it answers kubelet reads.
func FuzzKubelet(f *testing.F) {
	f.Add(`{"kind":"CredentialProviderRequest","apiVersion":"credentialprovider.kubelet.k8s.io/v1","image":"a.example.com/b:c@d"}`)
	f.Add(`{"image":"`)
	f.Fuzz(func(t *testing.T, text string) {
		image, err := parseKubelet(secret.New(text))
		if err != nil {
			return
		}
		registry, repository := splitImage(image)
		if strings.ContainsAny(registry, "/@") || strings.Contains(repository, "@") {
			t.Errorf("%q: registry %q, repository %q", image, registry, repository)
		}
		if !bytes.Contains([]byte(text), []byte("CredentialProviderRequest")) && !strings.Contains(text, `\u`) {
			t.Errorf("it was taken for a request: %s", text)
		}
	})
}
