package cache

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
)

// past is an ask of somebody whose credential was rejected.
func (s *service) past(key string, serial uint64) Ask {
	ask := s.ask(key)
	ask.Past = serial
	return ask
}

func TestARejectedCredentialIsMintedAnewOnce(t *testing.T) {
	t.Parallel()
	c, s, _ := setUp(time.Hour)
	first := mustGet(t, c, s.ask("a"))
	second := mustGet(t, c, s.past("a", first.Serial))
	if !second.Minted || second.Serial <= first.Serial || s.mints.Load() != 2 {
		t.Fatalf("past %d: serial %d, minted %t, %d mints", first.Serial, second.Serial, second.Minted, s.mints.Load())
	}
	for range 3 { // others who had the rejected one find its successor
		if third := mustGet(t, c, s.past("a", first.Serial)); third.Serial != second.Serial {
			t.Errorf("serial %d, want %d", third.Serial, second.Serial)
		}
	}
	if fourth := mustGet(t, c, s.ask("a")); fourth.Serial != second.Serial || s.mints.Load() != 2 {
		t.Errorf("serial %d, %d mints", fourth.Serial, s.mints.Load())
	}
}

func TestOneMintForAllWhoseCredentialWasRejected(t *testing.T) {
	t.Parallel()
	c, s, _ := setUp(time.Hour)
	first := mustGet(t, c, s.ask("a"))
	oneMintForAll(t, c, s, first, s.past("a", first.Serial))
}

// oneMintForAll has many ask at once for better than what is kept, while somebody is
// content with that.
func oneMintForAll(t *testing.T, c *Cache, s *service, first Answer, ask Ask) {
	t.Helper()
	release := make(chan struct{})
	inner := ask.Mint
	ask.Mint = func(ctx context.Context, stage Stage) (connector.Credential, error) {
		<-release
		return inner(ctx, stage)
	}
	var wg sync.WaitGroup
	for range 300 {
		wg.Go(func() {
			if answer, err := c.Get(context.Background(), ask); err != nil || answer.Serial <= first.Serial {
				t.Errorf("serial %d, %v", answer.Serial, err)
			}
		})
	}
	if answer := mustGet(t, c, s.ask("a")); answer.Serial != first.Serial {
		t.Error("who is content with what is kept waits for the mint of those who are not")
	}
	close(release)
	wg.Wait()
	if got := s.mints.Load(); got != 2 {
		t.Errorf("%d mints, want 2", got)
	}
}

func TestAFailedMintPastTheKeptOneLeavesItKept(t *testing.T) {
	t.Parallel()
	c, s, _ := setUp(time.Hour)
	first := mustGet(t, c, s.ask("a"))
	s.fail(fault.New(fault.Unavailable, "down"))
	if _, err := c.Get(context.Background(), s.past("a", first.Serial)); !fault.Is(err, fault.Unavailable) {
		t.Errorf("past: %v", err)
	}
	if answer := mustGet(t, c, s.ask("a")); answer.Serial != first.Serial {
		t.Error("the kept one is gone")
	}
}

func TestUntilIsTheExpiryLessTheMargin(t *testing.T) {
	t.Parallel()
	for lifetime, want := range map[time.Duration]time.Duration{15 * time.Minute: 13*time.Minute + 30*time.Second, 10 * time.Hour: 10*time.Hour - 5*time.Minute, 0: 0} {
		c, s, clock := setUp(lifetime)
		start := clock.wall
		minted := mustGet(t, c, s.ask("a")).Until
		clock.advance(time.Minute, time.Minute)
		kept := mustGet(t, c, s.ask("a")).Until
		if !minted.Equal(kept) || lifetime != 0 && minted.Sub(start) != want || lifetime == 0 && !minted.IsZero() {
			t.Errorf("lifetime %s: until %v, kept %v, want start + %s", lifetime, minted, kept, want)
		}
	}
}
