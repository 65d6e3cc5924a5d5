package secrets_test

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"filippo.io/age"
	"filippo.io/age/armor"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
	"github.com/svcconn/svcconn/pkg/secrets"
	"github.com/svcconn/svcconn/pkg/secrets/storetest"
)

func x25519Key(t *testing.T) string {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	must(t, err)
	return "# public key: " + id.Recipient().String() + "\n" + id.String() + "\n"
}

func hybridKey(t *testing.T) string {
	t.Helper()
	id, err := age.GenerateHybridIdentity()
	must(t, err)
	return id.String() + "\n"
}

// protect encrypts an identity file with the passphrase of the tests, as age -p does.
func protect(t *testing.T, content string) string {
	t.Helper()
	to, err := age.NewScryptRecipient(passphrase)
	must(t, err)
	to.SetWorkFactor(2)
	sealed, err := secrets.SealTo([]byte(content), to)
	must(t, err)
	return string(sealed)
}

// inArmor writes an age file as text.
func inArmor(t *testing.T, content string) string {
	t.Helper()
	var out bytes.Buffer
	w := armor.NewWriter(&out)
	_, err := w.Write([]byte(content))
	must(t, err)
	must(t, w.Close())
	return out.String()
}

func TestIdentityFiles(t *testing.T) {
	t.Parallel()
	x25519, hybrid := x25519Key(t), hybridKey(t)
	for name, content := range map[string]string{
		"x25519":           x25519,
		"hybrid":           hybrid,
		"several":          x25519 + hybrid,
		"protected":        protect(t, x25519),
		"protected hybrid": protect(t, hybrid),
		"armored":          "\n" + inArmor(t, protect(t, x25519)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, path := t.TempDir(), write(t, "identity", content)
			must(t, fileStore(t, open(dir, withIdentity(path))).Put(t.Context(), key, secret.New(storetest.Canary)))
			wantValue(t, fileStore(t, open(dir, withIdentity(path))), key, storetest.Canary)
			if _, err := os.Stat(inStore(dir, "identity.age")); !os.IsNotExist(err) {
				t.Error("an identity was made beside the given one")
			}
		})
	}
}

func TestRotatedIdentity(t *testing.T) {
	t.Parallel()
	dir, old, fresh := t.TempDir(), x25519Key(t), hybridKey(t)
	path := write(t, "identity", old)
	m := open(dir, withIdentity(path))
	store := fileStore(t, m)
	must(t, store.Put(t.Context(), "old/1", secret.New("old")))
	wantValue(t, store, "old/1", "old")
	must(t, os.WriteFile(path, []byte(fresh), 0o600))
	_, err := store.Get(t.Context(), "old/1")
	wantFault(t, err, fault.Failed, "not encrypted to the identity", "secrets.identity_file")
	must(t, os.WriteFile(path, []byte(fresh+old), 0o600))
	must(t, store.Put(t.Context(), "new/1", secret.New("new")))
	wantValue(t, store, "old/1", "old")
	wantValue(t, store, "new/1", "new")
}

func TestBadIdentityFiles(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"empty":        "",
		"plug-in":      "AGE-PLUGIN-YUBIKEY-1" + storetest.Canary,
		"ssh":          "-----BEGIN OPENSSH PRIVATE KEY-----\n" + storetest.Canary,
		"typo":         "AGE-SECRET-KEY-1" + storetest.Canary,
		"password":     storetest.Canary,
		"protected":    protect(t, storetest.Canary),
		"cut":          protect(t, x25519Key(t))[:100],
		"no scrypt":    toSomebody(t),
		"armor broken": "-----BEGIN AGE ENCRYPTED FILE-----\n" + storetest.Canary,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := write(t, "identity", content)
			err := fileStore(t, open(t.TempDir(), withIdentity(path))).Put(t.Context(), key, secret.New("x"))
			wantFault(t, err, fault.Failed, path)
		})
	}
	t.Run("missing", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "none")
		err := fileStore(t, open(t.TempDir(), withIdentity(path))).Put(t.Context(), key, secret.New("x"))
		wantFault(t, err, fault.Failed, path, "age-keygen")
	})
	t.Run("relative", func(t *testing.T) {
		t.Parallel()
		err := fileStore(t, open(t.TempDir(), withIdentity("key.txt"))).Put(t.Context(), key, secret.New("x"))
		wantFault(t, err, fault.Invalid, "key.txt", "absolute")
	})
}

