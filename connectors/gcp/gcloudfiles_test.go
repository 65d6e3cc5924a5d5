package gcp

import (
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/svcconn/svcconn/pkg/fault"
)

// TestProperties: what Python's configparser makes of these, checked with that of Python
// 3.11.
func TestProperties(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]properties{
		"":                                           {},
		"# c\n; d\n\n":                               {},
		"[core]\n":                                   {"core": {}},
		"[core]\nproject = p\n":                      {"core": {"project": "p"}},
		"[core]\r\nproject=p\r\n[x]\rk: v":           {"core": {"project": "p"}, "x": {"k": "v"}},
		"[core]\nProject : a = b # no comment\n":     {"core": {"project": "a = b # no comment"}},
		"[core]\nempty =\nnext = 1\n":                {"core": {"empty": "", "next": "1"}},
		"[core]\na = 1\n  2\n\n  3\n\n\nb = 4\n":     {"core": {"a": "1\n2\n\n3", "b": "4"}},
		"[core]\na = 1\n  # c\n  2\n":                {"core": {"a": "1\n2"}},
		"[core]\n  a = 1\n  b = 2\n   c = 3\n":       {"core": {"a": "1", "b": "2\nc = 3"}},
		"[core]\na = 1\n  [x]\nb = 2":                {"core": {"a": "1\n[x]", "b": "2"}},
		"[core]\n  [x]\na = 1":                       {"core": {}, "x": {"a": "1"}},
		"[a b]c]d\nk = v\n":                          {"a b]c": {"k": "v"}},
		"[core]\na = 100%%\n":                        {"core": {"a": "100%"}},
		"[DEFAULT]\na = 1\nb = 2\n[x]\nb = 3\n[y]\n": {"x": {"a": "1", "b": "3"}, "y": {"a": "1", "b": "2"}},
		"[Core]\nk = 1\n[core]\nk = 2\n":             {"Core": {"k": "1"}, "core": {"k": "2"}},
		"[core]\naccount = jané@example.com\n":       {"core": {"account": "jané@example.com"}},
	} {
		got, err := parseProperties(text)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for text, says := range map[string]string{
		"a = 1\n":                        "line 1: it is neither",
		"[core]\n" + planted + "\n":      "line 2: it is neither",
		"[core]\n= " + planted + "\n":    "line 2: it is neither",
		"[core]\na=1\n[core]\n":          "line 3: its section is there twice",
		"[core]\na=1\nA=" + planted:      "line 3: its key is there twice",
		"[]\n":                           "line 1: it is neither",
		"[core]\na = %(b)s" + planted:    `section "core"`,
		"[core]\na = %%%\n":              `section "core"`,
		"[DEFAULT]\na=1\n[DEFAULT]\na=2": "line 4: its key is there twice",
	} {
		_, err := parseProperties(text)
		failsAs(t, err, fault.Invalid, []string{says}, planted)
	}
}

// FuzzProperties: whatever a file has in it, reading it is no panic, its errors repeat
// nothing, and what is read is read again from what gcloud would write for it.
func FuzzProperties(f *testing.F) {
	for _, text := range []string{"[core]\naccount = a\n\n  b\n", "[DEFAULT]\nx = %%\n[a]\ny: 1\n", "[a\n= %", "\ufeff[core]\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseProperties(text)
		if err != nil {
			if strings.Contains(text, planted) && strings.Contains(err.Error(), planted) {
				t.Errorf("it is repeated: %v", err)
			}
			return
		}
		var written strings.Builder
		for _, section := range slices.Sorted(maps.Keys(got)) {
			fmt.Fprintf(&written, "[%s]\n", section)
			for key, value := range got[section] {
				if key != strings.ToLower(key) {
					t.Errorf("key %q is not in lower case", key)
				}
				fmt.Fprintf(&written, "%s = %s\n", key, strings.ReplaceAll(strings.ReplaceAll(value, "%", "%%"), "\n", "\n\t"))
			}
		}
		if strings.ContainsAny(text, "[]") && strings.Contains(written.String(), "]]") {
			return // headings with brackets in them are not written back
		}
		again, err := parseProperties(written.String())
		if err != nil || !sameProperties(again, got) {
			t.Errorf("%q is %v, and written as %q is %v, %v", text, got, written.String(), again, err)
		}
	})
}

// sameProperties compares without the lines in values that begin like comments, which
// nothing can write.
func sameProperties(a, b properties) bool {
	for section, values := range b {
		for key, value := range values {
			if strings.ContainsAny(value, "#;") {
				continue
			}
			if other, ok := a[section][key]; !ok || other != value {
				return false
			}
		}
	}
	return len(a) == len(b)
}

func TestGcloudFolder(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	g := usualGcloudFolder(home)
	if g.adc() != filepath.Join(home, ".config", "gcloud", "application_default_credentials.json") {
		t.Error(g.adc())
	}
	if name, err := g.active(); err != nil || name != "default" {
		t.Errorf("%q, %v", name, err)
	}
	_, err := g.read("default")
	failsAs(t, err, fault.NotFound, []string{`no configuration "default"`, "gcloud init"})
	path := inFolder(t, string(g), "configurations/config_work", "[core]\nproject = p\n account=x\n")
	inFolder(t, string(g), "configurations/config_Bad", "")
	inFolder(t, string(g), "configurations/other", "")
	inFolder(t, string(g), "active_config", "work")
	if name, err := g.active(); err != nil || name != "work" {
		t.Errorf("%q, %v", name, err)
	}
	if got := must(g.read("work"))(t); got.path != path || got.get("core", "project") != "p\naccount=x" || got.get("none", "none") != "" {
		t.Errorf("%+v", got)
	}
	_, err = g.read("worl")
	failsAs(t, err, fault.NotFound, []string{`did you mean "work"`})
	_, err = g.read("prod")
	failsAs(t, err, fault.NotFound, []string{"there are: work"})
	files := g.files("")
	if want := []string{filepath.Join(string(g), "properties"), g.activator(), path}; !slices.Equal(files, want) {
		t.Errorf("%q", files)
	}
	if files := g.files("work"); len(files) != 2 || files[1] != path {
		t.Errorf("%q", files)
	}
	inFolder(t, string(g), "active_config", "../../etc/passwd")
	_, err = g.active()
	failsAs(t, err, fault.Invalid, []string{"active_config", "not the name of a configuration"})
	if files := g.files(""); len(files) != 2 {
		t.Errorf("%q", files)
	}
	if got := g.legacy("domain.com:jane@example.com"); got != filepath.Join(string(g), "legacy_credentials", "domain.comjane@example.com", "adc.json") {
		t.Error(got)
	}
}

func TestSmallFiles(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if text, err := readSmall(inFolder(t, folder, "a", "x")); err != nil || text != "x" {
		t.Errorf("%q, %v", text, err)
	}
	for path, kind := range map[string]fault.Kind{
		folder: fault.Invalid, filepath.Join(folder, "none"): fault.Failed,
		inFolder(t, folder, "large", strings.Repeat("x", maxSmall+1)): fault.Invalid,
	} {
		if _, err := readSmall(path); !fault.Is(err, kind) {
			t.Errorf("%s: %v", path, err)
		}
	}
}
