package atomicfile

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestReplace(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f")
	if err := Write(path, []byte("old"), FileMode); err != nil {
		t.Fatal(err)
	}
	refusal := errors.New("refused")
	err := Replace(path, []byte("new"), 0o644, func(temp string) error {
		if text, err := os.ReadFile(temp); err != nil || string(text) != "new" {
			t.Errorf("the temp file has %q, %v", text, err)
		}
		return refusal
	})
	if err != refusal {
		t.Errorf("got %v, want the refusal as it is", err)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("left %v, %v", entries, err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "old" {
		t.Errorf("got %q, %v", text, err)
	}
	if err := Replace(path, []byte("new"), 0o644, func(string) error { return nil }); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "new" {
		t.Errorf("got %q, %v", text, err)
	}
}

func TestSweep(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"f", ".f.1.tmp", ".f.tmp.x", "f.1.tmp", ".g.1.tmp"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	Sweep(filepath.Join(dir, "f"))
	Sweep(filepath.Join(dir, "no", "such", "folder"))
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, entry := range entries {
		left = append(left, entry.Name())
	}
	if want := []string{".f.tmp.x", ".g.1.tmp", "f", "f.1.tmp"}; len(left) != len(want) {
		t.Errorf("left %q, want %q", left, want)
	}
}
