package cache

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

// fakeClock has two clocks that tests set apart.
type fakeClock struct {
	mu      sync.Mutex
	wall    time.Time
	elapsed time.Duration
}

func newFakeClock() *fakeClock {
	return &fakeClock{wall: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}
}

func (f *fakeClock) clock() Clock {
	return Clock{
		Wall:    func() time.Time { f.mu.Lock(); defer f.mu.Unlock(); return f.wall },
		Elapsed: func() time.Duration { f.mu.Lock(); defer f.mu.Unlock(); return f.elapsed },
	}
}

func (f *fakeClock) advance(wall, elapsed time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wall, f.elapsed = f.wall.Add(wall), f.elapsed+elapsed
}

// service mints logins of a given lifetime and counts.
type service struct {
	clock    *fakeClock
	lifetime time.Duration // 0: they never expire
	mints    atomic.Int64
	err      atomic.Pointer[error]
}

func (s *service) ask(key string) Ask {
	return Ask{
		Key: key, Meta: Meta{ConnectorID: "id-" + key, Connector: key}, Keep: 15 * time.Minute, Refresh: true,
		Mint: func(context.Context, Stage) (connector.Credential, error) {
			s.mints.Add(1)
			if err := s.err.Load(); err != nil && *err != nil {
				return nil, *err
			}
			login := connector.RegistryLogin{Registry: key, Username: "u", Secret: secret.New("s")}
			if s.lifetime != 0 {
				login.Expires = s.clock.clock().Wall().Add(s.lifetime)
			}
			return login, nil
		},
	}
}

func (s *service) fail(err error) { s.err.Store(&err) }

func setUp(lifetime time.Duration) (*Cache, *service, *fakeClock) {
	clock := newFakeClock()
	return New(clock.clock(), nil), &service{clock: clock, lifetime: lifetime}, clock
}

func mustGet(t *testing.T, c *Cache, ask Ask) Answer {
	t.Helper()
	answer, err := c.Get(context.Background(), ask)
	if err != nil {
		t.Fatalf("Get: %v", err)
	}
	return answer
}

func TestMarginIsATenthWithinBounds(t *testing.T) {
	t.Parallel()
	for lifetime, want := range map[time.Duration]time.Duration{
		time.Minute: 30 * time.Second, 10 * time.Minute: time.Minute, 15 * time.Minute: 90 * time.Second,
		time.Hour: 5 * time.Minute, 12 * time.Hour: 5 * time.Minute,
	} {
		if got := Margin(lifetime); got != want {
			t.Errorf("Margin(%s) = %s, want %s", lifetime, got, want)
		}
	}
}

func TestServedWhileFreshOnBothClocks(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name          string
		lifetime      time.Duration
		wall, elapsed time.Duration
		mints         int64
	}{
		{"just before the margin", 15 * time.Minute, 13*time.Minute + 29*time.Second, 13*time.Minute + 29*time.Second, 1},
		{"at the margin", 15 * time.Minute, 13*time.Minute + 30*time.Second, 13*time.Minute + 30*time.Second, 2},
		{"suspended: only the wall clock ran on", 15 * time.Minute, time.Hour, time.Second, 2},
		{"set back: only the monotonic clock ran on", 15 * time.Minute, -time.Hour, time.Hour, 2},
		{"set back a little, still fresh", 15 * time.Minute, -time.Hour, time.Minute, 1},
		{"never expires, within its keep", 0, 14 * time.Minute, 14 * time.Minute, 1},
		{"never expires, beyond its keep", 0, 15 * time.Minute, 15 * time.Minute, 2},
		{"shorter than any margin", 20 * time.Second, time.Second, time.Second, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c, s, clock := setUp(tc.lifetime)
			if !mustGet(t, c, s.ask("a")).Minted {
				t.Error("the first answer was not minted")
			}
			clock.advance(tc.wall, tc.elapsed)
			mustGet(t, c, s.ask("a"))
			if got := s.mints.Load(); got != tc.mints {
				t.Errorf("%d mints, want %d", got, tc.mints)
			}
		})
	}
}

func TestOneMintForAllWhoAskAtOnce(t *testing.T) {
	t.Parallel()
	c, s, _ := setUp(time.Hour)
	release := make(chan struct{})
	ask := s.ask("a")
	inner := ask.Mint
	ask.Mint = func(ctx context.Context, stage Stage) (connector.Credential, error) {
		<-release
		return inner(ctx, stage)
	}
	var wg sync.WaitGroup
	var minted atomic.Int64
	for range 500 {
		wg.Go(func() {
			answer, err := c.Get(context.Background(), ask)
			if err != nil {
				t.Errorf("Get: %v", err)
			}
			if answer.Minted {
				minted.Add(1)
			}
		})
	}
	close(release)
	wg.Wait()
	if s.mints.Load() != 1 || minted.Load() != 1 {
		t.Errorf("%d mints, %d callers say they caused one; want 1 and 1", s.mints.Load(), minted.Load())
	}
}

