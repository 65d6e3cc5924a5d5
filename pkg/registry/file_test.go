package registry

import (
	"bytes"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/pkg/fault"
)

const someID = "0b3f1c52-7e0f-4f0e-9c55-0f8f1e7f3a11"

var someTime = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

// full is a connector with everything.
func full(name string) Connector {
	tolerance := time.Duration(0)
	return Connector{
		ID: someID, Name: name, Type: "docker", Method: "password", ResourceType: "docker-registry",
		ResourceName: "registry.example.com:5000", Description: "the team's registry\nask Ann", Owner: "ann",
		Labels:    map[string]string{"team": "core", "a.b/c": ""},
		CreatedAt: someTime, UpdatedAt: someTime.Add(time.Hour), ExpiresAt: someTime.AddDate(1, 0, 0),
		SkewTolerance: &tolerance, Expiration: 90 * time.Minute,
		Configuration: map[string]any{
			"username": "ann", "insecure": false, "port": int64(5000), "mirrors": []string{"a", "b"},
			"certificate_authority": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
		},
		Secrets: SecretRef{
			Store: "keyring", Key: someID + "/abc123", Fields: []string{"password"},
			References: map[string]string{"token": "env:HUB_TOKEN"},
		},
	}
}

const fullFile = `# A connector of svcconn. This file may be edited; its secrets are elsewhere.

version = 1
id = "0b3f1c52-7e0f-4f0e-9c55-0f8f1e7f3a11"
type = "docker"
auth_method = "password"
resource_type = "docker-registry"
resource_name = "registry.example.com:5000"
description = """
the team's registry
ask Ann"""
owner = "ann"
created_at = 2026-01-31T12:00:00Z
updated_at = 2026-01-31T13:00:00Z
expires_at = 2027-01-31T12:00:00Z
expires_skew_tolerance = "0s"
expiration = "1h30m"

[labels]
"a.b/c" = ""
team = "core"

[configuration]
certificate_authority = """
-----BEGIN CERTIFICATE-----
MIIB
-----END CERTIFICATE-----
"""
insecure = false
mirrors = ["a", "b"]
port = 5000
username = "ann"

[secrets]
store = "keyring"
key = "0b3f1c52-7e0f-4f0e-9c55-0f8f1e7f3a11/abc123"
fields = ["password"]

[secrets.references]
token = "env:HUB_TOKEN"
`

func TestEncode(t *testing.T) {
	t.Parallel()
	data, err := storable(full("hub"), heading)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fullFile, string(data)); diff != "" {
		t.Error(diff)
	}
	back, err := decode("hub", data, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(full("hub"), back); diff != "" {
		t.Error(diff)
	}
}

