package gcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
)

// closed is an HTTP that nothing may go through.
type closed struct{ t *testing.T }

// RoundTrip implements http.RoundTripper.
func (c closed) RoundTrip(r *http.Request) (*http.Response, error) {
	c.t.Errorf("%s was asked", r.URL.Host)
	return nil, errors.New("nobody may be asked")
}

// newClosedHost is a machine on which nobody may be asked, at noon.
func newClosedHost(t *testing.T) connector.Host {
	t.Helper()
	return connector.Host{Now: func() time.Time { return noon }, Home: t.TempDir(), HTTP: closed{t}, Getenv: func(string) string { return "" }}
}

// noon is when tests without a Google play.
var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// proverOf is what gets the subject token of a configuration.
func proverOf(t *testing.T, host connector.Host, source map[string]any, more map[string]any) prover {
	t.Helper()
	settings := must(externalFields(configurationJSON(t, someAudience, source, more), nil).settings(methodExternal))(t)
	opened := must(open(host, settings))(t)
	switch source := opened.(*session).source.(*external).source.(type) {
	case *federated:
		return source.prove
	case *impersonated:
		return source.from.(*federated).prove
	}
	t.Fatalf("%T", opened)
	return nil
}

func answerOfExecutable(t testing.TB, change map[string]any) []byte {
	t.Helper()
	object := map[string]any{"version": 1, "success": true, "token_type": typeJWT, "id_token": planted}
	for key, value := range change {
		object[key] = value
		if value == nil {
			delete(object, key)
		}
	}
	raw, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestExecutableAnswers(t *testing.T) {
	t.Parallel()
	over, good := noon.Unix(), noon.Add(time.Second).Unix()
	no := map[string]any{"success": false, "code": "401", "message": "log in\x1b[2J first"}
	for name, test := range map[string]struct {
		finished connector.Finished
		kind     fault.Kind // "" is a token
		words    []string
	}{
		"JSON web token":   {connector.Finished{Stdout: answerOfExecutable(t, nil)}, "", nil},
		"id token":         {connector.Finished{Stdout: answerOfExecutable(t, map[string]any{"token_type": typeID, "expiration_time": good})}, "", nil},
		"SAML":             {connector.Finished{Stdout: answerOfExecutable(t, map[string]any{"token_type": typeSAML, "saml_response": planted, "id_token": nil})}, "", nil},
		"more than needed": {connector.Finished{Stdout: answerOfExecutable(t, map[string]any{"new": []int{1}})}, "", nil},
		"over":             {connector.Finished{Stdout: answerOfExecutable(t, map[string]any{"expiration_time": over})}, fault.Failed, []string{"has expired: it was good until 2026-01-02T12:00:00Z"}},
		"version 2":        {connector.Finished{Stdout: answerOfExecutable(t, map[string]any{"version": 2})}, fault.Failed, []string{"version 2"}},
		"version -1":       {connector.Finished{Stdout: answerOfExecutable(t, map[string]any{"version": -1})}, fault.Failed, []string{"version -1"}},
		"no version":       {connector.Finished{Stdout: answerOfExecutable(t, map[string]any{"version": nil})}, fault.Failed, []string{"lacks version"}},
		"no success":       {connector.Finished{Stdout: answerOfExecutable(t, map[string]any{"success": nil})}, fault.Failed, []string{"lacks version or success"}},
		"no type":          {connector.Finished{Stdout: answerOfExecutable(t, map[string]any{"token_type": nil})}, fault.Failed, []string{"token_type"}},
		"type of AWS":      {connector.Finished{Stdout: answerOfExecutable(t, map[string]any{"token_type": "urn:ietf:params:aws:token-type:aws4_request"})}, fault.Failed, []string{"token_type"}},
		"no token":         {connector.Finished{Stdout: answerOfExecutable(t, map[string]any{"id_token": nil})}, fault.Failed, []string{"lacks id_token"}},
		"no SAML":          {connector.Finished{Stdout: answerOfExecutable(t, map[string]any{"token_type": typeSAML})}, fault.Failed, []string{"lacks id_token, or for SAML saml_response"}},
		"two words":        {connector.Finished{Stdout: answerOfExecutable(t, map[string]any{"id_token": planted + " x"})}, fault.Invalid, []string{"white space"}},
		"token is number":  {connector.Finished{Stdout: answerOfExecutable(t, map[string]any{"id_token": 1})}, fault.Failed, []string{"id_token has a value of another type"}},
		"not JSON":         {connector.Finished{Stdout: []byte("DEBUG " + planted + "\n{}")}, fault.Failed, []string{"not JSON", "aip.dev"}},
		"nothing":          {connector.Finished{}, fault.Failed, []string{"no answer"}},
		"no":               {connector.Finished{Stdout: answerOfExecutable(t, no)}, fault.Denied, []string{"what the program token: no token: 401: log in", "first"}},
		"no, by number":    {connector.Finished{Stdout: answerOfExecutable(t, map[string]any{"success": false, "code": 401, "message": "m"})}, fault.Denied, []string{"401: m"}},
		"no, no reason":    {connector.Finished{Stdout: answerOfExecutable(t, map[string]any{"success": false, "code": "401"})}, fault.Failed, []string{"without code and message"}},
		"failed":           {connector.Finished{Failure: "exit status 3", Stderr: []byte("Traceback\nno luck with " + planted + "\nnot logged in\n"), Stdout: []byte(planted)}, fault.Failed, []string{"program token: exit status 3: Traceback; not logged in"}},
		"failed, and says": {connector.Finished{Failure: "exit status 3", Stdout: answerOfExecutable(t, no)}, fault.Denied, []string{"401: log in"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			host := newClosedHost(t)
			host.Run = func(context.Context, connector.Command) (connector.Finished, error) { return test.finished, nil }
			got, err := proverOf(t, host, map[string]any{"executable": map[string]any{"command": "/opt/token --key " + planted}}, nil)(t.Context())
			if test.kind == "" {
				if err != nil || got.(subjectToken).text.Reveal() != planted {
					t.Errorf("%v, %v", got, err)
				}
				return
			}
			failsAs(t, err, test.kind, test.words, planted, "\x1b")
			if fault.HintOf(err) == "" {
				t.Errorf("no hint: %v", err)
			}
		})
	}
}

func TestExecutablesThatDoNotRun(t *testing.T) {
	t.Parallel()
	host := newClosedHost(t)
	prove := func() prover {
		return proverOf(t, host, map[string]any{"executable": map[string]any{"command": "/opt/token " + planted, "timeout_millis": 5000}}, nil)
	}
	_, err := prove()(t.Context())
	failsAs(t, err, fault.Failed, []string{"no programs may be run here"}, planted)

	host.Run = func(context.Context, connector.Command) (connector.Finished, error) {
		return connector.Finished{}, os.ErrNotExist
	}
	_, err = prove()(t.Context())
	failsAs(t, err, fault.Failed, []string{"program token cannot be run: file does not exist"}, planted)

	var had time.Duration
	host.Run = func(ctx context.Context, _ connector.Command) (connector.Finished, error) {
		deadline, _ := ctx.Deadline()
		had = time.Until(deadline)
		return connector.Finished{}, ctx.Err()
	}
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	_, err = prove()(late)
	failsAs(t, err, fault.Unavailable, []string{"program token did not answer in time"}, planted)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err = prove()(gone); !fault.Is(err, fault.Interrupted) {
		t.Errorf("after Ctrl-C: %v", err)
	}
	if _, err = prove()(t.Context()); err == nil || had <= 4*time.Second || had > 5*time.Second {
		t.Errorf("it had %s, %v", had, err)
	}
}

func TestExecutableOutputFile(t *testing.T) {
	t.Parallel()
	good := noon.Add(time.Minute).Unix()
	fresh := string(answerOfExecutable(t, map[string]any{"id_token": "fresh", "expiration_time": good}))
	kept := func(change map[string]any) string {
		all := map[string]any{"id_token": "kept", "expiration_time": good}
		for key, value := range change {
			all[key] = value
		}
		return string(answerOfExecutable(t, all))
	}
	for name, test := range map[string]struct {
		file, stdout string
		token        string // "" is an error
		words        []string
	}{
		"still good":         {kept(nil), fresh, "kept", nil},
		"over":               {kept(map[string]any{"expiration_time": noon.Unix()}), fresh, "fresh", nil},
		"without an end":     {kept(map[string]any{"expiration_time": nil}), fresh, "fresh", nil},
		"of a failure":       {kept(map[string]any{"success": false, "code": "1", "message": "m"}), fresh, "fresh", nil},
		"empty":              {"\n", fresh, "fresh", nil},
		"none":               {"", fresh, "fresh", nil},
		"malformed":          {planted, fresh, "", []string{"out: ", "not JSON"}},
		"of the future":      {kept(map[string]any{"version": 2}), fresh, "", []string{"version 2"}},
		"printed into it":    {kept(map[string]any{"expiration_time": noon.Unix()}), "", "", []string{"has expired"}},
		"printed, no end":    {"", string(answerOfExecutable(t, nil)), "", []string{"lacks expiration_time"}},
		"nothing, and empty": {" ", "", "", []string{"is empty"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			host, folder := newClosedHost(t), t.TempDir()
			path := folder + "/out"
			if test.file != "" {
				inFolder(t, folder, "out", test.file)
			}
			var env []string
			host.Run = func(_ context.Context, c connector.Command) (connector.Finished, error) {
				env = c.Env
				return connector.Finished{Stdout: []byte(test.stdout)}, nil
			}
			got, err := proverOf(t, host, map[string]any{"executable": map[string]any{"command": "/opt/token", "output_file": path}},
				map[string]any{"service_account_impersonation_url": impersonationURL("a@p.iam.gserviceaccount.com")})(t.Context())
			if test.token == "" {
				failsAs(t, err, fault.KindOf(err), test.words, planted)
				return
			}
			if err != nil || got.(subjectToken).text.Reveal() != test.token {
				t.Errorf("%v, %v", got, err)
			}
			if wanted := "GOOGLE_EXTERNAL_ACCOUNT_IMPERSONATED_EMAIL=a@p.iam.gserviceaccount.com GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE=" + path; env != nil && !strings.HasSuffix(strings.Join(env, " "), wanted) {
				t.Errorf("it knew %q", env)
			}
			if after, err := os.ReadFile(path); err == nil && string(after) != test.file {
				t.Error("the file was changed")
			}
		})
	}
	// The executable writes the file, and nothing to stdout.
	host, folder := newClosedHost(t), t.TempDir()
	host.Run = func(context.Context, connector.Command) (connector.Finished, error) {
		inFolder(t, folder, "out", fresh)
		return connector.Finished{}, nil
	}
	got, err := proverOf(t, host, map[string]any{"executable": map[string]any{"command": "/opt/token", "output_file": folder + "/out"}}, nil)(t.Context())
	if err != nil || got.(subjectToken).text.Reveal() != "fresh" {
		t.Errorf("%v, %v", got, err)
	}
}

// FuzzExecutableAnswer: whatever an executable prints, there is a token fit for a form or
// an error, and the error repeats nothing of it but the code and the message.
func FuzzExecutableAnswer(f *testing.F) {
	f.Add(answerOfExecutable(f, nil), false)
	f.Add(answerOfExecutable(f, map[string]any{"success": false, "code": "1", "message": "m"}), true)
	f.Add([]byte(`{"version":1,"success":true,"token_type":"urn:ietf:params:oauth:token-type:saml2","saml_response":"x","expiration_time":9e99}`), true)
	f.Add([]byte("null"), false)
	f.Fuzz(func(t *testing.T, raw []byte, kept bool) {
		e := executable{Command: "/opt/token"}
		if kept {
			e.OutputFile = "/out"
		}
		c := &clients{host: connector.Host{Now: func() time.Time { return noon }}}
		got, err := e.read(c, append(raw, fmt.Sprintf("%10s", "")...))
		switch {
		case err == nil:
			if text := got.(subjectToken).text.Reveal(); text == "" || strings.ContainsAny(text, " \n\r\t\x00") {
				t.Errorf("%q is a token", text)
			}
		case strings.Contains(err.Error(), planted) && !fault.Is(err, fault.Denied):
			t.Errorf("it is repeated: %v", err)
		case fault.HintOf(err) == "":
			t.Errorf("no hint: %v", err)
		}
	})
}
