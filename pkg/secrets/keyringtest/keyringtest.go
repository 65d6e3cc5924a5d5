// Package keyringtest starts a real OS keyring for a test: gnome-keyring-daemon on a
// D-Bus daemon of its own, with all their files in a temporary folder. It works
// where tests work: as root, without systemd, desktop or terminal, many at a time.
//
// It never touches the keyring or the bus of whoever runs the test.
package keyringtest

import (
	"bufio"
	"context"
	"encoding/xml"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/svcconn/svcconn/pkg/proc"
)

// password unlocks the keyring of the test.
const password = "keyringtest"

// patience is how long a daemon may take to start and to answer.
const patience = 30 * time.Second

// Keyring is a running keyring with an unlocked, empty login collection. Its methods
// fail the test when something goes wrong.
type Keyring struct {
	// Env is what a process needs in its environment to use this keyring, as
	// "NAME=value".
	Env []string
	// Folder is where the keyring keeps its files.
	Folder string

	t    testing.TB
	conn *dbus.Conn
}

// StartKeyring starts a keyring that ends with the test. It skips the test where
// gnome-keyring-daemon or dbus-daemon is not installed, but fails it when CI=true.
func StartKeyring(t testing.TB) *Keyring {
	t.Helper()
	require(t, "dbus-daemon", "gnome-keyring-daemon", "sh")
	folder := makeFolder(t)
	address := startBus(t, folder)
	k := &Keyring{Env: environment(address), Folder: folder, t: t}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	k.conn = k.connect(address)
	startDaemon(t, folder, address)
	k.waitForCollection(ctx)
	return k
}

// StartBus starts a D-Bus session bus without any keyring on it, that ends with the
// test, and returns the environment that leads to it. It skips and fails as
// StartKeyring does.
func StartBus(t testing.TB) (env []string) {
	t.Helper()
	require(t, "dbus-daemon", "sh")
	return environment(startBus(t, makeFolder(t)))
}

func environment(address string) []string { return []string{"DBUS_SESSION_BUS_ADDRESS=" + address} }

// makeFolder makes a folder that goes with the test. It is not t.TempDir: the path of
// a socket has room for 107 bytes.
func makeFolder(t testing.TB) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "keyring")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	return folder
}

func require(t testing.TB, programs ...string) {
	t.Helper()
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			complain := t.Skipf
			if proc.Real().Getenv("CI") == "true" {
				complain = t.Fatalf
			}
			complain("%s is not installed: apt-get install gnome-keyring dbus", program)
		}
	}
}

