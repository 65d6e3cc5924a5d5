// Package storetest is the conformance suite of secret stores, and a keyring in
// memory: secrets.Open with it in its Config gives other packages' tests real stores
// that touch no OS keyring.
package storetest

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
	"github.com/svcconn/svcconn/pkg/secrets"
)

// Canary is a distinctive secret: tests plant it and look for it where no secret
// belongs.
const Canary = "canary-7Jq2vX9mW4tZ8rB1"

// Subject is an empty store under test, and a window to what it keeps.
type Subject struct {
	Store secrets.Store
	// Kept names everything that the store keeps for keys: entries, files.
	Kept func(t *testing.T) []string
	// Folders are searched for secrets in plain text.
	Folders []string
}

// Run checks that the stores that open returns are what secrets.Store promises. Each
// part of the suite opens one of its own.
func Run(t *testing.T, open func(t *testing.T) Subject) {
	t.Helper()
	for _, part := range []struct {
		name  string
		check func(*testing.T, Subject)
	}{
		{"AnySize", anySize},
		{"AnyBytes", anyBytes},
		{"Replace", replace},
		{"Delete", deleteLeavesNothing},
		{"UnknownKey", unknownKey},
		{"BadKey", badKey},
		{"Concurrent", concurrent},
		{"Torn", neverTorn},
		{"EndedContext", endedContext},
		{"NothingPlain", nothingPlain},
	} {
		t.Run(part.name, func(t *testing.T) {
			t.Parallel()
			part.check(t, open(t))
		})
	}
}

// key is like those of connectors.
const key = "0b1f3c52-9d36-4f7e-8a63-5e0f4d1c2b3a/7"

func anySize(t *testing.T, s Subject) {
	for _, size := range []int{1, 2, 3, 31, 32, 33, 1000, 2560, 5000, 1 << 20} {
		want := Value(size, "size")
		must(t, s.Store.Put(t.Context(), key, want))
		wantValue(t, s.Store, key, want)
	}
	if err := s.Store.Put(t.Context(), key, secret.Text{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("storing an empty secret: %v, want fault.Invalid", err)
	}
}

func anyBytes(t *testing.T, s Subject) {
	var all [256]byte
	for i := range all {
		all[i] = byte(i)
	}
	for i, text := range []string{"\x00", "\n", " spaces ", "pässwörd\r\n", "\xff\xfe", string(all[:]), `{"a":"b"}`, "'\"$(x)`"} {
		k := fmt.Sprintf("bytes/%d", i)
		must(t, s.Store.Put(t.Context(), k, secret.New(text)))
		wantValue(t, s.Store, k, secret.New(text))
	}
}

func replace(t *testing.T, s Subject) {
	var alone map[int]int // how much a value of that size keeps, by size
	for round := range 2 {
		for _, size := range []int{10, 9000, 20, 30_000, 9000} {
			want := Value(size, fmt.Sprint("round", round))
			must(t, s.Store.Put(t.Context(), key, want))
			wantValue(t, s.Store, key, want)
			kept := len(s.Kept(t))
			if alone == nil {
				alone = map[int]int{}
			}
			if first, seen := alone[size]; seen && first != kept {
				t.Errorf("a value of %d bytes keeps %d entries after others, %d before: %v", size, kept, first, s.Kept(t))
			}
			alone[size] = kept
		}
	}
}

func deleteLeavesNothing(t *testing.T, s Subject) {
	other := Value(40, "other")
	must(t, s.Store.Put(t.Context(), "other/1", other))
	before := s.Kept(t)
	for _, size := range []int{5, 20_000, 7000, 5} {
		must(t, s.Store.Put(t.Context(), key, Value(size, "gone")))
	}
	for range 2 { // the second finds nothing, which is no error
		must(t, s.Store.Delete(t.Context(), key))
		if after := s.Kept(t); !slices.Equal(before, after) {
			t.Errorf("kept after deletion: %v, want %v", after, before)
		}
		if _, err := s.Store.Get(t.Context(), key); !fault.Is(err, fault.NotFound) {
			t.Errorf("reading what was deleted: %v, want fault.NotFound", err)
		}
	}
	wantValue(t, s.Store, "other/1", other)
}

func unknownKey(t *testing.T, s Subject) {
	must(t, s.Store.Put(t.Context(), "aa/1", secret.New("x")))
	for _, k := range []string{"aa", "aa/11", "aa/", "AA/1", "b"} {
		if _, err := s.Store.Get(t.Context(), k); !fault.Is(err, fault.NotFound) {
			t.Errorf("reading %q: %v, want fault.NotFound", k, err)
		}
	}
}

func badKey(t *testing.T, s Subject) {
	for _, k := range []string{"", "..", "a.b", "a b", "a\x00", "ä", `a\b`, strings.Repeat("a", 101)} {
		_, getErr := s.Store.Get(t.Context(), k)
		for _, err := range []error{getErr, s.Store.Put(t.Context(), k, secret.New("x")), s.Store.Delete(t.Context(), k)} {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("key %q: %v, want fault.Invalid", k, err)
			}
		}
	}
	longest := strings.Repeat("Z", 100)
	must(t, s.Store.Put(t.Context(), longest, Value(5000, "longest")))
	wantValue(t, s.Store, longest, Value(5000, "longest"))
}

