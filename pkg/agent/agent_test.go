package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/pkg/agentclient"
	"github.com/svcconn/svcconn/pkg/broker"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/paths"
	"github.com/svcconn/svcconn/pkg/proc"
	"github.com/svcconn/svcconn/pkg/secret"
	"github.com/svcconn/svcconn/pkg/secrets"
	"github.com/svcconn/svcconn/pkg/wire"
)

const canary = "canary-K3w8Lq0ZtB"

// memory is the OS keyring of the tests.
type memory struct{ entries sync.Map }

func (m *memory) Get(_ context.Context, account string) (secret.Text, error) {
	if value, ok := m.entries.Load(account); ok {
		return value.(secret.Text), nil
	}
	return secret.Text{}, fault.New(fault.NotFound, "no such entry")
}

func (m *memory) Set(_ context.Context, account string, value secret.Text) error {
	m.entries.Store(account, value)
	return nil
}

func (m *memory) Delete(_ context.Context, account string) error {
	if _, ok := m.entries.LoadAndDelete(account); !ok {
		return fault.New(fault.NotFound, "no such entry")
	}
	return nil
}

func (m *memory) size() (n int) {
	m.entries.Range(func(any, any) bool { n++; return true })
	return n
}

// The types of the tests: the docker type's shape, and a cloud that mints for its
// registries.
var (
	username = field.String{Name: usernameField, Title: "User", Help: "User.", Required: true}
	password = field.Secret{Name: passwordField, Title: "Password", Help: "Password.", Required: true}
	host     = field.String{Name: registryField, Title: "Registry", Help: "Registry.", Default: "docker.io"}
)

type session struct{ settings connector.Settings }

func (s session) Verify(context.Context) (connector.Identity, error) {
	return connector.Identity{Name: username.Get(s.settings.Values)}, nil
}

func (s session) List(_ context.Context, t string, yield func(connector.Resource) error) error {
	return yield(connector.Resource{Type: t, Name: s.settings.ResourceName})
}

func (s session) Mint(_ context.Context, r connector.Request) (connector.Credential, error) {
	return connector.RegistryLogin{Registry: r.ResourceName, Username: username.Get(s.settings.Values), Secret: password.Get(s.settings.Values)}, nil
}

func types() connector.Types {
	var out []*connector.Type
	for _, name := range []string{dockerType, "cloud"} {
		out = append(out, &connector.Type{
			Name: name, Title: name, Doc: name,
			Methods: []connector.AuthMethod{{Name: passwordMethod, Title: "p", Doc: "p", Fields: field.Set{username, password, host}}},
			Resources: []connector.ResourceType{{
				Name: broker.DockerRegistry, Title: "r", Doc: "r", Default: host.Get, Username: username.Get,
				Parse: func(_ field.Values, name string) (string, error) { return name, nil },
			}},
			Open: func(_ connector.Host, s connector.Settings) (connector.Session, error) { return session{s}, nil },
		})
	}
	return connector.NewTypes(out...)
}

// agentWorld is a running agent and a way to start clients of it.
type agentWorld struct {
	t       *testing.T
	server  *Server
	broker  *broker.Broker
	keyring *memory
	dirs    paths.Dirs
	env     []string
	ended   chan error
}

func start(t *testing.T, release string) *agentWorld {
	t.Helper()
	return startTypes(t, release, types())
}

func startTypes(t *testing.T, release string, types connector.Types) *agentWorld {
	t.Helper()
	dir := t.TempDir()
	w := &agentWorld{t: t, keyring: &memory{}, env: []string{"SVCCONN_CONFIG_DIR=" + dir}}
	var err error
	if w.dirs, err = paths.Resolve(proc.World{Env: w.env}.Getenv); err != nil {
		t.Fatal(err)
	}
	manager := secrets.Open(secrets.Config{StateDir: w.dirs.State, Backend: "keyring", Getenv: func(string) string { return "" }, Keyring: w.keyring})
	w.broker = broker.New(broker.Config{Types: types, Dirs: w.dirs, Secrets: manager, Owner: "me",
		Host: connector.Host{Now: time.Now, Getenv: func(string) string { return "" }}})
	t.Cleanup(w.broker.Close)
	w.run(release)
	return w
}

