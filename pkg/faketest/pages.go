package faketest

import (
	"cmp"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"slices"
)

// Pages cuts the lists of a service into pages. Its tokens are opaque, and good for the list
// that they were given out for alone.
type Pages []byte

// NewPages makes one whose tokens no other takes.
func NewPages() Pages {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // never fails
	return key
}

// mac is of a list and of the item that a page of it ended with.
func (p Pages) mac(list []string, last string) []byte {
	h := hmac.New(sha256.New, p)
	for _, part := range append(slices.Clone(list), last) {
		sum := sha256.Sum256([]byte(part)) // of one length, so that no two lists read alike
		h.Write(sum[:])
	}
	return h.Sum(nil)
}

func (p Pages) token(list []string, last string) string {
	return base64.RawURLEncoding.EncodeToString(append(p.mac(list, last), last...))
}

// read is the item that the page before ended with.
func (p Pages) read(list []string, token string) (last string, ok bool) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) < sha256.Size {
		return "", false
	}
	last = string(raw[sha256.Size:])
	return last, hmac.Equal(raw[:sha256.Size], p.mac(list, last))
}

// Page is the items behind a token ("" is the beginning), at most so many, in the order of
// their ids, which differ, and the token of the page behind them, "" at the end. It reports
// false for a token that is not of this list: a list is whatever tells it from others, such
// as the call, the caller and the parameters that select its items.
func Page[T any](p Pages, list []string, items []T, id func(T) string, token string, size int) (out []T, next string, ok bool) {
	items = slices.SortedFunc(slices.Values(items), func(a, b T) int { return cmp.Compare(id(a), id(b)) })
	if token != "" {
		last, ok := p.read(list, token)
		if !ok {
			return nil, "", false
		}
		items = slices.DeleteFunc(items, func(item T) bool { return id(item) <= last })
	}
	if len(items) <= size {
		return items, "", true
	}
	return items[:size], p.token(list, id(items[size-1])), true
}
