package tomlfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/svcconn/svcconn/pkg/fault"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestReadFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "a.toml")
	write(t, path, "a = 1\n")
	data, info, err := Read(path, "a.toml")
	if err != nil || string(data) != "a = 1\n" || info.Size() != 6 {
		t.Errorf("got %q, %v", data, err)
	}
	if _, _, err := Read(filepath.Join(dir, "b.toml"), "b.toml"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent file: got %v", err)
	}
	if _, _, err := Read(dir, "dir.toml"); !fault.Is(err, fault.Invalid) || err.Error() != "dir.toml: is not a regular file" {
		t.Errorf("folder: got %v", err)
	}
	write(t, path, strings.Repeat("#", 3*MaxSize))
	data, _, err = Read(path, "a.toml")
	if err != nil || len(data) != MaxSize+1 {
		t.Errorf("large file: read %d bytes, %v", len(data), err)
	}
	if _, err := Parse("a.toml", data); !fault.Is(err, fault.Invalid) {
		t.Errorf("large file: got %v", err)
	}
}

func TestLeadingComment(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                               "",
		"a = 1\n# no\n":                  "",
		"# one\n#two \n#\r\na = 1\n# no": "one\ntwo\n\n",
		"\ufeff# one\n\n# no\n":          "one\n",
		"# only":                         "only\n",
	} {
		if got := LeadingComment([]byte(text)); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestStamp(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.toml")
	write(t, path, "a = 1\n")
	now := time.Now()
	stat := func() fs.FileInfo {
		t.Helper()
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info
	}
	if (Stamp{}).Matches(stat()) {
		t.Error("the zero stamp matches")
	}
	if NewStamp(stat(), now).Matches(stat()) {
		t.Error("a file that was just modified is certain")
	}
	old := now.Add(-time.Hour)
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
	stamp := NewStamp(stat(), now)
	if !stamp.Matches(stat()) {
		t.Error("an unchanged file does not match")
	}
	if NewStamp(stat(), old).Matches(stat()) {
		t.Error("a clock that is behind makes the file certain")
	}
	write(t, path, "a = 22\n")
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
	if stamp.Matches(stat()) {
		t.Error("another size matches")
	}
}

func TestCached(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.toml")
	decoded := 0
	now := time.Now()
	cached := Cached[string]{Path: path, Name: "a.toml", Now: func() time.Time { return now }, Decode: func(data []byte) (string, error) {
		decoded++
		if string(data) == "bad" {
			return "", fault.New(fault.Invalid, "a.toml: is bad")
		}
		return "<" + string(data) + ">", nil
	}}
	get := func(want string, wantDecoded int) {
		t.Helper()
		got, err := cached.Get()
		if err != nil {
			got = "error: " + err.Error() + " hint: " + fault.HintOf(err)
		}
		if got != want || decoded != wantDecoded {
			t.Fatalf("got %s after decoding %d times, want %s, %d", got, decoded, want, wantDecoded)
		}
	}
	put := func(text string, age time.Duration) {
		t.Helper()
		write(t, path, text)
		if err := os.Chtimes(path, now.Add(-age), now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	get("<>", 1)
	get("<>", 1)
	put("a", time.Second)
	get("<a>", 2)
	get("<a>", 3) // too fresh to be sure
	put("b", time.Hour)
	get("<b>", 4)
	get("<b>", 4)
	put("bad", time.Hour)
	get("error: a.toml: is bad hint: correct "+path, 5)
	get("error: a.toml: is bad hint: correct "+path, 5)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	get("<>", 6)
	get("<>", 6)
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	get("error: a.toml: is not a regular file hint: move "+path+" away", 6)
}