func toSomebody(t *testing.T) string {
	t.Helper()
	sealed, err := os.ReadFile(inStore(used(t), secrets.FileNameOf(key)))
	must(t, err)
	return string(sealed)
}

func TestOthersMustNotUseTheIdentity(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no permission bits")
	}
	path := write(t, "identity", x25519Key(t))
	for mode, refused := range map[os.FileMode]bool{0o600: false, 0o400: false, 0o640: true, 0o604: true, 0o620: true} {
		must(t, os.Chmod(path, mode))
		err := fileStore(t, open(t.TempDir(), withIdentity(path))).Put(t.Context(), key, secret.New("x"))
		if refused {
			wantFault(t, err, fault.Failed, path, "others", "chmod")
		} else if err != nil {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
	dir := used(t)
	must(t, os.Chmod(inStore(dir, ""), 0o777))
	wantFault(t, fileStore(t, open(dir)).Put(t.Context(), key, secret.New("x")), fault.Failed, "others", "chmod 0755")
}

// Somebody puts their own recipient in place of ours, to read what we store next.
func TestReplacedRecipientIsNoticed(t *testing.T) {
	t.Parallel()
	dir := used(t)
	theirs, err := os.ReadFile(inStore(used(t), "recipient.txt"))
	must(t, err)
	unlocked := open(dir)
	wantValue(t, fileStore(t, unlocked), key, storetest.Canary)

	must(t, os.WriteFile(inStore(dir, "recipient.txt"), theirs, 0o600))
	noticed := func(what string, err error) {
		t.Helper()
		wantFault(t, err, fault.Failed, "recipient.txt", "replaced", "remove")
		if err == nil {
			t.Errorf("%s did not notice", what)
		}
	}
	_, err = fileStore(t, unlocked).Get(t.Context(), key)
	noticed("reading while unlocked", err)
	noticed("writing while unlocked", fileStore(t, unlocked).Put(t.Context(), "b/1", secret.New("b")))
	noticed("unlocking", open(dir).Unlock(secret.New(passphrase)))
	_, err = fileStore(t, open(dir)).Get(t.Context(), key)
	noticed("reading while locked", err)

	// The way out that the advice names.
	must(t, os.Remove(inStore(dir, "recipient.txt")))
	store := fileStore(t, open(dir))
	must(t, store.Put(t.Context(), "b/1", secret.New("b")))
	wantValue(t, fileStore(t, open(dir)), "b/1", "b")

	must(t, os.WriteFile(inStore(dir, "recipient.txt"), []byte(x25519Key(t)), 0o600))
	wantFault(t, fileStore(t, open(dir)).Put(t.Context(), key, secret.New("x")), fault.Failed, "recipient.txt is damaged")
}

func TestOtherProcessReplacesTheStore(t *testing.T) {
	t.Parallel()
	dir := used(t)
	agent := open(dir, withAsk(nil))
	must(t, agent.Unlock(secret.New(passphrase)))
	must(t, os.RemoveAll(inStore(dir, "")))
	must(t, fileStore(t, open(dir)).Put(t.Context(), key, secret.New("new")))
	if agent.Unlocked() {
		t.Error("still unlocked with the identity of a store that is gone")
	}
	_, err := fileStore(t, agent).Get(t.Context(), key)
	wantFault(t, err, fault.NeedsPerson, "locked")
	must(t, agent.Unlock(secret.New(passphrase)))
	wantValue(t, fileStore(t, agent), key, "new")
}

func TestMissingIdentityIsNotReplaced(t *testing.T) {
	t.Parallel()
	dir := used(t)
	must(t, os.Remove(inStore(dir, "identity.age")))
	wantFault(t, fileStore(t, open(dir)).Put(t.Context(), "b/1", secret.New("b")), fault.Failed, "identity.age is missing", "backup")
	_, err := fileStore(t, open(dir)).Get(t.Context(), key)
	wantFault(t, err, fault.Failed, "identity.age", "backup")
	_, err = fileStore(t, open(dir)).Get(t.Context(), "unknown")
	wantFault(t, err, fault.NotFound)
}
