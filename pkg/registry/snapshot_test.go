package registry

import (
	"fmt"
	"strings"
	"testing"

	"github.com/svcconn/svcconn/pkg/fault"
)

func TestLookup(t *testing.T) {
	t.Parallel()
	d := open(t, nil)
	for name, id := range map[string]string{
		"hub":          "aaaaaaaa-0000-4000-8000-000000000001",
		"hub-staging":  "aaaaaaaa-0000-4000-8000-000000000002",
		"registry":     "abcdef00-0000-4000-8000-000000000003",
		"abcdef":       "00000000-0000-4000-8000-000000000004",
		"abcdef99":     "00000000-0000-4000-8000-000000000005",
		"Production":   "bbbbbbbb-0000-4000-8000-000000000006",
		"bbbbb-likely": "cccccccc-0000-4000-8000-000000000007",
	} {
		d.put(t, name, fmt.Sprintf("type = 'docker'\nid = '%s'\n", id))
	}
	d.put(t, "broken", "type = 3\n")
	d.put(t, "regular", "type = 3\n")
	s := d.snapshot(t)
	tests := []struct {
		given, want string
		kind        fault.Kind
		text, hint  string
	}{
		{given: "hub", want: "hub"},
		{given: "hub-", want: "hub-staging"},
		{given: "hub-staging", want: "hub-staging"},
		{given: "Pro", want: "Production"},
		{given: "aaaaaaaa-0000-4000-8000-000000000002", want: "hub-staging"},
		{given: "AAAAAAAA-0000-4000-8000-000000000002", want: "hub-staging"},
		{given: "abcdef", want: "abcdef"},
		{given: "abcdef00", want: "registry"},
		{given: "abcdef9", want: "abcdef99"},
		{given: "bbbbbbb", want: "Production"},
		{given: "BBBBBBB", want: "Production"},
		{given: "broken", kind: fault.Invalid, text: "connectors/broken.toml:1: key type: must be a string, not a whole number", hint: "correct " + d.fileOf("broken")},
		{given: "brok", kind: fault.Invalid, text: "connectors/broken.toml:1: key type: must be a string, not a whole number"},
		{given: "hu", kind: fault.NotFound, text: `there is no connector "hu"`, hint: "did you mean hub? `svcconn list`"},
		{given: "pro", kind: fault.NotFound, text: `there is no connector "pro"`},
		{given: "hbu", kind: fault.NotFound, text: `there is no connector "hbu"`, hint: "did you mean hub?"},
		{given: "brokne", kind: fault.NotFound, text: `there is no connector "brokne"`, hint: "did you mean broken?"},
		{given: "nothing-like-it", kind: fault.NotFound, text: `there is no connector "nothing-like-it"`, hint: "`svcconn list` lists the connectors"},
		{given: "", kind: fault.NotFound, text: `there is no connector ""`},
		{given: "../hub", kind: fault.NotFound, text: `there is no connector "../hub"`},
		{given: "hub.toml", kind: fault.NotFound, text: `there is no connector "hub.toml"`},
		{given: "aaaaaaaa", kind: fault.Ambiguous, text: `"aaaaaaaa" is the beginning of several connectors: hub, hub-staging`, hint: "give more"},
		{given: "abc", kind: fault.Ambiguous, text: `"abc" is the beginning of several connectors: abcdef, abcdef99, registry`},
		{given: "bbbbb", kind: fault.Ambiguous, text: `"bbbbb" is the beginning of several connectors: Production, bbbbb-likely`},
		{given: "reg", kind: fault.Ambiguous, text: `"reg" is the beginning of several connectors: registry, regular`},
	}
	for _, test := range tests {
		c, err := s.Lookup(test.given)
		if c.Name != test.want || fault.KindOf(err) != test.kind {
			t.Errorf("%q: got %q, %v (%s), want %q (%s)", test.given, c.Name, err, fault.KindOf(err), test.want, test.kind)
			continue
		}
		if err != nil && (err.Error() != test.text || !strings.Contains(fault.HintOf(err), test.hint)) {
			t.Errorf("%q: got %v, hint %q", test.given, err, fault.HintOf(err))
		}
	}
}

func TestLookupListsFew(t *testing.T) {
	t.Parallel()
	d := open(t, nil)
	for i := range 30 {
		d.put(t, fmt.Sprintf("connector-%02d", i), described(""))
	}
	_, err := d.snapshot(t).Lookup("connector-")
	if !fault.Is(err, fault.Ambiguous) || !strings.HasSuffix(err.Error(), "connector-08, connector-09, …") {
		t.Errorf("got %v", err)
	}
}
