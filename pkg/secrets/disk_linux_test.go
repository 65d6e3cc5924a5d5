package secrets_test

import (
	"os"
	"syscall"
	"testing"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
	"github.com/svcconn/svcconn/pkg/secrets"
	"github.com/svcconn/svcconn/pkg/secrets/storetest"
)

// smallDisk mounts a file system of that many KiB for the test.
func smallDisk(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("svcconn-test", dir, "tmpfs", 0, options); err != nil {
		t.Skipf("mounting a file system takes root: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	dir := smallDisk(t, "size=64k")
	store := fileStore(t, open(dir))
	must(t, store.Put(t.Context(), key, secret.New("old")))
	wantFault(t, store.Put(t.Context(), key, storetest.Value(100_000, "v")), fault.Failed, "no space left", "free some space")
	wantValue(t, store, key, "old")
	must(t, store.Delete(t.Context(), key))
	if left := stored(dir)(t); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

func TestReadOnlyState(t *testing.T) {
	t.Parallel()
	dir := smallDisk(t, "")
	must(t, fileStore(t, open(dir)).Put(t.Context(), key, secret.New("old")))
	must(t, syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
	m := open(dir)
	store := fileStore(t, m)
	wantValue(t, store, key, "old")
	keyring, err := m.Named(secrets.KeyringName)
	must(t, err)
	_, defaultErr := m.Default(t.Context())
	for what, err := range map[string]error{
		"storing in a file":        store.Put(t.Context(), key, secret.New("new")),
		"storing in the keyring":   keyring.Put(t.Context(), key, secret.New("new")),
		"deleting":                 store.Delete(t.Context(), key),
		"recording the default":    defaultErr,
		"making the secret folder": fileStore(t, open(dir+"/new")).Put(t.Context(), key, secret.New("new")),
	} {
		if !fault.Is(err, fault.Failed) || fault.HintOf(err) == "" {
			t.Errorf("%s: %v, advice %q", what, err, fault.HintOf(err))
		}
	}
	if _, err := os.Stat(inStore(dir, "default")); !os.IsNotExist(err) {
		t.Error("a default was recorded on a read-only disk")
	}
}
