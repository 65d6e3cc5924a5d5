package registry

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/pkg/fault"
)

func listed(t *testing.T, p *Pending) []SecretKey {
	t.Helper()
	keys, err := p.List()
	must(t, err)
	return keys
}

func TestPending(t *testing.T) {
	t.Parallel()
	p := OpenPending(filepath.Join(t.TempDir(), "state"))
	if keys := listed(t, p); len(keys) != 0 {
		t.Fatalf("got %v", keys)
	}
	key := SecretKey{"keyring", someID + "/a1"}
	p.patience = time.Millisecond
	done, err := p.Begin(key)
	must(t, err)
	if keys := listed(t, p); len(keys) != 0 {
		t.Errorf("a live operation is listed: %v", keys)
	}
	if _, err := p.Begin(key); !fault.Is(err, fault.Unavailable) {
		t.Errorf("began twice: %v", err)
	}
	must(t, done())
	if keys := listed(t, p); len(keys) != 0 {
		t.Errorf("an ended operation is listed: %v", keys)
	}
	if left, _ := os.ReadDir(p.folder); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	done, err = p.Begin(key)
	must(t, err)
	must(t, done())
	for _, bad := range []SecretKey{{}, {Store: "keyring"}, {Key: "a/b"}} {
		if _, err := p.Begin(bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: got %v", bad, err)
		}
	}
}

func TestPendingOfTheDead(t *testing.T) {
	t.Parallel()
	state := t.TempDir()
	p := OpenPending(state)
	keys := []string{someID + "/a1", someID + "/b2"}
	var processes []child
	for _, key := range keys {
		c := start(t, "begin", state, key)
		c.begin(t)
		if line, err := c.stdout.ReadString('\n'); line != "begun\n" {
			t.Fatalf("%q, %v", line, err)
		}
		processes = append(processes, c)
	}
	if keys := listed(t, p); len(keys) != 0 {
		t.Errorf("operations of a living process are listed: %v", keys)
	}
	must(t, processes[0].stdin.Close())
	must(t, processes[0].Wait())
	must(t, processes[1].Process.Kill())
	_ = processes[1].Wait()
	orphan := SecretKey{"keyring", keys[1]}
	if diff := cmp.Diff([]SecretKey{orphan}, listed(t, p)); diff != "" {
		t.Fatal(diff)
	}
	done, err := p.Begin(orphan)
	must(t, err)
	if keys := listed(t, p); len(keys) != 0 {
		t.Errorf("an orphan that was taken over is listed: %v", keys)
	}
	must(t, done())
	if keys := listed(t, p); len(keys) != 0 {
		t.Errorf("a wiped orphan is listed: %v", keys)
	}
}

func TestPendingIgnoresOtherFiles(t *testing.T) {
	t.Parallel()
	p := OpenPending(t.TempDir())
	must(t, os.MkdirAll(p.folder, 0o700))
	for _, name := range []string{"README", "%zz", "keyring%2F", "%2Fkey"} {
		must(t, os.WriteFile(filepath.Join(p.folder, name), nil, 0o600))
	}
	if keys := listed(t, p); len(keys) != 0 {
		t.Errorf("got %v", keys)
	}
}

func TestPendingUnusableFolder(t *testing.T) {
	t.Parallel()
	p := OpenPending(t.TempDir())
	must(t, os.WriteFile(p.folder, nil, 0o600))
	if _, err := p.List(); !fault.Is(err, fault.Failed) {
		t.Errorf("List: %v", err)
	}
	if _, err := p.Begin(SecretKey{"keyring", "a/b"}); !fault.Is(err, fault.Failed) {
		t.Errorf("Begin: %v", err)
	}
}

func FuzzPendingKey(f *testing.F) {
	f.Add("keyring", someID+"/a1")
	f.Add("file", "../../x\x00 %")
	f.Fuzz(func(t *testing.T, store, key string) {
		want := SecretKey{store, key}
		name := want.file()
		if name != filepath.Base(name) || name == "" {
			t.Errorf("%+v has the file %q", want, name)
		}
		got, ok := keyOfFile(name)
		if valid := store != "" && key != "" && filepath.Base(store) == store && store != "/"; valid && (!ok || got != want) {
			t.Errorf("%+v comes back as %+v", want, got)
		}
	})
}
