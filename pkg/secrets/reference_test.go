package secrets_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
	"github.com/svcconn/svcconn/pkg/secrets"
	"github.com/svcconn/svcconn/pkg/secrets/storetest"
)

func TestParseReference(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a b:c")
	for _, text := range []string{"env:TOKEN", "env:ProgramFiles(x86)", "file:" + path, "cmd:pass show a:b | head -1"} {
		r, err := secrets.ParseReference(text)
		if err != nil || r.String() != text {
			t.Errorf("%q was read as %q, error %v", text, r, err)
		}
	}
	for _, text := range []string{
		"", storetest.Canary, "env", "env:", "env:A=B", "env:A B", "env:\x00", "file:", "file:relative", "file:~/x", "file:./x", "cmd:", "cmd: \n", "cmd:a\x00b",
		"ENV:A", " env:A", "vault:" + storetest.Canary, "https://" + storetest.Canary,
	} {
		r, err := secrets.ParseReference(text)
		wantFault(t, err, fault.Invalid, "env:NAME, file:PATH or cmd:COMMAND")
		if r != (secrets.Reference{}) {
			t.Errorf("%q was refused, and read as %v", text, r)
		}
	}
}

func resolve(t *testing.T, text string, from secrets.Sources) (secret.Text, error) {
	t.Helper()
	r, err := secrets.ParseReference(text)
	must(t, err)
	return secrets.Resolve(t.Context(), r, from)
}

func TestResolveEnv(t *testing.T) {
	t.Parallel()
	from := secrets.Sources{LookupEnv: func(_ context.Context, name string) (secret.Text, bool, error) {
		switch name {
		case "SET":
			return secret.New(storetest.Canary + "\n"), true, nil
		case "EMPTY":
			return secret.Text{}, true, nil
		case "HUGE":
			return storetest.Value(1<<20+1, "v"), true, nil
		case "GONE":
			return secret.Text{}, false, fault.New(fault.Unavailable, "the client is gone").Hint("try again")
		}
		return secret.Text{}, false, nil
	}}
	got, err := resolve(t, "env:SET", from)
	if err != nil || got.Reveal() != storetest.Canary+"\n" {
		t.Errorf("resolved to %d bytes, error %v", got.Len(), err)
	}
	for name, want := range map[string]fault.Kind{"EMPTY": fault.Invalid, "HUGE": fault.Invalid, "UNSET": fault.NeedsPerson, "GONE": fault.Unavailable} {
		_, err := resolve(t, "env:"+name, from)
		wantFault(t, err, want, name)
	}
	// Not even our own environment has it then.
	_, err = resolve(t, "env:PATH", secrets.Sources{})
	wantFault(t, err, fault.NeedsPerson, "PATH")
}

func TestReadFile(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		"a": "a", "a\n": "a", "a\r\n": "a", "a\n\n": "a\n", "\r": "\r", " a ": " a ", "\x00\xff": "\x00\xff",
		strings.Repeat("x", 1<<20): strings.Repeat("x", 1<<20),
	} {
		got, err := resolve(t, "file:"+write(t, "s", content), secrets.Sources{})
		if err != nil || got.Reveal() != want {
			t.Errorf("%.20q was read as %d bytes, error %v", content, got.Len(), err)
		}
	}
	for name, content := range map[string]string{"empty": "", "newline": "\n", "windows newline": "\r\n", "large": strings.Repeat(storetest.Canary, 1<<16)} {
		path := write(t, name, content)
		_, err := secrets.ReadFile(t.Context(), path)
		wantFault(t, err, fault.Invalid, path)
	}
	missing := filepath.Join(t.TempDir(), "none")
	_, err := secrets.ReadFile(t.Context(), missing)
	wantFault(t, err, fault.Failed, missing)
	_, err = secrets.ReadFile(t.Context(), t.TempDir())
	wantFault(t, err, fault.Invalid, "neither a file nor a pipe")
}

func TestReadFileThatOthersCanChange(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no permission bits")
	}
	path := write(t, "s", storetest.Canary)
	for mode, refused := range map[os.FileMode]bool{0o600: false, 0o444: false, 0o644: false, 0o664: true, 0o646: true} {
		must(t, os.Chmod(path, mode))
		_, err := secrets.ReadFile(t.Context(), path)
		if refused {
			wantFault(t, err, fault.Failed, path, "others than its owner can change it", "chmod")
		} else if err != nil {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
}

func TestReadStream(t *testing.T) {
	t.Parallel()
	got, err := secrets.ReadStream(strings.NewReader("a\n"))
	if err != nil || got.Reveal() != "a" {
		t.Errorf("read as %d bytes, error %v", got.Len(), err)
	}
	for kind, stream := range map[fault.Kind]io.Reader{
		fault.Invalid: strings.NewReader(strings.Repeat(storetest.Canary, 1<<16)),
		fault.Failed:  iotest.ErrReader(errors.New("gone")),
	} {
		_, err := secrets.ReadStream(stream)
		wantFault(t, err, kind, "stdin")
	}
	_, err = secrets.ReadStream(strings.NewReader(""))
	wantFault(t, err, fault.Invalid, "stdin", "empty")
}
