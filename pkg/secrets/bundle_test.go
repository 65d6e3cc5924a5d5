package secrets_test

import (
	"maps"
	"testing"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
	"github.com/svcconn/svcconn/pkg/secrets"
	"github.com/svcconn/svcconn/pkg/secrets/storetest"
)

func same(a, b map[string]secret.Text) bool { return maps.EqualFunc(a, b, secret.Text.Equal) }

func TestBundle(t *testing.T) {
	t.Parallel()
	for encoded, values := range map[string]map[string]secret.Text{
		`{}`:                                {},
		`{"a":"1"}`:                         {"a": secret.New("1")},
		`{"a":"","b":"\n\"\u003c€"}`:        {"b": secret.New("\n\"<€"), "a": secret.New("")},
		`{"key":{"base64":"/wA="},"x":"y"}`: {"x": secret.New("y"), "key": secret.New("\xff\x00")},
	} {
		if got := secrets.EncodeBundle(values); got.Reveal() != encoded {
			t.Errorf("encoded as %s, want %s", got.Reveal(), encoded)
		}
		if got, err := secrets.DecodeBundle(secret.New(encoded)); err != nil || !same(got, values) {
			t.Errorf("%s decoded as %d values, error %v", encoded, len(got), err)
		}
	}
}

func TestBadBundles(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "null", "[]", storetest.Canary, `"` + storetest.Canary + `"`, `{"a":"` + storetest.Canary, `{"a":1234567}`, `{"a":null}`,
		`{"a":["x"]}`, `{"a":{}}`, `{"a":{"base64":"` + storetest.Canary + `"}}`, `{"a":{"base64":"AA==","b":1}}`, `{"a":"x"} ` + "x", "{\"a\":\"\xff\"}",
	} {
		_, err := secrets.DecodeBundle(secret.New(text))
		wantFault(t, err, fault.Failed, "bundle", "svcconn update")
	}
}

// What decodes, encodes to something that decodes to the same, and that stays as it is.
func FuzzDecodeBundle(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":"1","a":"2"}`, `{"k":{"base64":"/wA="}}`, `{"a":"\ud800"}`, `{"\ud800":"x"}`, `null`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		values, err := secrets.DecodeBundle(secret.New(text))
		if err != nil {
			return
		}
		encoded := secrets.EncodeBundle(values)
		again, err := secrets.DecodeBundle(encoded)
		if err != nil || !same(values, again) {
			t.Fatalf("%q does not survive: error %v", text, err)
		}
		if !secrets.EncodeBundle(again).Equal(encoded) {
			t.Fatalf("%q is not canonical after encoding", text)
		}
	})
}

func FuzzEncodeBundle(f *testing.F) {
	f.Add("a", []byte("x"), "b", []byte{0xff, 0})
	f.Fuzz(func(t *testing.T, a string, x []byte, b string, y []byte) {
		values := map[string]secret.Text{"n" + a: secret.New(string(x)), "n" + b: secret.New(string(y))}
		for name := range values {
			if string([]rune(name)) != name {
				t.Skip() // not UTF-8, which no field name is
			}
		}
		if got, err := secrets.DecodeBundle(secrets.EncodeBundle(values)); err != nil || !same(got, values) {
			t.Fatalf("not the same again, error %v", err)
		}
	})
}
