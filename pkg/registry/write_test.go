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

// at opens the connectors with a clock that stands still.
func at(t *testing.T, moment time.Time) *Dir {
	t.Helper()
	d := open(t, nil)
	d.now = func() time.Time { return moment }
	return d
}

func (d *Dir) text(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(d.fileOf(name))
	must(t, err)
	return string(data)
}

func create(t *testing.T, d *Dir, c Connector) Connector {
	t.Helper()
	made, err := d.Create(t.Context(), c)
	must(t, err)
	return made
}

func TestCreate(t *testing.T) {
	t.Parallel()
	d := at(t, someTime.Add(123*time.Millisecond).In(time.FixedZone("", 3600)))
	made := create(t, d, Connector{Name: "hub", Type: "docker", Labels: map[string]string{"a": "b"}})
	if len(made.ID) != 36 || made.ID[14] != '4' || !made.CreatedAt.Equal(someTime) || !made.UpdatedAt.Equal(someTime) {
		t.Errorf("got %+v", made)
	}
	stored, ok := d.snapshot(t).Get("hub")
	if diff := cmp.Diff(made, stored); !ok || diff != "" {
		t.Error(diff)
	}
	for path, want := range map[string]os.FileMode{d.fileOf("hub"): 0o600, d.path: 0o700, filepath.Dir(d.path): 0o700} {
		info, err := os.Stat(path)
		must(t, err)
		if filepath.Separator == '/' && info.Mode().Perm() != want {
			t.Errorf("%s has permissions %o", path, info.Mode().Perm())
		}
	}
	own := full("own")
	if made := create(t, d, own); made.ID != someID {
		t.Errorf("the id was changed to %s", made.ID)
	}
}

