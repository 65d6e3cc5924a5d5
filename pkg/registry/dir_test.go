package registry

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/pkg/fault"
)

// modes are the two ways of finding changes.
var modes = map[string]func(*Dir){
	"watching": func(d *Dir) { d.looked = watchAfter },
	"looking":  func(d *Dir) { d.newWatcher = func(string) (watcher, error) { return nil, errors.New("none") } },
}

// open returns the connectors of a new configuration folder.
func open(t *testing.T, prepare func(*Dir)) *Dir {
	t.Helper()
	d := Open(filepath.Join(t.TempDir(), "config", "connectors"), time.Now)
	t.Cleanup(d.Close)
	if prepare != nil {
		prepare(d)
	}
	return d
}

func (d *Dir) snapshot(t *testing.T) *Snapshot {
	t.Helper()
	s, err := d.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// put writes the file of a connector by hand.
func (d *Dir) put(t *testing.T, name, text string) {
	t.Helper()
	must(t, os.MkdirAll(d.path, 0o700))
	must(t, os.WriteFile(d.fileOf(name), []byte(text), 0o600))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func described(description string) string {
	return fmt.Sprintf("type = 'docker'\ndescription = '%s'\n", description)
}

// summary is what the tests compare: "name=description" of the good ones and
// "name!" of the broken.
func summary(s *Snapshot) string {
	var parts []string
	for _, c := range s.All() {
		parts = append(parts, c.Name+"="+c.Description)
	}
	for _, b := range s.Broken() {
		parts = append(parts, b.Name+"!")
	}
	return strings.Join(parts, " ")
}

// settle makes a file look as if it had not been modified for long.
func settle(t *testing.T, path string) {
	t.Helper()
	old := time.Now().Add(-time.Hour).Truncate(time.Second)
	must(t, os.Chtimes(path, old, old))
}

// step is one change of the folder by somebody, and what must be seen at once.
type step struct {
	name string
	do   func(t *testing.T, d *Dir)
	want string
}

var steps = []step{
	{"nothing there", func(*testing.T, *Dir) {}, ""},
	{"folder made", func(t *testing.T, d *Dir) { must(t, os.MkdirAll(d.path, 0o700)) }, ""},
	{"file written", func(t *testing.T, d *Dir) { d.put(t, "b", described("1")) }, "b=1"},
	{"edited at once, same size", func(t *testing.T, d *Dir) { d.put(t, "b", described("2")) }, "b=2"},
	{"another", func(t *testing.T, d *Dir) { d.put(t, "a", described("1")) }, "a=1 b=2"},
	{"looks old", func(t *testing.T, d *Dir) { settle(t, d.fileOf("a")); settle(t, d.fileOf("b")) }, "a=1 b=2"},
	{"edited, with its time set back", func(t *testing.T, d *Dir) { d.put(t, "a", described("3")); settle(t, d.fileOf("a")) }, "a=3 b=2"},
	{"replaced", func(t *testing.T, d *Dir) {
		temp := filepath.Join(d.path, ".b.toml.123.tmp")
		must(t, os.WriteFile(temp, []byte(described("4")), 0o600))
		must(t, os.Rename(temp, d.fileOf("b")))
	}, "a=3 b=4"},
	{"broken", func(t *testing.T, d *Dir) { d.put(t, "b", "type = 3\n") }, "a=3 b!"},
	{"broken otherwise", func(t *testing.T, d *Dir) { d.put(t, "b", "typ = 3\n") }, "a=3 b!"},
	{"mended", func(t *testing.T, d *Dir) { d.put(t, "b", described("5")) }, "a=3 b=5"},
	{"renamed", func(t *testing.T, d *Dir) { must(t, os.Rename(d.fileOf("b"), d.fileOf("c"))) }, "a=3 c=5"},
	{"renamed over another", func(t *testing.T, d *Dir) { must(t, os.Rename(d.fileOf("c"), d.fileOf("a"))) }, "a=5"},
	{"removed", func(t *testing.T, d *Dir) { must(t, os.Remove(d.fileOf("a"))) }, ""},
	{"impossible name", func(t *testing.T, d *Dir) { d.put(t, "a b", described("1")); d.put(t, "_c", described("1")) }, "_c! a b!"},
	{"they go", func(t *testing.T, d *Dir) { must(t, os.Remove(d.fileOf("a b"))); must(t, os.Remove(d.fileOf("_c"))) }, ""},
	{"a folder with a file's name", func(t *testing.T, d *Dir) { must(t, os.Mkdir(d.fileOf("f"), 0o700)) }, "f!"},
	{"it goes", func(t *testing.T, d *Dir) { must(t, os.Remove(d.fileOf("f"))) }, ""},
	{"too large", func(t *testing.T, d *Dir) { d.put(t, "l", strings.Repeat("#", 2<<20)) }, "l!"},
	{"it goes", func(t *testing.T, d *Dir) { must(t, os.Remove(d.fileOf("l"))) }, ""},
	{"folder removed", func(t *testing.T, d *Dir) { d.put(t, "a", described("1")); must(t, os.RemoveAll(d.path)) }, ""},
	{"folder made anew", func(t *testing.T, d *Dir) { d.put(t, "a", described("6")) }, "a=6"},
	{"folder with files removed", func(t *testing.T, d *Dir) { must(t, os.RemoveAll(d.path)) }, ""},
	{"and made anew", func(t *testing.T, d *Dir) { d.put(t, "a", described("7")) }, "a=7"},
	{"folder removed and made anew", func(t *testing.T, d *Dir) {
		must(t, os.RemoveAll(d.path))
		d.put(t, "b", described("1"))
	}, "b=1"},
	{"edited there", func(t *testing.T, d *Dir) { d.put(t, "b", described("2")) }, "b=2"},
	{"folder replaced", func(t *testing.T, d *Dir) {
		must(t, os.Rename(d.path, d.path+".old"))
		d.put(t, "c", described("1"))
	}, "c=1"},
	{"edited there too", func(t *testing.T, d *Dir) { d.put(t, "c", described("2")) }, "c=2"},
	{"folder above replaced", func(t *testing.T, d *Dir) {
		above := filepath.Dir(d.path)
		must(t, os.Rename(above, above+".old"))
		d.put(t, "d", described("1"))
	}, "d=1"},
	{"edited where the file was before", func(t *testing.T, d *Dir) {
		must(t, os.WriteFile(filepath.Join(filepath.Dir(d.path)+".old", "connectors", "c.toml"), []byte(described("9")), 0o600))
	}, "d=1"},
}

func TestChangesAreSeen(t *testing.T) {
	t.Parallel()
	for mode, prepare := range modes {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			d := open(t, prepare)
			follow(t, d, steps)
		})
	}
}