func (w *agentWorld) run(release string) {
	w.t.Helper()
	w.server = NewServer(w.broker, w.dirs, release, os.Getpid(), time.Now)
	ctx, cancel := context.WithCancel(context.Background())
	ready := make(chan struct{})
	ended := make(chan error, 1)
	w.ended = ended
	go func() { ended <- w.server.Run(ctx, func() { close(ready) }) }()
	w.t.Cleanup(func() { cancel(); <-ended })
	select {
	case <-ready:
	case err := <-ended:
		ended <- err
		w.t.Fatalf("the agent ended at once: %v", err)
	}
}

// exited waits for the end of the agent.
func (w *agentWorld) exited() {
	w.t.Helper()
	err := <-w.ended
	w.ended <- err
	if err != nil {
		w.t.Errorf("the agent ended with %v", err)
	}
}

func (w *agentWorld) client(notices *bytes.Buffer, env ...string) *agentclient.Client {
	w.t.Helper()
	c, err := agentclient.New(proc.World{Env: append(env, w.env...), Now: time.Now}, "test")
	if err != nil {
		w.t.Fatal(err)
	}
	c.Watch = func(r wire.Reply) error {
		if notices != nil && r.Event == wire.Notice {
			notices.WriteString(r.Text)
		}
		return nil
	}
	return c
}

func (w *agentWorld) call(op, body string) (agentclient.Answer, error) {
	return w.client(nil).Call(w.t.Context(), op, nil, secret.New(body))
}

func (w *agentWorld) mustCall(op, body string) agentclient.Answer {
	w.t.Helper()
	answer, err := w.call(op, body)
	if err != nil {
		w.t.Fatalf("%s: %v", op, err)
	}
	return answer
}

func storeJSON(server, user, text string) string {
	out, _ := json.Marshal(dockerCredential{server, user, text})
	return string(out)
}

func (w *agentWorld) register(name, typ, registry string) {
	w.t.Helper()
	var values field.Values
	values.Set(usernameField, "ci")
	values.Set(registryField, registry)
	values.SetSecret(passwordField, secret.New(canary))
	if _, err := w.broker.Register(w.t.Context(), broker.Draft{Name: name, Spec: connector.Spec{Type: typ, Values: values}}, false); err != nil {
		w.t.Fatal(err)
	}
}

