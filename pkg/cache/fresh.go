package cache

import "time"

// Bounds of the safety margin before an expiry.
const (
	minMargin = 30 * time.Second
	maxMargin = 5 * time.Minute
)

// Margin is how long before its expiry a credential of that lifetime stops being
// handed out: a tenth, at least 30 s and at most 5 min.
func Margin(lifetime time.Duration) time.Duration {
	return min(max(lifetime/10, minMargin), maxMargin)
}

// freshFor is for how much longer the entry may be handed out; not positive once
// it is stale.
func (e *entry) freshFor(now moment) time.Duration {
	if e.expires.IsZero() {
		return e.keep - now.since(e.minted)
	}
	lifetime := e.expires.Sub(e.minted.wall)
	return lifetime - Margin(lifetime) - now.since(e.minted)
}

// until is when the entry stops being handed out by the wall clock alone; zero where
// it does not expire.
func (e *entry) until() time.Time { return Until(e.minted.wall, e.expires) }

// Until is when a credential stops being handed out: its expiry less the margin. Zero
// is never.
func Until(minted, expires time.Time) time.Time {
	if expires.IsZero() {
		return time.Time{}
	}
	return expires.Add(-Margin(expires.Sub(minted)))
}

// ample reports whether a credential of the entry's lifetime can be kept in a state of
// having that much life left: with room for a margin before it, and another in which it
// is minted anew. Without the room every use would be a mint; such a short-lived one is
// handed out for as long as it is fresh. What does not expire is always ample.
func (e *entry) ample(left time.Duration) bool {
	lifetime := e.expires.Sub(e.minted.wall)
	return e.expires.IsZero() || lifetime-left >= 2*Margin(lifetime)
}

// lacks reports whether the entry has less life left than that, although it could have
// more if it were minted anew now.
func (e *entry) lacks(left time.Duration, now moment) bool {
	if left == 0 || e.expires.IsZero() || !e.ample(left) || now.elapsed < e.notBefore {
		return false
	}
	return e.expires.Sub(e.minted.wall)-now.since(e.minted) < left
}

// dueIn is how long until the entry shall be minted anew although it is still
// fresh: twice its margin before it expires; for those who want so much life left, a
// margin before it has less.
func (e *entry) dueIn(now moment) time.Duration {
	lifetime := e.expires.Sub(e.minted.wall)
	due := e.freshFor(now) - Margin(lifetime)
	if e.left > 0 && e.ample(e.left) {
		due = min(due, lifetime-now.since(e.minted)-e.left-Margin(lifetime))
	}
	return max(due, e.notBefore-now.elapsed)
}

// gone reports whether nothing is left of the entry: it cannot become useful.
func (e *entry) gone(now moment) bool { return e.freshFor(now) <= 0 }
