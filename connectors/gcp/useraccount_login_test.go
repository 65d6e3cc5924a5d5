package gcp

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/svcconn/svcconn/connectors/gcp/gcptest"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
)

func TestLoginsThroughTheBrowser(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(w *loginWorld){
		"by itself":       func(*loginWorld) {},
		"with an account": func(w *loginWorld) { w.fields["login_hint"] = "jane@example.com" },
		"on another machine": func(w *loginWorld) {
			w.jane.absent, w.jane.answer = true, func(page string) string { return "  " + w.jane.end(page) + "\n" }
		},
		"opened by herself": func(w *loginWorld) { w.jane.absent = true; go func() { w.jane.follow(<-w.jane.shown) }() },
		"with narrow scopes": func(w *loginWorld) {
			w.fields["login_scopes"] = []string{"openid", "https://www.googleapis.com/auth/userinfo.email", scopeStorageRead}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newLoginWorld(t, "desktop")
			prepare(w)
			s, u := w.open()
			who, err := s.Verify(t.Context())
			if err != nil || who.Name != "jane@example.com" {
				t.Fatalf("%+v, %v (%s)", who, err, fault.HintOf(err))
			}
			renewed := s.Renewed()["refresh_token"]
			if renewed.IsEmpty() || len(s.Renewed()) != 1 {
				t.Fatal("the login leaves no refresh token")
			}
			hides(t, w.jane.seen()+printed(u), renewed.Reveal(), w.client.Secret)
			if hint := "login_hint=jane%40example.com"; w.fields["login_hint"] != nil && !strings.Contains(w.jane.seen(), hint) {
				t.Errorf("the page does not have %s", hint)
			}

			// From now on nobody is needed.
			w.fields["refresh_token"], w.host.Person = renewed.Reveal(), nil
			again, _ := w.open()
			got, err := again.tokenFor(t.Context(), purpose{})
			if err != nil {
				t.Fatal(err)
			}
			lasts(t, got, time.Hour)
			if again.Renewed() != nil || w.Count("oauth2", "token.code") != 1 || w.Count("oauth2", "token.refresh") != 1 {
				t.Errorf("renewed %d, %d logins, %d refreshes", len(again.Renewed()), w.Count("oauth2", "token.code"), w.Count("oauth2", "token.refresh"))
			}
		})
	}
}

func TestLoginsThroughTheBrowserThatFail(t *testing.T) {
	t.Parallel()
	with := func(key, value string) func(string) string {
		return func(back string) string {
			u, err := url.Parse(back)
			if err != nil {
				return back
			}
			query := u.Query()
			query.Set(key, value)
			u.RawQuery = query.Encode()
			return u.String()
		}
	}
	for name, c := range map[string]struct {
		prepare func(w *loginWorld)
		kind    fault.Kind
		words   []string
	}{
		"denied":                {func(w *loginWorld) { w.DenyConsent() }, fault.Denied, []string{"was denied"}},
		"another's state":       {func(w *loginWorld) { w.jane.tampers = with("state", "x") }, fault.Denied, []string{"state of another login"}},
		"another code":          {func(w *loginWorld) { w.jane.tampers = with("code", "4/0-"+planted) }, fault.Denied, nil},
		"another error":         {func(w *loginWorld) { w.jane.tampers = with("error", "server_error") }, fault.Failed, []string{"ended the login: server_error"}},
		"something else pasted": {func(w *loginWorld) { w.jane.absent, w.jane.answer = true, func(string) string { return planted } }, fault.Invalid, []string{"what was pasted"}},
		"a page pasted":         {func(w *loginWorld) { w.jane.absent, w.jane.answer = true, func(page string) string { return page } }, fault.Invalid, []string{"what was pasted"}},
		"another secret":        {func(w *loginWorld) { w.fields["client_secret"] = planted }, fault.Denied, []string{"client_secret"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newLoginWorld(t, "desktop")
			c.prepare(w)
			s, _ := w.open()
			_, err := s.Verify(t.Context())
			failsAs(t, err, c.kind, c.words, planted, w.client.Secret)
			if s.Renewed() != nil {
				t.Error("it leaves a refresh token")
			}
		})
	}
}