func TestNothingIsMadeBeforeTheFirstWrite(t *testing.T) {
	t.Parallel()
	d := open(t, nil)
	d.snapshot(t)
	d.snapshot(t)
	if err := d.Delete(t.Context(), Connector{Name: "a b"}); err == nil {
		t.Error("what is not there was deleted")
	}
	if _, err := d.Create(t.Context(), Connector{Name: "hub"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(d.fileOf("hub")); !os.IsNotExist(err) {
		t.Errorf("got %v", err)
	}
}

func TestCreateRefuses(t *testing.T) {
	t.Parallel()
	d := open(t, nil)
	create(t, d, full("hub"))
	d.put(t, "broken", "type = 3\n")
	tests := []struct {
		c          Connector
		kind       fault.Kind
		text, hint string
	}{
		{Connector{Name: "hub", Type: "docker"}, fault.Failed, "a connector named hub exists", "svcconn update hub"},
		{Connector{Name: "HUB", Type: "docker"}, fault.Failed, "a connector named hub exists, and names must differ in more than upper and lower case", "choose another name"},
		{Connector{Name: "Broken", Type: "docker"}, fault.Failed, "a connector named broken exists, with a mistake in its file: connectors/broken.toml:1:", "correct or remove " + d.fileOf("broken")},
		{Connector{Name: "other", ID: someID, Type: "docker"}, fault.Failed, "the connector hub has the id " + someID + " already", "leave the id out"},
		{Connector{Name: "../other", Type: "docker"}, fault.Invalid, `"../other" cannot be the name of a connector`, "letters"},
		{Connector{Name: "other", ID: "x", Type: "docker"}, fault.Invalid, "connector other: connectors/other.toml:4: key id: is not a UUID", ""},
	}
	before := d.text(t, "hub")
	for _, test := range tests {
		_, err := d.Create(t.Context(), test.c)
		if !fault.Is(err, test.kind) || !strings.HasPrefix(err.Error(), test.text) || !strings.Contains(fault.HintOf(err), test.hint) {
			t.Errorf("%s: got %v (%s), hint %q", test.c.Name, err, fault.KindOf(err), fault.HintOf(err))
		}
	}
	if got := summary(d.snapshot(t)); got != "hub=the team's registry\nask Ann broken!" || d.text(t, "hub") != before {
		t.Errorf("something was changed: %s", got)
	}
}

func TestReplace(t *testing.T) {
	t.Parallel()
	d := at(t, someTime)
	made := create(t, d, Connector{Name: "hub", Type: "docker", Description: "1"})
	d.now = func() time.Time { return someTime.Add(time.Hour) }
	changed := made
	changed.ID, changed.CreatedAt = idOfName("ignored"), someTime.AddDate(1, 0, 0)
	changed.Description = "2"
	stored, err := d.Replace(t.Context(), made, changed)
	must(t, err)
	want := made
	want.Description, want.UpdatedAt = "2", someTime.Add(time.Hour)
	if diff := cmp.Diff(want, stored); diff != "" {
		t.Error(diff)
	}
	seen, _ := d.snapshot(t).Get("hub")
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Error(diff)
	}
}

func TestReplaceRenames(t *testing.T) {
	t.Parallel()
	d := at(t, someTime)
	made := create(t, d, Connector{Name: "hub", Type: "docker"})
	create(t, d, Connector{Name: "other", Type: "docker"})
	changed := made
	for _, name := range []string{"other", "Other", "HUB"} {
		changed.Name = name
		if _, err := d.Replace(t.Context(), made, changed); !fault.Is(err, fault.Failed) || !strings.Contains(err.Error(), " exists") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	changed.Name = "a/b"
	if _, err := d.Replace(t.Context(), made, changed); !fault.Is(err, fault.Invalid) {
		t.Errorf("got %v", err)
	}
	changed.Name, changed.Description = "new", "renamed"
	stored, err := d.Replace(t.Context(), made, changed)
	must(t, err)
	if got := summary(d.snapshot(t)); got != "new=renamed other=" || stored.ID != made.ID {
		t.Errorf("got %s, id %s", got, stored.ID)
	}
}

func TestReplaceNeedsWhatIsStored(t *testing.T) {
	t.Parallel()
	d := at(t, someTime)
	made := create(t, d, Connector{Name: "hub", Type: "docker", Description: "1"})
	d.put(t, "hub", d.text(t, "hub")+"[labels]\nby = 'hand'\n")
	edited := d.text(t, "hub")
	changed := made
	changed.Description = "2"
	_, err := d.Replace(t.Context(), made, changed)
	if !fault.Is(err, fault.Failed) || !strings.Contains(err.Error(), "hub was changed by somebody else") || !strings.Contains(fault.HintOf(err), "try again") {
		t.Errorf("got %v, hint %q", err, fault.HintOf(err))
	}
	if err := d.Delete(t.Context(), made); !fault.Is(err, fault.Failed) {
		t.Errorf("Delete: got %v", err)
	}
	if d.text(t, "hub") != edited {
		t.Error("the edit is lost")
	}
	now, _ := d.snapshot(t).Get("hub")
	changed = now
	changed.Type = ""
	if _, err := d.Replace(t.Context(), now, changed); !fault.Is(err, fault.Invalid) || d.text(t, "hub") != edited {
		t.Errorf("no type: got %v", err)
	}
	must(t, os.Remove(d.fileOf("hub")))
	if _, err := d.Replace(t.Context(), now, now); !fault.Is(err, fault.NotFound) {
		t.Errorf("after it was removed: got %v", err)
	}
	if _, err := os.Stat(d.fileOf("hub")); err == nil {
		t.Error("a deleted connector is back")
	}
}

func TestReplaceWhatWasWrittenByHand(t *testing.T) {
	t.Parallel()
	d := at(t, someTime)
	d.put(t, "hub", "#   ours, do not delete\n#\n# (Ann)\n\ntype = 'docker' # gone\n")
	hand, ok := d.snapshot(t).Get("hub")
	if !ok || hand.ID != idOfName("hub") || hand.CreatedAt.IsZero() {
		t.Fatalf("got %+v", hand)
	}
	changed := hand
	changed.Description = "2"
	stored, err := d.Replace(t.Context(), hand, changed)
	must(t, err)
	if text := d.text(t, "hub"); !strings.HasPrefix(text, "# ours, do not delete\n#\n# (Ann)\n\nversion = 1\nid = \""+hand.ID+"\"\ntype") {
		t.Errorf("got\n%s", text)
	}
	changed.Name = "new"
	renamed, err := d.Replace(t.Context(), stored, changed)
	must(t, err)
	if !strings.HasPrefix(d.text(t, "new"), "# ours") || renamed.ID != hand.ID {
		t.Errorf("id %s, file\n%s", renamed.ID, d.text(t, "new"))
	}
}

func TestDelete(t *testing.T) {
	t.Parallel()
	d := open(t, nil)
	made := create(t, d, Connector{Name: "hub", Type: "docker"})
	must(t, d.Delete(t.Context(), made))
	if got := summary(d.snapshot(t)); got != "" {
		t.Errorf("got %s", got)
	}
	if err := d.Delete(t.Context(), made); !fault.Is(err, fault.NotFound) {
		t.Errorf("got %v", err)
	}
	create(t, d, Connector{Name: "hub", Type: "docker"})
	if err := d.Delete(t.Context(), made); !fault.Is(err, fault.Failed) {
		t.Errorf("another connector of that name: got %v", err)
	}
}

// TestRenameDiedHalfWay has both files, as after a death between the two steps.
func TestRenameDiedHalfWay(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"aaa", "zzz"} {
		d := open(t, nil)
		made := create(t, d, Connector{Name: "hub", Type: "docker", Description: "old"})
		d.put(t, name, strings.Replace(d.text(t, "hub"), `"old"`, `"new"`, 1))
		s := d.snapshot(t)
		inForce, ok := s.ByID(made.ID)
		if !ok || len(s.All()) != 1 || len(s.Broken()) != 1 || (inForce.Name == "hub") != (inForce.Description == "old") {
			t.Errorf("got %s", summary(s))
		}
		if hint := fault.HintOf(s.Broken()[0].Err); !strings.Contains(hint, "if it was left behind by a rename, delete it") {
			t.Errorf("hint %q", hint)
		}
	}
}

func TestReplaceWritesThroughLinks(t *testing.T) {
	t.Parallel()
	d := open(t, nil)
	target := filepath.Join(t.TempDir(), "dotfiles.toml")
	must(t, os.WriteFile(target, []byte(described("1")), 0o600))
	must(t, os.MkdirAll(d.path, 0o700))
	if err := os.Symlink(target, d.fileOf("hub")); err != nil {
		t.Skip(err)
	}
	stored, _ := d.snapshot(t).Get("hub")
	changed := stored
	changed.Description = "2"
	_, err := d.Replace(t.Context(), stored, changed)
	must(t, err)
	info, err := os.Lstat(d.fileOf("hub"))
	must(t, err)
	data, err := os.ReadFile(target)
	must(t, err)
	if info.Mode()&os.ModeSymlink == 0 || !strings.Contains(string(data), `description = "2"`) {
		t.Errorf("mode %v, target\n%s", info.Mode(), data)
	}
}
