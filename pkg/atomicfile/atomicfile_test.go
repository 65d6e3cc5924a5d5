package atomicfile

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/svcconn/svcconn/pkg/fault"
)

func entries(t *testing.T, dir string) []string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range list {
		names = append(names, entry.Name())
	}
	return names
}

func TestWriteReplacesAndLeavesNothingElse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	for _, text := range []string{"first", "second and longer", ""} {
		if err := Write(path, []byte(text), FileMode); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != text {
			t.Errorf("got %q, %v, want %q", got, err, text)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != FileMode {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if names := entries(t, dir); len(names) != 1 {
		t.Errorf("the folder has %v", names)
	}
}

func TestReadersSeeOneOrTheOther(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f")
	contents := []string{strings.Repeat("a", 100_000), strings.Repeat("b", 50_000)}
	if err := Write(path, []byte(contents[0]), FileMode); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for n := range 4 {
		wg.Go(func() {
			for i := range 25 {
				if err := Write(path, []byte(contents[(i+n)%2]), FileMode); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 200 {
		got, err := os.ReadFile(path)
		if text := string(got); err != nil || text != contents[0] && text != contents[1] {
			t.Fatalf("read %d bytes, %v: neither the old nor the new content", len(got), err)
		}
	}
	wg.Wait()
}

func TestAFailureLeavesTheOldContent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	target := filepath.Join(dir, "folder") // a folder cannot be replaced by a file
	if err := os.MkdirAll(filepath.Join(target, "inside"), DirMode); err != nil {
		t.Fatal(err)
	}
	err := Write(target, []byte("x"), FileMode)
	if err == nil || !strings.Contains(err.Error(), target) || strings.Contains(err.Error(), ".tmp") {
		t.Errorf("error %v", err)
	}
	if names := entries(t, dir); len(names) != 1 {
		t.Errorf("a temporary file stayed: %v", names)
	}
	if err := Write(filepath.Join(dir, "missing", "f"), nil, FileMode); !fault.Is(err, fault.Failed) {
		t.Errorf("missing folder: %v", err)
	}
}

func TestRemove(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f")
	if err := Write(path, nil, FileMode); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := Remove(path); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Error("it is still there")
	}
}
