//go:build e2e && linux

package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/connectors/gcp/gcptest"
)

// allowExecutables is what Google's libraries, and gcloud, want before they run what a
// credential file names.
const allowExecutables = "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1"

// bucketNames are this project's buckets: names of buckets belong to all of Google.
func (p *project) bucketNames() (own, other string) {
	own, other = "zenfiles."+p.ID()+".example.com", "zenfiles-other-"+p.ID()
	p.Bucket(own, "EU").Put("greetings/hello.txt", "hello")
	p.Bucket(other, "US").Put("secret.txt", "not for everybody")
	return own, other
}

// loginGcloud has login write a configuration, and returns the one way to use it: gcloud
// with its flag.
func (w *world) loginGcloud(configuration string, args ...string) func(args ...string) *call {
	w.t.Helper()
	need(w.t, "gcloud")
	w.ok(append([]string{"svcconn", "login", "gcloud", "--connector", "prod", "--configuration", configuration}, args...)...)
	return func(args ...string) *call {
		return w.cmd(append([]string{"gcloud", "--configuration", configuration}, args...)...).setenv(allowExecutables)
	}
}

func (w *world) gcloudConfig(elem ...string) string {
	return w.path(append([]string{"home", ".config", "gcloud"}, elem...)...)
}

// printToken has gcloud print its token, which it would write into its log too.
func printToken(gcloud func(args ...string) *call) result {
	return gcloud("auth", "print-access-token").setenv("CLOUDSDK_CORE_DISABLE_FILE_LOGGING=true").revealing().run()
}

// credentialFile is the file that a configuration of gcloud leads to.
func (w *world) credentialFile(configuration string) string {
	return filepath.Join(w.config, "gcloud", configuration+".json")
}

// ownGcloud is a configuration that a person has made and activated.
func (w *world) ownGcloud() map[string]string {
	w.t.Helper()
	need(w.t, "gcloud")
	for _, args := range [][]string{{"configurations", "create", "mine"}, {"set", "project", "my-own-project"}, {"set", "accessibility/screen_reader", "false"}} {
		w.ok(append([]string{"gcloud", "config"}, args...)...)
	}
	return w.gcloudFiles()
}

// gcloudFiles are the files that tell gcloud what to use.
func (w *world) gcloudFiles() map[string]string {
	files := map[string]string{"active_config": w.read(w.gcloudConfig("active_config"))}
	matches, _ := filepath.Glob(w.gcloudConfig("configurations", "*"))
	for _, match := range matches {
		files[filepath.Base(match)] = w.read(match)
	}
	return files
}

// TestGcloud is the main job for Google Cloud: register once, then gcloud through the
// configuration that login wrote, until logout leaves all as it was.
func TestGcloud(t *testing.T) {
	t.Parallel()
	w, p := registeredGoogle(t, "register, login gcloud, storage ls, cat and cp both ways, container clusters and artifacts repositories list; the active configuration stays, and after logout all is as it was")
	own, other := p.bucketNames()
	p.Cluster(homeLocation, "demo", gcptest.Cluster{})
	p.Repository(homeLocation, "team", gcptest.Repository{})
	before := w.ownGcloud()
	gcloud := w.loginGcloud("all")
	gcloud("storage", "ls").run().exits(0).says("gs://"+own, "gs://"+other)
	gcloud("storage", "ls", "gs://"+own+"/greetings/").run().exits(0).says("hello.txt")
	gcloud("storage", "cat", "gs://"+own+"/greetings/hello.txt").run().exits(0).prints("hello")
	gcloud("storage", "cp", w.file("a note", "note.txt"), "gs://"+own+"/note.txt").run().exits(0)
	gcloud("storage", "cp", "gs://"+own+"/note.txt", w.path("back.txt")).run().exits(0)
	if got := w.read(w.path("back.txt")); got != "a note" {
		t.Errorf("what came back is %q", got)
	}
	gcloud("container", "clusters", "list", "--format", "value(name,location)").run().exits(0).says("demo", homeLocation)
	gcloud("artifacts", "repositories", "list", "--location", homeLocation, "--format", "value(name)").run().exits(0).says("team")
	w.ok("gcloud", "config", "get", "project").says("my-own-project")
	w.ok("svcconn", "logout", "gcloud", "all")
	w.wantGcloud(before)
	w.wantOneAgent()
}

// wantGcloud requires the files of gcloud to be what they were.
func (w *world) wantGcloud(before map[string]string) {
	w.t.Helper()
	if diff := cmp.Diff(before, w.gcloudFiles()); diff != "" {
		w.t.Errorf("the files of gcloud have changed:\n%s", diff)
	}
}

