package connectortest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/secret"
)

const canary = "canary-5f3a9c71"

// toy is a connector type for doors, whose service is this process. Its parts are
// replaced to see the suite find fault with it.
type toy struct {
	verify func(ctx context.Context, password secret.Text, mood string) (connector.Identity, error)
	list   func(yield func(connector.Resource) error) error
	mint   func(request connector.Request) (connector.Credential, error)
}

type session struct {
	*toy
	values field.Values
}

var (
	door     = field.String{Name: "door", Title: "door", Help: "The door.", Example: "front", Required: true, Check: checkDoor}
	password = field.Secret{Name: "password", Title: "password", Help: "What opens it.", Required: true}
	mood     = field.String{Name: "mood", Title: "mood", Help: "What the service does.", Default: "good"}
)

func checkDoor(text string) (string, error) {
	if text == "" || strings.ContainsFunc(text, func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') }) {
		return "", fault.New(fault.Invalid, "not a door")
	}
	return strings.ToLower(text), nil
}

func (s session) Verify(ctx context.Context) (connector.Identity, error) {
	return s.verify(ctx, password.Get(s.values), mood.Get(s.values))
}

func (s session) List(_ context.Context, resourceType string, yield func(connector.Resource) error) error {
	if resourceType != "door" {
		return fault.New(fault.Invalid, "no such type")
	}
	return s.list(yield)
}

func (s session) Mint(_ context.Context, request connector.Request) (connector.Credential, error) {
	return s.mint(request)
}

func goodVerify(ctx context.Context, text secret.Text, mood string) (connector.Identity, error) {
	switch {
	case mood == "gone":
		return connector.Identity{}, fault.New(fault.Unavailable, "gone")
	case mood == "hanging":
		<-ctx.Done()
		return connector.Identity{}, ctx.Err()
	case text.Reveal() != canary:
		return connector.Identity{}, fault.New(fault.Denied, "denied")
	}
	return connector.Identity{Name: "me"}, nil
}

func goodToy() *toy {
	return &toy{
		verify: goodVerify,
		list: func(yield func(connector.Resource) error) error {
			return yield(connector.Resource{Type: "door", Name: "front"})
		},
		mint: func(request connector.Request) (connector.Credential, error) {
			if request.ResourceType != "door" || request.ResourceName != "front" {
				return nil, fault.New(fault.Invalid, "out of reach")
			}
			return connector.RegistryLogin{Registry: "front", Username: "me", Secret: secret.New(canary)}, nil
		},
	}
}

func spec(name, text, temper string) connector.Spec {
	var values field.Values
	values.Set("door", name)
	values.Set("mood", temper)
	values.SetSecret("password", secret.New(text))
	return connector.Spec{Values: values}
}

func specs(text, temper string) func(*testing.T) connector.Spec {
	return func(*testing.T) connector.Spec { return spec("front", text, temper) }
}

func goodSuite(t *toy) Suite {
	serves := func(settings connector.Settings, address string) (string, bool) {
		return door.Get(settings.Values), address == door.Get(settings.Values)+".example.com"
	}
	detected := connector.Detected{Spec: spec("front", canary, "good"), Source: connector.Source{Description: "the doormat"}}
	detected.Spec.Type = "toy"
	return Suite{
		Type: &connector.Type{
			Name: "toy", Title: "Toy", Icon: "🚪", Doc: "Doors.",
			Methods: []connector.AuthMethod{{Name: "password", Title: "Password", Doc: "By password.", Fields: field.Set{door, password, mood}}},
			Resources: []connector.ResourceType{{
				Name: "door", Title: "Door", Icon: "🚪", Doc: "A door.", Formats: []string{"NAME"}, Serves: serves, Default: door.Get,
				Parse: func(_ field.Values, name string) (string, error) { return checkDoor(name) },
			}},
			Open: func(_ connector.Host, settings connector.Settings) (connector.Session, error) {
				return session{t, settings.Values}, nil
			},
			Detect: func(_ context.Context, host connector.Host, hints map[string]string) ([]connector.Detected, error) {
				switch {
				case len(hints) > 0:
					return nil, fault.New(fault.Invalid, "unknown hint")
				case host.Home != "equipped":
					return nil, fault.New(fault.NotFound, "nothing here").Hint("look elsewhere")
				}
				return []connector.Detected{detected}, nil
			},
		},
		Cases: []Case{{
			Name: "password", Outside: "back",
			Good: specs(canary, "good"), Wrong: specs("wrong", "good"), Gone: specs(canary, "gone"), Hanging: specs(canary, "hanging"),
		}},
		Names:     []Name{{ResourceType: "door", Spec: spec("front", canary, "good"), Good: map[string]string{"Front": "front"}, Bad: []string{"7"}}},
		Addresses: []Address{{ResourceType: "door", Spec: spec("front", canary, "good"), Serves: map[string]string{"front.example.com": "front"}}},
		Equipped:  func(*testing.T) connector.Host { return connector.Host{Home: "equipped"} },
	}
}

