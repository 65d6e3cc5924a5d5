package secrets_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
	"github.com/svcconn/svcconn/pkg/secrets"
	"github.com/svcconn/svcconn/pkg/secrets/storetest"
)

// person counts how often somebody is asked, and how.
type person struct {
	says      string
	err       error
	asked     atomic.Int32
	confirmed atomic.Int32
}

func (p *person) ask(_ context.Context, _ string, confirm bool) (secret.Text, error) {
	p.asked.Add(1)
	if confirm {
		p.confirmed.Add(1)
	}
	return secret.New(p.says), p.err
}

// used is a state folder whose file store has one secret.
func used(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	must(t, fileStore(t, open(dir)).Put(t.Context(), key, secret.New(storetest.Canary)))
	return dir
}

func inStore(dir, name string) string { return filepath.Join(dir, "secrets", name) }

func TestPassphraseIsAskedOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	chooser := &person{says: passphrase}
	store := fileStore(t, open(dir, withAsk(chooser.ask)))
	must(t, store.Put(t.Context(), key, secret.New(storetest.Canary)))
	wantValue(t, store, key, storetest.Canary)
	if chooser.asked.Load() != 1 || chooser.confirmed.Load() != 1 {
		t.Errorf("asked %d times, %d with confirmation, for a new store; want 1, 1", chooser.asked.Load(), chooser.confirmed.Load())
	}

	reader := &person{says: passphrase}
	m := open(dir, withAsk(reader.ask))
	store = fileStore(t, m)
	must(t, store.Put(t.Context(), "b/1", secret.New("b")))
	must(t, store.Delete(t.Context(), "b/1"))
	if reader.asked.Load() != 0 || m.Unlocked() {
		t.Error("writing or deleting took the passphrase")
	}
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() { wantValue(t, store, key, storetest.Canary) })
	}
	group.Wait()
	if reader.asked.Load() != 1 || reader.confirmed.Load() != 0 || !m.Unlocked() {
		t.Errorf("asked %d times by 20 readers, %d with confirmation, unlocked: %t", reader.asked.Load(), reader.confirmed.Load(), m.Unlocked())
	}
}

func TestRefusedPassphraseIsNotAskedAgain(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		person *person
		kind   fault.Kind
		says   string
	}{
		"wrong":     {&person{says: storetest.Canary}, fault.Denied, "does not open"},
		"empty":     {&person{}, fault.NeedsPerson, "no passphrase"},
		"dismissed": {&person{err: fault.New(fault.Interrupted, "no answer")}, fault.Interrupted, "no answer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := fileStore(t, open(used(t), withAsk(test.person.ask)))
			for range 3 {
				_, err := store.Get(t.Context(), key)
				if !fault.Is(err, test.kind) || !strings.Contains(err.Error(), test.says) {
					t.Errorf("error %v, want %s", err, test.kind)
				}
			}
			if asked := test.person.asked.Load(); asked != 1 {
				t.Errorf("asked %d times", asked)
			}
		})
	}
}

func TestCallerWhoLeftIsNoAnswer(t *testing.T) {
	t.Parallel()
	leaving, leave := context.WithCancel(t.Context())
	store := fileStore(t, open(used(t), withAsk(func(ctx context.Context, _ string, _ bool) (secret.Text, error) {
		leave()
		return secret.New(passphrase), ctx.Err()
	})))
	if _, err := store.Get(leaving, key); !fault.Is(err, fault.Interrupted) {
		t.Errorf("error %v, want fault.Interrupted", err)
	}
	wantValue(t, store, key, storetest.Canary)
}

// Who waits for somebody else's prompt may give up.
func TestWaitingForThePromptOfAnother(t *testing.T) {
	t.Parallel()
	dir := used(t)
	synctest.Test(t, func(t *testing.T) {
		answered := make(chan struct{})
		store := fileStore(t, open(dir, withAsk(func(context.Context, string, bool) (secret.Text, error) {
			<-answered
			return secret.New(passphrase), nil
		})))
		go wantValue(t, store, key, storetest.Canary)
		synctest.Wait()
		impatient, cancel := context.WithCancel(t.Context())
		go func() {
			_, err := store.Get(impatient, key)
			wantFault(t, err, fault.Interrupted, "not unlocked in time")
		}()
		synctest.Wait()
		cancel()
		synctest.Wait()
		close(answered)
	})
}

