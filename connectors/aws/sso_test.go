package aws

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/svcconn/svcconn/connectors/aws/awstest"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

const startURL1 = "https://example.awsapps.com/start"

// visitor is a person who is sent to a page.
type visitor struct {
	browser error // why none can be opened; nil opens one

	mu    sync.Mutex
	pages []string
	told  []string
}

func (v *visitor) OpenBrowser(page string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.pages = append(v.pages, page)
	return v.browser
}

func (v *visitor) Tell(text string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.told = append(v.told, text)
}

func (*visitor) Ask(context.Context, string) (secret.Text, error) {
	return secret.Text{}, errors.New("nothing is to be asked")
}

// center is an AWS with an IAM Identity Center.
func center(t *testing.T, o awstest.SSO) (*world, *visitor) {
	t.Helper()
	w := newWorld(t)
	o.StartURL, o.Region, o.Assignments = startURL1, "eu-west-1", map[string][]string{account1: {"Developer"}}
	w.SSO(o)
	v := &visitor{}
	w.host.Person = v
	return w, v
}

func ssoFields(more map[string]any) map[string]any {
	fields := map[string]any{
		"region": "eu-central-1", "sso_start_url": startURL1, "sso_region": "eu-west-1", "sso_account_id": account1, "sso_role_name": "Developer",
	}
	for name, value := range more {
		fields[name] = value
	}
	return fields
}

// openSSOWith opens a session whose waiting moves the clock; during does what happens
// meanwhile.
func (w *world) openSSOWith(t *testing.T, fields map[string]any, during func(waited int)) *session {
	t.Helper()
	s := w.opened(t, methodSSO, ssoFields(fields))
	waited := 0
	w.ssoOf(t, s).pause = func(ctx context.Context, d time.Duration) error {
		waited++
		w.clock.advance(d)
		if during != nil {
			during(waited)
		}
		return ctx.Err()
	}
	return s
}

func (w *world) ssoOf(t *testing.T, s *session) *ssoSource {
	t.Helper()
	switch source := s.source.(type) {
	case *ssoSource:
		return source
	case *roleSource:
		return source.base.(*ssoSource)
	}
	t.Fatalf("it is a %T", s.source)
	return nil
}

// kept is the token that a session has to have stored.
func kept(t *testing.T, s *session) string {
	t.Helper()
	text, ok := s.Renewed()[ssoKept.Name]
	if !ok {
		t.Fatal("there is no new token")
	}
	return text.Reveal()
}

func TestSSOLogsInOnceAndThenRefreshes(t *testing.T) {
	t.Parallel()
	w, v := center(t, awstest.SSO{TokenLifetime: 2 * time.Hour, KeyLifetime: 30 * time.Minute})
	first := w.openSSOWith(t, nil, func(waited int) {
		if waited == 3 && !w.ApproveDevice(w.UserCodes()[0]) {
			t.Error("nobody waits")
		}
	})
	k, arn := got(t, first, purpose{scope: "{}"})
	if !strings.Contains(arn, "Developer") || !k.expires.Equal(w.clock.Now().Add(30*time.Minute)) || k.account != account1 {
		t.Errorf("%s until %v", arn, k.expires)
	}
	if len(v.pages) != 1 || len(v.told) != 1 || !strings.Contains(v.told[0], "check that it shows the code ") {
		t.Errorf("%q, %q", v.pages, v.told)
	}
	token := kept(t, first)

	w.host.Person = nil
	w.ResetCalls()
	second := w.openSSOWith(t, map[string]any{ssoKept.Name: token}, nil)
	got(t, second, purpose{})
	if w.Count("sso-oauth", "CreateToken") != 0 || second.Renewed() != nil {
		t.Errorf("a token that is good was renewed: %v", w.Calls())
	}
	w.clock.advance(3 * time.Hour)
	third := w.openSSOWith(t, map[string]any{ssoKept.Name: token}, nil)
	got(t, third, purpose{})
	again := kept(t, third)
	if again == token || w.Count("sso-oauth", "CreateToken") != 1 {
		t.Errorf("the token was not renewed: %v", w.Calls())
	}

	w.SignOut(startURL1)
	fourth := w.openSSOWith(t, map[string]any{ssoKept.Name: again}, nil)
	if err := refusal(t, fourth, purpose{}); !fault.Is(err, fault.NeedsPerson) || !strings.Contains(err.Error(), "login required at IAM Identity Center") {
		t.Error(err)
	}
}

func TestSSOWithoutAPerson(t *testing.T) {
	t.Parallel()
	w, _ := center(t, awstest.SSO{})
	w.host.Person = nil
	s := w.openSSOWith(t, nil, nil)
	if err := refusal(t, s, purpose{}); !fault.Is(err, fault.NeedsPerson) {
		t.Error(err)
	}
	if calls := w.Calls(); len(calls) > 0 {
		t.Errorf("it asked %v", calls)
	}
	if s.Renewed() != nil {
		t.Error("nothing was to be stored")
	}
}