func TestKeysAreApart(t *testing.T) {
	t.Parallel()
	c, s, _ := setUp(time.Hour)
	mustGet(t, c, s.ask("a"))
	mustGet(t, c, s.ask("b"))
	if s.mints.Load() != 2 {
		t.Errorf("%d mints for two keys", s.mints.Load())
	}
}

func TestFailuresAnswerForAMoment(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		kind fault.Kind
		kept bool
	}{
		{fault.Denied, true}, {fault.Unavailable, true}, {fault.Failed, true}, {fault.NotFound, true},
		{fault.NeedsPerson, false}, {fault.Interrupted, false}, {fault.Invalid, false},
	} {
		t.Run(string(tc.kind), func(t *testing.T) {
			t.Parallel()
			c, s, clock := setUp(time.Hour)
			s.fail(fault.New(tc.kind, "no"))
			_, first := c.Get(context.Background(), s.ask("a"))
			_, second := c.Get(context.Background(), s.ask("a"))
			if !fault.Is(first, tc.kind) || !fault.Is(second, tc.kind) {
				t.Fatalf("errors %v and %v, want kind %s", first, second, tc.kind)
			}
			want := int64(2)
			if tc.kept {
				want = 1
			}
			if got := s.mints.Load(); got != want {
				t.Errorf("%d mints, want %d", got, want)
			}
			if (c.LastFailure("a") != nil) != tc.kept {
				t.Errorf("LastFailure = %v", c.LastFailure("a"))
			}
			s.fail(nil)
			clock.advance(failureKept, failureKept)
			mustGet(t, c, s.ask("a"))
		})
	}
}

func TestAnImpatientCallerLearnsTheStageAndTheMintGoesOn(t *testing.T) {
	t.Parallel()
	c, s, _ := setUp(time.Hour)
	release := make(chan struct{})
	ask := s.ask("a")
	inner := ask.Mint
	started := make(chan struct{})
	ask.Mint = func(ctx context.Context, stage Stage) (connector.Credential, error) {
		stage("reading the OS keyring")
		close(started)
		<-release
		return inner(ctx, stage)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	go func() { <-started; cancel() }()
	_, err := c.Get(ctx, ask)
	if err == nil || !strings.Contains(err.Error(), "reading the OS keyring") || !fault.Is(err, fault.Interrupted) {
		t.Fatalf("error %v, want one that names the stage", err)
	}
	close(release)
	mustGet(t, c, ask)
	if s.mints.Load() != 1 {
		t.Errorf("%d mints, want 1: the first went on", s.mints.Load())
	}
}

func TestTheDeadlineOfACallerIsUnavailable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, s, _ := setUp(time.Hour)
		ask := s.ask("a")
		ask.MintTimeout = time.Minute
		ask.Mint = func(ctx context.Context, stage Stage) (connector.Credential, error) {
			stage("waiting for registry.example.com")
			<-ctx.Done()
			return nil, ctx.Err()
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err := c.Get(ctx, ask)
		if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "waiting for registry.example.com") {
			t.Errorf("error %v (%s)", err, fault.KindOf(err))
		}
		time.Sleep(2 * time.Minute) // bubble time: the mint's own bound ends it
		synctest.Wait()
		if len(c.flights) != 0 {
			t.Error("the mint outlived its bound")
		}
	})
}

func TestWhatIsInUseIsRefreshedAhead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, s, clock := setUp(15 * time.Minute) // margin 90 s: stale at 13:30, due at 12:00
		mustGet(t, c, s.ask("a"))
		clock.advance(11*time.Minute, 11*time.Minute)
		if next := c.Tick(t.Context()); next != time.Minute {
			t.Errorf("the next tick is wanted in %s, want 1m", next)
		}
		clock.advance(time.Minute, time.Minute)
		c.Tick(t.Context())
		synctest.Wait()
		if s.mints.Load() != 2 {
			t.Fatalf("%d mints, want a second one ahead of time", s.mints.Load())
		}
		clock.advance(12*time.Minute, 12*time.Minute)
		c.Tick(t.Context()) // nobody used the second one
		synctest.Wait()
		if s.mints.Load() != 2 {
			t.Errorf("%d mints: what nobody uses was refreshed", s.mints.Load())
		}
	})
}