// TestGcloudToken compares what gcloud has with what we gave.
func TestGcloudToken(t *testing.T) {
	t.Parallel()
	w, p := registeredGoogle(t, "gcloud auth print-access-token prints the token that the agent keeps; ten commands cost one; gcloud stores none")
	gcloud := w.loginGcloud("all")
	want := w.token("gcp-generic", "")
	for range 3 {
		if got := strings.TrimSpace(printToken(gcloud).exits(0).stdout); got != want {
			t.Errorf("gcloud has another token than the agent keeps")
		}
	}
	if email, ok := p.google.TokenInfo(want); !ok || email != p.robot.Email() {
		t.Errorf("the token is of %q", email)
	}
	if n := p.google.Count("oauth2", "token.jwt-bearer"); n != 1 {
		t.Errorf("Google gave %d tokens, want 1", n)
	}
	w.searchFolder(w.gcloudConfig())
}

// TestGcloudUse activates the configuration, on demand alone, and a file that another
// person wrote is safe.
func TestGcloudUse(t *testing.T) {
	t.Parallel()
	w, p := registeredGoogle(t, "--dry-run writes nothing, --use activates, logout gives the former active one back; a configuration of another's is never overwritten; CLOUDSDK_CONFIG is honoured")
	own, _ := p.bucketNames()
	before := w.ownGcloud()
	w.ok("svcconn", "login", "gcloud", "--connector", "prod", "--configuration", "dry", "--dry-run").says("credential_file_override")
	w.wantGcloud(before)
	w.cmd("svcconn", "login", "gcloud", "--connector", "prod", "--configuration", "mine").run().fails().says("mine", "--configuration")
	w.wantGcloud(before)
	w.ok("svcconn", "login", "gcloud", "--connector", "prod", "--configuration", "all", "--use")
	w.ok("gcloud", "config", "configurations", "list", "--format", "value(name)", "--filter", "is_active=true").prints("all")
	file := w.credentialFile("all")
	w.wantMode(file, 0o600)
	if strings.Contains(w.read(file), "private_key") {
		t.Error("the credential file has a key in it")
	}
	w.cmd("gcloud", "storage", "ls").run().fails().says("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES")
	w.cmd("gcloud", "storage", "ls").setenv(allowExecutables).run().exits(0).says(own)
	w.ok("svcconn", "logout", "gcloud", "all")
	w.wantGcloud(before)
	if _, err := os.Stat(file); err == nil {
		t.Error("the credential file is still there after logout")
	}
	w.setenv("CLOUDSDK_CONFIG", w.path("elsewhere"))
	w.ok("svcconn", "login", "gcloud", "--connector", "prod", "--configuration", "all")
	if w.read(w.path("elsewhere", "configurations", "config_all")) == "" {
		t.Error("CLOUDSDK_CONFIG was not honoured")
	}
	w.cmd("svcconn", "login", "gcloud", "--connector", "nobody").run().exits(3).says("nobody")
}

// TestGcloudFails has no token to give.
func TestGcloudFails(t *testing.T) {
	t.Parallel()
	w, p := registeredGoogle(t, "without a token gcloud shows our words and what to do, and goes on once that was done")
	own, _ := p.bucketNames()
	gcloud := w.loginGcloud("all")
	p.robot.RevokeKeys()
	w.ok("svcconn", "agent", "forget")
	gcloud("storage", "ls").run().fails().says("invalid_grant", "prod")
	w.ok(append([]string{"svcconn", "update", "prod"}, w.setArgs(p.serviceAccount().fields, secretGoogleFields)...)...)
	w.removePasswords()
	w.ok("svcconn", "agent", "stop")
	gcloud("storage", "ls").run().exits(0).says(own)
	w.ok("svcconn", "delete", "prod", "--yes", "--force")
	gcloud("storage", "ls").run().fails().says("prod")
}

// TestGcloudProxy has a proxy between gcloud and this machine itself.
func TestGcloudProxy(t *testing.T) {
	t.Parallel()
	w, p := registeredGoogle(t, "where a proxy would be asked for 127.0.0.1, login says so, and NO_PROXY mends it")
	own, _ := p.bucketNames()
	w.setenv("NO_PROXY", "")
	w.setenv("HTTP_PROXY", p.google.ProxyURL())
	need(t, "gcloud")
	w.ok("svcconn", "login", "gcloud", "--connector", "prod", "--configuration", "all").says("HTTP_PROXY", "NO_PROXY")
	list := w.cmd("gcloud", "--configuration", "all", "storage", "ls").setenv(allowExecutables)
	list.run().fails()
	list.setenv("NO_PROXY=127.0.0.1").run().exits(0).says(own)
}