func TestSSOWhatThePersonDoes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		during func(w *world, waited int)
		kind   fault.Kind
		error  string
	}{
		"denies":  {func(w *world, _ int) { w.DenyDevice(w.UserCodes()[0]) }, fault.Denied, "the login at IAM Identity Center was denied"},
		"is away": {func(*world, int) {}, fault.NeedsPerson, "nobody confirmed the code"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, _ := center(t, awstest.SSO{})
			s := w.openSSOWith(t, nil, func(waited int) { test.during(w, waited) })
			if err := refusal(t, s, purpose{}); !fault.Is(err, test.kind) || !strings.Contains(err.Error(), test.error) {
				t.Error(err)
			}
		})
	}
}

func TestSSOGoesSlower(t *testing.T) {
	t.Parallel()
	w, v := center(t, awstest.SSO{})
	v.browser = errors.New("there is no display")
	s := w.opened(t, methodSSO, ssoFields(nil))
	var waits []time.Duration
	w.ssoOf(t, s).pause = func(_ context.Context, d time.Duration) error {
		waits = append(waits, d)
		if len(waits) > 2 { // before that no time passes between the questions
			w.clock.advance(d)
			w.ApproveDevice(w.UserCodes()[0])
		}
		return nil
	}
	got(t, s, purpose{})
	if len(waits) < 3 || waits[2] <= waits[1] {
		t.Errorf("it waited %v", waits)
	}
	if !strings.HasPrefix(v.told[0], "To log in, open https://") {
		t.Errorf("%q", v.told)
	}
}

func TestSSOOneLoginForAllWhoWait(t *testing.T) {
	t.Parallel()
	w, v := center(t, awstest.SSO{AutoApprove: true})
	s := w.openSSOWith(t, nil, nil)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, err := w.ssoOf(t, s).keys(t.Context(), purpose{}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if len(v.pages) != 1 {
		t.Errorf("%d pages were opened", len(v.pages))
	}
}

func TestSSOTokenThatIsRefused(t *testing.T) {
	t.Parallel()
	w, v := center(t, awstest.SSO{AutoApprove: true, TokenLifetime: 8 * time.Hour})
	s := w.openSSOWith(t, nil, nil)
	got(t, s, purpose{})
	w.SignOut(startURL1)
	if _, err := w.ssoOf(t, s).keys(t.Context(), purpose{}); err != nil {
		t.Fatal(err)
	}
	if len(v.pages) != 2 {
		t.Errorf("%d pages were opened", len(v.pages))
	}
}

func TestSSOOfAnotherPortalIsNoLogin(t *testing.T) {
	t.Parallel()
	w, _ := center(t, awstest.SSO{AutoApprove: true})
	s := w.openSSOWith(t, nil, nil)
	got(t, s, purpose{})
	other := strings.Replace(kept(t, s), startURL1, "https://other.awsapps.com/start", 1)
	w.host.Person = nil
	for name, token := range map[string]string{"another portal": other, "no JSON": planted, "empty": "{}"} {
		err := refusal(t, w.openSSOWith(t, map[string]any{ssoKept.Name: token}, nil), purpose{})
		if !fault.Is(err, fault.NeedsPerson) {
			t.Errorf("%s: %v", name, err)
		}
		noCanary(t, name, err)
	}
}

func TestSSOWithARoleOnTop(t *testing.T) {
	t.Parallel()
	w, _ := center(t, awstest.SSO{AutoApprove: true})
	role := w.Account(account2).Role("deployer", awstest.Role{})
	s := w.openSSOWith(t, map[string]any{"role_arn": role, "account_id": account2}, nil)
	k, arn := got(t, s, purpose{scope: awstest.AllowAll})
	if !strings.Contains(arn, "assumed-role/deployer/svcconn") || k.account != account2 {
		t.Errorf("%s of %s", arn, k.account)
	}
	if kept(t, s) == "" {
		t.Error("the token is not kept")
	}
}

func TestSSOUnassigned(t *testing.T) {
	t.Parallel()
	w, _ := center(t, awstest.SSO{AutoApprove: true})
	s := w.openSSOWith(t, map[string]any{"sso_role_name": "Administrator"}, nil)
	if err := refusal(t, s, purpose{}); !strings.Contains(err.Error(), "permission set Administrator of account "+account1) {
		t.Error(err)
	}
}

func TestSSOIsRefusedBeforehand(t *testing.T) {
	t.Parallel()
	w, _ := center(t, awstest.SSO{})
	for name, test := range map[string]struct {
		fields     map[string]any
		expiration time.Duration
		error      string
	}{
		"another account": {map[string]any{"account_id": account2}, 0, "the login is for account " + account1},
		"expiration":      {nil, time.Hour, "decides about the lifetime"},
		"plain http":      {map[string]any{"sso_start_url": "http://example.com/start"}, 0, "not reached by https"},
		"no portal":       {map[string]any{"sso_start_url": "example"}, 0, "not the address of a portal"},
		"a password":      {map[string]any{"sso_start_url": "https://u:" + planted + "@example.com"}, 0, "do not belong there"},
	} {
		spec := w.spec(t, methodSSO, ssoFields(test.fields))
		spec.Expiration = test.expiration
		settings, err := connector.Types{Type()}.Check(spec)
		if err == nil {
			_, err = open(w.host, settings)
		}
		if err == nil || !strings.Contains(err.Error(), test.error) {
			t.Errorf("%s: %v", name, err)
		}
		noCanary(t, name, err)
	}
}
