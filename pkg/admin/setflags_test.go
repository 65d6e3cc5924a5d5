package admin

import (
	"context"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/prompt"
	"github.com/svcconn/svcconn/pkg/secret"
	"github.com/svcconn/svcconn/pkg/secrets"
)

// testReader reads fields of the test's connector type; cmd: and env: give their
// own target back.
func testReader() setReader {
	return setReader{
		fields: testFields(), where: "auth method password", stdin: strings.NewReader(canary + "\n"),
		resolve: func(_ context.Context, r secrets.Reference) (secret.Text, error) {
			return secret.New("resolved " + r.Target), nil
		},
	}
}

// revealed are the secrets of values, for comparing.
func revealed(values setValues) map[string]string {
	out := map[string]string{}
	for name, text := range values.Secrets() {
		out[name] = text.Reveal()
	}
	return out
}

func TestSetFlags(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	writeFile(t, file, canary+"\n")
	lines := filepath.Join(dir, "lines")
	writeFile(t, lines, "one\ntwo\n\n")
	for name, c := range map[string]struct {
		flags   []string
		plain   map[string]any
		secrets map[string]string
	}{
		"nothing":           {nil, nil, map[string]string{}},
		"plain":             {[]string{"username=ci", "insecure=true", "tags=a, b", "mode=fast"}, map[string]any{"username": "ci", "insecure": true, "tags": []string{"a", "b"}, "mode": "fast"}, map[string]string{}},
		"equals in value":   {[]string{"username=a=b"}, map[string]any{"username": "a=b"}, map[string]string{}},
		"dash in name":      {[]string{"certificate-authority=x"}, map[string]any{"certificate_authority": "x"}, map[string]string{}},
		"plain from file":   {[]string{"certificate_authority=@" + lines}, map[string]any{"certificate_authority": "one\ntwo"}, map[string]string{}},
		"literal at":        {[]string{"username=@@ci"}, map[string]any{"username": "@ci"}, map[string]string{}},
		"literal dash":      {[]string{"username=-"}, map[string]any{"username": "-"}, map[string]string{}},
		"literal env":       {[]string{"username=env:X"}, map[string]any{"username": "env:X"}, map[string]string{}},
		"secret from file":  {[]string{"password=@" + file}, nil, map[string]string{"password": canary}},
		"secret of lines":   {[]string{"private_key=@" + lines}, nil, map[string]string{"private_key": "one\ntwo\n"}},
		"secret from stdin": {[]string{"password=-"}, nil, map[string]string{"password": canary}},
		"secret from env":   {[]string{"password=env:TOKEN"}, nil, map[string]string{"password": "resolved TOKEN"}},
		"secret from cmd":   {[]string{"password=cmd:pass show x=y"}, nil, map[string]string{"password": "resolved pass show x=y"}},
	} {
		got, err := testReader().read(t.Context(), c.flags)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(c.plain, got.Plain()); diff != "" && len(got.Plain()) > 0 {
			t.Errorf("%s: plain values (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff(c.secrets, revealed(got)); diff != "" {
			t.Errorf("%s: secrets (-want +got):\n%s", name, diff)
		}
		if len(got.References) > 0 {
			t.Errorf("%s: references %v", name, got.References)
		}
	}
}

// With --reference, where a secret is takes its place; nothing is read.
func TestSetReferences(t *testing.T) {
	t.Parallel()
	r := testReader()
	r.reference = true
	r.resolve = nil
	got, err := r.read(t.Context(), []string{"username=ci", "password=cmd:pass show hub", "private_key=@missing/key.pem"})
	if err != nil {
		t.Fatal(err)
	}
	path, err := filepath.Abs("missing/key.pem")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"password": "cmd:pass show hub", "private_key": "file:" + path}, got.References); diff != "" {
		t.Errorf("references (-want +got):\n%s", diff)
	}
	if len(got.Secrets()) > 0 || got.Plain()["username"] != "ci" {
		t.Errorf("values: %v, %d secrets", got.Plain(), len(got.Secrets()))
	}
	for _, ref := range got.References {
		if _, err := secrets.ParseReference(ref); err != nil {
			t.Errorf("%s: %v", ref, err)
		}
	}
	if _, err := r.read(t.Context(), []string{"password=-"}); !fault.Is(err, fault.Invalid) || !strings.Contains(fault.HintOf(err), "leave --reference out") {
		t.Errorf("a reference to stdin: %v", err)
	}
}

