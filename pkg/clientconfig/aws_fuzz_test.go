package clientconfig

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

// FuzzAWSLoginThenLogout: every text is refused without a panic, or a login adds
// exactly our sections behind it, and a logout restores every byte.
func FuzzAWSLoginThenLogout(f *testing.F) {
	for _, text := range awsShapes {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { checkAWSEdit(t, text) })
}

// FuzzGeneratedAWSFiles is the same for files made from the fuzzer's choices, all of
// which are accepted, and which have a part of ours in the middle.
func FuzzGeneratedAWSFiles(f *testing.F) {
	for i := range 200 {
		f.Add(strings.Repeat(strconv.Itoa(i*7919), 1+i%17))
	}
	f.Fuzz(func(t *testing.T, choices string) {
		g := generator(choices)
		before, behind := g.awsText(), g.awsText()
		if !checkAWSEdit(t, before) {
			t.Fatalf("refused:\n%s", before)
		}
		checkAWSMiddle(t, before, behind)
	})
}

func sectionsFor(t *testing.T, logins ...AWSLogin) []awsProfile {
	t.Helper()
	var out []awsProfile
	for _, l := range logins {
		w, err := l.sections("linux")
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, w)
	}
	return out
}

func everyone(string, string) bool { return true }

// checkAWSEdit reports whether the text was accepted.
func checkAWSEdit(t *testing.T, text string) bool {
	t.Helper()
	before, err := parseAWS("f", []byte(text))
	if err != nil || !before.leadsNowhere() {
		return false
	}
	r := &record{}
	wanted := sectionsFor(t, awsLogin("prod"), fullLogin("gov"))
	after, changes, err := leadAWS(wanted)("f", []byte(text), r)
	if err != nil {
		return false
	}
	if len(changes) != 2 || !strings.HasPrefix(string(after), text) {
		t.Fatalf("login: %+v, others' text has changed: %q", changes, after)
	}
	f, err := parseAWS("f", after)
	if err != nil || len(f.sections) != len(before.sections)+3 || !f.has(wanted[0]) || !f.has(wanted[1]) {
		t.Fatalf("login: %v: %q", err, after)
	}
	r = kept(t, r)
	back, _, err := releaseAWS(everyone)("f", after, r)
	if err != nil || back == nil || string(back) != text || !r.empty() {
		t.Fatalf("logout: got %q, %v, record %+v; want %q; logged in: %q", back, err, r, text, after)
	}
	return true
}

// checkAWSMiddle: others write behind our sections, our sections change, and go one by
// one; what others wrote stays, to the byte.
func checkAWSMiddle(t *testing.T, before, behind string) {
	t.Helper()
	r := &record{}
	login := func(text string, logins ...AWSLogin) string {
		after, _, err := leadAWS(sectionsFor(t, logins...))("f", []byte(text), r)
		if err != nil {
			t.Fatalf("login: %v: %q", err, text)
		}
		r = kept(t, r)
		return string(after)
	}
	text := login(before, awsLogin("prod"), fullLogin("gov")) + behind
	text = login(text, fullLogin("prod"), awsLogin("gov"))
	if !strings.Contains(text, behind) || !strings.HasPrefix(text, before) {
		t.Fatalf("others' text has changed: %q, want %q and %q", text, before, behind)
	}
	for _, name := range []string{"prod", "gov"} {
		back, changes, err := releaseAWS(func(profile, _ string) bool { return profile == name })("f", []byte(text), r)
		if err != nil || len(changes) != 1 {
			t.Fatalf("logout of %s: %+v, %v: %q", name, changes, err, text)
		}
		r, text = kept(t, r), string(back)
	}
	joined := slices.Contains([]string{before + behind, before + "\n" + behind, before + "\r\n" + behind}, text)
	if !joined || !r.empty() {
		t.Fatalf("after logout: %q, record %+v, want %q and %q", text, r, before, behind)
	}
}

// awsText makes a part of a file.
func (g *generator) awsText() string {
	newline := []string{"\n", "\r\n"}[g.choose(2)]
	lines := []string{"# it's [a comment]", "", "  ; indented", "[default]"}[:1+g.choose(4)]
	if g.choose(5) == 0 {
		lines = nil
	}
	for n := range g.choose(4) {
		lines = append(lines, []string{"[profile p" + strconv.Itoa(n) + "]", "[ profile \"q\" ] # c", "[sso-session s]", "[plugins]"}[g.choose(4)])
		for range g.choose(4) {
			lines = append(lines, [][]string{
				{"region = x"}, {"output=json"}, {"key : value # no comment"}, {"s3 =", "  a = b", "    # c", "  c = d"}, {"", "# about the next"}, {"credential_process = other credential"},
			}[g.choose(6)]...)
		}
	}
	return strings.TrimSuffix(strings.Join(append(lines, ""), newline), []string{"", newline}[g.choose(2)])
}
