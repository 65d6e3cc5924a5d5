package cache

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
)

const quarter = 15 * time.Minute

// wanting is an ask of somebody who wants a quarter of an hour to be left.
func (s *service) wanting(key string) Ask {
	ask := s.ask(key)
	ask.Left = quarter
	return ask
}

func TestEnoughLifeIsLeftWhereTheLifetimeAllows(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name     string
		lifetime time.Duration
		passed   time.Duration
		mints    int64
	}{
		{"an hour, with 15 minutes left", time.Hour, 45 * time.Minute, 1},
		{"an hour, with less", time.Hour, 45*time.Minute + time.Second, 2},
		{"12 hours, with less", 12 * time.Hour, 12*time.Hour - 14*time.Minute, 2},
		{"20 minutes, with less", 20 * time.Minute, 6 * time.Minute, 2},
		{"15 minutes: within its margin", quarter, 13 * time.Minute, 1},
		{"15 minutes: beyond it", quarter, 14 * time.Minute, 2},
		{"15 minutes by a service whose clock is ahead", quarter + 10*time.Second, time.Minute, 1},
		{"5 minutes", 5 * time.Minute, 4 * time.Minute, 1},
		{"never expires", 0, 14 * time.Minute, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c, s, clock := setUp(tc.lifetime)
			mustGet(t, c, s.wanting("a"))
			clock.advance(tc.passed, tc.passed)
			answer := mustGet(t, c, s.wanting("a"))
			if got := s.mints.Load(); got != tc.mints || answer.Minted != (tc.mints > 1) {
				t.Errorf("%d mints (the last by this very call: %t), want %d", got, answer.Minted, tc.mints)
			}
			if expires := answer.Credential.Expiry(); tc.lifetime > 19*time.Minute && expires.Sub(clock.clock().Wall()) < quarter {
				t.Errorf("handed out with %s left", expires.Sub(clock.clock().Wall()))
			}
		})
	}
}

func TestOthersGoOnWithLittleLeft(t *testing.T) {
	t.Parallel()
	c, s, clock := setUp(time.Hour)
	mustGet(t, c, s.wanting("a"))
	clock.advance(50*time.Minute, 50*time.Minute)
	if answer := mustGet(t, c, s.ask("a")); answer.Minted || s.mints.Load() != 1 {
		t.Error("who is content with 10 minutes waited for a mint")
	}
}

func TestOneMintForAllWhoWantMoreLeft(t *testing.T) {
	t.Parallel()
	c, s, clock := setUp(time.Hour)
	first := mustGet(t, c, s.ask("a"))
	clock.advance(50*time.Minute, 50*time.Minute)
	oneMintForAll(t, c, s, first, s.wanting("a"))
}

func TestTheKeptOneServesWhileMintingFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		clock := newFakeClock()
		var told []error
		c := New(clock.clock(), func(_ Meta, _ connector.Credential, err error) { told = append(told, err) })
		s := &service{clock: clock, lifetime: time.Hour}
		first := mustGet(t, c, s.ask("a"))
		clock.advance(50*time.Minute, 50*time.Minute)
		s.fail(fault.New(fault.Unavailable, "down"))
		for range 5 {
			if answer := mustGet(t, c, s.wanting("a")); answer.Serial != first.Serial {
				t.Fatalf("serial %d, want the kept one's, %d", answer.Serial, first.Serial)
			}
		}
		synctest.Wait()
		if s.mints.Load() != 2 || len(told) != 1 || !fault.Is(told[0], fault.Unavailable) {
			t.Errorf("%d mints, told %v: want one more attempt, and it told", s.mints.Load(), told)
		}
		clock.advance(firstRetry, firstRetry)
		s.fail(nil)
		if answer := mustGet(t, c, s.wanting("a")); !answer.Minted {
			t.Error("it was not tried again")
		}
		clock.advance(55*time.Minute, 55*time.Minute)
		s.fail(fault.New(fault.Unavailable, "down"))
		if _, err := c.Get(context.Background(), s.wanting("a")); !fault.Is(err, fault.Unavailable) {
			t.Errorf("%v: what is stale was handed out", err)
		}
	})
}

func TestTheKeptOneServesAtTheDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, s, clock := setUp(time.Hour)
		first := mustGet(t, c, s.ask("a"))
		clock.advance(50*time.Minute, 50*time.Minute)
		ask := s.wanting("a")
		release := make(chan struct{})
		ask.Mint = func(context.Context, Stage) (connector.Credential, error) {
			<-release
			return nil, fault.New(fault.Unavailable, "slow")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		answer, err := c.Get(ctx, ask)
		if err != nil || answer.Serial != first.Serial {
			t.Errorf("serial %d, %v", answer.Serial, err)
		}
		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		c.Forget(func(Meta) bool { return true })
		if _, err := c.Get(ctx, ask); err == nil {
			t.Error("what was forgotten is handed out")
		}
		close(release)
	})
}

func TestRefreshAheadKeepsEnoughLeftForThoseWhoWantIt(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		ask      func(*service) Ask
		lifetime time.Duration
		due      time.Duration
	}{
		"content with less":  {func(s *service) Ask { return s.ask("a") }, time.Hour, 50 * time.Minute},
		"wants 15 minutes":   {func(s *service) Ask { return s.wanting("a") }, time.Hour, 40 * time.Minute},
		"wants the possible": {func(s *service) Ask { return s.wanting("a") }, quarter, 12 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, s, clock := setUp(tc.lifetime)
				mustGet(t, c, tc.ask(s))
				step := func(by time.Duration) int64 {
					clock.advance(by, by)
					c.Tick(t.Context())
					synctest.Wait()
					return s.mints.Load()
				}
				if got := step(tc.due - time.Second); got != 1 {
					t.Errorf("%d mints before it is due", got)
				}
				if got := step(time.Second); got != 2 {
					t.Errorf("%d mints when it is due", got)
				}
				if got := step(tc.due); got != 2 {
					t.Errorf("%d mints although nobody used it", got)
				}
			})
		})
	}
}