func TestAGoodTypePasses(t *testing.T) { Run(t, goodSuite(goodToy())) }

// Every sabotage must be found by the check that is there for it.
var sabotages = map[string]struct {
	check, says string
	sabotage    func(*Suite, *toy)
}{
	"no title":              {"declarations", "malformed", func(s *Suite, _ *toy) { s.Type.Title = "" }},
	"a name in upper case":  {"declarations", "called", func(s *Suite, _ *toy) { s.Type.Name = "Toy" }},
	"no icon":               {"declarations", "no icon", func(s *Suite, _ *toy) { s.Type.Icon = "" }},
	"help without a period": {"declarations", "period", func(s *Suite, _ *toy) { s.Type.Doc = "Doors" }},
	"an example that fails": {"declarations", "its own example", withField(field.String{Name: "x", Title: "x", Help: "X.", Example: "7", Check: checkDoor})},
	"a default beside must": {"declarations", "required and has", withField(field.String{Name: "x", Title: "x", Help: "X.", Default: "x", Required: true})},
	"no formats":            {"declarations", "no formats", func(s *Suite, _ *toy) { s.Type.Resources[0].Formats = nil }},
	"no default lifetime":   {"declarations", "has no default", func(s *Suite, _ *toy) { s.Type.Methods[0].Lifetime.Max = time.Hour }},
	"names grow":            {"names", "canonical name", withParse(func(name string) (string, error) { return name + "x", nil })},
	"names fail otherwise":  {"names", "refused as invalid", withParse(func(string) (string, error) { return "front", errors.New("no") })},
	"no names":              {"names", "no names", func(s *Suite, _ *toy) { s.Names = nil }},
	"serves everybody":      {"addresses", "is served", withServes(func(string) bool { return true })},
	"serves by prefix":      {"addresses", "front.example.com.evil.tld", withServes(func(a string) bool { return strings.HasPrefix(a, "front.example.com") })},
	"serves by suffix":      {"addresses", "evil-front.example.com", withServes(func(a string) bool { return strings.HasSuffix(a, "front.example.com") })},
	"serves nobody":         {"addresses", "not \"front\"", withServes(func(string) bool { return false })},
	"no addresses":          {"addresses", "no addresses", func(s *Suite, _ *toy) { s.Addresses = nil }},
	"finds nothing":         {"auto-configuration", "finds 0", func(s *Suite, _ *toy) { s.Equipped = func(*testing.T) connector.Host { return connector.Host{} } }},
	"finds what is no use":  {"auto-configuration", "cannot be registered", withDetected(connector.Detected{Source: connector.Source{Description: "there"}})},
	"finds and tells":       {"auto-configuration", "shows the secret", withDetected(connector.Detected{Spec: spec("front", canary, "good"), Notes: []string{canary}})},
	"detects with any hint": {"auto-configuration", "unknown hint", withDetected(connector.Detected{Spec: spec("front", canary, "good")})},
	"opening runs programs": {"opening", "ran a program", withOpen(func(host connector.Host) { _, _ = host.Run(context.Background(), connector.Command{Program: "true"}) })},
	"knows nobody":          {"verifying", "nobody is", func(_ *Suite, t *toy) { t.verify = answers(connector.Identity{}, nil) }},
	"refuses everybody":     {"verifying", "is refused", func(_ *Suite, t *toy) { t.verify = answers(connector.Identity{}, errors.New("no")) }},
	"tells the password":    {"verifying", "shows the secret", func(_ *Suite, t *toy) { t.verify = answers(connector.Identity{Name: canary}, nil) }},
	"accepts everybody":     {"wrong secret", "not denied", func(_ *Suite, t *toy) { t.verify = answers(connector.Identity{Name: "me"}, nil) }},
	"gone, but fails":       {"service gone", "not unavailable", func(_ *Suite, t *toy) { t.verify = answers(connector.Identity{}, errors.New("no")) }},
	"hangs, but says yes":   {"service hanging", "not unavailable", func(_ *Suite, t *toy) { t.verify = answers(connector.Identity{Name: "me"}, nil) }},
	"works for nobody":      {"caller gone", "has gone", func(_ *Suite, t *toy) { t.verify = answers(connector.Identity{Name: "me"}, nil) }},
	"lists nothing":         {"listing", "lists 0", func(_ *Suite, t *toy) { t.list = func(func(connector.Resource) error) error { return nil } }},
	"lists on":              {"listing", "told to stop", func(_ *Suite, t *toy) { t.list = listsOn }},
	"lists what is not a name": {"listing", "canonically", func(_ *Suite, t *toy) {
		t.list = func(yield func(connector.Resource) error) error {
			return yield(connector.Resource{Type: "door", Name: "Front"})
		}
	}},
	"mints for anything": {"minting", "out of reach", mints(connector.RegistryLogin{}, nil)},
	"mints nothing":      {"minting", "mints nothing", mints(nil, errors.New("no"))},
	"mints the past":     {"minting", "claims to", mints(connector.RegistryLogin{Expires: time.Unix(1, 0)}, nil)},
	"mints a guess": {"minting", "the service said", func(s *Suite, t *toy) {
		s.Cases[0].Lifetime = time.Hour
		mints(connector.RegistryLogin{Expires: time.Unix(1, 0)}, nil)(s, t)
	}},
	"mints what is stored": {"minting", "hands out what is stored", func(s *Suite, t *toy) {
		s.Cases[0].Lifetime, s.Cases[0].Stored, s.Type.Methods[0].Temporary = time.Hour, true, true
		mints(connector.RegistryLogin{}, nil)(s, t)
	}},
	"mints, and does not say": {"minting", "does not call its credentials temporary", func(s *Suite, t *toy) {
		s.Cases[0].Lifetime = time.Hour
		mints(connector.RegistryLogin{}, nil)(s, t)
	}},
	"mints a blank":          {"minting", "is not whole", mints(connector.RegistryLogin{}, nil)},
	"mints no token":         {"minting", "is not whole", mints(connector.KubernetesAuth{}, nil)},
	"mints for elsewhere":    {"minting", "is reached at", mints(connector.KubernetesAuth{Token: secret.New(canary)}, nil)},
	"mints half of a key":    {"minting", "are not whole", mints(connector.AWSKeys{AccessKeyID: "id"}, nil)},
	"mints for nobody":       {"minting", "account \"1\"", mints(connector.AWSKeys{Account: "1"}, nil)},
	"keys without a token":   {"minting", "no session token", mints(connector.AWSKeys{Expires: time.Unix(1, 0)}, nil)},
	"keys for no profile":    {"minting", "what a profile has to say", mints(connector.AWSKeys{}, nil)},
	"mints no access token":  {"minting", "is not whole", mints(connector.AccessToken{Universe: "example.com"}, nil)},
	"a token for nowhere":    {"minting", "is not whole", mints(connector.AccessToken{Token: secret.New(canary)}, nil)},
	"tokens for no gcloud":   {"minting", "what a configuration of gcloud has to say", mints(connector.AccessToken{}, nil)},
	"a key file for a token": {"minting", "which is nil or unknown", mints(connector.KeyFile{JSON: secret.New(canary)}, nil)},
	"a token for a key file": {"key files", "gives a token", mints(connector.AccessToken{}, nil)},
	"a key file of nothing":  {"key files", "is not whole", mints(connector.KeyFile{}, nil)},
	"no key file, no advice": {"key files", "is \"denied\"", mints(nil, fault.New(fault.Denied, "no"))},
	"no key file, by chance": {"key files", "is \"failed\"", mints(nil, errors.New("no"))},
	"another project": {"minting", "of project \"mine\"", func(s *Suite, t *toy) {
		s.Type.Resources[0].Gcloud = func(connector.Settings, string) connector.GcloudProperties {
			return connector.GcloudProperties{Project: "mine"}
		}
		mints(connector.AccessToken{Token: secret.New(canary), Universe: "example.com", Project: "yours"}, nil)(s, t)
	}},
	"another user name": {"minting", "not what was said", func(s *Suite, _ *toy) {
		s.Type.Resources[0].Username = func(field.Values) string { return "you" }
	}},
	"a profile of nowhere": {"minting", "would have no region", func(s *Suite, t *toy) {
		s.Type.Resources[0].Profile = func(connector.Settings, string) connector.AWSProfile { return connector.AWSProfile{} }
		mints(connector.AWSKeys{}, nil)(s, t)
	}},
	"lists and refuses":   {"minting what is listed", "mints nothing to read", mints(nil, errors.New("no"))},
	"lists what is blank": {"minting what is listed", "is not whole", mints(connector.RegistryLogin{}, nil)},
	"lists no more": {"minting what is listed", "it lists no", func(_ *Suite, t *toy) {
		t.list = func(func(connector.Resource) error) error { return errors.New("no") }
	}},
	"a method not tested": {"opening", "no case", func(s *Suite, _ *toy) { s.Type.Methods = append(s.Type.Methods, connector.AuthMethod{Name: "other"}) }},
	"fails under load":    {"concurrent use", "several at once", func(_ *Suite, t *toy) { t.verify = answers(connector.Identity{}, errors.New("no")) }},
}