func (w *agentWorld) names() []string {
	w.t.Helper()
	all, _, err := w.broker.AllRegistered(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	names := []string{}
	for _, c := range all {
		names = append(names, c.Name)
	}
	return names
}

func TestDockerLoginAndLogout(t *testing.T) {
	t.Parallel()
	w := start(t, "1.0.0")
	const server = "https://registry.example.com:5000/v2/"
	if !w.mustCall(wire.DockerGet, server).Absent {
		t.Fatal("an unknown registry is not absent")
	}
	w.mustCall(wire.DockerStore, storeJSON(server, "me", canary))
	for _, spelling := range []string{"registry.example.com:5000", "http://Registry.Example.com:5000/v1/", "registry.example.com:5000/team/app"} {
		var got dockerCredential
		if err := json.Unmarshal([]byte(w.mustCall(wire.DockerGet, spelling).Body.Reveal()), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(dockerCredential{spelling, "me", canary}, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", spelling, diff)
		}
	}
	if got := w.mustCall(wire.DockerList, "unused").Body.Reveal(); got != `{"registry.example.com:5000":"me"}` {
		t.Errorf("list: %s", got)
	}
	w.mustCall(wire.DockerStore, storeJSON("registry.example.com:5000", "other", "new-"+canary))
	if got := w.mustCall(wire.DockerGet, server).Body.Reveal(); !strings.Contains(got, "new-"+canary) || !strings.Contains(got, "other") {
		t.Error("a second docker login did not replace the first")
	}
	if diff := cmp.Diff([]string{"registry.example.com-5000"}, w.names()); diff != "" {
		t.Errorf("connectors: %s", diff)
	}
	for range 2 { // logout erases several spellings: absent is fine
		w.mustCall(wire.DockerErase, server)
	}
	if !w.mustCall(wire.DockerGet, server).Absent || w.keyring.size() != 0 || len(w.names()) != 0 {
		t.Error("logout left something behind")
	}
}

func TestTheEchoOfDockerLoginChangesNothing(t *testing.T) {
	t.Parallel()
	w := start(t, "1.0.0")
	w.register("hub", dockerType, "docker.io")
	w.register("cloudy", "cloud", "cloud.example.com")
	for _, server := range []string{"https://index.docker.io/v1/", "cloud.example.com"} {
		before, err := w.broker.Find(t.Context(), map[bool]string{true: "cloudy", false: "hub"}[server == "cloud.example.com"])
		if err != nil {
			t.Fatal(err)
		}
		got := w.mustCall(wire.DockerGet, server).Body.Reveal()
		w.mustCall(wire.DockerStore, got)
		after, err := w.broker.Find(t.Context(), before.Name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("%s: the echo changed the connector: %s", server, diff)
		}
	}
	_, err := w.call(wire.DockerStore, storeJSON("cloud.example.com", "me", "foreign"))
	if err == nil || !strings.Contains(err.Error(), "cloudy") || !strings.Contains(fault.HintOf(err), "svcconn delete cloudy") {
		t.Errorf("a foreign secret for another connector's registry: %v", err)
	}
	var notices bytes.Buffer
	if _, err := w.client(&notices).Call(t.Context(), wire.DockerErase, nil, secret.New("cloud.example.com")); err != nil {
		t.Errorf("erase: %v", err)
	}
	if !strings.Contains(notices.String(), "cloudy") || len(w.names()) != 2 {
		t.Errorf("erase of another connector's registry: notice %q, connectors %v", notices.String(), w.names())
	}
}

func TestTheTokensOfDockersWebLoginDoNotTouchTheLogin(t *testing.T) {
	t.Parallel()
	w := start(t, "1.0.0")
	w.register("hub", dockerType, "docker.io")
	for _, path := range []string{"access-token", "refresh-token"} {
		server := "https://index.docker.io/v1/" + path
		w.mustCall(wire.DockerStore, storeJSON(server, "me", "token"))
		if !w.mustCall(wire.DockerGet, server).Absent {
			t.Errorf("%s: the login was handed out for it", server)
		}
		w.mustCall(wire.DockerErase, server)
	}
	if got := w.mustCall(wire.DockerGet, "docker.io").Body.Reveal(); !strings.Contains(got, canary) {
		t.Error("the login is gone")
	}
}

func TestMalformedStore(t *testing.T) {
	t.Parallel()
	w := start(t, "1.0.0")
	for body, want := range map[string]string{
		"":                                  "not the JSON",
		"{":                                 "not the JSON",
		storeJSON("", "u", "s"):             "no credentials server URL",
		storeJSON("r.example.com", "", "s"): "no credentials username",
		storeJSON("r.example.com", "u", ""): "empty",
	} {
		if _, err := w.call(wire.DockerStore, body); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", body, err, want)
		}
	}
	if len(w.names()) != 0 || w.keyring.size() != 0 {
		t.Error("something was stored")
	}
}

func TestANewerClientReplacesTheAgent(t *testing.T) {
	t.Parallel()
	w := start(t, "1.0.0")
	conn, err := w.client(nil).Dial()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ask := func(release string) wire.Reply {
		t.Helper()
		request := wire.Request{Protocol: wire.Protocol, Op: wire.Ping, Client: wire.Client{Release: release}}
		if err := wire.Write(conn, request, secret.Text{}); err != nil {
			t.Fatal(err)
		}
		var reply wire.Reply
		if _, err := wire.Read(conn, &reply); err != nil {
			t.Fatal(err)
		}
		return reply
	}
	for _, same := range []string{"1.0.0", "0.9.0", "devel", ""} {
		if reply := ask(same); reply.Event != wire.Success {
			t.Errorf("release %q: %s", same, reply.Event)
		}
	}
	if reply := ask("1.0.1"); reply.Event != wire.GiveWay {
		t.Fatalf("a newer release: %s", reply.Event)
	}
	if _, err := os.Stat(w.server.socket); err == nil {
		t.Error("the socket is still there")
	}
	w.run("1.0.1") // takes the lock at once
	if _, err := w.call(wire.Ping, ""); err != nil {
		t.Errorf("the successor: %v", err)
	}
}

func TestRefusedRequests(t *testing.T) {
	t.Parallel()
	w := start(t, "1.0.0")
	for name, request := range map[string]wire.Request{
		"another protocol":      {Protocol: wire.Protocol + 1, Op: wire.Ping},
		"another configuration": {Protocol: wire.Protocol, Op: wire.Ping, Config: "/elsewhere"},
		"unknown operation":     {Protocol: wire.Protocol, Op: "nonsense"},
		"malformed arguments":   {Protocol: wire.Protocol, Op: wire.GetCredential, Args: []byte(`{"connector":7}`)},
		"unknown format":        {Protocol: wire.Protocol, Op: wire.GetCredential, Args: []byte(`{"connector":"x","format":"xml"}`)},
	} {
		conn, err := net.Dial("unix", w.server.socket)
		if err != nil {
			t.Fatal(err)
		}
		if err := wire.Write(conn, request, secret.Text{}); err != nil {
			t.Fatal(err)
		}
		var reply wire.Reply
		if _, err := wire.Read(conn, &reply); err != nil || reply.Event != wire.Failure || reply.Error.Kind != fault.Invalid {
			t.Errorf("%s: %+v, %v", name, reply, err)
		}
		_ = conn.Close()
	}
	conn, err := net.Dial("unix", w.server.socket) // noise ends the connection, nothing else
	if err != nil {
		t.Fatal(err)
	}
	_, _ = conn.Write(bytes.Repeat([]byte{0xff}, 64))
	if n, err := conn.Read(make([]byte, 1)); err == nil {
		t.Errorf("noise got %d bytes", n)
	}
	w.mustCall(wire.Ping, "")
}

func TestTheSocketIsOursAlone(t *testing.T) {
	t.Parallel()
	w := start(t, "1.0.0")
	for path, want := range map[string]fs.FileMode{w.server.socket: 0o600, filepath.Dir(w.server.socket): 0o700} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v, want %v", path, info.Mode(), err, want)
		}
	}
	second := NewServer(w.broker, w.dirs, "1.0.0", os.Getpid(), time.Now)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := second.Run(ctx, func() { t.Error("two agents") }); err == nil {
		t.Error("a second agent ran")
	}
	if err := os.Chmod(w.dirs.Runtime, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := w.client(nil).Dial(); !fault.Is(err, fault.Denied) {
		t.Errorf("a folder open to others: %v", err)
	}
	if err := os.Chmod(w.dirs.Runtime, 0o700); err != nil {
		t.Fatal(err)
	}
}

