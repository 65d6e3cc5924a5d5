package clientconfig

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGcloudPointers(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	s.gcloudLogin(gcloudLogin("prod"), fullGcloudLogin("files"))
	mine := s.gcloud("mine", "[auth]\ncredential_file_override = "+s.GcloudCredentials("prod")+"\n[core]\nproject = mine\n")
	s.gcloud("other", "[core]\nproject = other\n")
	s.gcloud("broken", "[core]\n[core]\n")
	s.gcloud("Not-One", "[auth]\ncredential_file_override = "+s.GcloudCredentials("prod")+"\n")
	s.write("../set-up/gcloud/alone.json", strings.ReplaceAll(content(t, s.GcloudCredentials("prod")), "--connector prod-connector", "--connector=lonely"))
	s.write("../set-up/gcloud/notes.txt", "x")
	want := []GcloudPointer{
		{s.GcloudCredentials("alone"), "", s.GcloudCredentials("alone"), "lonely", "acme"},
		{s.gcloudFile("files"), "files", s.GcloudCredentials("files"), "files-connector", "gs://zenfiles"},
		{mine, "mine", s.GcloudCredentials("prod"), "prod-connector", "acme"},
		{s.gcloudFile("prod"), "prod", s.GcloudCredentials("prod"), "prod-connector", "acme"},
	}
	got, err := GcloudPointers(s.Env)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	// A file that another configuration names stays with it; a configuration that somebody
	// else made loses what leads here and nothing else.
	s.gcloudLogout("mine")
	if text := content(t, mine); text != "[core]\nproject = mine\n" {
		t.Errorf("left %q", text)
	}
	if content(t, s.GcloudCredentials("prod")) == "" {
		t.Error("the credential file is gone")
	}
	s.gcloudLogout()
	if left := tree(t, filepath.Join(s.root(), "set-up")); len(left) > 3 {
		t.Errorf("left %v", left)
	}
}

