package awstest

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"slices"
)

// list is whatever of a call's parameters selects the items of a list. Tokens of pages are
// opaque, and good for the list that they were given out for alone, as AWS's are.
type list []string

// of is the list with what else makes it: the operation, its region and the caller's
// account.
func (r *request) of(selection list) list {
	account := ""
	if r.who != nil {
		account = r.who.account.id
	}
	return slices.Concat(list{r.service.name, r.action, r.region, account}, selection)
}

// pageMAC is of a list and of the item that a page of it ended with.
func (r *request) pageMAC(selection list, last string) []byte {
	h := hmac.New(sha256.New, r.server.others.pageKey)
	for _, part := range append(r.of(selection), last) {
		sum := sha256.Sum256([]byte(part)) // of one length, so that no two lists read alike
		h.Write(sum[:])
	}
	return h.Sum(nil)
}

func (r *request) pageToken(selection list, last string) string {
	return base64.RawURLEncoding.EncodeToString(append(r.pageMAC(selection, last), last...))
}

// readPageToken is the item that the page before ended with.
func (r *request) readPageToken(selection list, token string) (last string, ok bool) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) < sha256.Size {
		return "", false
	}
	last = string(raw[sha256.Size:])
	return last, hmac.Equal(raw[:sha256.Size], r.pageMAC(selection, last))
}

// page is the items behind a token ("" is the beginning), in the order of their keys, and
// the token of the page behind them, "" at the end. It has as many as Options.PageSize
// says, and at most as many as were asked for; 0 asks for no number. It reports false for
// a token that is not of this list.
func page[T any](r *request, selection list, items []T, key func(T) string, token string, most int) (out []T, next string, ok bool) {
	items = slices.SortedFunc(slices.Values(items), func(a, b T) int { return cmp.Compare(key(a), key(b)) })
	if token != "" {
		last, ok := r.readPageToken(selection, token)
		if !ok {
			return nil, "", false
		}
		items = slices.DeleteFunc(items, func(item T) bool { return key(item) <= last })
	}
	size := r.server.options.PageSize
	if most > 0 {
		size = min(size, most)
	}
	if len(items) <= size {
		return items, "", true
	}
	return items[:size], r.pageToken(selection, key(items[size-1])), true
}
