package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/svcconn/svcconn/pkg/registrytest"
)

// TestEveryCommandOfTheDocumentsRuns types the commands of README.md and docs/ as they
// stand there, each document in a set-up of its own. registry.example.com is a real
// registry in this process, behind a proxy; `make` targets must exist and be run by the
// gate.
func TestEveryCommandOfTheDocumentsRuns(t *testing.T) {
	t.Parallel()
	root := "../.."
	documents, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, document := range append(documents, filepath.Join(root, "README.md")) {
		text, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		commands := commandsOf(string(text))
		total += len(commands)
		t.Run(filepath.Base(document), func(t *testing.T) {
			t.Parallel()
			person := newReader(t)
			for _, command := range commands {
				if target, ok := strings.CutPrefix(command, "make "); ok {
					checkMake(t, root, strings.Fields(target)[0])
					continue
				}
				person.types(command)
			}
		})
	}
	if total < 20 {
		t.Errorf("only %d commands were found in the documents: is the pattern still right?", total)
	}
}

var shellBlock = regexp.MustCompile("(?ms)^```sh\n(.*?)^```")

// commandsOf are the lines of the shell blocks, without comments.
func commandsOf(text string) []string {
	var commands []string
	for _, block := range shellBlock.FindAllStringSubmatch(text, -1) {
		for line := range strings.Lines(block[1]) {
			line, _, _ = strings.Cut(line, "  #")
			if line = strings.TrimSpace(line); line != "" {
				commands = append(commands, line)
			}
		}
	}
	return commands
}

// checkMake: `make demo` and `make test` are run by the gate; the others must exist.
func checkMake(t *testing.T, root, target string) {
	t.Helper()
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(makefile), "\n"+target+":") {
		t.Errorf("the Makefile has no target %s", target)
	}
	gate, err := os.ReadFile(filepath.Join(root, ".ci", "run"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(gate), "make "+target) && target != "build" {
		t.Errorf(".ci/run does not run make %s", target)
	}
}

// reader is someone who types what the documents say.
type reader struct {
	t   *testing.T
	dir string
	env []string
}

func newReader(t *testing.T) *reader {
	t.Helper()
	registry := registrytest.Start(t, registrytest.Options{Mode: registrytest.Bearer, TLS: true, Realm: "https://registry.example.com/token",
		Users: map[string]registrytest.User{"ci": {Password: canary}}})
	dir := t.TempDir()
	bin := programs(t)
	r := &reader{t: t, dir: dir, env: []string{
		"PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH"), "HOME=" + dir, "XDG_RUNTIME_DIR=" + filepath.Join(dir, "run"),
		"SVCCONN_CONFIG_DIR=" + filepath.Join(dir, "svcconn"), "HTTPS_PROXY=" + proxyTo(t, registry.Host()), "SSL_CERT_FILE=" + filepath.Join(dir, "ca.pem"),
	}}
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	r.write("password.txt", canary)
	r.write("token.txt", canary)
	r.write("ca.pem", registry.CertificateAuthority())
	r.write("svcconn/identity.txt", identity.String())
	r.write("svcconn/config.toml", "[secrets]\nbackend = \"file\"\nidentity_file = \"identity.txt\"\n")
	t.Cleanup(func() { _ = r.command("svcconn agent stop").Run() })
	return r
}

func (r *reader) write(name, text string) {
	r.t.Helper()
	path := filepath.Join(r.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

func (r *reader) command(line string) *exec.Cmd {
	cmd := exec.Command("sh", "-c", line)
	cmd.Env, cmd.Dir = r.env, r.dir
	return cmd
}

func (r *reader) types(line string) {
	r.t.Helper()
	if out, err := r.command(line).CombinedOutput(); err != nil {
		r.t.Errorf("$ %s\n%s%v", line, out, err)
	}
}

// programs links the three programs to this test binary, which plays them by name.
func programs(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	for _, name := range []string{"svcconn", "docker-credential-svcconn", "kubectl-svcconn"} {
		if err := os.Symlink(self, filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	return bin
}

// proxyTo is an HTTP proxy that leads every host to one address.
func proxyTo(t *testing.T, address string) string {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		upstream, err := net.Dial("tcp", address)
		if err != nil || r.Method != http.MethodConnect {
			http.Error(w, "this proxy tunnels alone", http.StatusBadGateway)
			return
		}
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			_ = upstream.Close()
			return
		}
		fmt.Fprint(conn, "HTTP/1.1 200 OK\r\n\r\n")
		go func() { _, _ = io.Copy(upstream, conn); _ = upstream.Close() }()
		_, _ = io.Copy(conn, upstream)
		_ = conn.Close()
	}))
	t.Cleanup(proxy.Close)
	return proxy.URL
}
