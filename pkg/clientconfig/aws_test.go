package clientconfig

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
)

// awsLogin is a login with a profile for a connector of the same name.
func awsLogin(profile string) AWSLogin {
	return AWSLogin{Profile: profile, Connector: profile + "-connector", ResourceType: "aws-generic", ResourceName: "eu-central-1",
		Command: "/opt/bin/svcconn", Says: connector.AWSProfile{Region: "eu-central-1"}}
}

// fullLogin has everything that a profile can say.
func fullLogin(profile string) AWSLogin {
	l := awsLogin(profile)
	l.ReadOnly = true
	l.Says = connector.AWSProfile{Region: "us-gov-west-1", Endpoint: "https://all.example.com", FIPS: true, DualStack: true,
		Endpoints: map[string]string{"sts": "https://sts.example.com", "s3": "https://s3.example.com"}}
	return l
}

func (s *setup) aws(text string) string { return s.write(".aws/config", text) }

func (s *setup) awsLogin(logins ...AWSLogin) *Plan {
	s.t.Helper()
	p, err := PlanAWSLogin(s.Env, logins)
	return s.apply(p, err)
}

func (s *setup) awsLogout(names ...string) *Plan {
	s.t.Helper()
	p, err := PlanAWSLogout(s.Env, names)
	return s.apply(p, err)
}

// written is what a login of awsLogin writes.
func written(profile string) string {
	return "[profile " + profile + "]\ncredential_process = /opt/bin/svcconn credential --connector " + profile + "-connector " +
		"--resource-type aws-generic --resource-name eu-central-1 --format credential-process\nregion = eu-central-1\n"
}

const awsByHand = `# my accounts; the key of dev is ` + canary + `
[default]
region=eu-west-1
output = json

  # indented, about the next
[profile dev]   ; a comment
aws_access_key_id = AKIA` + canary + `
aws_secret_access_key : ` + canary + `
s3 =
    max_concurrent_requests = 20
    # within
    addressing_style = path

[sso-session work]
sso_start_url = https://work.example.com/start#/

[profile "two words"]
role_arn = arn:aws:iam::123456789012:role/x

# the end
`

var awsShapes = map[string]string{
	"by hand":           awsByHand,
	"Windows":           strings.ReplaceAll(awsByHand, "\n", "\r\n"),
	"no newline at end": "[default]\nregion = x",
	"in a nested value": "[default]\ns3 =\n  max_queue_size = 1",
	"empty":             "",
	"blank":             "\n",
	"blank lines":       " \n\t\n\n",
	"spaces at the end": "[default]\nregion = x\n   ",
	"two blank lines":   "[default]\nregion = x\n\n\n",
	"comments alone":    "# nothing yet",
	"indented settings": "[default]\n  region = x\n  output = json\n",
	"twice the same":    "[profile a]\nregion = x\n[profile a]\nregion = y\n",
}

func TestAWSLoginAndLogout(t *testing.T) {
	t.Parallel()
	for name, text := range awsShapes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSetup(t)
			file := s.aws(text)
			if err := os.Chmod(file, 0o640); err != nil {
				t.Fatal(err)
			}
			s.awsLogin(awsLogin("prod"))
			s.awsLogin(awsLogin("prod"), fullLogin("gov"))
			after := content(t, file)
			if !strings.HasPrefix(after, text) {
				t.Errorf("others' text has changed:\n%s", after)
			}
			if plan := s.awsLogin(awsLogin("prod"), fullLogin("gov")); !plan.Empty() {
				t.Errorf("a second login changes %+v", plan.Changes())
			}
			if strings.Contains(text, "\r\n") == strings.Contains(strings.ReplaceAll(after, "\r\n", ""), "\n") {
				t.Errorf("the line ends are mixed: %q", after)
			}
			s.awsLogout("prod")
			s.awsLogout()
			if diff := cmp.Diff(text, content(t, file)); diff != "" {
				t.Errorf("after logout: %s", diff)
			}
			if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o640 {
				t.Errorf("permissions: %v, %v", info.Mode(), err)
			}
			s.noRecord()
		})
	}
}