// Every refusal is wrong usage, names what would be right, and repeats no secret.
func TestSetErrors(t *testing.T) {
	t.Parallel()
	large := filepath.Join(t.TempDir(), "large")
	writeFile(t, large, strings.Repeat("x", maxPlainFile+1))
	ways := "give it with --set password=@FILE, --set password=- (stdin), --set password=env:NAME or --set password=cmd:COMMAND; on a terminal it is asked for"
	for _, c := range []struct {
		flags []string
		kind  fault.Kind
		says  string
		hint  string
	}{
		{[]string{"password=" + canary}, fault.Invalid, "password is a secret and must not be given in plain text", ways},
		{[]string{"password=@@" + canary}, fault.Invalid, "must not be given in plain text", ways},
		{[]string{"password="}, fault.Invalid, "must not be given in plain text", ways},
		{[]string{"password=@"}, fault.Invalid, "must not be given in plain text", ways},
		{[]string{"password=file:" + canary}, fault.Invalid, "must not be given in plain text", ways},
		{[]string{"password=env:" + canary + " x"}, fault.Invalid, "field password", ""},
		{[]string{"password=cmd:"}, fault.Invalid, "field password", ""},
		{[]string{canary}, fault.Invalid, "--set takes FIELD=VALUE", "the fields of auth method password are: username, password"},
		{[]string{"usrname=" + canary}, fault.Invalid, `auth method password has no field "usrname"`, `did you mean "username"?`},
		{[]string{"username"}, fault.Invalid, "field username has no value", "--set username=VALUE"},
		{[]string{"username="}, fault.Invalid, "field username: the value is empty", ""},
		{[]string{"username=a", "username=b"}, fault.Invalid, "field username is set twice", ""},
		{[]string{"password=-", "private_key=-"}, fault.Invalid, "the fields password and private_key cannot both be read from stdin", "--set private_key=@FILE"},
		{[]string{"mode=fsat"}, fault.Invalid, `field mode: "fsat" is not one of: fast, safe`, `did you mean "fast"?`},
		{[]string{"insecure=perhaps"}, fault.Invalid, "field insecure", ""},
		{[]string{"certificate_authority=@no/such/file"}, fault.Failed, "field certificate_authority: cannot read no/such/file: ", ""},
		{[]string{"certificate_authority=@~/ca.pem"}, fault.Failed, "cannot read ~/ca.pem", "@$HOME/"},
		{[]string{"certificate_authority=@" + large}, fault.Invalid, "larger than 1 MiB", ""},
		{[]string{"password=@no/such/file"}, fault.Failed, "field password: cannot read no/such/file: ", ""},
		{[]string{"password=@~/token"}, fault.Failed, "cannot read ~/token", "@$HOME/"},
		{[]string{"password=@" + large}, fault.Invalid, "larger than 1 MiB", ""},
	} {
		_, err := testReader().read(t.Context(), c.flags)
		if !fault.Is(err, c.kind) || !strings.Contains(err.Error(), c.says) || !strings.Contains(fault.HintOf(err), c.hint) {
			t.Errorf("%.60q: got %v (%s)", c.flags, err, fault.HintOf(err))
			continue
		}
		if strings.Contains(err.Error()+fault.HintOf(err), canary) {
			t.Errorf("%.60q: the error repeats what may be a secret: %v", c.flags, err)
		}
	}
}

// A mistake in one flag is found before another one is read.
func TestSetLooksBeforeItReads(t *testing.T) {
	t.Parallel()
	r := testReader()
	r.resolve = func(context.Context, secrets.Reference) (secret.Text, error) {
		t.Error("the command was run")
		return secret.Text{}, nil
	}
	if _, err := r.read(t.Context(), []string{"password=cmd:touch", "usrname=x"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("got %v", err)
	}
}

// Without a terminal, a secret that nothing gives is an error that lists the ways.
func TestSetWithoutTerminal(t *testing.T) {
	t.Parallel()
	r := testReader()
	r.missing = []string{"password"}
	for name, flags := range map[string][]string{"left out": {"username=ci"}, "without value": {"username=ci", "password"}} {
		_, err := r.read(t.Context(), flags)
		if !fault.Is(err, fault.NeedsPerson) || !strings.Contains(fault.HintOf(err), "--set password=@FILE") {
			t.Errorf("%s: got %v (%s)", name, err, fault.HintOf(err))
		}
	}
	r.terminal, r.isAtStdin = prompt.Terminal{}, true
	if _, err := r.read(t.Context(), []string{"password=-"}); !fault.Is(err, fault.NeedsPerson) {
		t.Errorf("stdin that is a terminal: got %v", err)
	}
}

// Ctrl-C ends waiting for a stdin that never ends.
func TestSetStdinInterrupted(t *testing.T) {
	t.Parallel()
	endless, _ := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := testReader()
	r.stdin = endless
	if _, err := r.read(ctx, []string{"password=-"}); !fault.Is(err, fault.Interrupted) {
		t.Errorf("got %v", err)
	}
}
