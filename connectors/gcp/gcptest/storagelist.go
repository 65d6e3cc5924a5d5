package gcptest

import "strings"

// entry is a line of a listing: an object, or a prefix that stands for many.
type entry struct {
	name   string
	object *object // nil for a prefix
}

func listObjects(r *request) (answer, error) {
	prefix, delimiter := r.form.Get("prefix"), r.form.Get("delimiter")
	b, err := r.inBucket("storage.objects.list", prefix)
	if err != nil {
		return answer{}, err
	}
	most, err := r.most("maxResults", maxItems)
	if err != nil {
		return answer{}, err
	}
	start, end := r.form.Get("startOffset"), r.form.Get("endOffset")
	all := b.entries(prefix, delimiter, func(name string) bool { return name >= start && (end == "" || name < end) })
	found, next, err := page(r, []string{prefix, delimiter, start, end}, all, func(e entry) string { return e.name }, most)
	if err != nil {
		return answer{}, err
	}
	var items, prefixes []any
	for _, e := range found {
		if e.object == nil {
			prefixes = append(prefixes, e.name)
		} else {
			items = append(items, e.object.described(r, b))
		}
	}
	return answerJSON(listing{"kind": "storage#objects"}.with("items", items).with("prefixes", prefixes).next(next))
}

// entries are the lines of a listing, with each prefix once.
func (b *Bucket) entries(prefix, delimiter string, within func(name string) bool) []entry {
	var out []entry
	seen := map[string]bool{}
	for name, o := range b.objects {
		rest, ok := strings.CutPrefix(name, prefix)
		if !ok || !within(name) {
			continue
		}
		before, _, deeper := strings.Cut(rest, delimiter)
		folder := prefix + before + delimiter
		switch {
		case delimiter == "" || !deeper:
			out = append(out, entry{name, o})
		case !seen[folder]:
			seen[folder] = true
			out = append(out, entry{name: folder})
		}
	}
	return out
}
