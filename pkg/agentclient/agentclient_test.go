package agentclient

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/paths"
	"github.com/svcconn/svcconn/pkg/proc"
	"github.com/svcconn/svcconn/pkg/secret"
	"github.com/svcconn/svcconn/pkg/wire"
)

func TestAnAgentInheritsNoCredentials(t *testing.T) {
	t.Parallel()
	kept := []string{
		"HOME=/h", "PATH=/bin", "LANG=C", "LC_ALL=C", "XDG_RUNTIME_DIR=/run/user/1", "DBUS_SESSION_BUS_ADDRESS=unix:path=/x",
		"HTTPS_PROXY=p", "https_proxy=p", "no_proxy=n", "SSL_CERT_FILE=c", "SVCCONN_CONFIG_DIR=/c", "SystemRoot=C:\\Windows",
	}
	dropped := []string{
		"AWS_ACCESS_KEY_ID=a", "AWS_PROFILE=p", "GOOGLE_APPLICATION_CREDENTIALS=g", "AZURE_CLIENT_SECRET=z", "KUBECONFIG=k",
		"DOCKER_CONFIG=d", "DOCKER_AUTH_CONFIG=s", "GITHUB_TOKEN=t", "SSH_AUTH_SOCK=s", "SVCCONN_AGENT=off", "MY_PASSWORD=p", "HOMEWARD=x", "=C:=x",
	}
	if diff := cmp.Diff(kept, AgentEnv(append(append([]string{}, dropped...), kept...))); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestSocket(t *testing.T) {
	t.Parallel()
	short := t.TempDir()
	if got, err := Socket(short + "/run"); err != nil || got != filepath.Join(short, "run", "agent.sock") {
		t.Errorf("a folder that is not there yet: %q, %v", got, err)
	}
	long := filepath.Join(short, strings.Repeat("x", 200))
	first, err := Socket(long)
	again, _ := Socket(long)
	other, _ := Socket(long + "y")
	if err != nil || len(first) > maxSocket || first != again || first == other {
		t.Errorf("a long folder: %q, %q, %q, %v", first, again, other, err)
	}
	if runtime.GOOS == "windows" {
		return
	}
	open := filepath.Join(short, "open")
	if err := os.Mkdir(open, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Socket(open); !fault.Is(err, fault.Denied) || !strings.Contains(fault.HintOf(err), "chmod 700") {
		t.Errorf("a folder open to others: %v", err)
	}
	link := filepath.Join(short, "link")
	if err := os.Symlink(short, link); err != nil {
		t.Fatal(err)
	}
	if _, err := Socket(link); !fault.Is(err, fault.Denied) {
		t.Errorf("a link in place of the folder: %v", err)
	}
}

func TestNobodyListens(t *testing.T) {
	t.Parallel()
	c := &Client{Dirs: paths.Dirs{Runtime: t.TempDir()}}
	if err := os.Chmod(c.Dirs.Runtime, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Dial(); !fault.Is(err, fault.NotFound) {
		t.Errorf("no socket: %v (%s)", err, fault.KindOf(err))
	}
}

// TestAnAskIsAnsweredFromTheEnvironmentAlone: without a person, a question to one is
// answered "not set" and a variable is what the front-end's own environment says.
func TestAnAskIsAnsweredFromTheEnvironmentAlone(t *testing.T) {
	t.Parallel()
	c := &Client{world: proc.World{Env: []string{"PW=canary", "EMPTY="}}}
	for _, tc := range []struct {
		ask   wire.Reply
		value string
		set   bool
	}{
		{wire.Reply{Name: "PW"}, "canary", true}, {wire.Reply{Name: "EMPTY"}, "", true},
		{wire.Reply{Name: "OTHER"}, "", false}, {wire.Reply{Text: "Passphrase"}, "", false},
	} {
		reader, writer, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.answer(writer, tc.ask); err != nil {
			t.Fatal(err)
		}
		var answer wire.Answer
		value, err := wire.Read(reader, &answer)
		if err != nil || answer.Set != tc.set || value.Reveal() != tc.value {
			t.Errorf("%+v: set %t, %d bytes, %v", tc.ask, answer.Set, value.Len(), err)
		}
		_, _ = reader.Close(), writer.Close()
	}
	stop := errors.New("the person said no")
	c.Ask = func(string, string) (secret.Text, bool, error) { return secret.Text{}, false, stop }
	if err := c.answer(nil, wire.Reply{Text: "Passphrase"}); !errors.Is(err, stop) {
		t.Errorf("a refusal: %v", err)
	}
}

func TestWhyAnAgentDidNotStart(t *testing.T) {
	t.Parallel()
	err := startFailure(t.Context(), "/bin/svcconn", "cannot write /x: no space left on device")
	if !strings.Contains(err.Error(), "no space left") || !strings.Contains(fault.HintOf(err), "/bin/svcconn agent run") {
		t.Errorf("%v, hint %q", err, fault.HintOf(err))
	}
	if err := startFailure(t.Context(), "/bin/svcconn", ""); !strings.Contains(err.Error(), "said nothing") {
		t.Errorf("%v", err)
	}
}
