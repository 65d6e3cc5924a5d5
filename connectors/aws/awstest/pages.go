package awstest

import (
	"slices"

	"github.com/svcconn/svcconn/pkg/faketest"
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

// page is the items behind a token ("" is the beginning), in the order of their keys, and
// the token of the page behind them, "" at the end. It has as many as Options.PageSize
// says, and at most as many as were asked for; 0 asks for no number. It reports false for
// a token that is not of this list.
func page[T any](r *request, selection list, items []T, key func(T) string, token string, most int) (out []T, next string, ok bool) {
	size := r.server.options.PageSize
	if most > 0 {
		size = min(size, most)
	}
	return faketest.Page(r.server.others.pageKey, r.of(selection), items, key, token, size)
}