// follow takes the steps, and sees to it that snapshots change when and only when
// what they say changes.
func follow(t *testing.T, d *Dir, steps []step) {
	t.Helper()
	before := d.snapshot(t)
	for _, step := range steps {
		was := summary(before) + describe(before)
		step.do(t, d)
		s := d.snapshot(t)
		if got := summary(s); got != step.want {
			t.Fatalf("%s: got %q, want %q", step.name, got, step.want)
		}
		if same := was == summary(s)+describe(s); !same && s.Version() <= before.Version() {
			t.Errorf("%s: the version is %d after %d", step.name, s.Version(), before.Version())
		}
		if again := d.snapshot(t); again != s {
			t.Errorf("%s: a new snapshot though nothing changed", step.name)
		}
		before = s
	}
}

func describe(s *Snapshot) string {
	var text string
	for _, b := range s.Broken() {
		text += "\n" + b.Path + ": " + b.Err.Error()
	}
	return text
}

func TestOtherFilesAreIgnored(t *testing.T) {
	t.Parallel()
	for mode, prepare := range modes {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			d := open(t, prepare)
			d.put(t, "a", described("1"))
			settle(t, d.fileOf("a"))
			d.snapshot(t)
			s := d.snapshot(t)
			for _, name := range []string{".a.toml", ".lock", "a.toml~", "a.toml.bak", "#a.toml#", "README.md", ".toml", "a.TOML"} {
				must(t, os.WriteFile(filepath.Join(d.path, name), []byte("type = 'x'"), 0o666))
			}
			must(t, os.Mkdir(filepath.Join(d.path, "sub"), 0o700))
			must(t, os.WriteFile(filepath.Join(d.path, "sub", "b.toml"), []byte("type = 'x'"), 0o600))
			must(t, os.Chmod(d.fileOf("a"), 0o666))
			if again := d.snapshot(t); again != s {
				t.Errorf("changed to %s", summary(again))
			}
		})
	}
}

func TestBrokenFileIsAlone(t *testing.T) {
	t.Parallel()
	d := open(t, nil)
	d.put(t, "good", described("1"))
	d.put(t, "typo", "type = 'docker'\n\n[label]\na = 'b'\n")
	d.put(t, "syntax", "type = 'docker'\nlabels = {\n")
	s := d.snapshot(t)
	if got := summary(s); got != "good=1 syntax! typo!" {
		t.Fatal(got)
	}
	typo := s.Broken()[1]
	if typo.Path != d.fileOf("typo") || typo.Err.Error() != "connectors/typo.toml:3: key label: there is no such key" || !fault.Is(typo.Err, fault.Invalid) {
		t.Errorf("got %+v", typo)
	}
	if syntax := s.Broken()[0]; !strings.HasPrefix(syntax.Err.Error(), "connectors/syntax.toml:2: is not TOML: ") || fault.HintOf(syntax.Err) != "correct "+d.fileOf("syntax") {
		t.Errorf("got %v, hint %q", syntax.Err, fault.HintOf(syntax.Err))
	}
}

