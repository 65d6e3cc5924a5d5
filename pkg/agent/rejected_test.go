package agent

import (
	"fmt"
	"testing"
	"time"
)

// rejectionClock is a clock that tests turn.
type rejectionClock struct{ at time.Time }

func (c *rejectionClock) now() time.Time          { return c.at }
func (c *rejectionClock) advance(d time.Duration) { c.at = c.at.Add(d) }

func newTestRejections() (*rejections, *rejectionClock) {
	clock := &rejectionClock{time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}
	return newRejections(clock.now), clock
}

var kubectl = asker{process{100, 7}, "prod"}

func TestSevenRunsOfOneCommandCauseOneMoreMint(t *testing.T) {
	t.Parallel()
	r, clock := newTestRejections()
	serial, mints := uint64(1), 0
	for range 7 {
		if r.rejected(kubectl) == serial {
			mints++
			serial++
		}
		r.gave(kubectl, serial, clock.now().Add(time.Hour))
		clock.advance(200 * time.Millisecond)
	}
	if mints != 1 {
		t.Errorf("%d mints, want 1", mints)
	}
}

func TestTheWaitDoublesAndEnds(t *testing.T) {
	t.Parallel()
	r, clock := newTestRejections()
	r.gave(kubectl, 1, time.Time{})
	var at []time.Duration
	start := clock.now()
	for clock.now().Sub(start) < 20*time.Minute { // a client that is refused every second
		if r.rejected(kubectl) != 0 {
			at = append(at, clock.now().Sub(start))
		}
		r.gave(kubectl, 1, time.Time{})
		clock.advance(time.Second)
	}
	want := []time.Duration{0, 10 * time.Second, 30 * time.Second, 70 * time.Second, 150 * time.Second, 310 * time.Second, 610 * time.Second, 910 * time.Second}
	if fmt.Sprint(at) != fmt.Sprint(want) {
		t.Errorf("mints at %v, want %v", at, want)
	}
	clock.advance(2*lastWait + time.Second)
	if r.rejected(kubectl) == 0 {
		t.Error("after a long peace, a rejection has no effect")
	}
	r.gave(kubectl, 2, time.Time{})
	clock.advance(firstWait)
	if r.rejected(kubectl) != 2 {
		t.Error("after a long peace, the wait is not the first one again")
	}
}

func TestWhoAsksBecauseTimeIsUpHasSeenNoRejection(t *testing.T) {
	t.Parallel()
	r, clock := newTestRejections()
	for serial := range uint64(20) { // k9s, all day long
		if got := r.rejected(kubectl); got != 0 {
			t.Fatalf("round %d: %d was rejected", serial, got)
		}
		r.gave(kubectl, serial+1, clock.now().Add(10*time.Minute))
		clock.advance(10 * time.Minute)
	}
}

func TestClientsAreToldApart(t *testing.T) {
	t.Parallel()
	r, clock := newTestRejections()
	r.gave(kubectl, 1, clock.now().Add(time.Hour))
	for name, other := range map[string]asker{
		"another process":                  {process{101, 7}, "prod"},
		"the number of a dead one, reused": {process{100, 8}, "prod"},
		"another cluster":                  {process{100, 7}, "test"},
		"nobody knows who":                 {process{}, "prod"},
	} {
		if got := r.rejected(other); got != 0 {
			t.Errorf("%s: %d was rejected", name, got)
		}
	}
	unknown := asker{process{}, "prod"}
	r.gave(unknown, 1, time.Time{})
	if r.rejected(unknown) != 0 || r.rejected(kubectl) != 1 {
		t.Error("who is unknown is taken for somebody, or who is known is not")
	}
}

func TestTheMemoryOfClientsIsBounded(t *testing.T) {
	t.Parallel()
	r, clock := newTestRejections()
	for pid := range 3 * maxAskers {
		until := time.Time{}
		if pid%2 == 0 {
			until = clock.now().Add(time.Second)
		}
		r.gave(asker{process{pid + 1, 1}, "prod"}, 1, until)
		if pid%10 == 0 {
			clock.advance(10 * time.Millisecond)
		}
	}
	if len(r.askers) > maxAskers {
		t.Errorf("%d clients are remembered", len(r.askers))
	}
	last := asker{process{3 * maxAskers, 1}, "prod"}
	if r.rejected(last) != 1 {
		t.Error("the latest client is forgotten")
	}
	frozen, _ := newTestRejections() // a clock that stands still does not undo the bound
	for pid := range 2 * maxAskers {
		frozen.gave(asker{process{pid + 1, 1}, "prod"}, 1, time.Time{})
	}
	if len(frozen.askers) > maxAskers {
		t.Errorf("%d clients are remembered", len(frozen.askers))
	}
}
