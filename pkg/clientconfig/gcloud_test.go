package clientconfig

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
)

const exchangeHere = "127.0.0.1:20001"

// gcloudLogin is a login with a configuration for a connector of the same name.
func gcloudLogin(configuration string) GcloudLogin {
	return GcloudLogin{Configuration: configuration, Connector: configuration + "-connector", ResourceType: "gcp-generic", ResourceName: "acme",
		Command: "/opt/bin/svcconn", Says: connector.GcloudProperties{Project: "acme"}}
}

// fullGcloudLogin has everything that a configuration can say.
func fullGcloudLogin(configuration string) GcloudLogin {
	l := gcloudLogin(configuration)
	l.ResourceType, l.ResourceName, l.ReadOnly = "gcs-bucket", "gs://zenfiles", true
	l.Says = connector.GcloudProperties{Project: "example.com:acme", QuotaProject: "quota", Universe: "apis.example.goog",
		Endpoints: map[string]string{"storage": "https://storage.example.com/storage/v1", "container": "https://container.example.com/"}}
	return l
}

func (s *setup) gcloud(configuration, text string) string {
	return s.write(".config/gcloud/configurations/config_"+configuration, text)
}

func (s *setup) active(text string) string { return s.write(".config/gcloud/active_config", text) }

func (s *setup) gcloudLogin(logins ...GcloudLogin) *Plan {
	s.t.Helper()
	return s.gcloudUse(false, logins...)
}

func (s *setup) gcloudUse(use bool, logins ...GcloudLogin) *Plan {
	s.t.Helper()
	p, err := PlanGcloudLogin(s.Env, logins, exchangeHere, use)
	return s.apply(p, err)
}

func (s *setup) gcloudLogout(names ...string) *Plan {
	s.t.Helper()
	p, err := PlanGcloudLogout(s.Env, names)
	return s.apply(p, err)
}

func TestGcloudLoginWritesAndLogoutTakesBack(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	s.write("x", "")
	before := s.tree()
	s.gcloudLogin(gcloudLogin("prod"), fullGcloudLogin("files"))
	credentials := s.GcloudCredentials("prod")
	if diff := cmp.Diff("[core]\nproject = acme\n\n[auth]\ncredential_file_override = "+credentials+"\n", content(t, s.gcloudFile("prod"))); diff != "" {
		t.Error(diff)
	}
	want := `{
  "type": "external_account",
  "audience": "//iam.googleapis.com/locations/global/workloadIdentityPools/svcconn/providers/prod",
  "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
  "token_url": "http://127.0.0.1:20001/v1/token",
  "token_info_url": "http://127.0.0.1:20001/v1/introspect",
  "credential_source": {
    "executable": {
      "command": "/opt/bin/svcconn credential --connector prod-connector --resource-type gcp-generic --resource-name acme --format google-executable --exchange 127.0.0.1:20001",
      "timeout_millis": 120000
    }
  }
}
`
	if diff := cmp.Diff(want, content(t, credentials)); diff != "" {
		t.Error(diff)
	}
	full := content(t, s.gcloudFile("files"))
	for _, want := range []string{"\nuniverse_domain = apis.example.goog\n", "\nquota_project = quota\n", "\n[api_endpoint_overrides]\ncontainer = https://container.example.com/\nstorage = https://storage.example.com/storage/v1/\n"} {
		if !strings.Contains(full, want) {
			t.Errorf("no %q in:\n%s", want, full)
		}
	}
	file := content(t, s.GcloudCredentials("files"))
	for _, want := range []string{`"universe_domain": "apis.example.goog"`, `"quota_project_id": "quota"`, "--resource-name gs://zenfiles --access read"} {
		if !strings.Contains(file, want) {
			t.Errorf("no %q in:\n%s", want, file)
		}
	}
	if !s.gcloudLogin(gcloudLogin("prod"), fullGcloudLogin("files")).Empty() {
		t.Error("the same login changes something")
	}
	s.gcloudLogout()
	if diff := cmp.Diff(before, s.tree()); diff != "" {
		t.Errorf("after logout (-want +got):\n%s", diff)
	}
	s.noRecord()
}

func TestGcloudLoginAgainChangesWhatItWrote(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	s.write("x", "")
	before := s.tree()
	s.gcloudLogin(fullGcloudLogin("prod"))
	again := gcloudLogin("prod")
	plan := s.gcloudLogin(again)
	if changes := plan.Changes(); len(changes) != 2 || changes[0].Before != "connector prod-connector (gs://zenfiles to read)" || changes[0].After != "connector prod-connector (acme)" {
		t.Errorf("%+v", changes)
	}
	if text := content(t, s.gcloudFile("prod")); strings.Contains(text, "example") || strings.Contains(text, "quota") {
		t.Errorf("a former login is left over:\n%s", text)
	}
	s.gcloudLogout("prod")
	if diff := cmp.Diff(before, s.tree()); diff != "" {
		t.Errorf("after logout (-want +got):\n%s", diff)
	}
}