func TestDecodeByHand(t *testing.T) {
	t.Parallel()
	modified := someTime.In(time.FixedZone("", 7200))
	got, err := decode("hub", []byte("type = 'docker'\nconfiguration.registry = 'ghcr.io'\nexpiration = 900\n"), modified)
	if err != nil {
		t.Fatal(err)
	}
	want := Connector{
		ID: idOfName("hub"), Name: "hub", Type: "docker", CreatedAt: someTime, UpdatedAt: someTime,
		Expiration: 15 * time.Minute, Configuration: map[string]any{"registry": "ghcr.io"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if other := idOfName("hub2"); other == got.ID || len(other) != 36 || other[14] != '5' {
		t.Errorf("id of hub2 is %s, of hub %s", other, got.ID)
	}
	upper, err := decode("hub", []byte("type = 'docker'\nid = '"+strings.ToUpper(someID)+"'\n"), modified)
	if err != nil || upper.ID != someID {
		t.Errorf("id %s, %v", upper.ID, err)
	}
}

func TestDecodeMistakes(t *testing.T) {
	t.Parallel()
	const canary = "cnry7Hq2xv"
	tests := []struct{ name, text, message, hint string }{
		{"no type", "id = '" + someID + "'", "connectors/hub.toml: key type: is missing", ""},
		{"newer version", "version = 2\ntype = 'docker'", "connectors/hub.toml:1: key version: is 2, and this svcconn reads version 1", "newer"},
		{"unknown key", "type = 'docker'\nauth-method = 'x'\n", "connectors/hub.toml:2: key auth-method: there is no such key", `did you mean "auth_method"`},
		{"unknown table", "type = 'docker'\n[label]\na = 'b'\n", "connectors/hub.toml:2: key label: there is no such key", `did you mean "labels"`},
		{"bad id", "type = 'docker'\nid = 'x'\n", "connectors/hub.toml:2: key id: is not a UUID", "remove the line"},
		{"id in another form", "type = 'docker'\nid = 'urn:uuid:" + someID + "'\n", "connectors/hub.toml:2: key id: is not a UUID", ""},
		{"empty id", "type = 'docker'\nid = ''\n", "connectors/hub.toml:2: key id: is not a UUID", ""},
		{"label", "type = 'docker'\n\n[labels]\nx = 3\n", "connectors/hub.toml:4: key labels.x: must be a string, not a whole number", ""},
		{"fraction", "type = 'docker'\n[configuration]\nx = 1.5\n", "connectors/hub.toml:3: key configuration.x: must be a string, true or false, a whole number or a list of strings, not a number with a fraction", ""},
		{"table in configuration", "type = 'docker'\n[configuration.x]\ny = 1\n", "connectors/hub.toml:2: key configuration.x: must be a string, true or false, a whole number or a list of strings, not a table", ""},
		{"list in configuration", "type = 'docker'\n[configuration]\nx = [1]\n", "connectors/hub.toml:3: key configuration.x: must be a list of strings, not a list with a whole number in it", ""},
		{"expiry without zone", "type = 'docker'\nexpires_at = 2026-01-31\n", "connectors/hub.toml:2: key expires_at: must be a date with time and offset", ""},
		{"negative", "type = 'docker'\nexpiration = '-5m'\n", `connectors/hub.toml:2: key expiration: "-5m" is not a duration`, ""},
		{"tolerance", "type = 'docker'\nexpires_skew_tolerance = 'x'\n", `connectors/hub.toml:2: key expires_skew_tolerance: "x" is not a duration`, ""},
		{"store alone", "type = 'docker'\n[secrets]\nstore = 'keyring'\n", "connectors/hub.toml:2: key secrets.key: is missing", "go together"},
		{"key alone", "type = 'docker'\n[secrets]\nkey = '" + someID + "/a'\n", "connectors/hub.toml:2: key secrets.store: is missing", "go together"},
		{"no fields", "type = 'docker'\nid = '" + someID + "'\n[secrets]\nstore = 'keyring'\nkey = '" + someID + "/a'\n", "connectors/hub.toml:3: key secrets.fields: is missing", "go together"},
		{"fields twice", "type = 'docker'\nid = '" + someID + "'\n[secrets]\nstore = 'keyring'\nkey = '" + someID + "/a'\nfields = ['a', 'b', 'a']\n", "connectors/hub.toml:6: key secrets.fields: has an empty or repeated field", ""},
		{"secrets of a copy", "type = 'docker'\n[secrets]\nstore = 'keyring'\nkey = '" + someID + "/a'\nfields = ['password']\n", "connectors/hub.toml:4: key secrets.key: names the secrets of another connector", "svcconn update hub"},
		{"secret for a store", "type = 'docker'\n[secrets]\npassword = '" + canary + "'\n", "connectors/hub.toml:3: key secrets.password: there is no such key", ""},
		{"secret for a reference", "type = 'docker'\n[secrets.references]\npassword = '" + canary + "'\n", "connectors/hub.toml:3: key secrets.references.password: must be a reference to a secret", "env:NAME, file:PATH or cmd:COMMAND"},
		{"secret that looks like a reference", "type = 'docker'\n[secrets.references]\npassword = 'x" + canary + ":1'\n", "connectors/hub.toml:3: key secrets.references.password: must be a reference", ""},
		{"reference to nothing", "type = 'docker'\n[secrets.references]\npassword = 'env:'\n", "connectors/hub.toml:3: key secrets.references.password: must be a reference", ""},
		{"stored and referred to", "type = 'docker'\nid = '" + someID + "'\n[secrets]\nstore = 'keyring'\nkey = '" + someID + "/a'\nfields = ['password']\nreferences.password = 'env:A'\n", "connectors/hub.toml:7: key secrets.references.password: the field is in secrets.fields too", ""},
		{"not TOML", "type: docker\n", "connectors/hub.toml:1: is not TOML:", ""},
		{"empty type", "type = ''", "connectors/hub.toml:1: key type: is empty", ""},
		{"empty", "", "connectors/hub.toml: key type: is missing", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := decode("hub", []byte(test.text), someTime)
			if !fault.Is(err, fault.Invalid) || !strings.HasPrefix(err.Error(), test.message) {
				t.Errorf("got  %v\nwant %s", err, test.message)
			}
			if hint := fault.HintOf(err); !strings.Contains(hint, test.hint) {
				t.Errorf("hint %q\nwant %q", hint, test.hint)
			}
			if strings.Contains(err.Error()+fault.HintOf(err), canary) {
				t.Errorf("a secret is quoted: %v", err)
			}
		})
	}
}

func TestStorableRefuses(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*Connector){
		"no type":          func(c *Connector) { c.Type = "" },
		"id in capitals":   func(c *Connector) { c.ID = strings.ToUpper(c.ID); c.Secrets = SecretRef{} },
		"int":              func(c *Connector) { c.Configuration = map[string]any{"a": 1} },
		"table":            func(c *Connector) { c.Configuration = map[string]any{"a": map[string]any{}} },
		"not UTF-8":        func(c *Connector) { c.Description = "\xff" },
		"label not UTF-8":  func(c *Connector) { c.Labels = map[string]string{"\xff": ""} },
		"secret":           func(c *Connector) { c.Secrets.References = map[string]string{"token": "hunter2"} },
		"secrets of other": func(c *Connector) { c.Secrets.Key = idOfName("other") + "/a" },
		"odd key":          func(c *Connector) { c.Secrets.Key = "k1" },
		"no fields":        func(c *Connector) { c.Secrets.Fields = nil },
		"negative":         func(c *Connector) { c.Expiration = -time.Second },
		"year":             func(c *Connector) { c.ExpiresAt = someTime.AddDate(9000, 0, 0) },
		"key without name": func(c *Connector) { c.Configuration = maps.Clone(c.Configuration); c.Configuration["\xff"] = "" },
	} {
		c := full("hub")
		spoil(&c)
		if _, err := storable(c, heading); !fault.Is(err, fault.Invalid) || !strings.HasPrefix(err.Error(), "connector hub: ") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestSecretNames(t *testing.T) {
	t.Parallel()
	ref := SecretRef{Fields: []string{"token", "password"}, References: map[string]string{"key": "env:A", "token": "env:B"}}
	if diff := cmp.Diff([]string{"key", "password", "token"}, ref.Names()); diff != "" {
		t.Error(diff)
	}
	if names := (SecretRef{}).Names(); len(names) != 0 {
		t.Errorf("got %q", names)
	}
}

func TestSpec(t *testing.T) {
	t.Parallel()
	spec := full("hub").Spec()
	if diff := cmp.Diff(full("hub").Configuration, spec.Values.Plain()); diff != "" {
		t.Error(diff)
	}
	if spec.Type != "docker" || spec.Method != "password" || spec.ResourceType != "docker-registry" ||
		spec.ResourceName != "registry.example.com:5000" || spec.Expiration != 90*time.Minute || len(spec.Values.Secrets()) != 0 {
		t.Errorf("got %+v", spec)
	}
}

// FuzzDecode reads any bytes; what is a connector is the same after being written and
// read, and written the same every time.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(fullFile))
	f.Add([]byte("type = 'docker'\nexpires_at = 1970-01-01T00:00:00.123456789-23:59\n[configuration]\na = []\nb = '''\n\"\"\"\"'''\n"))
	f.Add([]byte("type = 'x'\nlabels = {'' = \"\\u0000\\r\\n\"}\nexpires_skew_tolerance = 3\nsecrets.references.a = 'cmd:x'\n"))
	f.Add([]byte("type = ''"))
	f.Add([]byte("type = 1\n[[configuration]]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := decode("hub", data, someTime)
		if err != nil {
			if !fault.Is(err, fault.Invalid) || !strings.HasPrefix(err.Error(), "connectors/hub.toml") {
				t.Fatalf("%T %v", err, err)
			}
			return
		}
		text, err := storable(c, "")
		if err != nil {
			t.Fatalf("cannot be written: %v\n%+v", err, c)
		}
		back, err := decode("hub", text, time.Time{})
		if err != nil {
			t.Fatalf("cannot be read back: %v\n%s", err, text)
		}
		if diff := cmp.Diff(c, back); diff != "" {
			t.Fatalf("changed:\n%s\n%s", diff, text)
		}
		again, err := encode(back, "")
		if err != nil || !bytes.Equal(text, again) {
			t.Fatalf("written otherwise the second time: %v\n%s\n%s", err, text, again)
		}
	})
}