// A logout knows what a login wrote although the journal is lost.
func TestGcloudLogoutWithoutJournal(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	s.write(".config/gcloud/configurations/x", "")
	s.write("../set-up/gcloud/x", "")
	before := s.tree()
	s.gcloudLogin(fullGcloudLogin("prod"))
	s.State += "-lost"
	s.gcloudLogout()
	after := s.tree()
	for path := range after {
		if strings.HasPrefix(path, "state") {
			delete(after, path)
		}
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A login in one folder of gcloud's is undone from a shell that has another one.
func TestGcloudLogoutFindsOtherFolders(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	s.write("x", "")
	before := s.tree()
	s.vars["CLOUDSDK_CONFIG"] = filepath.Join(s.Home, "elsewhere")
	s.gcloudUse(true, gcloudLogin("prod"))
	delete(s.vars, "CLOUDSDK_CONFIG")
	s.gcloudLogout("prod")
	if diff := cmp.Diff(before, s.tree()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestGcloudExchangeMovesForAllFiles(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	if at, err := s.GcloudExchange(); at != "" || err != nil {
		t.Errorf("%q, %v", at, err)
	}
	s.gcloudLogin(gcloudLogin("prod"), gcloudLogin("stage"))
	if at, err := s.GcloudExchange(); at != exchangeHere || err != nil {
		t.Errorf("%q, %v", at, err)
	}
	p, err := PlanGcloudLogin(s.Env, []GcloudLogin{gcloudLogin("prod")}, "127.0.0.1:20002", false)
	s.apply(p, err)
	for _, name := range []string{"prod", "stage"} {
		text := content(t, s.GcloudCredentials(name))
		if strings.Contains(text, exchangeHere) || strings.Count(text, "127.0.0.1:20002") != 3 {
			t.Errorf("%s:\n%s", name, text)
		}
	}
	if !s.gcloudUseAt("127.0.0.1:20002", gcloudLogin("stage")).Empty() {
		t.Error("the file that was moved is not what a login writes")
	}
}

func (s *setup) gcloudUseAt(exchange string, logins ...GcloudLogin) *Plan {
	s.t.Helper()
	p, err := PlanGcloudLogin(s.Env, logins, exchange, false)
	return s.apply(p, err)
}

func TestGcloudNotices(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		vars map[string]string
		use  bool
		want []string
	}{
		"nothing set":   {nil, true, []string{"GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1 is set"}},
		"allowed":       {map[string]string{"GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES": "1"}, true, nil},
		"a token":       {map[string]string{"CLOUDSDK_AUTH_ACCESS_TOKEN": "x"}, false, []string{"ALLOW_EXECUTABLES", "CLOUDSDK_AUTH_ACCESS_TOKEN is set, which comes before"}},
		"another name":  {map[string]string{"CLOUDSDK_ACTIVE_CONFIG_NAME": "mine"}, true, []string{"ALLOW_EXECUTABLES", "mine stays the active configuration"}},
		"no agent":      {map[string]string{"SVCCONN_AGENT": "off"}, false, []string{"ALLOW_EXECUTABLES", "SVCCONN_AGENT=off is set"}},
		"not used":      {map[string]string{"CLOUDSDK_ACTIVE_CONFIG_NAME": "mine"}, false, []string{"ALLOW_EXECUTABLES"}},
		"a proxy":       {map[string]string{"HTTP_PROXY": "http://p", "NO_PROXY": "localhost"}, false, []string{"ALLOW_EXECUTABLES", "HTTP_PROXY is set: gcloud would go to the agent through that proxy"}},
		"not for us":    {map[string]string{"http_proxy": "http://p", "no_proxy": "localhost, 127.0.0.1"}, false, []string{"ALLOW_EXECUTABLES"}},
		"https only":    {map[string]string{"HTTPS_PROXY": "http://p"}, false, []string{"ALLOW_EXECUTABLES"}},
		"other folders": {map[string]string{"SVCCONN_STATE_DIR": "/x"}, false, []string{"ALLOW_EXECUTABLES", "SVCCONN_STATE_DIR cannot be written into a credential file"}},
	} {
		s := newSetup(t)
		for key, value := range tc.vars {
			s.vars[key] = value
		}
		got := s.gcloudNotices(tc.use)
		good := len(got) == len(tc.want)
		for i := range min(len(got), len(tc.want)) {
			good = good && strings.Contains(got[i], tc.want[i])
		}
		if !good {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

func TestGcloudConfiguration(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"prod": "prod", "GCP.Prod_1": "gcp-prod-1", "1st": "svcconn-1st", "-x-": "x", "...": "svcconn", "": "svcconn", "büro": "b-ro", "prod-my.bucket.example": "prod-my-bucket-example",
	} {
		if got := GcloudConfiguration(name); got != want || !configurationPattern.MatchString(got) {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestGcloudFolder(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	s.vars["APPDATA"] = "/data"
	if got, want := s.GcloudFolder(), filepath.Join(s.Home, ".config", "gcloud"); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	s.GOOS = "windows"
	if got, want := s.GcloudFolder(), filepath.Join("/data", "gcloud"); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	s.vars["CLOUDSDK_CONFIG"] = "/mine"
	if got := s.GcloudFolder(); got != "/mine" {
		t.Errorf("%q", got)
	}
}

func TestGcloudCommandHasNoSpace(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	spaced := s.write("my tools/svcconn", "")
	if _, err := GcloudCommand(s.Env, spaced); err == nil || !strings.Contains(err.Error(), "has a space") {
		t.Errorf("%v", err)
	}
	plain := s.write("tools/svcconn", "")
	if got, err := GcloudCommand(s.Env, plain); got != plain || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	linked := filepath.Join(s.Home, "tools", "link")
	s.link(spaced, "tools/link")
	s.LookPath = func(string) (string, error) { return linked, nil }
	if got, err := GcloudCommand(s.Env, spaced); got != linked || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}