func TestAWSProfileText(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	s.awsLogin(awsLogin("prod"), fullLogin("gov"))
	file := s.AWSConfigFile()
	want := written("prod") + `
[profile gov]
credential_process = /opt/bin/svcconn credential --connector gov-connector --resource-type aws-generic --resource-name eu-central-1 --access read --format credential-process
region = us-gov-west-1
endpoint_url = https://all.example.com
use_fips_endpoint = true
use_dualstack_endpoint = true
services = svcconn-gov

[services svcconn-gov]
s3 =
  endpoint_url = https://s3.example.com
sts =
  endpoint_url = https://sts.example.com
`
	if diff := cmp.Diff(want, content(t, file)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("permissions: %v, %v", info.Mode(), err)
	}
	s.awsLogout("prod", "gov")
	if left := tree(t, s.Home); len(left) > 1 {
		t.Errorf("a logout leaves %v", left)
	}
	s.noRecord()
}

// A second login changes our settings and leaves what their owner has added.
func TestAWSProfileChangesInPlace(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	file := s.aws("[default]\nregion = x\n")
	s.awsLogin(fullLogin("prod"))
	text := strings.Replace(content(t, file), "region = us-gov-west-1\n", "region = eu-west-9\n# mine\noutput = json\n", 1) + "\n[profile later]\nregion = y\n"
	s.aws(text)
	plan := s.awsLogin(awsLogin("prod"))
	want := "[default]\nregion = x\n\n" + written("prod") + "# mine\noutput = json\n\n[profile later]\nregion = y\n"
	if diff := cmp.Diff(want, content(t, file)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	change := plan.Changes()[0]
	if change.Before != "connector prod-connector (eu-central-1 to read)" || change.After != "connector prod-connector (eu-central-1)" || change.Key != "prod" || change.Tool != AWS {
		t.Errorf("%+v", change)
	}
	s.awsLogout("eu-central-1")
	if got, want := content(t, file), "[default]\nregion = x\n\n[profile later]\nregion = y\n"; got != want {
		t.Errorf("after logout: %q, want %q", got, want)
	}
}

// A profile that was appended to a last line without an end leaves that line whole when
// something else has been written behind it.
func TestAWSLogoutJoinsNoLines(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	file := s.aws("[default]\nregion = x")
	s.awsLogin(awsLogin("prod"))
	s.aws(content(t, file) + "[profile b]\nregion = y\n")
	s.awsLogout()
	if got, want := content(t, file), "[default]\nregion = x\n[profile b]\nregion = y\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A profile of that name goes before resources of that name.
func TestAWSLogoutOfProfileOrResource(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	named, other := awsLogin("zenfiles"), awsLogin("other")
	named.ResourceName, other.ResourceName = "s3://zenfiles", "s3://zenfiles"
	s.awsLogin(named, other)
	for _, want := range [][]AWSPointer{{{s.AWSConfigFile(), "other", "other-connector", "s3://zenfiles"}}, nil} {
		s.awsLogout("zenfiles")
		got, err := AWSPointers(s.Env)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v: %s", err, diff)
		}
	}
}

func TestAWSDefaultProfile(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	s.awsLogin(awsLogin("default"))
	if text := content(t, s.AWSConfigFile()); !strings.HasPrefix(text, "[default]\ncredential_process = ") {
		t.Errorf("wrote %q", text)
	}
	pointers, err := AWSPointers(s.Env)
	if diff := cmp.Diff([]AWSPointer{{s.AWSConfigFile(), "default", "default-connector", "eu-central-1"}}, pointers); err != nil || diff != "" {
		t.Errorf("%v: %s", err, diff)
	}
}

func TestAWSRefusals(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ config, credentials, want string }{
		"a foreign profile":          {"[profile prod]\nregion = x\n", "", "profile prod already that svcconn did not write"},
		"in quotes":                  {"[ profile  \"prod\" ] # mine\nregion = x\n", "", "profile prod already"},
		"with another process":       {"[profile prod]\ncredential_process = /bin/other credential\n", "", "profile prod already"},
		"twice":                      {written("prod") + written("prod"), "", "profile prod already"},
		"foreign services":           {"[services svcconn-prod]\ns3 =\n  endpoint_url = https://x\n", "", "section [services svcconn-prod] already"},
		"keys in credentials":        {"", "[other]\n[prod]\naws_access_key_id = " + canary + "\n", "credentials has a section [prod], and its keys come before"},
		"keys, spelled otherwise":    {"", "[profile prod]\n", "credentials has a section [prod]"},
		"text before the first":      {"region = x\n[default]\n", "", "line 1: there is something before the first section"},
		"no setting":                 {"[default]\nregion\n", "", "line 2: it is neither a section nor a setting"},
		"a section without its end":  {"[default\n", "", "line 1: the name of a section is malformed"},
		"an empty name":              {"[ ]\n", "", "line 1: the name of a section is malformed"},
		"text behind a section":      {"[default] x\n", "", "line 1: the name of a section is malformed"},
		"an indented section":        {"[default]\nregion = x\n  [profile a]\n", "", "line 3: a section's name is indented"},
		"a byte order mark":          {"\ufeff[default]\n", "", "byte order mark"},
		"not UTF-8":                  {"[default]\nregion = \xff\n", "", "not in UTF-8"},
		"an old Macintosh":           {"[default]\rregion = x\r", "", "line 1: there is a carriage return"},
		"a lone carriage return":     {"\r", "", "line 1: there is a carriage return"},
		"ours, in an unusual layout": {"[profile prod]\n  credential_process = /x/svcconn credential --connector c\n  output = json\n", "", "laid out in a way"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSetup(t)
			file := s.aws(tc.config)
			if tc.credentials != "" {
				s.write(".aws/credentials", tc.credentials)
			}
			_, err := PlanAWSLogin(s.Env, []AWSLogin{awsLogin("prod")})
			if err == nil || !strings.Contains(err.Error(), tc.want) || fault.HintOf(err) == "" {
				t.Errorf("error %v, hint %q, want %q", err, fault.HintOf(err), tc.want)
			}
			noCanary(t, "the error", err.Error())
			if content(t, file) != tc.config {
				t.Error("the file was changed")
			}
		})
	}
}

