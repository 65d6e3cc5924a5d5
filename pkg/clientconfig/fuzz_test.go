package clientconfig

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

// FuzzLoginThenLogout: for every text that is accepted, a login adds exactly our
// entries, a second one nothing, and a logout restores every byte.
func FuzzLoginThenLogout(f *testing.F) {
	for _, text := range []string{"", " ", "{}", "{\r\n}", tabbed, `{"credHelpers":{"a":"b"}}`, `{"credHelpers":null,"credsStore":null}`,
		`{"credsStore" : "x" ,"credHelpers": { "registry.example.com" :"y" , "z":"" } }`, `{"a":[{"b":1 }, 2 ] }`} {
		f.Add(text, reg, true)
		f.Add(text, hubURL, false)
	}
	f.Fuzz(checkLoginThenLogout)
}

// FuzzGeneratedFiles is the same for files made from the fuzzer's choices, all of
// which are accepted.
func FuzzGeneratedFiles(f *testing.F) {
	for i := range 64 {
		f.Add(strings.Repeat(strconv.Itoa(i*7919), 1+i), i%2 == 0)
	}
	f.Fuzz(func(t *testing.T, choices string, store bool) {
		g := generator(choices)
		text := g.file()
		if _, err := parse("f", []byte(text)); err != nil {
			t.Fatalf("%v:\n%s", err, text)
		}
		checkLoginThenLogout(t, text, reg, store)
	})
}

func checkLoginThenLogout(t *testing.T, text, key string, store bool) {
	d, err := parse("f", []byte(text))
	if err != nil || len(d.pointers()) > 0 || checkKeys([]string{key}) != nil {
		return // refused, or partly ours already
	}
	places := helperPlaces([]string{key})
	if store {
		places = append(places, storePlace)
	}
	r := &record{}
	after, changes, err := pointTo(Docker, places)("f", []byte(text), r)
	if err != nil || len(changes) != len(places) {
		t.Fatalf("login: got %v, %v", changes, err)
	}
	checkMeaning(t, text, string(after), key, store)
	if again, changes, err := pointTo(Docker, places)("f", after, r); string(again) != string(after) || changes != nil || err != nil {
		t.Fatalf("second login: got %s, %v, %v", again, changes, err)
	}
	r = kept(t, r)
	checkRewritten(t, text, after, r.clone())
	back, _, err := takeBack(Docker, all)("f", after, r)
	if err != nil || back == nil || string(back) != text || !r.empty() {
		t.Fatalf("logout: got %q, %v, record %+v; want %q; logged in %q", back, err, r, text, after)
	}
}

// kept is the record as the journal gives it back.
func kept(t *testing.T, r *record) *record {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	back := &record{}
	if err := json.Unmarshal(text, back); err != nil {
		t.Fatal(err)
	}
	return back
}

func all(place) bool { return true }

// checkRewritten: after another program has written the whole file anew, a logout
// still brings back what it said before.
func checkRewritten(t *testing.T, before string, after []byte, r *record) {
	t.Helper()
	rewritten, err := json.MarshalIndent(decoded(t, string(after)), "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	back, _, err := takeBack(Docker, all)("f", rewritten, r)
	if err != nil || !reflect.DeepEqual(decoded(t, before), decoded(t, string(back))) {
		t.Fatalf("rewritten and logged out: got %s, %v; want the meaning of %s", back, err, before)
	}
}

// checkMeaning compares what docker's decoder sees.
func checkMeaning(t *testing.T, before, after, key string, store bool) {
	t.Helper()
	want, got := decoded(t, before), decoded(t, after)
	member := func(name string) string {
		for present := range want {
			if strings.EqualFold(present, name) {
				return present
			}
		}
		return name
	}
	helpers, ok := want[member(memberHelpers)].(map[string]any)
	if !ok {
		helpers = map[string]any{}
		want[member(memberHelpers)] = helpers
	}
	helpers[key] = helper
	if store {
		want[member(memberStore)] = helper
	}
	if !reflect.DeepEqual(want, got) {
		t.Fatalf("got %v, want %v", got, want)
	}
}

func decoded(t *testing.T, text string) map[string]any {
	t.Helper()
	values := map[string]any{}
	if strings.TrimSpace(text) == "" {
		return values
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&values); err != nil {
		t.Fatalf("%v:\n%s", err, text)
	}
	return values
}

// generator makes configuration files; each byte is one choice.
type generator string

func (g *generator) choose(n int) int {
	if *g == "" {
		return 0
	}
	c := int((*g)[0]) % n
	*g = (*g)[1:]
	return c
}

func (g *generator) space() string {
	return []string{"", " ", "\n", "\n\t", "\r\n  ", "\n\n    ", "\t"}[g.choose(7)]
}

func (g *generator) file() string {
	names := []string{memberHelpers, "auths", memberStore, "HttpHeaders", "x", "plugins"}
	values := []func() string{
		func() string { return g.object([]string{reg, "a", "b", hubURL}, g.helper) },
		func() string {
			return g.object([]string{reg, "c"}, func() string { return g.object([]string{"auth"}, g.literal) })
		},
		g.helper, g.value, g.value, g.value,
	}
	next := -1
	return g.space() + g.object(names, func() string { next++; return values[next]() }) + g.space()
}

// object has each name or leaves it out; value is called for every name.
func (g *generator) object(names []string, value func() string) string {
	var out strings.Builder
	out.WriteString("{" + g.space())
	for _, name := range names {
		v := value()
		if g.choose(3) == 0 {
			continue
		}
		if strings.ContainsRune(out.String(), ':') {
			out.WriteString("," + g.space())
		}
		out.WriteString(`"` + name + `"` + g.space() + ":" + g.space() + v + g.space())
	}
	return out.String() + "}"
}

func (g *generator) helper() string  { return []string{`"ecr"`, `""`, `null`, `"\u0067"`}[g.choose(4)] }
func (g *generator) literal() string { return []string{`"é"`, `0.10`, `true`, `null`}[g.choose(4)] }

func (g *generator) value() string {
	if g.choose(4) == 0 {
		return "[" + g.space() + g.literal() + g.space() + "," + g.literal() + "]"
	}
	return g.literal()
}