// A person who ticks a part of what is asked for is told, now.
func TestLoginThatGrantsLess(t *testing.T) {
	t.Parallel()
	w := newLoginWorld(t, "desktop")
	inner := w.Handler()
	w.Route("oauth2.googleapis.com", http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/token" {
			inner.ServeHTTP(out, r)
			return
		}
		reply(out, http.StatusOK, object("access_token", "ya29.a0x", "expires_in", 3599, "refresh_token", "1//"+planted, "token_type", "Bearer", "scope", "openid https://www.googleapis.com/auth/userinfo.email"))
	}))
	s, _ := w.open()
	_, err := s.Verify(t.Context())
	failsAs(t, err, fault.Denied, []string{"did not grant the scope https://www.googleapis.com/auth/cloud-platform", "tick all"}, planted)
	if s.Renewed() != nil {
		t.Error("it leaves a refresh token")
	}
}

// A login that is over takes the person, or says that it does.
func TestLoginThatIsOver(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*gcptest.User){"revoked": (*gcptest.User).Revoke, "wants the person": (*gcptest.User).RequireReauth} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newLoginWorld(t, "desktop")
			person := w.User("jane@example.com")
			old := person.RefreshToken(w.client)
			w.fields["refresh_token"] = old
			end(person)
			w.host.Person = nil
			s, _ := w.open()
			_, err := s.Verify(t.Context())
			failsAs(t, err, fault.NeedsPerson, []string{"login required at Google's authorization server"}, old)
			if hint := fault.HintOf(err); hint != "" { // the broker's names the connector
				t.Errorf("the hint: %s", hint)
			}
			w.host.Person = w.jane
			s, _ = w.open()
			if _, err := s.Verify(t.Context()); err != nil {
				t.Fatal(err)
			}
			if next := s.Renewed()["refresh_token"]; next.IsEmpty() || next.Reveal() == old {
				t.Error("the login leaves no new refresh token")
			}
		})
	}
}

func TestLoginThatNobodyHasMade(t *testing.T) {
	t.Parallel()
	w := newLoginWorld(t, "desktop")
	w.host.Person = nil
	w.fields["generate_temporary_tokens"] = false
	s, _ := w.open()
	_, err := s.Verify(t.Context())
	failsAs(t, err, fault.NeedsPerson, []string{"login required", "nobody has logged in yet"})
	_, err = s.Mint(t.Context(), connector.Request{ResourceType: genericType, ResourceName: ownProject, KeyFile: true})
	failsAs(t, err, fault.NeedsPerson, []string{"login required"})
	if n := len(w.Calls()); n != 0 {
		t.Errorf("%d calls", n)
	}
	w.fields["refresh_token"] = "1//" + planted
	s, _ = w.open()
	got, err := s.Mint(t.Context(), connector.Request{ResourceType: genericType, ResourceName: ownProject, KeyFile: true})
	file, ok := got.(connector.KeyFile)
	if err != nil || !ok {
		t.Fatalf("%v, %v", got, err)
	}
	if f, err := readFile(file.JSON, fileUser); err != nil || f.check() != nil || inFile(t, file.JSON.Reveal(), "refresh_token") != "1//"+planted {
		t.Errorf("the file is not one that SDKs take: %v", err)
	}
}

// A browser that never comes back, and a person who presses Ctrl-C.
func TestLoginThatNobodyFinishes(t *testing.T) {
	t.Parallel()
	for _, absent := range []bool{false, true} {
		w := newLoginWorld(t, "desktop")
		w.jane.absent, w.jane.visit = absent, func(string) {}
		s, u := w.open()
		u.patience = time.Millisecond
		_, err := s.Verify(t.Context())
		failsAs(t, err, fault.NeedsPerson, []string{"nobody finished the login", "try again"})
		ctx, cancel := context.WithCancel(t.Context())
		w.jane.visit = func(string) { cancel() }
		if absent {
			w.jane.answer = nil
			go func() { <-w.jane.shown; cancel() }()
		}
		s, _ = w.open()
		_, err = s.Verify(ctx)
		failsAs(t, err, fault.Interrupted, nil)
		cancel()
	}
}

