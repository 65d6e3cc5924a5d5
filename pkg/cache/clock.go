package cache

import "time"

// Clock tells the time twice: on the wall clock, which runs on while the machine
// sleeps but can be set back, and on the monotonic clock, which cannot be set but
// may stand still during sleep. Whichever says that more time has passed counts,
// so that neither suspend nor a clock jump extends a life.
type Clock struct {
	Wall    func() time.Time
	Elapsed func() time.Duration // since a fixed moment
}

// ClockOf splits time.Now, or an injected replacement, into both clocks.
func ClockOf(now func() time.Time) Clock {
	start := now()
	return Clock{
		Wall:    func() time.Time { return now().Round(0) },
		Elapsed: func() time.Duration { return now().Sub(start) },
	}
}

// moment is a point in time on both clocks.
type moment struct {
	wall    time.Time
	elapsed time.Duration
}

func (c Clock) now() moment { return moment{c.Wall(), c.Elapsed()} }

// since is how much time has passed since m, by the clock that says more.
func (now moment) since(m moment) time.Duration {
	return max(now.wall.Sub(m.wall), now.elapsed-m.elapsed)
}
