package gcptest

// listing is the answer to a question for a list. What is empty is left out, as Google
// does.
type listing map[string]any

func (l listing) with(name string, items []any) listing {
	if len(items) > 0 {
		l[name] = items
	}
	return l
}

// next adds the token of the page behind this one; "" is none.
func (l listing) next(token string) listing {
	if token != "" {
		l["nextPageToken"] = token
	}
	return l
}

// describe is items as an API has them.
func describe[T any](items []T, as func(T) any) []any {
	var out []any
	for _, item := range items {
		out = append(out, as(item))
	}
	return out
}
