package clientconfig

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// gcloudFolderOfFuzz is where the fuzzed configurations' credential files are.
const gcloudFolderOfFuzz = "/set-up/gcloud"

func fuzzConfiguration(t *testing.T, l GcloudLogin) gcloudConfiguration {
	t.Helper()
	w, err := l.configuration(Env{Config: filepath.Dir(gcloudFolderOfFuzz)})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// FuzzGcloudLoginThenLogout: a text that others wrote is refused without a panic. Where it
// is what others wrote around ours, logins change ours alone, and a logout leaves every
// line of theirs.
func FuzzGcloudLoginThenLogout(f *testing.F) {
	for _, text := range []string{
		"", "[core]\nproject = x\n", "# c\n[ai]\r\nregion : x\r\n  more\r\n", "[core]\nfoo = a\n\n\n[proxy]\npassword = 5%%\n\n", "[a]\nb=c\rd=e\n",
		"[x]\ny =\n  z\n\n  w\n", "[core]\n# only a comment\n", "[auth]\ncredential_file_override = /set-up/gcloud/prod.json\n", "[auth]", "[billing] ; c\n\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { checkGcloudEdit(t, text) })
}

// FuzzGeneratedGcloudFiles is the same for files made from the fuzzer's choices, all of
// which are accepted.
func FuzzGeneratedGcloudFiles(f *testing.F) {
	for i := range 100 {
		f.Add(strings.Repeat(string(rune('0'+i%10)), 1+i%19) + strings.Repeat("7", i%3))
	}
	f.Fuzz(func(t *testing.T, choices string) {
		g := generator(choices)
		text := g.gcloudText()
		if !checkGcloudEdit(t, text) {
			t.Fatalf("refused:\n%s", text)
		}
	})
}

// checkGcloudEdit reports whether the text, with what a login writes before it, was
// accepted.
func checkGcloudEdit(t *testing.T, text string) bool {
	t.Helper()
	const file = "/g/configurations/config_prod"
	first, second := fuzzConfiguration(t, gcloudLogin("prod")), fuzzConfiguration(t, fullGcloudLogin("prod"))
	if _, _, err := leadGcloud(first)(file, []byte(text), &record{}); err == nil && !strings.Contains(text, first.credentials) {
		t.Fatalf("a login took over %q", text)
	}
	r := &record{}
	ours, _, err := leadGcloud(first)(file, nil, r)
	if err != nil {
		t.Fatal(err)
	}
	r = kept(t, r)
	both := string(ours) + "\n" + text
	before, err := parseGcloud(file, []byte(both))
	if err != nil || before.ownCredentials(gcloudFolderOfFuzz) == "" {
		return false
	}
	for _, w := range []gcloudConfiguration{second, first, second} {
		after, _, err := leadGcloud(w)(file, []byte(both), r)
		if err != nil {
			t.Fatalf("login: %v: %q", err, both)
		}
		r, both = kept(t, r), string(after)
		if f, err := parseGcloud(file, after); err != nil || !f.has(w, r) {
			t.Fatalf("login: %v: %q", err, both)
		}
	}
	back, _, err := releaseGcloud(gcloudFolderOfFuzz)(file, []byte(both), r)
	if err != nil || !r.empty() {
		t.Fatalf("logout: %v, record %+v: %q", err, r, both)
	}
	sameRest(t, before, back)
	return true
}

// sameRest sees that what is left is what others had, in their order and spelling.
func sameRest(t *testing.T, before *gcloudFile, back []byte) {
	t.Helper()
	after, err := parseGcloud(before.file, back)
	if err != nil {
		t.Fatalf("what is left cannot be read: %v: %q", err, back)
	}
	want, got := theirs(before), theirs(after)
	if !slices.Equal(want, got) {
		t.Fatalf("left %q of %q, want the settings %q", back, before.text, want)
	}
	if left := comments(after); !slices.Equal(comments(before), left) {
		t.Fatalf("left the comments %q of %q", left, before.text)
	}
	if len(want) == 0 && len(strings.TrimSpace(string(back))) == 0 && back != nil {
		t.Fatalf("an empty file is left: %q", back)
	}
}

// comments are those between settings.
func comments(f *gcloudFile) (out []string) {
	at := 0
	for line := range strings.Lines(string(f.text)) {
		from := at
		at += len(line)
		within := slices.ContainsFunc(f.sections, func(s iniSection) bool {
			return slices.ContainsFunc(s.settings, func(v iniSetting) bool { return v.from <= from && from < v.to })
		})
		if text := strings.TrimSpace(line); text != "" && isComment(text) && !within {
			out = append(out, text)
		}
	}
	return out
}

// theirs are the settings that no login wrote, as they are spelled.
func theirs(f *gcloudFile) (out []string) {
	for _, s := range f.sections {
		for _, v := range s.settings {
			if !loginWrites(s.name, v.key) || s.name == sectionEndpoints && v.key != "storage" && v.key != "container" {
				out = append(out, s.name+": "+strings.TrimRight(string(f.text[v.from:v.to]), "\r\n"))
			}
		}
	}
	return out
}

// gcloudText makes what others write behind ours.
func (g *generator) gcloudText() string {
	newline := []string{"\n", "\r\n"}[g.choose(2)]
	var lines []string
	for n := range g.choose(4) {
		lines = append(lines, []string{"[proxy]", "[compute]  ; c", "[ai]", "# [no section]"}[n])
		if n == 3 {
			continue
		}
		for m := range g.choose(4) {
			lines = append(lines, [][]string{{"port = 1"}, {"region: x # no comment"}, {"", "zone =", "  a", "", "  b", "# c"}, {"Name=%%x"}}[m]...)
		}
	}
	return strings.TrimSuffix(strings.Join(append(lines, ""), newline), []string{"", newline}[g.choose(2)])
}
