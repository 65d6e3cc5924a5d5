package gcptest

import "github.com/svcconn/svcconn/pkg/faketest"

// page is the items behind the token that the request has in its parameter pageToken, in
// the order of their ids, and the token of the page behind them, "" at the end. It has as
// many as Options.PageSize says, and at most as many as were asked for; 0 asks for no
// number. Selection is whatever of the parameters, beside the path, selects the items.
func page[T any](r *request, selection []string, items []T, id func(T) string, most int) (out []T, next string, err error) {
	size := r.server.options.PageSize
	if most > 0 {
		size = min(size, most)
	}
	list := append([]string{r.service.name, r.op.action, r.URL.Path, r.token.who.name}, selection...)
	out, next, ok := faketest.Page(r.server.pageKey, list, items, id, r.form.Get("pageToken"), size)
	if !ok {
		return nil, "", invalid("Invalid page token.")
	}
	return out, next, nil
}