// busConfig has no service folders: the bus starts nothing by itself.
const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=SOCKET</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`

// startBus starts a D-Bus daemon and returns its address. A shell holds it, which
// kills it when our end of its standard input closes: even when the test is killed.
func startBus(t testing.TB, folder string) string {
	t.Helper()
	config := filepath.Join(folder, "bus.conf")
	var socket strings.Builder
	if err := xml.EscapeText(&socket, []byte(filepath.Join(folder, "bus"))); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, []byte(strings.ReplaceAll(busConfig, "SOCKET", socket.String())), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", `dbus-daemon --config-file="$0" --nofork --print-address & read -r _; kill $!; wait`, config)
	hold, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout := start(t, cmd)
	t.Cleanup(func() {
		_ = hold.Close()
		_ = cmd.Wait()
	})
	address, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("dbus-daemon said no address: %v", err)
	}
	return strings.TrimSpace(address)
}

// startDaemon starts gnome-keyring-daemon, which ends with its bus at the latest.
func startDaemon(t testing.TB, folder, address string) {
	t.Helper()
	cmd := exec.Command("gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets")
	cmd.Env = []string{
		"PATH=" + proc.Real().Getenv("PATH"), "DBUS_SESSION_BUS_ADDRESS=" + address, "HOME=" + folder,
		"XDG_RUNTIME_DIR=" + folder, "XDG_DATA_HOME=" + filepath.Join(folder, "data"), "XDG_CONFIG_HOME=" + filepath.Join(folder, "config"),
	}
	cmd.Stdin = strings.NewReader(password)
	start(t, cmd)
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

func start(t testing.TB, cmd *exec.Cmd) io.Reader {
	t.Helper()
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	return stdout
}

// The parts of the Secret Service API that the tests need.
const (
	name        = "org.freedesktop.secrets"
	servicePath = dbus.ObjectPath("/org/freedesktop/secrets")
	collection  = servicePath + "/collection/login"

	serviceAPI    = "org.freedesktop.Secret.Service"
	collectionAPI = "org.freedesktop.Secret.Collection"
	itemAPI       = "org.freedesktop.Secret.Item"
	unlockAPI     = "org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface"
	dbusAPI       = "org.freedesktop.DBus"
)

func (k *Keyring) connect(address string) *dbus.Conn {
	k.t.Helper()
	conn, err := dbus.Connect(address)
	if err != nil {
		k.t.Fatal(err)
	}
	k.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// waitForCollection returns when the keyring is on the bus and unlocked. It asks at
// every sign of life; and now and then, since the daemon does not tell all that it does.
func (k *Keyring) waitForCollection(ctx context.Context) {
	k.t.Helper()
	signs := make(chan *dbus.Signal, 100)
	k.conn.Signal(signs)
	defer k.conn.RemoveSignal(signs)
	for _, match := range [][]dbus.MatchOption{
		{dbus.WithMatchInterface(dbusAPI), dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, name)},
		{dbus.WithMatchPathNamespace(servicePath)},
	} {
		if err := k.conn.AddMatchSignalContext(ctx, match...); err != nil {
			k.t.Fatal(err)
		}
	}
	again := time.NewTicker(200 * time.Millisecond)
	defer again.Stop()
	for !k.ready(ctx) {
		select {
		case <-signs:
		case <-again.C:
		case <-ctx.Done():
			k.t.Fatal("gnome-keyring-daemon did not come up")
		}
	}
}

func (k *Keyring) ready(ctx context.Context) bool {
	var owned bool
	err := k.conn.BusObject().CallWithContext(ctx, dbusAPI+".NameHasOwner", 0, name).Store(&owned)
	if err != nil || !owned {
		return false
	}
	var locked dbus.Variant
	err = k.conn.Object(name, collection).CallWithContext(ctx, dbusAPI+".Properties.Get", 0, collectionAPI, "Locked").Store(&locked)
	return err == nil && locked.Value() == false
}

// Lock locks the login collection.
func (k *Keyring) Lock() {
	k.t.Helper()
	var locked []dbus.ObjectPath
	var prompt dbus.ObjectPath
	k.call(servicePath, serviceAPI+".Lock", []any{[]dbus.ObjectPath{collection}}, &locked, &prompt)
	if !slices.Contains(locked, collection) {
		k.t.Fatal("the keyring did not lock")
	}
}

// Unlock unlocks the login collection again.
func (k *Keyring) Unlock() {
	k.t.Helper()
	var output dbus.Variant
	var session dbus.ObjectPath
	k.call(servicePath, serviceAPI+".OpenSession", []any{"plain", dbus.MakeVariant("")}, &output, &session)
	master := struct {
		Session     dbus.ObjectPath
		Parameters  []byte
		Value       []byte
		ContentType string
	}{session, []byte{}, []byte(password), "text/plain"}
	k.call(servicePath, unlockAPI+".UnlockWithMasterPassword", []any{collection, master})
	ctx, cancel := context.WithTimeout(k.t.Context(), patience)
	defer cancel()
	if !k.ready(ctx) {
		k.t.Fatal("the keyring did not unlock")
	}
}

// Accounts lists the user names of a service's items in the login collection, sorted.
func (k *Keyring) Accounts(service string) []string {
	k.t.Helper()
	var accounts []string
	for _, path := range k.items() {
		named, err := k.attributes(path)
		if err != nil && !slices.Contains(k.items(), path) {
			continue // deleted meanwhile
		}
		if err != nil {
			k.t.Fatalf("%s: %v", path, err)
		}
		if named["service"] == service {
			accounts = append(accounts, named["username"])
		}
	}
	slices.Sort(accounts)
	return accounts
}

func (k *Keyring) items() []dbus.ObjectPath {
	k.t.Helper()
	var items dbus.Variant
	k.call(collection, dbusAPI+".Properties.Get", []any{collectionAPI, "Items"}, &items)
	paths, _ := items.Value().([]dbus.ObjectPath)
	return paths
}

func (k *Keyring) attributes(path dbus.ObjectPath) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(k.t.Context()), patience)
	defer cancel()
	var attributes dbus.Variant
	err := k.conn.Object(name, path).CallWithContext(ctx, dbusAPI+".Properties.Get", 0, itemAPI, "Attributes").Store(&attributes)
	named, _ := attributes.Value().(map[string]string)
	return named, err
}

func (k *Keyring) call(path dbus.ObjectPath, method string, args []any, results ...any) {
	k.t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(k.t.Context()), patience)
	defer cancel()
	if err := k.conn.Object(name, path).CallWithContext(ctx, method, 0, args...).Store(results...); err != nil {
		k.t.Fatalf("%s: %v", method, err)
	}
}
