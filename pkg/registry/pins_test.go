package registry

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/pkg/fault"
)

const otherID = "1b3f1c52-7e0f-4f0e-9c55-0f8f1e7f3a12"

func TestPins(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "config")
	pins := OpenPins(dir, time.Now)
	other := OpenPins(dir, time.Now) // another process's view
	hub := Pin{"docker-registry", "ghcr.io", someID, ""}
	path := Pin{"docker-registry", "ghcr.io/team", someID, "ghcr.io"}
	cluster := Pin{"kubernetes-cluster", "https://k8s.example.com", otherID, "prod"}
	moved := hub
	moved.Connector = otherID
	steps := []struct {
		name string
		do   func() error
		want []Pin
	}{
		{"none", func() error { return nil }, nil},
		{"remove from none", func() error { return pins.Remove(t.Context(), "docker-registry", "ghcr.io") }, nil},
		{"set", func() error { return pins.Set(t.Context(), cluster) }, []Pin{cluster}},
		{"set before", func() error { return pins.Set(t.Context(), path) }, []Pin{path, cluster}},
		{"set first", func() error { return pins.Set(t.Context(), hub) }, []Pin{hub, path, cluster}},
		{"set again", func() error { return pins.Set(t.Context(), hub) }, []Pin{hub, path, cluster}},
		{"set otherwise", func() error { return pins.Set(t.Context(), moved) }, []Pin{moved, path, cluster}},
		{"remove what is not there", func() error { return pins.Remove(t.Context(), "kubernetes-cluster", "ghcr.io") }, []Pin{moved, path, cluster}},
		{"remove a connector", func() error { return pins.RemoveConnector(t.Context(), otherID) }, []Pin{path}},
		{"remove the last", func() error { return pins.Remove(t.Context(), "docker-registry", "ghcr.io/team") }, nil},
	}
	for _, step := range steps {
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		for _, view := range []*Pins{pins, other} {
			got, err := view.List()
			if diff := cmp.Diff(step.want, got); diff != "" || err != nil {
				t.Fatalf("%s: %v %s", step.name, err, diff)
			}
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "pins.toml")); !os.IsNotExist(err) {
		t.Errorf("without pins there is a file: %v", err)
	}
}

func TestPinsFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pins := OpenPins(dir, time.Now)
	must(t, pins.Set(t.Context(), Pin{"docker-registry", "ghcr.io", someID, ""}))
	must(t, pins.Set(t.Context(), Pin{"docker-registry", "b.example.com", otherID, "b.example.com"}))
	got, err := os.ReadFile(filepath.Join(dir, "pins.toml"))
	must(t, err)
	const want = `# Which connector serves an address, where a login said so. svcconn writes this file.

[[pin]]
resource_type = "docker-registry"
address = "b.example.com"
connector = "1b3f1c52-7e0f-4f0e-9c55-0f8f1e7f3a12"
resource_name = "b.example.com"

[[pin]]
resource_type = "docker-registry"
address = "ghcr.io"
connector = "0b3f1c52-7e0f-4f0e-9c55-0f8f1e7f3a11"
`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
	list, err := pins.List()
	must(t, err)
	list[0].Address = "changed"
	if again, _ := pins.List(); again[0].Address != "b.example.com" {
		t.Error("the list is shared")
	}
}

func TestPinsMistakes(t *testing.T) {
	t.Parallel()
	const pin = "[[pin]]\nresource_type = 'r'\naddress = 'a'\nconnector = 'c'\n"
	for text, want := range map[string]string{
		"[[pin]]\naddress = 'a'\nconnector = 'c'\n":                     "pins.toml:1: key pin.resource_type: is missing",
		"[[pin]]\nresource_type = ''\naddress = 'a'\nconnector = 'c'\n": "pins.toml:2: key pin.resource_type: is empty",
		pin + "conector = 'x'\n":                                        "pins.toml:5: key pin.conector: there is no such key",
		pin + "\n" + pin:                                                "pins.toml:8: key pin.address: is pinned twice",
		"pin = 3\n":                                                     "pins.toml:1: key pin: must be an array of tables, not a whole number",
		"pins = []\n":                                                   "pins.toml:1: key pins: there is no such key",
		"[[pin\n":                                                       "pins.toml:1: is not TOML: ",
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "pins.toml")
		must(t, os.WriteFile(path, []byte(text), 0o600))
		pins := OpenPins(dir, time.Now)
		_, err := pins.List()
		if !fault.Is(err, fault.Invalid) || !strings.HasPrefix(err.Error(), want) || fault.HintOf(err) == "" {
			t.Errorf("got %v, want %s", err, want)
		}
		if err := pins.Set(t.Context(), Pin{"r", "b", "c", ""}); !fault.Is(err, fault.Invalid) {
			t.Errorf("Set over a mistake: %v", err)
		}
		if after, _ := os.ReadFile(path); string(after) != text {
			t.Errorf("a file with a mistake was overwritten")
		}
	}
}

func TestPinsRefuseWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pins := OpenPins(dir, time.Now)
	for _, bad := range []Pin{{"r", "\xff", "c", ""}, {"", "a", "c", ""}, {"r", "", "c", ""}, {"r", "a", "", ""}} {
		if err := pins.Set(t.Context(), bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: got %v", bad, err)
		}
	}
	if list, err := pins.List(); len(list) != 0 || err != nil {
		t.Errorf("got %v, %v", list, err)
	}
}

func FuzzPins(f *testing.F) {
	f.Add([]byte("[[pin]]\nresource_type = 'r'\naddress = 'a'\nconnector = 'c'\n"))
	f.Add([]byte("pin = [{resource_type='r',address='b',connector='c'},{resource_type='r',address='a',connector='\"\\n',resource_name='x'}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		pins, err := decodePins(data)
		if err != nil {
			if !fault.Is(err, fault.Invalid) || !strings.HasPrefix(err.Error(), "pins.toml") {
				t.Fatalf("%T %v", err, err)
			}
			return
		}
		text, err := encodePins(pins)
		must(t, err)
		back, err := decodePins(text)
		if diff := cmp.Diff(pins, back); diff != "" || err != nil {
			t.Fatalf("%v %s", err, diff)
		}
	})
}