func TestAWSProfileNames(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	for _, name := range []string{"", "two words", "a]", "a#b", "a;b", `a"b`, "a\nb", "ä"} {
		if _, err := PlanAWSLogin(s.Env, []AWSLogin{awsLogin(name)}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := PlanAWSLogin(s.Env, []AWSLogin{awsLogin("a"), awsLogin("a")}); !fault.Is(err, fault.Ambiguous) {
		t.Errorf("two of a name: %v", err)
	}
}

func TestAWSFilesAreWhereTheVariablesSay(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	s.vars["AWS_CONFIG_FILE"], s.vars["AWS_SHARED_CREDENTIALS_FILE"] = "~/elsewhere/config", s.write("keys", "[prod]\n")
	if got, want := s.AWSConfigFile(), s.Home+"/elsewhere/config"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if _, err := PlanAWSLogin(s.Env, []AWSLogin{awsLogin("prod")}); !fault.Is(err, fault.Failed) {
		t.Errorf("the credentials file was not looked at: %v", err)
	}
	s.awsLogin(awsLogin("dev"))
	delete(s.vars, "AWS_CONFIG_FILE")
	s.awsLogout() // finds what a login wrote, wherever that is
	if left := tree(t, s.Home); len(left) != 2 {
		t.Errorf("left: %v", left)
	}
}

func TestAWSNotices(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	if notices := s.awsLogin(awsLogin("a")).Notices(); len(notices) != 0 {
		t.Errorf("%q", notices)
	}
	s.vars["SVCCONN_CONFIG_DIR"], s.vars["SVCCONN_SECRETS"] = "/elsewhere", "file"
	notices := s.awsLogin(awsLogin("b")).Notices()
	if len(notices) != 1 || !strings.HasPrefix(notices[0], "SVCCONN_CONFIG_DIR, SVCCONN_SECRETS cannot be written into a profile") {
		t.Errorf("%q", notices)
	}
}

func TestAWSDiffShowsNoValues(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	s.aws(awsByHand)
	p, err := PlanAWSLogin(s.Env, []AWSLogin{fullLogin("prod")})
	if err != nil {
		t.Fatal(err)
	}
	noCanary(t, "the diff", p.Diff())
	for _, want := range []string{"\n+[profile prod]\n", "\n+  endpoint_url = https://s3.example.com\n", "\n role_arn = [redacted]\n", "\n # [redacted]\n"} {
		if !strings.Contains(p.Diff(), want) {
			t.Errorf("%q is not in the diff:\n%s", want, p.Diff())
		}
	}
	all := string(snapshotText{text: []byte(awsByHand)}.redactedAWS())
	noCanary(t, "the redacted file", all)
	for _, want := range []string{"\n[profile dev]\n", "\naws_access_key_id = [redacted]\n", "\n    max_concurrent_requests = [redacted]\n"} {
		if !strings.Contains(all, want) || strings.Count(all, "\n") != strings.Count(awsByHand, "\n") {
			t.Errorf("%q is not in:\n%s", want, all)
		}
	}
}

// What a value looks like, or which of both signs is before it, does not make it a key;
// and what somebody else wrote into a profile of ours is not ours.
func TestAWSDiffTakesNoSecretForAKey(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"a colon, and padding": "[dev]\naws_secret_access_key : " + canary + "/Zm9v=\n",
		"on a line of its own": "[dev]\naws_session_token =\n    FwoG" + canary + "==\n",
		"not indented":         "[dev]\naws_session_token = FwoG\n" + canary + "==\n",
		"a key in a profile":   "[profile ours]\ncredential_process = /bin/svcconn credential --connector x --format credential-process\naws_secret_access_key = " + canary + "\n",
		"a comment in one":     "[profile ours]\n# " + canary + "\ncredential_process = /bin/svcconn credential --connector x --format credential-process\n",
		"behind a name":        "[profile ours] # " + canary + "\ncredential_process = /bin/svcconn credential --connector x --format credential-process\n",
		"a value that goes on": "[profile ours]\ncredential_process = /bin/svcconn credential --connector x --format credential-process\naws_session_token = a\n  " + canary + "\n",
	} {
		shown := string(snapshotText{text: []byte(text)}.redactedAWS())
		noCanary(t, name, shown)
		if strings.Count(shown, "\n") != strings.Count(text, "\n") || strings.Contains(text, "ours") != strings.Contains(shown, "--connector x") {
			t.Errorf("%s: it is shown as\n%s", name, shown)
		}
	}
}

// Killed between two steps of a login or a logout, both do the right thing afterwards.
func TestAWSKilledAnywhere(t *testing.T) {
	t.Parallel()
	for name, plant := range map[string]func(*setup){
		"no file":          func(*setup) {},
		"a file":           func(s *setup) { s.aws(awsByHand) },
		"no end":           func(s *setup) { s.aws("[default]\nregion = x") },
		"logged in before": func(s *setup) { s.awsLogin(awsLogin("first")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSetup(t)
			s.write("x", "") // a home folder
			plant(s)
			login := func() { s.awsLogin(fullLogin("prod")) }
			logout := func() { s.awsLogout("prod") }
			out := s.tree()
			login()
			in := s.tree()
			file := s.AWSConfigFile()
			steps := s.steps(file, out, in)
			for done := range len(steps) + 1 {
				state, back := cut(out, in, steps, done), cut(in, out, reversed(steps), done)
				s.check(state, out, logout)
				s.check(state, in, login)
				s.check(back, out, logout)
				s.check(back, in, login)
				s.check(back, out, func() { login(); logout() })
			}
		})
	}
}

// cut is a change from one state to another of which some steps are done.
func cut(from, to map[string]string, steps [][]string, done int) map[string]string {
	mixed := map[string]string{}
	for path, text := range from {
		if to[path] == text {
			mixed[path] = text
		}
	}
	for i, paths := range steps {
		if i < done {
			copyPaths(mixed, to, paths)
			continue
		}
		copyPaths(mixed, from, paths)
	}
	return mixed
}

func reversed(steps [][]string) [][]string {
	var out [][]string
	for i := range steps {
		out = append(out, steps[len(steps)-1-i])
	}
	return out
}
