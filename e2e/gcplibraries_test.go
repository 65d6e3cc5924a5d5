//go:build e2e && linux

package e2e

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// googleLibrary is a program that is built on a library of Google's.
type googleLibrary struct {
	name    string
	prepare func(w *world)
	look    func(w *world, bucket string, times int) *call
}

func googleLibraries() []googleLibrary {
	return []googleLibrary{pythonLibrary(), nodeLibrary(), goLibrary("auth"), goLibrary("oauth2")}
}

// gcloudPython is the interpreter and the recent google-auth that come with gcloud: Debian's
// own is too old for external accounts.
var gcloudPython = sync.OnceValues(func() (python, path string) {
	gcloud, err := exec.LookPath("gcloud")
	if err != nil {
		return "", ""
	}
	gcloud, _ = filepath.EvalSymlinks(gcloud)
	root := filepath.Dir(filepath.Dir(gcloud))
	return filepath.Join(root, "platform", "bundledpythonunix", "bin", "python3"), filepath.Join(root, "lib", "third_party")
})

func pythonLibrary() googleLibrary {
	return googleLibrary{
		name: "python",
		prepare: func(w *world) {
			need(w.t, "gcloud")
			if python, _ := gcloudPython(); versionOf(python, "--version") == "" {
				missing(w.t, "gcloud has no Python of its own: install its component bundled-python3-unix")
			}
		},
		look: func(w *world, bucket string, times int) *call {
			python, path := gcloudPython()
			return w.cmd(python, testdata("googleauth.py"), bucket, strconv.Itoa(times)).setenv("PYTHONPATH="+path, "PYTHONDONTWRITEBYTECODE=1")
		},
	}
}

func nodeLibrary() googleLibrary {
	return googleLibrary{
		name: "node",
		prepare: func(w *world) {
			if matches, _ := filepath.Glob(toolDir() + "/node_modules/google-auth-library"); need(w.t, "node") == "" || matches == nil {
				missing(w.t, "Google's library for Node is not installed: make e2e-deps installs it (npm install google-auth-library)")
			}
		},
		look: func(w *world, bucket string, times int) *call {
			return w.cmd("node", testdata("googleauth.js"), bucket, strconv.Itoa(times)).setenv("NODE_PATH=" + toolDir() + "/node_modules")
		},
	}
}

var buildGoogleAuth = sync.OnceValues(func() (string, error) {
	path := filepath.Join(suite.dir, "googleauth")
	return path, goBuild("-C", "googleauth", "-trimpath", "-o", path, ".")
})

func goLibrary(library string) googleLibrary {
	return googleLibrary{
		name:    "go-" + library,
		prepare: func(*world) {},
		look: func(w *world, bucket string, times int) *call {
			program, err := buildGoogleAuth()
			must(w.t, err)
			return w.cmd(program, "-library", library, "-bucket", bucket, "-times", strconv.Itoa(times))
		},
	}
}

// asGoogle has a program find the credential file of a configuration.
func (c *call) asGoogle(configuration string) *call {
	return c.setenv("GOOGLE_APPLICATION_CREDENTIALS="+c.w.credentialFile(configuration), allowExecutables)
}

// TestGoogleLibraries has programs take the credential file that login wrote.
func TestGoogleLibraries(t *testing.T) {
	t.Parallel()
	for _, library := range googleLibraries() {
		t.Run(library.name, func(t *testing.T) {
			t.Parallel()
			w, p := registeredGoogle(t, "a program with the library reads a bucket through the credential file; three runs of it cost one token; another bucket is refused; a failure shows our words")
			library.prepare(w)
			own, other := p.bucketNames()
			w.loginGcloud("one", "gs://"+own)
			for range 3 {
				library.look(w, own, 2).asGoogle("one").run().exits(0).says("greetings/hello.txt")
			}
			if n := p.google.Count("oauth2", "token.jwt-bearer"); n != 1 {
				t.Errorf("Google gave %d tokens, want 1", n)
			}
			library.look(w, other, 1).asGoogle("one").run().fails().says("does not have storage.objects.list access")
			library.look(w, own, 1).asGoogle("one").setenv("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=").run().fails().says("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES")
			p.robot.RevokeKeys()
			w.ok("svcconn", "agent", "forget")
			library.look(w, own, 1).asGoogle("one").run().fails().says("invalid_grant")
		})
	}
}

// TestCredentialFile looks at the file, and at what an exchange takes.
func TestCredentialFile(t *testing.T) {
	t.Parallel()
	w, p := registeredGoogle(t, "the credential file has no secret; what its executable answers is good for one exchange, and nothing else is; the agent answers on this machine alone")
	own, _ := p.bucketNames()
	w.loginGcloud("one", own)
	var file struct {
		Type             string
		TokenURL         string `json:"token_url"`
		TokenInfoURL     string `json:"token_info_url"`
		SubjectTokenType string `json:"subject_token_type"`
		Audience         string
		CredentialSource struct{ Executable struct{ Command string } } `json:"credential_source"`
	}
	must(t, json.Unmarshal([]byte(w.read(w.credentialFile("one"))), &file))
	if file.Type != "external_account" || !strings.HasPrefix(file.TokenURL, "http://127.0.0.1:") || !strings.HasPrefix(file.TokenInfoURL, "http://127.0.0.1:") {
		t.Errorf("the credential file is a %s that leads to %s and %s", file.Type, file.TokenURL, file.TokenInfoURL)
	}
	if strings.Contains(file.Audience, "/projects/") {
		t.Errorf("for audience %s, libraries ask Resource Manager for the project, which a bucket's token may not", file.Audience)
	}
	var answer struct {
		Version int
		Success bool
		IDToken string `json:"id_token"`
	}
	w.decode(w.cmd(strings.Fields(file.CredentialSource.Executable.Command)...).setenv(allowExecutables).revealing().run().exits(0), &answer)
	if answer.Version != 1 || !answer.Success || answer.IDToken == "" {
		t.Fatal("the executable does not answer as AIP-4117 has it")
	}
	exchange := func(subject string) (token, problem string) {
		form := map[string]string{
			"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
			"audience": file.Audience, "scope": "https://www.googleapis.com/auth/cloud-platform", "subject_token_type": file.SubjectTokenType, "subject_token": subject,
		}
		return postForm(t, file.TokenURL, form)
	}
	for _, wrong := range []string{"", "x", answer.IDToken + "x", answer.IDToken[1:]} {
		if token, problem := exchange(wrong); token != "" || problem == "" {
			t.Errorf("%q of %d characters was exchanged", wrong, len(answer.IDToken))
		}
	}
	token, problem := exchange(answer.IDToken)
	if token == "" || token != w.token("gcs-bucket", own) {
		t.Errorf("the answer of the executable was not exchanged for the token that is kept: %s", problem)
	}
	if again, problem := exchange(answer.IDToken); again != "" || problem == "" {
		t.Error("the answer of the executable was good for two exchanges")
	}
}

// postForm asks an OAuth token endpoint on this machine.
func postForm(t *testing.T, address string, form map[string]string) (token, problem string) {
	t.Helper()
	values := url.Values{}
	for name, value := range form {
		values.Set(name, value)
	}
	client := &http.Client{Transport: &http.Transport{}}
	resp, err := client.PostForm(address, values)
	must(t, err)
	defer resp.Body.Close()
	var answer struct {
		AccessToken string `json:"access_token"`
		Error       string `json:"error"`
	}
	must(t, json.NewDecoder(resp.Body).Decode(&answer))
	return answer.AccessToken, answer.Error
}