// TestGCSScope has tokens for one bucket meet another.
func TestGCSScope(t *testing.T) {
	t.Parallel()
	w, p := registeredGoogle(t, "a configuration for one bucket is refused everything else by its credential access boundary, and a read one cannot write")
	own, other := p.bucketNames()
	note := w.file("a note", "note.txt")
	gcloud := w.loginGcloud("one", "gs://"+own)
	gcloud("storage", "cp", note, "gs://"+own+"/note.txt").run().exits(0)
	gcloud("storage", "cat", "gs://"+own+"/note.txt").run().exits(0).prints("a note")
	for _, forbidden := range [][]string{
		{"storage", "ls", "gs://" + other}, {"storage", "cat", "gs://" + other + "/secret.txt"}, {"storage", "cp", note, "gs://" + other + "/note.txt"},
		{"storage", "ls"}, {"container", "clusters", "list"}, {"artifacts", "repositories", "list", "--location", homeLocation},
	} {
		res := gcloud(forbidden...).run()
		if res.code == 0 && !strings.Contains(strings.ToLower(res.output()), "permission") { // container clusters list only warns
			t.Errorf("%s: the token of a bucket was good for it\n%s", res.line, res.output())
		}
	}
	reader := w.loginGcloud("reader", "gs://"+own, "--access", "read")
	reader("storage", "cat", "gs://"+own+"/note.txt").run().exits(0).prints("a note")
	reader("storage", "cp", note, "gs://"+own+"/other.txt").run().fails()
	if _, there := p.Bucket(own, "EU").Object("other.txt"); there {
		t.Error("a token to read has written")
	}
}

// accessToken is what `credential --format json` prints of a token.
type accessToken struct {
	Token     string     `json:"access_token"`
	Principal string     `json:"principal"`
	Project   string     `json:"project"`
	ExpiresAt *time.Time `json:"expires_at"`
}

// TestGCSNames names buckets in all their ways.
func TestGCSNames(t *testing.T) {
	t.Parallel()
	w, p := registeredGoogle(t, "buckets with dots and underscores are listed, verified and handed out by each of their names; a name that is none is refused before Google is asked")
	own, other := p.bucketNames()
	p.Bucket("with_underscores-"+p.ID(), "EU")
	w.ok("svcconn", "list-resources", "--resource-type", "gcs-bucket").says("gs://"+own, "gs://"+other, "gs://with_underscores-"+p.ID())
	w.ok("svcconn", "verify", "prod", "--resource-type", "gcs-bucket", "--resource-name", own).says("gs://" + own)
	for _, name := range []string{own, "gs://" + own, "gs://" + own + "/some/object"} {
		var got accessToken
		w.decode(w.cmd("svcconn", "credential", "--connector", "prod", "-r", "gcs-bucket", "-n", name, "--format", "json").revealing().run().exits(0), &got)
		w.guard(got.Token)
		if got.Principal != p.robot.Email() || got.Project != p.ID() {
			t.Errorf("%s: the token is said to be of %q for project %q", name, got.Principal, got.Project)
		}
		if got.ExpiresAt == nil || time.Until(*got.ExpiresAt) > time.Hour || time.Until(*got.ExpiresAt) < 50*time.Minute {
			t.Errorf("%s: the token is said to be good until %v", name, got.ExpiresAt)
		}
	}
	p.forgetCalls()
	for _, bad := range []string{"gs://UPPER", "gs://a", "gs://google-mine", "s3://zenfiles", "gs://" + strings.Repeat("x", 64), "192.168.5.4"} {
		w.askToken("gcs-bucket", bad).exits(2).says(bad)
	}
	if asked := p.calls(); len(asked) > 0 {
		t.Errorf("Google was asked for %v about names that are none", asked)
	}
}

// TestGoogleKeyFile hands the key out, which has to be chosen.
func TestGoogleKeyFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "the key itself is handed out with generate_temporary_tokens=false, to those who ask for a key file, and to nobody else")
	p := w.useGoogle()
	l := p.serviceAccount()
	l.register(w, "prod").exits(0)
	ask := func(connector, format string) result {
		return w.cmd("svcconn", "credential", "--connector", connector, "-r", "gcp-generic", "--format", format).revealing().run()
	}
	ask("prod", "google-key-file").fails().says("generate_temporary_tokens")
	l.fields = with(l.fields, "generate_temporary_tokens", "false")
	l.register(w, "keyed").exits(0)
	var file struct {
		Type  string `json:"type"`
		Email string `json:"client_email"`
	}
	must(t, json.Unmarshal([]byte(ask("keyed", "google-key-file").exits(0).stdout), &file))
	if file.Type != "service_account" || file.Email != p.robot.Email() {
		t.Errorf("the key file is a %s of %s", file.Type, file.Email)
	}
	if strings.Contains(ask("keyed", "json").exits(0).stdout, "PRIVATE KEY") {
		t.Error("the key was handed out to who asked for a token")
	}
}