func TestNobodyToAsk(t *testing.T) {
	t.Parallel()
	_, err := fileStore(t, open(used(t), withAsk(nil))).Get(t.Context(), key)
	wantFault(t, err, fault.NeedsPerson, "the secret store is locked", "svcconn agent unlock", "SVCCONN_PASSPHRASE_FILE")

	dir := t.TempDir()
	err = fileStore(t, open(dir, withAsk(nil))).Put(t.Context(), key, secret.New(storetest.Canary))
	wantFault(t, err, fault.NeedsPerson, "SVCCONN_PASSPHRASE_FILE", "secrets.identity_file")
	if _, err := os.Stat(inStore(dir, "identity.age")); !os.IsNotExist(err) {
		t.Error("an identity was made without a passphrase")
	}
}

func TestUnlock(t *testing.T) {
	t.Parallel()
	dir := used(t)
	m := open(dir, withAsk(nil))
	wantFault(t, m.Unlock(secret.New(storetest.Canary)), fault.Denied, "does not open", "identity.age")
	wantFault(t, m.Unlock(secret.Text{}), fault.Invalid, "empty")
	if m.Unlocked() {
		t.Error("unlocked by a wrong passphrase")
	}
	must(t, m.Unlock(secret.New(passphrase)))
	if !m.Unlocked() {
		t.Error("not unlocked")
	}
	wantValue(t, fileStore(t, m), key, storetest.Canary)
	wantFault(t, open(t.TempDir()).Unlock(secret.New(passphrase)), fault.NotFound, "nothing to unlock")

	path := write(t, "identity", x25519Key(t))
	must(t, open(t.TempDir(), withIdentity(path)).Unlock(secret.New("not needed")))
	wantFault(t, open(t.TempDir(), withIdentity(path+"x")).Unlock(secret.New(passphrase)), fault.Failed, path+"x", "age-keygen")
}

func TestPassphraseFile(t *testing.T) {
	t.Parallel()
	dir := used(t)
	read := func(path string) error {
		ask := &person{says: passphrase}
		_, err := fileStore(t, open(dir, withAsk(ask.ask), withEnv("SVCCONN_PASSPHRASE_FILE", path))).Get(t.Context(), key)
		if ask.asked.Load() != 0 {
			t.Error("somebody was asked although there is a file")
		}
		return err
	}
	for _, end := range []string{"", "\n", "\r\n"} {
		must(t, read(write(t, "p", passphrase+end)))
	}
	wantFault(t, read(write(t, "p", passphrase+"\n\n")), fault.Denied, "does not open")
	wantFault(t, read(write(t, "p", "\n")), fault.Invalid, "empty", "SVCCONN_PASSPHRASE_FILE")
	wantFault(t, read(filepath.Join(t.TempDir(), "none")), fault.Failed, "none", "SVCCONN_PASSPHRASE_FILE")
	wantFault(t, read(t.TempDir()), fault.Invalid, "neither a file nor a pipe")
	if runtime.GOOS != "windows" {
		path := write(t, "p", passphrase)
		must(t, os.Chmod(path, 0o640))
		wantFault(t, read(path), fault.Failed, "others", "chmod 0600 "+path)
	}
}

