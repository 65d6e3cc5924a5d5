package hop

import (
	"net/http"
	"testing"
	"time"
)

func TestSkew(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
	for what, test := range map[string]struct {
		header http.Header
		want   time.Duration
		is     string
	}{
		"right":        {http.Header{"Date": {at(0)}}, 0, "differs from theirs"},
		"tolerated":    {http.Header{"Date": {at(SkewTolerated)}}, SkewTolerated, "differs from theirs"},
		"behind":       {http.Header{"Date": {at(17*time.Minute + 20*time.Second)}}, 17*time.Minute + 20*time.Second, "is 17m behind theirs"},
		"ahead":        {http.Header{"Date": {at(-192 * time.Minute)}}, -192 * time.Minute, "is 3h12m ahead of theirs"},
		"nobody says":  {http.Header{}, 0, "differs from theirs"},
		"no date":      {http.Header{"Date": {"soon"}}, 0, "differs from theirs"},
		"from a cache": {http.Header{"Date": {at(time.Hour)}, "Age": {"9"}}, 0, "differs from theirs"},
	} {
		skew := Skew(test.header, now)
		if is := ClockIs(skew, "theirs"); skew != test.want || is != test.is {
			t.Errorf("%s: %s: the clock %s", what, skew, is)
		}
	}
}