// What lives shortly is refreshed ahead however long ago the last look was, and whoever
// looks hears of it; what lives long wakes nobody.
func TestWhatLivesShortlyIsLookedAtInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, s, clock := setUp(90 * time.Second) // margin 30 s: stale at 1:00, due at 0:30
		if next := c.Tick(t.Context()); next != time.Minute {
			t.Errorf("the next tick is wanted in %s, want 1m", next)
		}
		woken := func() bool {
			select {
			case <-c.Wake():
				return true
			default:
				return false
			}
		}
		for n := range 2 {
			mustGet(t, c, s.ask("a"))
			if !woken() || woken() {
				t.Errorf("round %d: it is woken other than once", n)
			}
			if next := c.Tick(t.Context()); next != 30*time.Second {
				t.Errorf("round %d: the next tick is wanted in %s, want 30s", n, next)
			}
			clock.advance(30*time.Second, 30*time.Second)
			c.Tick(t.Context())
			synctest.Wait()
			if mints := s.mints.Load(); mints != int64(n+2) || woken() {
				t.Errorf("round %d: %d mints, want %d", n, mints, n+2)
			}
		}
		c, s, _ = setUp(15 * time.Minute)
		mustGet(t, c, s.ask("b"))
		if len(c.Wake()) != 0 {
			t.Error("what is due much later wakes whoever looks")
		}
	})
}

func TestAFailedRefreshServesTheOldOneWhileFresh(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		clock := newFakeClock()
		s := &service{clock: clock, lifetime: 15 * time.Minute}
		var told []error
		c := New(clock.clock(), func(_ Meta, _ connector.Credential, err error) { told = append(told, err) })
		mustGet(t, c, s.ask("a"))
		broken := errors.New("service away")
		s.fail(broken)
		clock.advance(12*time.Minute, 12*time.Minute)
		c.Tick(t.Context())
		synctest.Wait()
		if len(told) != 1 || !errors.Is(told[0], broken) {
			t.Fatalf("told %v, want the failure", told)
		}
		mustGet(t, c, s.ask("a"))
		c.Tick(t.Context()) // backs off: no second try yet
		synctest.Wait()
		if s.mints.Load() != 2 {
			t.Errorf("%d mints, want 2: no back-off", s.mints.Load())
		}
		clock.advance(2*time.Minute, 2*time.Minute)
		if _, err := c.Get(t.Context(), s.ask("a")); !errors.Is(err, broken) {
			t.Errorf("a stale credential was served: %v", err)
		}
	})
}

func TestForgetDropsAlsoWhatIsBeingMinted(t *testing.T) {
	t.Parallel()
	c, s, _ := setUp(time.Hour)
	mustGet(t, c, s.ask("a"))
	mustGet(t, c, s.ask("b"))
	started, release := make(chan struct{}), make(chan struct{})
	slow := s.ask("slow")
	inner := slow.Mint
	slow.Mint = func(ctx context.Context, stage Stage) (connector.Credential, error) {
		close(started)
		<-release
		return inner(ctx, stage)
	}
	done := make(chan struct{})
	go func() { defer close(done); mustGet(t, c, slow) }()
	<-started
	if got := c.Forget(func(m Meta) bool { return m.Connector != "b" }); got != 1 {
		t.Errorf("dropped %d, want 1", got)
	}
	close(release)
	<-done
	kept := c.Kept()
	if len(kept) != 1 || kept[0].Connector != "b" {
		t.Errorf("kept %+v, want b alone", kept)
	}
}

func TestTheNumberOfEntriesIsBounded(t *testing.T) {
	t.Parallel()
	c, s, clock := setUp(time.Hour)
	for i := range maxEntries + 10 {
		clock.advance(0, time.Nanosecond)
		mustGet(t, c, s.ask(strings.Repeat("k", 1+i%7)+string(rune('0'+i%10))+time.Duration(i).String()))
	}
	if got := len(c.Kept()); got != maxEntries {
		t.Errorf("%d entries, want %d", got, maxEntries)
	}
}

func TestAPlainClockJumpIsNotAnExtension(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	now := start
	clock := ClockOf(func() time.Time { return now })
	now = start.Add(time.Hour)
	if clock.Elapsed() != time.Hour || !clock.Wall().Equal(now) {
		t.Errorf("elapsed %s, wall %s", clock.Elapsed(), clock.Wall())
	}
}
