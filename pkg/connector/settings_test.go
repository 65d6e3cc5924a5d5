package connector

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/secret"
)

var (
	region = field.String{Name: "region", Title: "Region", Help: "Where.", Required: true}
	key    = field.Secret{Name: "key", Title: "Key", Help: "Key.", Required: true}
)

func parseName(_ field.Values, name string) (string, error) {
	if strings.Contains(name, "!") {
		return "", fault.New(fault.Invalid, "it has an exclamation mark")
	}
	return strings.TrimPrefix(strings.ToLower(name), "s3://"), nil
}

// testTypes has a type with several resource types, and one with a single.
func testTypes() Types {
	open := func(Host, Settings) (Session, error) { return nil, nil }
	fields := field.Set{region, key}
	bucket := ResourceType{Name: "bucket", Title: "B", Doc: "B.", Instances: true, Formats: []string{"s3://NAME"}, Parse: parseName}
	generic := ResourceType{Name: "generic", Title: "G", Doc: "G.", Parse: parseName, Default: region.Get}
	account := ResourceType{Name: "account", Title: "A", Doc: "A.", Parse: parseName}
	return NewTypes(
		&Type{Name: "cloud", Title: "C", Doc: "C.", Open: open, Resources: []ResourceType{generic, bucket, account}, Methods: []AuthMethod{
			{Name: "keys", Title: "K", Doc: "K.", Fields: fields},
			{Name: "role", Title: "R", Doc: "R.", Fields: fields, Temporary: true, Lifetime: TTLBounds{Min: 15 * time.Minute, Default: time.Hour, Max: 12 * time.Hour}},
		}},
		&Type{Name: "one", Title: "O", Doc: "O.", Open: open, Resources: []ResourceType{generic}, Methods: []AuthMethod{{Name: "keys", Title: "K", Doc: "K.", Fields: fields}}},
	)
}

func spec(typ, method, resourceType, name string) Spec {
	var v field.Values
	v.Set("region", "eu")
	v.SetSecret("key", secret.New("k"))
	return Spec{Type: typ, Method: method, ResourceType: resourceType, ResourceName: name, Values: v}
}

func TestScopes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		spec  Spec
		scope Scope
		name  string
		types []string
	}{
		{spec("cloud", "keys", "", ""), MultiType, "", []string{"generic", "bucket", "account"}},
		{spec("cloud", "keys", "bucket", ""), MultiInstance, "", []string{"bucket"}},
		{spec("cloud", "keys", "bucket", "s3://Files"), SingleInstance, "files", []string{"bucket"}},
		{spec("cloud", "keys", "generic", ""), SingleInstance, "eu", []string{"generic"}},
		{spec("cloud", "keys", "generic", "EU"), SingleInstance, "eu", []string{"generic"}},
		{spec("cloud", "keys", "account", ""), SingleInstance, "", []string{"account"}},
		{spec("one", "", "", ""), SingleInstance, "eu", []string{"generic"}},
	} {
		got, err := testTypes().Check(tc.spec)
		if err != nil {
			t.Errorf("%+v: %v", tc.spec, err)
			continue
		}
		if got.Scope() != tc.scope || got.ResourceName != tc.name {
			t.Errorf("%+v: %s %q, want %s %q", tc.spec, got.Scope(), got.ResourceName, tc.scope, tc.name)
		}
		if diff := cmp.Diff(tc.types, got.ResourceTypes()); diff != "" {
			t.Errorf("%+v: %s", tc.spec, diff)
		}
	}
}