func TestDamagedFiles(t *testing.T) {
	t.Parallel()
	dir := used(t)
	must(t, fileStore(t, open(dir)).Put(t.Context(), "b/1", secret.New("b")))
	path := inStore(dir, secrets.FileNameOf(key))
	whole, err := os.ReadFile(path)
	must(t, err)
	other, err := os.ReadFile(inStore(dir, secrets.FileNameOf("b/1")))
	must(t, err)
	flipped := bytes.Clone(whole)
	flipped[len(flipped)-1] ^= 1
	for name, content := range map[string][]byte{
		"empty": nil, "cut in the header": whole[:60], "cut at the end": whole[:len(whole)-1], "changed": flipped,
		"plain": []byte(storetest.Canary), "of another key": other, "of another store": []byte(toSomebody(t)),
	} {
		must(t, os.WriteFile(path, content, 0o600))
		got, err := fileStore(t, open(dir)).Get(t.Context(), key)
		wantFault(t, err, fault.Failed, path, "svcconn update")
		if !got.IsEmpty() {
			t.Errorf("%s: read as %d bytes", name, got.Len())
		}
	}
	identity := inStore(dir, "identity.age")
	must(t, os.WriteFile(path, whole, 0o600))
	for _, content := range []string{"", "age-encryption.org/v1\n-> scrypt", protect(t, x25519Key(t))[:150]} {
		must(t, os.WriteFile(identity, []byte(content), 0o600))
		_, err := fileStore(t, open(dir)).Get(t.Context(), key)
		wantFault(t, err, fault.Failed, identity)
	}
}

func TestFirstUseByManyAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var group sync.WaitGroup
	for i := range 8 { // each with a Manager of its own, as processes have
		group.Go(func() {
			store := fileStore(t, open(dir))
			k := "process/" + string(rune('a'+i))
			if err := store.Put(t.Context(), k, secret.New(k)); err != nil {
				t.Error(err)
			}
			wantValue(t, store, k, k)
		})
	}
	group.Wait()
	store := fileStore(t, open(dir))
	for i := range 8 {
		k := "process/" + string(rune('a'+i))
		wantValue(t, store, k, k)
	}
}

func TestNothingOfTheStoreIsPlainOrOpen(t *testing.T) {
	t.Parallel()
	dir := used(t)
	storetest.FindNone(t, dir, storetest.Canary)
	storetest.FindNone(t, dir, "AGE-SECRET-KEY")
	files, err := os.ReadDir(inStore(dir, ""))
	must(t, err)
	for _, file := range files {
		info, err := file.Info()
		must(t, err)
		if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has permissions %o", file.Name(), info.Mode().Perm())
		}
	}
	if info, err := os.Stat(inStore(dir, "")); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o700 {
		t.Errorf("the folder has permissions %o, error %v", info.Mode().Perm(), err)
	}
}

func TestDeleteTakesWhatAKilledPutLeft(t *testing.T) {
	t.Parallel()
	dir := used(t)
	must(t, os.WriteFile(inStore(dir, "."+secrets.FileNameOf(key)+".123.tmp"), []byte("half"), 0o600))
	must(t, fileStore(t, open(dir)).Delete(t.Context(), key))
	if left := stored(dir)(t); len(left) != 0 {
		t.Errorf("left after deletion: %v", left)
	}
}

func TestWorkFactor(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	m := open(dir, func(c *secrets.Config) { c.WorkFactor = 0 })
	must(t, fileStore(t, m).Put(t.Context(), key, secret.New("x")))
	content, err := os.ReadFile(inStore(dir, "identity.age"))
	must(t, err)
	if stanza, _, _ := strings.Cut(string(content[len("age-encryption.org/v1\n"):]), "\n"); !strings.HasSuffix(stanza, " 17") {
		t.Errorf("the identity is protected by %q, want a work factor of 17", stanza)
	}
}

// A file name belongs to one key, on file systems that fold case too, and is one that
// every file system takes.
func FuzzFileName(f *testing.F) {
	f.Add("a/1", "A/1")
	f.Add("con", "CON")
	f.Add(strings.Repeat("z", 100), "b")
	f.Fuzz(func(t *testing.T, a, b string) {
		if secrets.CheckKey(a) != nil || secrets.CheckKey(b) != nil {
			t.Skip()
		}
		nameA, nameB := secrets.FileNameOf(a), secrets.FileNameOf(b)
		if strings.EqualFold(nameA, nameB) != (a == b) {
			t.Errorf("keys %q and %q have names %q and %q", a, b, nameA, nameB)
		}
		if strings.Trim(nameA, "0123456789abcdefghijklmnopqrstuvwxyz.") != "" || len(nameA) > 230 {
			t.Errorf("key %q has the name %q", a, nameA)
		}
	})
}
