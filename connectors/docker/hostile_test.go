package docker

import (
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"unicode"

	"github.com/svcconn/svcconn/pkg/fault"
)

// serve starts a service that does what a test says, and returns its host.
func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

func answer(status int, header, value, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if header != "" {
			w.Header().Set(header, value)
		}
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

func TestNotARegistry(t *testing.T) {
	t.Parallel()
	for what, test := range map[string]struct {
		handler http.HandlerFunc
		kind    fault.Kind
		words   string
	}{
		"a web server":           {http.NotFound, fault.Invalid, "is not a container registry: it answers /v2/ with 404 Not Found"},
		"one with a page":        {answer(200, "Content-Type", "text/html; charset=utf-8", "<html>"), fault.Invalid, "with a page for people"},
		"one that wants a login": {answer(401, "", "", ""), fault.Invalid, "without saying how to log in"},
		"one with another login": {answer(401, "WWW-Authenticate", `Negotiate`, ""), fault.Failed, `a kind of login that svcconn does not know, "negotiate"`},
		"a method not allowed":   {answer(405, "", "", ""), fault.Invalid, "405 Method Not Allowed"},
		"circles":                {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }, fault.Failed, "redirects"},
	} {
		t.Run(what, func(t *testing.T) {
			_, err := ci(serve(t, test.handler)).session(t).Verify(t.Context())
			refused(t, err, test.kind, test.words, "")
		})
	}
}

func TestOldRegistryWithAPage(t *testing.T) {
	t.Parallel()
	host := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
		answer(200, "Content-Type", "text/html", "")(w, r)
	})
	if identity, err := ci(host).session(t).Verify(t.Context()); err != nil || identity.Name != "anonymous" {
		t.Errorf("%+v, %v", identity, err)
	}
}

// A mail server, say: it speaks first, and no HTTP.
func TestNotEvenHTTP(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			fmt.Fprint(conn, "220 mail.example.com ESMTP, and much more than a TLS header\r\n")
			defer conn.Close()
		}
	}()
	_, err = ci(listener.Addr().String()).session(t).Verify(t.Context())
	refused(t, err, fault.Failed, "gave no usable answer", "check host and port")
}

// Whoever is redirected to may see that we came, but never with what.
func TestRedirectsCarryNothing(t *testing.T) {
	t.Parallel()
	var seen atomic.Int64
	evil := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body := make([]byte, 1<<10)
		n, _ := r.Body.Read(body)
		if r.Header.Get("Authorization") != "" || n > 0 {
			seen.Add(1)
		}
		answer(200, "", "", `{"token":"x"}`)(w, r)
	})
	elsewhere := func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://"+evil+r.URL.Path, http.StatusTemporaryRedirect)
	}
	basic := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			answer(401, "WWW-Authenticate", `Basic realm="x"`, "")(w, r)
			return
		}
		elsewhere(w, r)
	})
	tokens := serve(t, elsewhere)
	bearer := serve(t, answer(401, "WWW-Authenticate", `Bearer realm="http://`+tokens+`/token",service="x"`, ""))
	for what, f := range map[string]fields{"basic": ci(basic), "bearer": ci(bearer), "identity token": identityOf(bearer)} {
		_, err := f.session(t).Verify(t.Context())
		refused(t, err, fault.Failed, "it redirects the login to http://"+evil+", where the password does not belong", "register it under that")
		if seen.Load() != 0 {
			t.Fatalf("%s: the redirect carried the password", what)
		}
	}
}

func TestRedirectsWithinTheRegistry(t *testing.T) {
	t.Parallel()
	host := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch user, _, _ := r.BasicAuth(); {
		case user == "":
			answer(401, "WWW-Authenticate", `Basic realm="x"`, "")(w, r)
		case r.URL.Path == "/v2/":
			http.Redirect(w, r, "/v2/again", http.StatusFound)
		}
	})
	if _, err := ci(host).session(t).Verify(t.Context()); err != nil {
		t.Error(err)
	}
	circle := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if _, _, ok := r.BasicAuth(); !ok {
			answer(401, "WWW-Authenticate", `Basic realm="x"`, "")(w, r)
			return
		}
		http.Redirect(w, r, r.URL.Path, http.StatusFound)
	})
	_, err := ci(circle).session(t).Verify(t.Context())
	refused(t, err, fault.Failed, "circles", "")
}