func TestCopiedFile(t *testing.T) {
	t.Parallel()
	d := open(t, nil)
	d.put(t, "b", fullFile)
	d.put(t, "c", fullFile)
	d.put(t, "a", described("1"))
	s := d.snapshot(t)
	if got := summary(s); got != "a=1 b=the team's registry\nask Ann c!" {
		t.Fatal(got)
	}
	err := s.Broken()[0].Err
	if err.Error() != "connectors/c.toml: key id: connector b has the same id" || !strings.Contains(fault.HintOf(err), "remove its `id` line") {
		t.Errorf("got %v, hint %q", err, fault.HintOf(err))
	}
	// Without its id the copy still names the other one's secrets.
	d.put(t, "c", strings.Replace(fullFile, `id = "`+someID+`"`, "", 1))
	err = d.snapshot(t).Broken()[0].Err
	if !strings.Contains(err.Error(), "key secrets.key: names the secrets of another connector") {
		t.Errorf("got %v", err)
	}
	own, _, _ := strings.Cut(fullFile, "[secrets]")
	d.put(t, "c", strings.Replace(own, `id = "`+someID+`"`, "", 1))
	if s := d.snapshot(t); len(s.Broken()) != 0 || len(s.All()) != 3 {
		t.Errorf("got %s%s", summary(s), describe(s))
	}
	// When the first of the two goes, the other one has the id for itself.
	d.put(t, "c", fullFile)
	must(t, os.Remove(d.fileOf("b")))
	if s := d.snapshot(t); len(s.Broken()) != 0 || len(s.All()) != 2 {
		t.Errorf("got %s%s", summary(s), describe(s))
	}
}

func TestUnusableFolder(t *testing.T) {
	t.Parallel()
	d := open(t, nil)
	must(t, os.MkdirAll(filepath.Dir(d.path), 0o700))
	must(t, os.WriteFile(d.path, nil, 0o600))
	if _, err := d.Snapshot(t.Context()); !fault.Is(err, fault.Invalid) || !strings.HasSuffix(err.Error(), "connectors is not a folder") {
		t.Errorf("got %v", err)
	}
	if _, err := d.Create(t.Context(), Connector{Name: "a", Type: "docker"}); err == nil {
		t.Error("a connector was created in a file")
	}
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	for mode, prepare := range modes {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			d := open(t, prepare)
			d.put(t, "a", described("1"))
			d.snapshot(t)
			d.put(t, "a", described("2"))
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if _, err := d.Snapshot(ctx); !fault.Is(err, fault.Interrupted) {
				t.Errorf("got %v", err)
			}
			if got := summary(d.snapshot(t)); got != "a=2" {
				t.Errorf("got %s", got)
			}
		})
	}
}

func TestCloseKeepsTheDirUsable(t *testing.T) {
	t.Parallel()
	d := open(t, modes["watching"])
	d.put(t, "a", described("1"))
	d.snapshot(t)
	d.Close()
	d.put(t, "a", described("2"))
	if got := summary(d.snapshot(t)); got != "a=2" {
		t.Errorf("got %s", got)
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	for mode, prepare := range modes {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			d := open(t, prepare)
			other := Open(d.path, time.Now)
			defer other.Close()
			var group sync.WaitGroup
			for i := range 8 {
				group.Go(func() {
					for n := range 5 {
						made, err := d.Create(t.Context(), Connector{Name: fmt.Sprintf("c%d-%d", i, n), Type: "docker"})
						if err != nil {
							t.Error(err)
							return
						}
						for _, dir := range []*Dir{d, other} {
							s, err := dir.Snapshot(t.Context())
							if err != nil {
								t.Error(err)
								return
							}
							if c, ok := s.ByID(made.ID); !ok || c.Name != made.Name {
								t.Errorf("%s is not in the next snapshot", made.Name)
							}
						}
					}
				})
			}
			group.Wait()
			if s := d.snapshot(t); len(s.All()) != 40 || !slices.IsSortedFunc(s.All(), func(a, b Connector) int { return strings.Compare(a.Name, b.Name) }) {
				t.Errorf("got %s", summary(s))
			}
		})
	}
}

func TestGetAndByID(t *testing.T) {
	t.Parallel()
	d := open(t, nil)
	d.put(t, "b", fullFile)
	d.put(t, "a", described("1"))
	s := d.snapshot(t)
	b, ok := s.Get("b")
	if diff := cmp.Diff(full("b"), b); !ok || diff != "" {
		t.Error(diff)
	}
	if c, ok := s.ByID(someID); !ok || c.Name != "b" {
		t.Errorf("got %v", c)
	}
	for _, absent := range []string{"", "c", "B", someID} {
		if _, ok := s.Get(absent); ok {
			t.Errorf("Get finds %q", absent)
		}
	}
	if _, ok := s.ByID("b"); ok {
		t.Error("ByID finds a name")
	}
	s.All()[0].Name = "changed"
	if _, ok := s.Get("a"); !ok {
		t.Error("the list of All is shared")
	}
}
