package secrets_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/svcconn/svcconn/pkg/secret"
	"github.com/svcconn/svcconn/pkg/secrets"
	"github.com/svcconn/svcconn/pkg/secrets/storetest"
)

func TestValuesThatFitAreOneEntry(t *testing.T) {
	t.Parallel()
	for size, want := range map[int]int{1: 1, 1500: 1, 1850: 1, 2000: 3, 5000: 4} {
		entries, _, err := secrets.RoundTrip(storetest.Value(size, "v"), 2560)
		if err != nil || len(entries) != want {
			t.Errorf("%d bytes are in %d entries, error %v; want %d", size, len(entries), err, want)
		}
	}
}

func TestDamagedEntries(t *testing.T) {
	t.Parallel()
	entries, _, err := secrets.RoundTrip(storetest.Value(500, "v"), 128)
	must(t, err)
	header := entries[0].Reveal()
	with := func(h string) []secret.Text { return append([]secret.Text{secret.New(h)}, entries[1:]...) }
	swapped := slices.Clone(entries)
	swapped[1], swapped[2] = swapped[2], swapped[1]
	for name, damaged := range map[string][]secret.Text{
		"no header":       with(""),
		"foreign":         with("hunter2"),
		"later format":    with(strings.Replace(header, "svcconn1", "svcconn2", 1)),
		"other set":       with(strings.Replace(header, " a ", " c ", 1)),
		"other length":    with(strings.Replace(header, " 500 ", " 499 ", 1)),
		"negative length": with(strings.Replace(header, " 500 ", " -500 ", 1)),
		"many parts":      with(strings.Replace(header, " 500 ", " 1 ", 1)),
		"more":            with(header + " x"),
		"newline":         with(header + "\n"),
		"other sum":       with(header[:len(header)-1] + "!"),
		"part missing":    entries[:len(entries)-1],
		"part twice":      append(slices.Clone(entries), entries[1]),
		"parts swapped":   swapped,
	} {
		if got, err := secrets.Join(damaged); err == nil {
			t.Errorf("%s: read as %d bytes, want an error", name, got.Len())
		}
	}
}

// What is split and joined is the same again, in entries that keep to the limit; less
// than all of it, or parts in another order, are noticed.
func FuzzSplit(f *testing.F) {
	f.Add([]byte("a"), 128, 1)
	f.Add([]byte("\x00\xff"), 200, 0)
	f.Add([]byte(strings.Repeat("0123456789", 100)), 130, 3)
	f.Fuzz(func(t *testing.T, value []byte, limit, drop int) {
		if len(value) == 0 || limit < 128 || limit > 1<<20 {
			t.Skip()
		}
		entries, back, err := secrets.RoundTrip(secret.New(string(value)), limit)
		if err != nil || back.Reveal() != string(value) {
			t.Fatalf("not the same again, error %v", err)
		}
		for i, entry := range entries {
			if entry.Len() > limit || entry.IsEmpty() {
				t.Fatalf("entry %d has %d bytes, limit %d", i, entry.Len(), limit)
			}
		}
		if parts := len(entries) - 1; parts > 0 && drop >= 0 {
			if _, err := secrets.Join(slices.Delete(slices.Clone(entries), 1+drop%parts, 2+drop%parts)); err == nil {
				t.Fatalf("a missing part was not noticed")
			}
		}
	})
}

// A header that is accepted is one that we write.
func FuzzHeader(f *testing.F) {
	sum := strings.Repeat("0", 64)
	for _, seed := range []string{"", "svcconn1 - 0 1 " + sum + " YQ", "svcconn1 a 2 300 " + sum, "svcconn1 a 2 300 " + sum + " ", "svcconn1 b 99999999999999999999 1 x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		again, err := secrets.RewriteHeader(secret.New(text))
		if err == nil && again.Reveal() != text {
			t.Fatalf("%q was accepted as %q", text, again.Reveal())
		}
	})
}