func concurrent(t *testing.T, s Subject) {
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			k := fmt.Sprintf("worker/%d", worker)
			for _, size := range []int{10, 3000} {
				want := Value(size, k)
				if err := s.Store.Put(t.Context(), k, want); err != nil {
					t.Error(err)
				}
				if got, err := s.Store.Get(t.Context(), k); err != nil || !got.Equal(want) {
					t.Errorf("%s: other bytes, or error %v", k, err)
				}
			}
			if err := s.Store.Delete(t.Context(), k); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if kept := s.Kept(t); len(kept) != 0 {
		t.Errorf("kept after all was deleted: %v", kept)
	}
}

// neverTorn reads one key while several write it: what comes is one of the values.
func neverTorn(t *testing.T, s Subject) {
	var values []secret.Text
	for i, size := range []int{15, 4000, 9000} {
		values = append(values, Value(size, fmt.Sprint("writer", i)))
	}
	must(t, s.Store.Put(t.Context(), key, values[0]))
	var group sync.WaitGroup
	for _, value := range values {
		group.Go(func() {
			for range 4 {
				if err := s.Store.Put(t.Context(), key, value); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 2 {
		group.Go(func() {
			for range 8 {
				got, err := s.Store.Get(t.Context(), key)
				if err != nil || !slices.ContainsFunc(values, got.Equal) {
					t.Errorf("none of the values, or error %v", err)
				}
			}
		})
	}
	group.Wait()
}

func endedContext(t *testing.T, s Subject) {
	want := Value(6000, "before")
	must(t, s.Store.Put(t.Context(), key, want))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	// Whether a store notices is its own affair: what counts is that it stays whole.
	if err := s.Store.Put(ended, key, Value(7000, "after")); err == nil {
		want = Value(7000, "after")
	}
	wantValue(t, s.Store, key, want)
}

func nothingPlain(t *testing.T, s Subject) {
	must(t, s.Store.Put(t.Context(), key, secret.New(Canary)))
	must(t, s.Store.Put(t.Context(), "long/1", secret.New(strings.Repeat(Canary, 1000))))
	for _, name := range s.Kept(t) {
		if strings.Contains(name, Canary) {
			t.Errorf("the secret is in the name %s", name)
		}
	}
	for _, folder := range s.Folders {
		FindNone(t, folder, Canary)
	}
}

// FindNone fails the test for every file under folder that has the text in its name
// or content.
func FindNone(t testing.TB, folder, text string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if strings.Contains(path, text) || bytes.Contains(content, []byte(text)) {
			t.Errorf("%s has the secret in plain text", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// Value makes a secret of that many bytes that looks like no other one.
func Value(size int, name string) secret.Text {
	block := fmt.Sprintf("%s-%d-%s|", name, size, Canary)
	return secret.New(strings.Repeat(block, size/len(block)+1)[:size])
}

func wantValue(t *testing.T, s secrets.Store, key string, want secret.Text) {
	t.Helper()
	got, err := s.Get(t.Context(), key)
	if err != nil {
		t.Fatalf("reading %s: %v", key, err)
	}
	if !got.Equal(want) {
		t.Fatalf("reading %s: %d other bytes than the %d that were stored", key, got.Len(), want.Len())
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