// However many ask at once, one browser is opened.
func TestLoginForSeveral(t *testing.T) {
	t.Parallel()
	w := newLoginWorld(t, "desktop")
	s, u := w.open()
	var all sync.WaitGroup
	for i := range 10 {
		all.Go(func() {
			var err error
			if i%2 == 0 {
				_, err = s.tokenFor(t.Context(), purpose{})
			} else {
				_, err = u.token(t.Context(), purpose{})
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if len(w.jane.pages) != 1 {
		t.Errorf("%d browsers", len(w.jane.pages))
	}
}

func TestLoginsByDevice(t *testing.T) {
	t.Parallel()
	w := newLoginWorld(t, "tv")
	w.fields["login_flow"] = "device"
	s, _ := w.open()
	_, err := s.Verify(t.Context())
	failsAs(t, err, fault.Invalid, []string{"does not let device logins have these scopes", "--set login_flow=browser", "--set login_scopes="}, w.client.Secret)

	w.fields["login_scopes"] = []string{"openid", "email"}
	s, u := w.open()
	who, err := s.Verify(t.Context())
	if err != nil || who.Name != "jane@example.com" || s.Renewed()["refresh_token"].IsEmpty() {
		t.Fatalf("%+v, %v (%s)", who, err, fault.HintOf(err))
	}
	if seen := w.jane.seen(); !strings.Contains(seen, "open https://www.google.com/device on any machine and enter the code ") {
		t.Errorf("she was told %q", seen)
	}
	hides(t, w.jane.seen()+printed(u), "AH-", s.Renewed()["refresh_token"].Reveal(), w.client.Secret)

	w.DenyConsent()
	s, _ = w.open()
	_, err = s.Verify(t.Context())
	failsAs(t, err, fault.Denied, []string{"was denied"}, w.client.Secret)
}

func TestDeviceLoginThatNobodyFinishes(t *testing.T) {
	t.Parallel()
	w := newLoginWorld(t, "tv")
	w.Route("oauth2.googleapis.com", http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/device/code" {
			reply(out, http.StatusOK, object("device_code", planted, "user_code", "ABCD-\x1b[2J", "verification_url", "https://www.google.com/device", "expires_in", 1800, "interval", 1))
			return
		}
		reply(out, http.StatusPreconditionRequired, `{"error":"authorization_pending","error_description":"Precondition Required"}`)
	}))
	w.fields["login_flow"] = "device"
	s, u := w.open()
	u.patience = 1500 * time.Millisecond // one question
	_, err := s.Verify(t.Context())
	failsAs(t, err, fault.NeedsPerson, []string{"nobody finished the login"}, planted)
	if strings.Contains(w.jane.seen(), "\x1b") {
		t.Errorf("her terminal obeys: %q", w.jane.seen())
	}
	ctx, cancel := context.WithTimeout(t.Context(), 1200*time.Millisecond)
	defer cancel()
	s, _ = w.open()
	_, err = s.Verify(ctx)
	failsAs(t, err, fault.Unavailable, []string{"in time"}, planted)
}

func TestDeviceCodesThatAreOdd(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"no JSON": "hello", "a list": "[]", "empty": "{}", "no code": object("device_code", planted, "verification_url", "https://x/"),
		"no page":      object("device_code", planted, "user_code", "u"),
		"an evil page": object("device_code", planted, "user_code", "u", "verification_url", "javascript:alert(1)"),
		"a plain page": object("device_code", planted, "user_code", "u", "verification_url", "http://www.google.com/device"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newLoginWorld(t, "tv")
			w.route("oauth2.googleapis.com", http.StatusOK, answer)
			w.fields["login_flow"] = "device"
			s, _ := w.open()
			_, err := s.Verify(t.Context())
			if !fault.Is(err, fault.Failed) && !fault.Is(err, fault.Invalid) {
				t.Errorf("%v (%s)", err, fault.KindOf(err))
			}
			hides(t, err.Error()+w.jane.seen(), planted)
		})
	}
}
