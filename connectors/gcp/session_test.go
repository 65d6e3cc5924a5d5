package gcp

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

// mint is a source that a test plays.
type mint struct {
	mu    sync.Mutex
	asked []purpose
	get   func(ctx context.Context, n int) (token, error) // n counts from 1
	as    identity
	blunt bool // it cannot narrow anything
}

func (m *mint) token(ctx context.Context, want purpose) (token, error) {
	m.mu.Lock()
	m.asked = append(m.asked, want)
	n := len(m.asked)
	m.mu.Unlock()
	return m.get(ctx, n)
}

func (m *mint) relevant(want purpose) purpose {
	if m.blunt {
		return purpose{}
	}
	return want
}

func (m *mint) identity() identity { return m.as }

// sessionOf is a session that gets its tokens from a source, at a time.
func sessionOf(t *testing.T, m *mint, now func() time.Time) *session {
	t.Helper()
	c := wired(t, "http://example.com")
	c.host.Now, c.identity = now, m.as
	return &session{clients: c, source: m, kept: map[purpose]*minting{}}
}

func atNoon() time.Time { return noon }

func good(context.Context, int) (token, error) {
	return token{text: secret.New("t"), expires: noon.Add(time.Hour)}, nil
}

// However many ask, and in whatever words, one token is got for one purpose.
func TestOneTokenPerPurpose(t *testing.T) {
	t.Parallel()
	for blunt, want := range map[bool]int{false: 3, true: 1} {
		m := &mint{get: good, blunt: blunt}
		s := sessionOf(t, m, atNoon)
		var all sync.WaitGroup
		for _, p := range []purpose{{}, {scope: scopeCloud}, {scope: scopeStorageRead}, {lifetime: time.Hour}} {
			for range 8 {
				all.Go(func() {
					if got, err := s.tokenFor(t.Context(), p); err != nil || got.text.Reveal() != "t" {
						t.Errorf("%v: %v", p, err)
					}
				})
			}
		}
		all.Wait()
		if len(m.asked) != want {
			t.Errorf("the source was asked for %v", m.asked)
		}
		for _, p := range m.asked {
			if !blunt && p.scope == "" {
				t.Errorf("a token of no scope was asked for: %v", p)
			}
		}
	}
}

// An error is for those who wait for it, and not for who asks later.
func TestErrorsAreNotKept(t *testing.T) {
	t.Parallel()
	m := &mint{get: func(ctx context.Context, n int) (token, error) {
		if n == 1 {
			return token{}, fault.New(fault.Unavailable, "later")
		}
		return good(ctx, n)
	}}
	s := sessionOf(t, m, atNoon)
	if _, err := s.tokenFor(t.Context(), purpose{}); !fault.Is(err, fault.Unavailable) {
		t.Error(err)
	}
	for range 2 {
		if _, err := s.tokenFor(t.Context(), purpose{}); err != nil {
			t.Error(err)
		}
	}
	if len(m.asked) != 2 {
		t.Errorf("asked %d times", len(m.asked))
	}
}

// A token that is over is refused; one that has become so is not served again.
func TestExpiredTokens(t *testing.T) {
	t.Parallel()
	now := noon
	for what, expires := range map[string]time.Time{"over": noon.Add(-time.Minute), "just over": noon} {
		m := &mint{get: func(context.Context, int) (token, error) { return token{text: secret.New("t"), expires: expires}, nil }}
		_, err := sessionOf(t, m, atNoon).tokenFor(t.Context(), purpose{})
		says(t, what, err, fault.Denied, "the token has expired: it was good until "+expires.Format(time.RFC3339), "svcconn update")
	}
	for what, test := range map[string]struct {
		expires time.Time
		asked   int
	}{"ends": {noon.Add(time.Minute), 2}, "does not say": {time.Time{}, 1}} {
		now = noon
		m := &mint{}
		m.get = func(_ context.Context, n int) (token, error) {
			if n == 1 {
				return token{text: secret.New("t"), expires: test.expires}, nil
			}
			return token{text: secret.New("t"), expires: now.Add(time.Minute)}, nil
		}
		s := sessionOf(t, m, func() time.Time { return now })
		for range 2 {
			if _, err := s.tokenFor(t.Context(), purpose{}); err != nil {
				t.Errorf("%s: %v", what, err)
			}
			now = now.Add(time.Minute)
		}
		if len(m.asked) != test.asked {
			t.Errorf("%s: asked %d times", what, len(m.asked))
		}
	}
}

// Whoever gives up waiting is told so at once; the others get what they wait for, even if
// it was the one who asked that gave up.
func TestWaitingForATokenOfAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &mint{get: func(ctx context.Context, n int) (token, error) {
			select {
			case <-time.After(time.Minute):
				return good(ctx, n)
			case <-ctx.Done():
				return token{}, ctx.Err()
			}
		}}
		s := sessionOf(t, m, atNoon)
		asking, giveUp := context.WithCancel(t.Context())
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		type outcome struct {
			err  error
			took time.Duration
		}
		outcomes := map[string]chan outcome{}
		start := time.Now()
		for _, who := range []struct {
			name string
			ctx  context.Context
		}{{"first", asking}, {"impatient", impatient}, {"patient", t.Context()}} {
			done := make(chan outcome, 1)
			outcomes[who.name] = done
			go func() {
				_, err := s.tokenFor(who.ctx, purpose{})
				done <- outcome{err, time.Since(start)}
			}()
			synctest.Wait()
		}
		time.Sleep(2 * time.Second) // bubble time: one of them has given up by then
		giveUp()
		if o := <-outcomes["first"]; !errors.Is(o.err, context.Canceled) || o.took != 2*time.Second {
			t.Errorf("the first: %+v", o)
		}
		if o := <-outcomes["impatient"]; !fault.Is(o.err, fault.Unavailable) || o.took != time.Second {
			t.Errorf("the impatient: %+v", o)
		}
		if o := <-outcomes["patient"]; o.err != nil || o.took != 62*time.Second {
			t.Errorf("the patient: %+v", o)
		}
		if len(m.asked) != 2 {
			t.Errorf("the source was asked %d times", len(m.asked))
		}
	})
}

// What was found out at registration is stored, unless somebody said it.
func TestLearnedProject(t *testing.T) {
	t.Parallel()
	w := newAuthWorld(t)
	robot := w.project.ServiceAccount("robot")
	for said, learned := range map[string]map[string]string{"": {projectField.Name: ownProject}, ownProject: nil, "other-project": nil} {
		f := fields{"service_account_json": robot.Key()}
		if said != "" {
			f[projectField.Name] = said
		}
		identity, err := w.session(methodServiceAccount, f).Verify(t.Context())
		project := said
		if said == "" {
			project = ownProject
		}
		if err != nil || identity.Name != robot.Email() || identity.Detail != "project "+project || identity.Learned[projectField.Name] != learned[projectField.Name] {
			t.Errorf("said %q: %+v, %v", said, identity, err)
		}
	}
}

func TestResourceTypesThatAreNone(t *testing.T) {
	t.Parallel()
	s := sessionOf(t, &mint{get: good}, atNoon)
	s.settings = connector.Settings{Type: Type()}
	says(t, "list", s.List(t.Context(), "s3-bucket", nil), fault.Invalid, `no resources of type "s3-bucket"`, genericType)
	_, err := s.Mint(t.Context(), connector.Request{ResourceType: "s3-bucket"})
	says(t, "mint", err, fault.Invalid, `no resources of type "s3-bucket"`, bucketType)
}