func TestAStaleSocketIsReplaced(t *testing.T) {
	t.Parallel()
	w := start(t, "1.0.0")
	w.mustCall(wire.AgentStop, "")
	w.exited()
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: w.server.socket})
	if err != nil {
		t.Fatal(err)
	}
	listener.SetUnlinkOnClose(false) // as SIGKILL leaves it
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	w.run("1.0.0")
	w.mustCall(wire.Ping, "")
}

func TestTheAgentEndsWhenNothingIsLeftToHold(t *testing.T) {
	t.Parallel()
	w := start(t, "1.0.0")
	var clock atomic.Int64
	now := func() time.Time { return time.Unix(1_800_000_000+clock.Load(), 0) }
	idling := NewServer(w.broker, w.dirs, "1.0.0", os.Getpid(), now) // never run: only asked
	idle := 10 * time.Minute
	if got := idling.exitsAt(idle).Sub(now()); got != idle {
		t.Errorf("without credentials it exits in %s, want %s", got, idle)
	}
	w.register("hub", dockerType, "docker.io")
	w.mustCall(wire.DockerGet, "docker.io")
	kept := w.broker.Kept()
	if len(kept) != 1 {
		t.Fatalf("%d kept", len(kept))
	}
	clock.Store(kept[0].Until.Unix() - 1_800_000_000 - 60)
	idling.touch()
	if got := idling.exitsAt(idle); got.Before(kept[0].Until.Add(idle - time.Second)) { // two readings of the clock differ a little
		t.Errorf("it exits at %s, before %s after its last credential at %s", got, idle, kept[0].Until)
	}
}

func TestStatusShowsNoValues(t *testing.T) {
	t.Parallel()
	w := start(t, "1.0.0")
	w.register("hub", dockerType, "docker.io")
	w.mustCall(wire.DockerGet, "docker.io")
	answer := w.mustCall(wire.AgentStatus, "")
	var status wire.Status
	if err := json.Unmarshal(answer.Data, &status); err != nil {
		t.Fatal(err)
	}
	if len(status.Kept) != 1 || status.Kept[0].Connector != "hub" || strings.Contains(string(answer.Data), canary) {
		t.Errorf("status: %s", answer.Data)
	}
	forgot := w.mustCall(wire.AgentForget, "")
	if string(forgot.Data) != `{"credentials":1}` {
		t.Errorf("forget: %s", forgot.Data)
	}
}

func TestNoSecretIsWrittenAnywhere(t *testing.T) {
	t.Parallel()
	w := start(t, "1.0.0")
	w.mustCall(wire.DockerStore, storeJSON("registry.example.com", "me", canary))
	w.mustCall(wire.DockerGet, "registry.example.com")
	_, _ = w.call(wire.DockerStore, canary)
	err := filepath.WalkDir(w.dirs.Config, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if strings.Contains(string(text), canary) {
			t.Errorf("%s has the secret", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