func TestCheckRefusesAndSaysWhatWouldBeRight(t *testing.T) {
	t.Parallel()
	with := func(s Spec, expiration time.Duration) Spec { s.Expiration = expiration; return s }
	for name, tc := range map[string]struct {
		spec       Spec
		text, hint string
	}{
		"unknown type":                    {spec("clod", "keys", "", ""), `connector type "clod"`, `did you mean "cloud"`},
		"method not named":                {spec("cloud", "", "", ""), "several auth methods", "keys, role"},
		"unknown method":                  {spec("cloud", "rloe", "", ""), `"rloe"`, `did you mean "role"`},
		"unknown resource type":           {spec("cloud", "keys", "buckets", ""), `"buckets"`, `did you mean "bucket"`},
		"name without type":               {spec("cloud", "keys", "", "s3://x"), "without its resource type", "--resource-type"},
		"malformed name":                  {spec("cloud", "keys", "bucket", "x!"), "exclamation", "s3://NAME"},
		"name that the fields contradict": {spec("cloud", "keys", "generic", "us"), `"us"`, "leave --resource-name out"},
		"lifetime where none is taken":    {with(spec("cloud", "keys", "", ""), time.Hour), "takes no expiration", "leave --expiration out"},
		"lifetime too short":              {with(spec("cloud", "role", "", ""), time.Minute), "below the least", "15m0s or more"},
		"lifetime too long":               {with(spec("cloud", "role", "", ""), 13*time.Hour), "above the most", "12h0m0s or less"},
	} {
		_, err := testTypes().Check(tc.spec)
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), tc.text) || !strings.Contains(fault.HintOf(err), tc.hint) {
			t.Errorf("%s: %v (%s), hint %q", name, err, fault.KindOf(err), fault.HintOf(err))
		}
	}
}

// TestTarget has the six rules for type and name arguments.
func TestTarget(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		spec               Spec
		resourceType, name string
		wantType, wantName string
		text               string
	}{
		{spec("cloud", "keys", "bucket", "files"), "", "", "bucket", "files", ""},
		{spec("cloud", "keys", "bucket", "files"), "bucket", "s3://FILES", "bucket", "files", ""},
		{spec("cloud", "keys", "bucket", "files"), "", "other", "", "", `only reaches the bucket "files"`},
		{spec("cloud", "keys", "bucket", ""), "", "other", "bucket", "other", ""},
		{spec("cloud", "keys", "bucket", ""), "", "", "", "", "more than one bucket and none was named"},
		{spec("cloud", "keys", "bucket", ""), "generic", "", "", "", "of type bucket, not generic"},
		{spec("cloud", "keys", "", ""), "", "", "", "", "several resource types and none was named"},
		{spec("cloud", "keys", "", ""), "", "x", "", "", "without its resource type"},
		{spec("cloud", "keys", "", ""), "bucket", "x!", "", "", "exclamation"},
		{spec("cloud", "keys", "", ""), "generic", "", "generic", "eu", ""},
		{spec("cloud", "keys", "", ""), "generic", "us", "", "", `only reaches the generic "eu"`},
		{spec("cloud", "keys", "", ""), "account", "", "account", "", ""},
		{spec("cloud", "keys", "", ""), "nonsense", "", "", "", "nonsense"},
	} {
		settings, err := testTypes().Check(tc.spec)
		if err != nil {
			t.Fatal(err)
		}
		r, name, err := settings.Target(tc.resourceType, tc.name)
		switch {
		case tc.text != "":
			if err == nil || !strings.Contains(err.Error(), tc.text) || fault.HintOf(err) == "" {
				t.Errorf("%+v(%q, %q): %v, want %q and a hint", tc.spec, tc.resourceType, tc.name, err, tc.text)
			}
		case err != nil || r.Name != tc.wantType || name != tc.wantName:
			t.Errorf("%+v(%q, %q): %v %q, %v", tc.spec, tc.resourceType, tc.name, r, name, err)
		}
	}
}

func TestBadDeclarationsPanic(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*Type){
		"no title":     func(t *Type) { t.Title = "" },
		"no methods":   func(t *Type) { t.Methods = nil },
		"twin fields":  func(t *Type) { t.Methods[0].Fields = field.Set{region, region} },
		"twin methods": func(t *Type) { t.Methods[1].Name = t.Methods[0].Name },
		"no parser":    func(t *Type) { t.Resources[0].Parse = nil },
	} {
		typ := testTypes()[0]
		spoil(typ)
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: accepted", name)
				}
			}()
			NewTypes(typ)
		}()
	}
}

func TestBoundedTakesTheEarlierExpiry(t *testing.T) {
	t.Parallel()
	early, late := time.Unix(1000, 0), time.Unix(2000, 0)
	for _, tc := range []struct{ own, limit, want time.Time }{
		{late, early, early}, {early, late, early}, {time.Time{}, early, early}, {early, time.Time{}, early}, {time.Time{}, time.Time{}, time.Time{}},
	} {
		if got := Bounded(RegistryLogin{Expires: tc.own}, tc.limit).Expiry(); !got.Equal(tc.want) {
			t.Errorf("Bounded(%v, %v) = %v, want %v", tc.own, tc.limit, got, tc.want)
		}
	}
}
