package main

import (
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"filippo.io/age"
	"k8s.io/client-go/rest"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/svcconn/svcconn/pkg/kubetest"
)

// These tests drive client-go's own side of the exec protocol (package
// k8s.io/client-go/plugin/pkg/client/auth/exec, by rest.Config as every client does)
// against the programs, with the cases of its own tests.

// setup is a set-up of its own for a test in Go.
type setup struct {
	t   *testing.T
	dir string
}

func newSetup(t *testing.T) setup {
	t.Helper()
	s := setup{t, t.TempDir()}
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	s.write("identity.txt", identity.String()+"\n")
	s.write("config.toml", "[secrets]\nbackend = \"file\"\nidentity_file = \"identity.txt\"\n")
	t.Cleanup(func() { s.run("svcconn", "agent", "stop") })
	return s
}

func (s setup) write(name, text string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
		s.t.Fatal(err)
	}
	return path
}

func (s setup) env() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "SVCCONN_CONFIG_DIR=" + s.dir, "GORACE=" + raceOptions}
}

func (s setup) run(program string, args ...string) {
	s.t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Env = s.env()
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
}

// register registers a cluster, unverified.
func (s setup) register(name, method, server, authority string, fields ...string) {
	s.t.Helper()
	args := []string{"register", name, "--type", "kubernetes", "--auth-method", method, "--no-verify",
		"--set", "cluster_name=" + name, "--set", "server=" + server, "--set", "certificate_authority=@" + s.write(name+"-ca.pem", authority)}
	for _, field := range fields {
		args = append(args, "--set", field)
	}
	s.run("svcconn", args...)
}

// plugin registers a cluster whose credentials a plugin mints: token-1, token-2, and so
// on, each good for lifetime (as `date` says it; "" tells none).
func (s setup) plugin(name, server, authority, lifetime string) (runs func() int) {
	s.t.Helper()
	log := filepath.Join(s.dir, name+"-runs")
	expires := ""
	if lifetime != "" {
		expires = `"expirationTimestamp":"'$(date -u -d "` + lifetime + `" +%Y-%m-%dT%H:%M:%SZ)'",`
	}
	plugin := s.write(name+"-plugin", `#!/bin/sh
echo >> `+log+`
printf '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{`+expires+`"token":"token-%d"}}' $(wc -l < `+log+`)
`)
	s.register(name, "exec", server, authority, "command="+plugin)
	return func() int {
		text, _ := os.ReadFile(log)
		return strings.Count(string(text), "\n")
	}
}

// client is a client-go program whose kubeconfig has our exec stanza.
func (s setup) client(version, server, authority string, clusterInfo bool, args ...string) *http.Client {
	s.t.Helper()
	config := &rest.Config{
		Host: server, TLSClientConfig: rest.TLSClientConfig{CAData: []byte(authority)},
		ExecProvider: &clientcmdapi.ExecConfig{
			APIVersion: "client.authentication.k8s.io/" + version, Command: "kubectl-svcconn", Args: append([]string{"credential"}, args...),
			InteractiveMode: clientcmdapi.IfAvailableExecInteractiveMode, ProvideClusterInfo: clusterInfo,
		},
	}
	for _, text := range s.env() {
		name, value, _ := strings.Cut(text, "=")
		config.ExecProvider.Env = append(config.ExecProvider.Env, clientcmdapi.ExecEnvVar{Name: name, Value: value})
	}
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		s.t.Fatal(err)
	}
	return client
}

func get(t *testing.T, client *http.Client, url string) (int, string) {
	t.Helper()
	response, err := client.Get(url)
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

// picky is an API server that takes one token at a time, and says which it was shown.
func picky(t *testing.T) (server *httptest.Server, authority string, take func(string)) {
	t.Helper()
	var taken atomic.Pointer[string]
	server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		shown := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		if want := taken.Load(); want != nil && *want != shown {
			w.WriteHeader(http.StatusUnauthorized)
		}
		fmt.Fprint(w, shown)
	}))
	t.Cleanup(server.Close)
	authority = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	return server, authority, func(token string) { taken.Store(&token) }
}

func TestClientGoGetsANewTokenAfterARejection(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"v1", "v1beta1"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			s := newSetup(t)
			server, authority, take := picky(t)
			runs := s.plugin("prod", server.URL, authority, "+1 hour")
			client := s.client(version, server.URL, authority, false, "--connector", "prod", "--cluster", "prod")
			want := func(status int, token string) {
				t.Helper()
				if code, shown := get(t, client, server.URL); code != status || shown != token {
					t.Errorf("%d with %q, want %d with %q", code, shown, status, token)
				}
			}
			want(http.StatusOK, "token-1")
			want(http.StatusOK, "token-1") // client-go's own memory
			take("token-2")
			want(http.StatusUnauthorized, "token-1") // it goes to the caller; the plugin is run meanwhile
			want(http.StatusOK, "token-2")
			take("nothing")
			for range 5 {
				want(http.StatusUnauthorized, "token-2") // one mint a while, or the service is flooded
			}
			if runs() != 2 {
				t.Errorf("%d mints, want 2", runs())
			}
		})
	}
}

func TestClientGoComesBackWhenTimeIsUp(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	server, authority, _ := picky(t)
	s.plugin("prod", server.URL, authority, "+3 seconds")
	client := s.client("v1", server.URL, authority, true)
	if code, shown := get(t, client, server.URL); code != http.StatusOK || shown != "token-1" {
		t.Fatalf("%d with %q", code, shown)
	}
	pulse := time.NewTicker(50 * time.Millisecond)
	defer pulse.Stop()
	for deadline := time.After(30 * time.Second); ; {
		code, shown := get(t, client, server.URL)
		if code != http.StatusOK {
			t.Fatalf("%d with %q", code, shown)
		}
		if shown == "token-2" {
			return
		}
		select {
		case <-pulse.C:
		case <-deadline:
			t.Fatal("the token was never renewed")
		}
	}
}

func TestClientGoShowsClientCertificates(t *testing.T) {
	t.Parallel()
	server := kubetest.Start(t, kubetest.Options{})
	certificate, key, err := server.ClientCertificate(kubetest.User{Name: "jane"}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{"v1", "v1beta1"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			s := newSetup(t)
			s.register("prod", "token", server.URL(), server.CertificateAuthority(),
				"client_certificate=@"+s.write("client.crt", certificate), "client_key=@"+s.write("client.key", key))
			client := s.client(version, server.URL(), server.CertificateAuthority(), true) // no flags: the server tells
			if code, body := get(t, client, server.URL()+"/api/v1/namespaces"); code != http.StatusOK {
				t.Errorf("%d: %s", code, body)
			}
		})
	}
}

func TestClientGoIsToldWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	server, authority, _ := picky(t)
	for want, client := range map[string]*http.Client{
		"exit code 3": s.client("v1", server.URL, authority, true),                                 // nobody serves it
		"exit code 2": s.client("v1", server.URL, authority, false),                                // nothing says which
		"code 2":      s.client("v1", server.URL, authority, true, "--context", "prod"),            // no such flag
		"failed with": s.client("v1beta1", server.URL, authority, true, "--connector", "not-here"), // no such connector
	} {
		response, err := client.Get(server.URL)
		if err == nil {
			response.Body.Close()
			t.Errorf("%s: there is an answer", want)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
