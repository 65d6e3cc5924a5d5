package main

import (
	"net/http/httputil"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/svcconn/svcconn/connectors/aws/awstest"
	"github.com/svcconn/svcconn/connectors/gcp/gcptest"
	"github.com/svcconn/svcconn/pkg/registrytest"
)

// TestEveryCommandOfTheDocumentsRuns types the commands of README.md and docs/ as they
// stand there, each document in a set-up of its own. registry.example.com is a real
// registry in this process, AWS and Google Cloud are fake ones, all behind a proxy; `make`
// targets must exist and be run by the gate.
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
	dir := t.TempDir()
	bin := programs(t)
	cloud := startCloud(t)
	r := &reader{t: t, dir: dir, env: []string{
		"PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH"), "HOME=" + dir, "XDG_RUNTIME_DIR=" + filepath.Join(dir, "run"), "GORACE=" + raceOptions,
		"SVCCONN_CONFIG_DIR=" + filepath.Join(dir, "svcconn"), "HTTPS_PROXY=" + cloud.ProxyURL(), "SSL_CERT_FILE=" + filepath.Join(dir, "ca.pem"),
	}}
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	r.write("password.txt", canary)
	r.write("token.txt", canary)
	r.write("ca.pem", cloud.CertificateAuthority())
	r.write("svcconn/identity.txt", identity.String())
	r.write("svcconn/config.toml", "[secrets]\nbackend = \"file\"\nidentity_file = \"identity.txt\"\n")
	r.useAWS(cloud)
	r.useGoogle(cloud)
	t.Cleanup(func() { _ = r.command("svcconn agent stop").Run() })
	return r
}

// startCloud starts what the documents' commands reach: an AWS, whose proxy leads to
// registry.example.com too.
func startCloud(t *testing.T) *awstest.Server {
	t.Helper()
	registry := registrytest.Start(t, registrytest.Options{Mode: registrytest.Bearer, TLS: true, Realm: "https://registry.example.com/token",
		Users: map[string]registrytest.User{"ci": {Password: canary}}})
	cloud := awstest.Start(t, awstest.Options{})
	cloud.Route("registry.example.com", &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = "https", registry.Host() },
		Transport: registry.Transport(),
	})
	return cloud
}

// useAWS gives the reader the account of the documents, and what the AWS CLI has of it.
func (r *reader) useAWS(cloud *awstest.Server) {
	r.t.Helper()
	const region = "eu-central-1"
	account := cloud.Account("123456789012")
	keys := account.User("reader")
	role := account.Role("developer", awstest.Role{})
	account.Bucket("zenfiles", region)
	account.Cluster(region, "demo", awstest.Cluster{CertificateAuthority: cloud.CertificateAuthority()})
	account.Repository(region, "team/app")
	r.write("key-id.txt", keys.AccessKeyID)
	r.write("secret-key.txt", keys.SecretAccessKey)
	r.write(".aws/config", "[default]\nregion = "+region+"\nrole_arn = "+role+"\nsource_profile = keys\n")
	r.write(".aws/credentials", "[keys]\naws_access_key_id = "+keys.AccessKeyID+"\naws_secret_access_key = "+keys.SecretAccessKey+"\n")
}

// useGoogle gives the reader the project of the documents, and what gcloud has of it.
func (r *reader) useGoogle(cloud *awstest.Server) {
	r.t.Helper()
	google := gcptest.Start(r.t, gcptest.Options{})
	for _, service := range []string{"oauth2", "sts", "iamcredentials", "storage", "container", "artifactregistry", "cloudresourcemanager"} {
		cloud.Route(service+".googleapis.com", google.Handler())
	}
	project := google.Project("my-project-123")
	account, deployer := project.ServiceAccount("robot"), project.ServiceAccount("deployer")
	deployer.LetImpersonate("serviceAccount:" + account.Email())
	project.Bucket("zenfiles", "EU")
	project.Cluster("europe-west1", "demo", gcptest.Cluster{CertificateAuthority: cloud.CertificateAuthority()})
	project.Repository("europe-west1", "team", gcptest.Repository{})
	r.write("key.json", account.Key())
	r.write(".config/gcloud/application_default_credentials.json", account.Key())
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