// gcloud writes the whole file anew when it sets something; what others set stays.
func TestGcloudSettingsOfOthersStay(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]struct{ in, out string }{
		"as gcloud writes it": {"[core]\nproject = changed\ndisable_prompts = true\n\n[auth]\ncredential_file_override = FILE\n\n[proxy]\npassword = " + canary + "\n\n", "[core]\ndisable_prompts = true\n\n[proxy]\npassword = " + canary + "\n\n"},
		"by hand":             {"# mine\r\n[ai]\r\nregion : x\r\n[auth] ; c\r\n  credential_file_override=FILE\r\n# end", "# mine\r\n[ai]\r\nregion : x\r\n# end"},
		"nothing":             {"[auth]\ncredential_file_override = FILE", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSetup(t)
			s.gcloudLogin(gcloudLogin("prod"))
			file := s.gcloud("prod", strings.ReplaceAll(text.in, "FILE", s.GcloudCredentials("prod")))
			plan, err := PlanGcloudLogin(s.Env, []GcloudLogin{fullGcloudLogin("prod")}, exchangeHere, false)
			if err != nil {
				t.Fatal(err)
			}
			noCanary(t, "the diff", plan.Diff())
			s.apply(plan, nil)
			if f, err := parseGcloud(file, []byte(content(t, file))); err != nil || f.says(sectionCore, keyProject) != "example.com:acme" {
				t.Errorf("%v:\n%s", err, content(t, file))
			}
			s.gcloudLogout()
			left, err := os.ReadFile(file)
			if string(left) != text.out || (err != nil) != (text.out == "") {
				t.Errorf("left %q (%v), want %q", left, err, text.out)
			}
			s.noRecord()
		})
	}
}

func TestGcloudConfigurationsOfOthersAreLeftAlone(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ text, want string }{
		"empty":               {"", "a configuration already that svcconn did not write"},
		"a project":           {"[core]\nproject = x\n", "a configuration already that svcconn did not write"},
		"another set-up":      {"[auth]\ncredential_file_override = /else/gcloud/prod.json\n", "svcconn did not write"},
		"lone return":         {"[core]\nproject = x\ry = z\n", "line 2: there is a carriage return"},
		"byte order mark":     {"\ufeff[core]\n", "which gcloud does not read"},
		"before a section":    {"a = b\n[core]\n", "before the first section"},
		"no value":            {"[core]\nproject\n", "line 2: it is neither a section nor a setting"},
		"section twice":       {"[core]\n[auth]\n[core]\n", "line 3: a section is there twice"},
		"setting twice":       {"[core]\nproject = x\nProject: y\n", "line 3: a setting is there twice"},
		"percent sign":        {"[core]\nproject = 5%\n", "line 2: there is a %"},
		"spaces in a section": {"[ core ]\n", "the name of a section is malformed"},
		"another space":       {"[core]\n\u00a0project = x\n", "a space of another kind"},
		"control character":   {"[core]\nproject = \x1f\n", "a control character"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSetup(t)
			file := s.gcloud("prod", tc.text)
			before := s.tree()
			_, err := PlanGcloudLogin(s.Env, []GcloudLogin{gcloudLogin("prod")}, exchangeHere, true)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v, want %q", err, tc.want)
			}
			if diff := cmp.Diff(before, s.tree()); diff != "" || content(t, file) != tc.text {
				t.Error(diff)
			}
			if s.gcloudLogout(); content(t, file) != tc.text { // whatever is wrong with it
				t.Error("a logout changed it")
			}
		})
	}
}

func TestForeignCredentialFileIsLeftAlone(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	path := s.write("../set-up/gcloud/prod.json", `{"type": "service_account"}`)
	_, err := PlanGcloudLogin(s.Env, []GcloudLogin{gcloudLogin("prod")}, exchangeHere, false)
	if err == nil || !strings.Contains(err.Error(), "svcconn did not write") || !strings.Contains(fault.HintOf(err), "--configuration") {
		t.Errorf("%v", err)
	}
	if s.gcloudLogout(); content(t, path) != `{"type": "service_account"}` {
		t.Error("a logout changed it")
	}
}