func TestFaultsAreFound(t *testing.T) {
	t.Parallel()
	for what, test := range sabotages {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			toy := goodToy()
			suite := goodSuite(toy)
			test.sabotage(&suite, toy)
			r := &run{T: t, Suite: suite}
			all := checks()
			all[slices.IndexFunc(all, func(c check) bool { return c.name == test.check })].run(r)
			if !slices.ContainsFunc(r.problems, func(p string) bool { return strings.Contains(p, test.says) }) {
				t.Errorf("%s reports %q, nothing that says %q", test.check, r.problems, test.says)
			}
		})
	}
}

func withField(f field.Field) func(*Suite, *toy) {
	return func(s *Suite, _ *toy) { s.Type.Methods[0].Fields = append(s.Type.Methods[0].Fields, f) }
}

func withParse(parse func(string) (string, error)) func(*Suite, *toy) {
	return func(s *Suite, _ *toy) {
		s.Type.Resources[0].Parse = func(_ field.Values, name string) (string, error) { return parse(name) }
	}
}

func withServes(serves func(string) bool) func(*Suite, *toy) {
	return func(s *Suite, _ *toy) {
		s.Type.Resources[0].Serves = func(_ connector.Settings, address string) (string, bool) { return "front", serves(address) }
	}
}

func withDetected(d connector.Detected) func(*Suite, *toy) {
	return func(s *Suite, _ *toy) {
		s.Type.Detect = func(context.Context, connector.Host, map[string]string) ([]connector.Detected, error) {
			return []connector.Detected{d}, nil
		}
	}
}

func withOpen(do func(connector.Host)) func(*Suite, *toy) {
	return func(s *Suite, t *toy) {
		s.Type.Open = func(host connector.Host, settings connector.Settings) (connector.Session, error) {
			do(host)
			return session{t, settings.Values}, nil
		}
	}
}

func answers(id connector.Identity, err error) func(context.Context, secret.Text, string) (connector.Identity, error) {
	return func(context.Context, secret.Text, string) (connector.Identity, error) { return id, err }
}

func listsOn(yield func(connector.Resource) error) error {
	for range 2 {
		_ = yield(connector.Resource{Type: "door", Name: "front"})
	}
	return nil
}

func mints(credential connector.Credential, err error) func(*Suite, *toy) {
	return func(_ *Suite, t *toy) {
		t.mint = func(connector.Request) (connector.Credential, error) { return credential, err }
	}
}
