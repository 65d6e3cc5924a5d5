package clientconfig

import (
	"slices"
	"strings"

	"github.com/tailscale/hujson"
)

// place is where something is in a JSON file: the names from the top down to it.
// The empty place is the file itself.
type place []string

func helperPlace(key string) place { return place{memberHelpers, key} }

var storePlace = place{memberStore}

// key is the registry that a pointer is for; "" is every one without its own.
func (p place) key() string {
	if len(p) == 2 {
		return p[1]
	}
	return ""
}

func (p place) within(outer place) bool {
	return len(p) >= len(outer) && slices.Equal(p[:len(outer)], outer)
}

// pointers lists the places that lead to svcconn, in the file's order.
func (d *document) pointers() []place {
	if d.gone || d.whole != nil {
		return nil
	}
	var places []place
	for _, m := range members(d.object(memberHelpers)) {
		if literal(m.Value) == helper {
			places = append(places, helperPlace(nameOf(m)))
		}
	}
	if v := d.member(d.root, memberStore); v != nil && literal(*v) == helper {
		places = append(places, storePlace)
	}
	return places
}

// find returns the object that has the last name of p, and the value there; both
// are nil where they do not exist.
func (d *document) find(p place) (*hujson.Object, *hujson.Value) {
	object := d.root
	for _, name := range p[:len(p)-1] {
		v := d.member(object, name)
		if v == nil {
			return nil, nil
		}
		object, _ = v.Value.(*hujson.Object)
	}
	return object, d.member(object, p[len(p)-1])
}

// helperAt is the helper that a place names now, or "".
func (d *document) helperAt(p place) string {
	if _, v := d.find(p); v != nil {
		return literal(*v)
	}
	return ""
}

// notation is what is at a place in the file's own notation, nil for nothing. The
// places asked for hold a helper's name, or an object with nothing in it.
func (d *document) notation(p place) *string {
	_, v := d.find(p)
	if v == nil {
		return nil
	}
	text := string(hujson.Value{Value: v.Value}.Pack())
	return &text
}

// hollowNotation is notation for an object that holds nothing, the file included.
func (d *document) hollowNotation(p place) *string {
	if len(p) > 0 {
		return d.notation(p)
	}
	if d.read == nil {
		return nil
	}
	text := string(d.read)
	return &text
}

// hollow reports whether the object at p is absent or has no members.
func (d *document) hollow(p place) bool {
	if len(p) == 0 {
		return len(d.root.Members) == 0
	}
	_, v := d.find(p)
	if v == nil {
		return true
	}
	object, _ := v.Value.(*hujson.Object)
	return len(members(object)) == 0
}

// put sets the value at p, in place where there is one, else behind its siblings;
// objects on the way are made.
func (d *document) put(p place, value hujson.ValueTrimmed) {
	if len(p) > 1 && d.hollow(p[:len(p)-1]) {
		if object, v := d.find(p[:len(p)-1]); v == nil {
			d.style.add(object, p[len(p)-2], &hujson.Object{}, "")
		} else if _, ok := v.Value.(*hujson.Object); !ok {
			v.Value = &hujson.Object{}
		}
	}
	object, v := d.find(p)
	if v != nil {
		v.Value = value
		return
	}
	d.style.add(object, p[len(p)-1], value, d.indentOf(p[:len(p)-1]))
}

// indentOf is the indentation of the line that the object at p begins on.
func (d *document) indentOf(p place) string {
	if len(p) == 0 {
		return ""
	}
	return indent(d.root.Members[d.index(d.root, p[0])].Name.BeforeExtra)
}

// restore puts back what was at p; nil is nothing.
func (d *document) restore(p place, was *string) error {
	switch {
	case len(p) == 0 && was == nil:
		d.gone = true
	case len(p) == 0:
		d.whole = was
	case was == nil:
		object, _ := d.find(p)
		remove(object, d.index(object, p[len(p)-1]))
	default:
		value, err := hujson.Parse([]byte(*was))
		if err != nil || !strings.ContainsRune(`"n{`, rune(value.Value.Kind())) {
			return errNotation
		}
		d.put(p, value.Value)
	}
	return nil
}
