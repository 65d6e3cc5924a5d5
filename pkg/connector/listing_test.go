package connector

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/svcconn/svcconn/pkg/fault"
)

// part is a listing that yields names and then fails, if at all.
func part(where string, err error, names ...string) Listing {
	return Listing{Where: where, List: func(_ context.Context, yield func(string) error) error {
		for _, name := range names {
			if err := yield(name); err != nil {
				return err
			}
		}
		return err
	}}
}

func TestListTogether(t *testing.T) {
	t.Parallel()
	denied, away := fault.New(fault.Denied, "no").Hint("grant it"), errors.New("away")
	for what, test := range map[string]struct {
		parts []Listing
		names []string
		kind  fault.Kind
		says  string
		hint  string
	}{
		"nothing":      {nil, nil, "", "", ""},
		"all well":     {[]Listing{part("a", nil, "1", "2"), part("b", nil), part("c", nil, "3")}, []string{"1", "2", "3"}, "", "", ""},
		"one fails":    {[]Listing{part("a", nil, "1"), part("region b", denied, "2"), part("c", nil, "3")}, []string{"1", "2", "3"}, fault.Denied, "region b: no", "grant it"},
		"several fail": {[]Listing{part("a", denied), part("b", nil, "1"), part("c", away)}, []string{"1"}, fault.Denied, "a: no; c: away", "grant it"},
		"all fail":     {[]Listing{part("a", away), part("b", denied)}, nil, fault.Failed, "a: away; b: no", ""},
	} {
		var got []string
		err := ListTogether(t.Context(), func(name string) error { got = append(got, name); return nil }, test.parts)
		slices.Sort(got)
		if !slices.Equal(got, test.names) || fault.KindOf(err) != test.kind || err != nil && err.Error() != test.says || !strings.Contains(fault.HintOf(err), test.hint) {
			t.Errorf("%s: %q, %v (hint: %s)", what, got, err, fault.HintOf(err))
		}
	}
}

// All parts are under way at the same time, and yield is called by one of them at a time.
func TestListTogetherIsTogether(t *testing.T) {
	t.Parallel()
	const n = 8
	arrived := make(chan struct{}, n)
	start := make(chan struct{})
	var parts []Listing
	for range n {
		parts = append(parts, Listing{Where: "x", List: func(_ context.Context, yield func(string) error) error {
			arrived <- struct{}{}
			<-start
			return yield("name")
		}})
	}
	go func() {
		for range n {
			<-arrived
		}
		close(start)
	}()
	count := 0 // the race detector sees two at once
	if err := ListTogether(t.Context(), func(string) error { count++; return nil }, parts); err != nil || count != n {
		t.Errorf("%d names, %v", count, err)
	}
}

// Whoever has enough hears of nothing else, and the parts are told to stop.
func TestListTogetherStops(t *testing.T) {
	t.Parallel()
	enough := errors.New("enough")
	endless := Listing{Where: "x", List: func(ctx context.Context, yield func(string) error) error {
		for {
			if err := yield("name"); err != nil {
				return err
			}
		}
	}}
	waiting := Listing{Where: "y", List: func(ctx context.Context, _ func(string) error) error {
		<-ctx.Done()
		return ctx.Err()
	}}
	called := 0
	err := ListTogether(t.Context(), func(string) error {
		if called++; called == 3 {
			return enough
		}
		return nil
	}, []Listing{endless, waiting, endless})
	if !errors.Is(err, enough) || called != 3 {
		t.Errorf("%v, after %d names", err, called)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := ListTogether(ctx, func(string) error { return nil }, []Listing{waiting}); !errors.Is(err, context.Canceled) || !fault.Is(err, fault.Interrupted) {
		t.Error(err)
	}
}