func TestGcloudLoginRefusals(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change     func(*GcloudLogin)
		want, hint string
	}{
		"capital":       {func(l *GcloudLogin) { l.Configuration = "Prod" }, `"Prod" cannot be the name`, "small letter"},
		"traversal":     {func(l *GcloudLogin) { l.Configuration = "../x" }, "cannot be the name", ""},
		"space":         {func(l *GcloudLogin) { l.Command = "/my tools/svcconn" }, "cannot be part of the command", "without spaces"},
		"quote":         {func(l *GcloudLogin) { l.Command = `/o"neil/svcconn` }, "cannot be part of the command", ""},
		"line":          {func(l *GcloudLogin) { l.ResourceName = "a\nb" }, "cannot be part of the command", ""},
		"line, project": {func(l *GcloudLogin) { l.Says.Project = "a\n[proxy]" }, "cannot be the value of core/project", ""},
		"twice":         {nil, "two resources would both have the configuration prod", "--configuration NAME"},
	} {
		s := newSetup(t)
		logins := []GcloudLogin{gcloudLogin("prod")}
		if tc.change == nil {
			logins = append(logins, logins[0])
		} else {
			tc.change(&logins[0])
		}
		_, err := PlanGcloudLogin(s.Env, logins, exchangeHere, false)
		if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(fault.HintOf(err), tc.hint) {
			t.Errorf("%s: %v (%s)", name, err, fault.HintOf(err))
		}
	}
}

func TestActiveConfigurationGoesBack(t *testing.T) {
	t.Parallel()
	one, two := gcloudLogin("one"), gcloudLogin("two")
	for name, tc := range map[string]struct {
		act  func(*setup)
		want string
	}{
		"used":               {func(s *setup) { s.gcloudUse(true, one) }, "one"},
		"not used":           {func(s *setup) { s.gcloudLogin(one) }, "default"},
		"used, out":          {func(s *setup) { s.gcloudUse(true, one); s.gcloudLogout("one") }, "default"},
		"used twice, out":    {func(s *setup) { s.gcloudUse(true, one); s.gcloudUse(true, one); s.gcloudLogout() }, "default"},
		"two, the last out":  {func(s *setup) { s.gcloudUse(true, one); s.gcloudUse(true, two); s.gcloudLogout("two") }, "one"},
		"two, the first out": {func(s *setup) { s.gcloudUse(true, one); s.gcloudUse(true, two); s.gcloudLogout("one") }, "two"},
		"two, first, last out": {func(s *setup) {
			s.gcloudUse(true, one)
			s.gcloudUse(true, two)
			s.gcloudLogout("one")
			s.gcloudLogout("two")
		}, "default"},
		"two, both out":           {func(s *setup) { s.gcloudUse(true, one); s.gcloudUse(true, two); s.gcloudLogout() }, "default"},
		"another chosen":          {func(s *setup) { s.gcloudUse(true, one); s.active("mine"); s.gcloudLogout() }, "mine"},
		"another chosen, in, out": {func(s *setup) { s.gcloudUse(true, one); s.active("mine"); s.gcloudUse(true, one); s.gcloudLogout() }, "mine"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSetup(t)
			file := s.active("default")
			tc.act(s)
			if got := content(t, file); got != tc.want {
				t.Errorf("active is %q, want %q", got, tc.want)
			}
		})
	}
}

func TestActiveConfigurationThatIsGone(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	s.gcloudLogin(gcloudLogin("prod"))
	s.active("prod") // gcloud config configurations activate prod
	if notices := s.gcloudLogout().Notices(); len(notices) != 1 || !strings.Contains(notices[0], "gcloud config configurations activate") {
		t.Errorf("%q", notices)
	}
}

func TestGcloudLogoutByName(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		names []string
		left  []string
	}{
		"configuration":            {[]string{"prod"}, []string{"files", "zenfiles"}},
		"resource":                 {[]string{"gs://zenfiles"}, []string{"prod", "zenfiles"}},
		"configuration first":      {[]string{"zenfiles"}, []string{"files", "prod"}},
		"nobody":                   {[]string{"nobody", ""}, []string{"files", "prod", "zenfiles"}},
		"several":                  {[]string{"prod", "files"}, []string{"zenfiles"}},
		"all":                      {},
		"a resource without gs://": {[]string{"other"}, []string{"files", "prod", "zenfiles"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSetup(t)
			zen := gcloudLogin("zenfiles")
			zen.ResourceName = "elsewhere"
			s.gcloudLogin(gcloudLogin("prod"), fullGcloudLogin("files"), zen)
			s.gcloudLogout(tc.names...)
			pointers, err := GcloudPointers(s.Env)
			var left []string
			for _, p := range pointers {
				left = append(left, p.Configuration)
			}
			if err != nil || !slices.Equal(left, tc.left) {
				t.Errorf("left %q, %v, want %q", left, err, tc.left)
			}
		})
	}
}
