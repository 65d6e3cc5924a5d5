package output

import (
	"fmt"
	"time"
)

// Span writes a duration in its two largest units: "3d4h", "11h59m", "59m12s",
// "12s". Less than a second is "0s".
func Span(d time.Duration) string {
	d = max(0, d.Truncate(time.Second))
	days, hours := d/(24*time.Hour), d%(24*time.Hour)/time.Hour
	minutes, seconds := d%time.Hour/time.Minute, d%time.Minute/time.Second
	switch {
	case days > 0:
		return fmt.Sprintf("%dd%dh", days, hours)
	case hours > 0:
		return fmt.Sprintf("%dh%dm", hours, minutes)
	case minutes > 0:
		return fmt.Sprintf("%dm%ds", minutes, seconds)
	}
	return fmt.Sprintf("%ds", seconds)
}

// ExpiresIn is a cell that says how long something still holds: the span,
// "Expired!", or nothing for the zero time, which is never.
func ExpiresIn(at, now time.Time) []Text {
	switch left := at.Sub(now); {
	case at.IsZero():
		return nil
	case left <= 0:
		return []Text{{Value: "Expired!", Tone: Bad}}
	case left < 15*time.Minute:
		return []Text{{Value: Span(left), Tone: Warn}}
	default:
		return Line(Span(left))
	}
}