// A registry that repeats what it was sent, and obeys no terminal etiquette.
func TestEchoes(t *testing.T) {
	t.Parallel()
	host := serve(t, func(w http.ResponseWriter, r *http.Request) {
		sent := r.Header.Get("Authorization")
		_, password, ok := r.BasicAuth()
		if !ok {
			answer(401, "WWW-Authenticate", `Basic realm="x"`, "")(w, r)
			return
		}
		answer(403, "", "", `{"message":"\u001b[31mno `+password+` and `+sent+"\\n"+strings.Repeat("long ", 200)+`"}`)(w, r)
	})
	_, err := ci(host).session(t).Verify(t.Context())
	refused(t, err, fault.Denied, "no [redacted] and Basic [redacted] long", "")
	if basic := base64.StdEncoding.EncodeToString([]byte("ci:" + canary)); strings.Contains(err.Error(), basic) {
		t.Errorf("the error shows the login: %v", err)
	}
	if strings.ContainsFunc(err.Error(), unicode.IsControl) || len(err.Error()) > 600 {
		t.Errorf("the error is not fit to be printed: %q", err)
	}
}

func TestTokenServers(t *testing.T) {
	t.Parallel()
	good := serve(t, answer(200, "", "", `{"access_token":"opaque-token-41"}`))
	for what, test := range map[string]struct {
		challenge string
		kind      fault.Kind
		words     string
	}{
		"no realm":             {`Bearer service="x"`, fault.Failed, "names no usable token server"},
		"a realm without host": {`Bearer realm="/token"`, fault.Failed, "names no usable token server"},
		"another scheme":       {`Bearer realm="file:///etc/passwd"`, fault.Failed, "names no usable token server"},
		"a user in it":         {`Bearer realm="https://a:b@auth.example.com/"`, fault.Failed, "names no usable token server"},
		"not a token server":   {`Bearer realm="http://` + serve(t, answer(200, "", "", "<html>")) + `/"`, fault.Failed, "gave no token"},
		"an empty token":       {`Bearer realm="http://` + serve(t, answer(200, "", "", `{"token":""}`)) + `/"`, fault.Failed, "gave no token"},
		"missing":              {`Bearer realm="http://` + serve(t, http.NotFound) + `/"`, fault.Failed, "makes no sense here: 404"},
		"its token is no good": {`Bearer realm="http://` + good + `/"`, fault.Denied, "with the token that token server " + good},
	} {
		t.Run(what, func(t *testing.T) {
			_, err := ci(serve(t, func(w http.ResponseWriter, r *http.Request) {
				answer(401, "WWW-Authenticate", test.challenge, r.Header.Get("Authorization"))(w, r)
			})).session(t).Verify(t.Context())
			refused(t, err, test.kind, test.words, "")
			if err != nil && strings.Contains(err.Error(), "opaque-token-41") {
				t.Errorf("the error shows the token: %v", err)
			}
		})
	}
}

func TestChallengeIsPassedOn(t *testing.T) {
	t.Parallel()
	var asked atomic.Value
	tokens := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Store(r.URL.RawQuery)
		answer(200, "", "", `{"token":"t"}`)(w, r)
	})
	host := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer t" {
			answer(401, "WWW-Authenticate", `Bearer realm="http://`+tokens+`/auth?tenant=7",service="s p",scope="a:b:c"`, "")(w, r)
		}
	})
	identity, err := ci(host).session(t).Verify(t.Context())
	if err != nil || identity.Name != "ci" {
		t.Fatalf("%+v, %v", identity, err)
	}
	if want := "account=ci&client_id=svcconn&scope=a%3Ab%3Ac&service=s+p&tenant=7"; asked.Load() != want {
		t.Errorf("asked %q, want %q", asked.Load(), want)
	}
}
