package output

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/pkg/fault"
)

var update = flag.Bool("update", false, "write the golden files anew")

// service is a row, shaped like those of the documentation's tables.
type service struct {
	Name      string            `json:"name"`
	ID        string            `json:"id"`
	Type      string            `json:"type"`
	Resources []string          `json:"resources"`
	Remote    bool              `json:"remote"`
	Labels    map[string]string `json:"labels"`
}

func services() []service {
	return []service{
		{"Kubernetes Service Connector", "da497715-7502-4cdd-81ed-289e70664597", "kubernetes", []string{"kubernetes-cluster"}, true, nil},
		{"AWS Service Connector", "e33c9fac-5daa-48b2-87bb-0187d3782cde", "aws", []string{"aws-generic", "s3-bucket", "kubernetes-cluster", "docker-registry"}, false, map[string]string{"region": "eu"}},
		{"日本の接続", "8d307b98-f125-4d7a-b5d5-924c07ba04bb", "docker", nil, true, map[string]string{"a<b": "&"}},
	}
}

func columns() []Column[service] {
	icons := map[string]string{"kubernetes": "🌀", "aws": "🔶", "docker": "🐳", "s3-bucket": "📦"}
	return []Column[service]{
		{Title: "NAME", Cell: func(s service) []Text { return Line(s.Name) }, Name: true},
		{Title: "ID", Cell: func(s service) []Text { return Line(s.ID) }},
		{Title: "TYPE", Cell: func(s service) []Text { return []Text{{Value: s.Type, Icon: icons[s.Type]}} }},
		{Title: "RESOURCE TYPES", Cell: func(s service) []Text {
			if len(s.Resources) == 0 {
				return []Text{{Value: "none listed", Icon: "🤷", Remark: true, Tone: Warn}}
			}
			var cell []Text
			for _, name := range s.Resources {
				cell = append(cell, Text{Value: name, Icon: icons[name]})
			}
			return cell
		}},
		{Title: "REMOTE", Cell: func(s service) []Text { return YesNo(s.Remote) }},
	}
}

func sheets() Sheets {
	return Sheets{
		{Title: "connector aws-prod", Properties: []Property{
			{"NAME", Line("aws-prod")},
			{"RESOURCE TYPES", Lines("s3-bucket", "docker-registry")},
			{"EXPIRES IN", []Text{{Value: "Expired!", Tone: Bad}}},
			{"RESOURCE NAME", []Text{{Value: "<multiple>", Remark: true}}},
		}},
		{Title: "configuration", Properties: []Property{{"region", Line("eu-central-1")}}},
	}
}

func page() Page {
	return Page{Icon: "🔒", Title: "AWS Secret Key (auth method: secret-key)", Parts: []Part{
		Facts{{"Supports issuing temporary credentials", Line("no")}, {"Used by", Lines("implicit", "secret-key", "sts-token", "iam-role", "session-token", "federation-token")}},
		Points{Heading: "Fields", Items: []Point{
			{Text: Text{Value: "region {string, required}"}, Detail: []string{"The region that the credentials are used in.", "Default: us-east-1."}},
			{Text: Text{Value: "secret {secret, optional}", Icon: "🔑"}, Detail: []string{"What the console shows once, when the key is made, and never again after that."}},
		}},
		Prose("Long-lived AWS credentials consisting of an access key ID and\nsecret access key.\n\n- one item that is so long that it takes more than a single line\n  of a page to say\n- 二つ目\n\n    verbatim   text\n"),
	}}
}

// Golden files: every way of drawing, as it is.
func TestGolden(t *testing.T) {
	t.Parallel()
	terminal := func(width int) Style { return Style{Width: width, Icons: true} }
	list := func(p Printer) error {
		return List(p, Listing[service]{Columns: columns(), Rows: services(), Empty: "nothing"})
	}
	describe := func(v View) func(Printer) error {
		return func(p Printer) error {
			return p.Describe(Description{Name: "aws-prod", Value: services()[1], View: v})
		}
	}
	for name, c := range map[string]struct {
		print  func(Printer) error
		format Format
		style  Style
	}{
		"list":         {list, Table, Style{}},
		"list-wide":    {list, Table, terminal(200)},
		"list-80":      {list, Table, terminal(80)},
		"list-60":      {list, Table, terminal(60)},
		"list-30":      {list, Table, terminal(30)},
		"list-colour":  {list, Table, Style{Width: 100, Colour: true}},
		"list-json":    {list, JSON, terminal(60)},
		"list-yaml":    {list, YAML, Style{}},
		"list-csv":     {list, CSV, terminal(60)},
		"list-name":    {list, Name, Style{}},
		"sheet":        {describe(sheets()), Table, Style{}},
		"sheet-30":     {describe(sheets()), Table, Style{Width: 30, Icons: true, Colour: true}},
		"sheet-csv":    {describe(sheets()), CSV, Style{}},
		"sheet-name":   {describe(sheets()), Name, Style{}},
		"sheet-json":   {describe(sheets()), JSON, Style{}},
		"page":         {describe(page()), Table, Style{}},
		"page-icons":   {describe(page()), Table, terminal(120)},
		"page-40":      {describe(page()), Table, terminal(40)},
		"page-csv":     {describe(page()), CSV, Style{}},
		"page-colours": {describe(page()), Table, Style{Width: 60, Colour: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out, errs bytes.Buffer
			if err := c.print(Printer{Out: &out, Err: &errs, Format: c.format, Style: c.style}); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), out.String()); diff != "" {
				t.Errorf("differs from %s (-want +got):\n%s", file, diff)
			}
			if errs.Len() > 0 {
				t.Errorf("on stderr: %s", errs.String())
			}
		})
	}
}

// A table fits every terminal that is wide enough for two characters a column, and
// its lines are equally long.
func TestNeverWiderThanTheTerminal(t *testing.T) {
	t.Parallel()
	l := Listing[service]{Columns: columns(), Rows: services()}
	for limit := 11; limit <= 220; limit++ {
		style := Style{Width: limit, Icons: true}
		lines := strings.Split(strings.TrimSuffix(l.grid().draw(style), "\n"), "\n")
		for _, line := range lines {
			if w := width(line); w > limit || w != width(lines[0]) {
				t.Fatalf("at %d columns a line takes %d, the first %d: %s", limit, w, width(lines[0]), line)
			}
		}
		for line := range strings.Lines(page().draw(style)) {
			line = strings.TrimSuffix(line, "\n")
			if w := width(line); w > limit && !strings.HasPrefix(line, "    ") {
				t.Fatalf("at %d columns a line of the page takes %d: %q", limit, w, line)
			}
		}
	}
	for limit := range 11 {
		if drawn := l.grid().draw(Style{Width: limit}); limit > 0 && drawn == "" {
			t.Errorf("at %d columns nothing is drawn", limit)
		}
	}
}

func TestEmptyListing(t *testing.T) {
	t.Parallel()
	for format, want := range map[Format]string{Table: "", JSON: "[]\n", YAML: "[]\n", CSV: "name,id,type,resource_types,remote\n", Name: ""} {
		var out, errs bytes.Buffer
		p := Printer{Out: &out, Err: &errs, Format: format}
		if err := List(p, Listing[service]{Columns: columns(), Empty: "No connectors yet."}); err != nil {
			t.Fatal(err)
		}
		if out.String() != want {
			t.Errorf("%s: got %q, want %q", format, out.String(), want)
		}
		if got, want := errs.String(), "No connectors yet.\n"; format == Table && got != want || format != Table && got != "" {
			t.Errorf("%s: on stderr %q", format, got)
		}
	}
}

// What a registry answers can not reach the terminal as anything but text, in any
// format.
func TestControlCharacters(t *testing.T) {
	t.Parallel()
	evil := "a\x1b]0;title\x07\x1b[2J\nb\r\x9bc\u009b31m\u202ed\u2066\x7f\xff\u2028\U000e0001"
	row := service{Name: evil, Resources: []string{evil}, Labels: map[string]string{evil: evil}}
	for _, format := range Formats() {
		var out, errs bytes.Buffer
		p := Printer{Out: &out, Err: &errs, Format: Format(format)}
		if err := List(p, Listing[service]{Columns: columns(), Rows: []service{row}}); err != nil {
			t.Fatalf("%s: %v", format, err)
		}
		view := Sheets{{Title: evil, Properties: []Property{{evil, Line(evil)}}}}
		if err := p.Describe(Description{Name: evil, Value: row, View: view}); err != nil {
			t.Fatalf("%s: %v", format, err)
		}
		prose := Page{Title: evil, Parts: []Part{Prose(evil), Facts{{evil, Line(evil)}}, Points{Heading: "x", Items: []Point{{Text{Value: evil}, []string{evil}}}}}}
		if err := p.Describe(Description{Name: evil, Value: row, View: prose}); err != nil {
			t.Fatalf("%s: %v", format, err)
		}
		p.Notice("%s", evil)
		text := strings.ReplaceAll(out.String()+errs.String(), "\n", "")
		if at := strings.IndexFunc(text, hidden); at >= 0 {
			t.Errorf("%s: a control character came through: %q", format, text[at:min(at+20, len(text))])
		}
	}
}

func TestVisible(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain, ünï, 日本, 🐳, 👩‍💻": "plain, ünï, 日本, 🐳, 👩‍💻",
		"a\nb\tc\rd":         `a\nb\tc\rd`,
		"\x1b[31m":           `\x1b[31m`,
		"\x00\x7f":           `\x00\x7f`,
		"\u0085\u009b":       `\u0085\u009b`,
		"\xc3(":              `\xc3(`,
		"\u202e\u2066\ufeff": `\u202e\u2066\ufeff`,
		"\U000e0001":         `\U000e0001`,
		"no\u00a0break":      "no\u00a0break",
		"replaced \ufffd":    "replaced \ufffd",
	} {
		if got := Visible(in); got != want {
			t.Errorf("Visible(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestWrap(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		to   int
		want []string
	}{
		{"", 5, []string{""}},
		{"abc", 5, []string{"abc"}},
		{"e33c9fac-5daa-48b2-87bb-0187d3782cde", 28, []string{"e33c9fac-5daa-48b2-87bb-0187", "d3782cde"}},
		{"several words here", 7, []string{"several", "words", "here"}},
		{"several words here", 13, []string{"several words", "here"}},
		{"a supercalifragilistic", 6, []string{"a", "superc", "alifra", "gilist", "ic"}},
		{"日本語テスト", 5, []string{"日本", "語テ", "スト"}},
		{"🐳🐳", 1, []string{"🐳", "🐳"}},
		{"👩‍💻👩‍💻", 2, []string{"👩‍💻", "👩‍💻"}},
		{"      x", 3, []string{"   ", "   ", "x"}},
	} {
		if diff := cmp.Diff(c.want, wrap(c.text, c.to)); diff != "" {
			t.Errorf("wrap(%q, %d) (-want +got):\n%s", c.text, c.to, diff)
		}
	}
}

// A megabyte without a break is wrapped in a moment, not in minutes.
func TestWrapLongText(t *testing.T) {
	t.Parallel()
	for _, text := range []string{strings.Repeat("x", 1<<20), strings.Repeat("\u0301", 1<<19), strings.Repeat("a ", 1<<19)} {
		if got := len(strings.Join(wrap(text, 40), "")); got == 0 {
			t.Error("nothing left")
		}
	}
}

func TestParseFormat(t *testing.T) {
	t.Parallel()
	for _, name := range Formats() {
		if got, err := ParseFormat(name); err != nil || string(got) != name {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
	if got, err := ParseFormat(""); err != nil || got != Table {
		t.Errorf("none: got %q, %v", got, err)
	}
	_, err := ParseFormat("jsn")
	if !fault.Is(err, fault.Invalid) || !strings.Contains(fault.HintOf(err), `"json"`) {
		t.Errorf("got %v (%s)", err, fault.HintOf(err))
	}
	if _, err := ParseFormat("sculpture"); !strings.Contains(fault.HintOf(err), "table, json, yaml, csv, name") {
		t.Errorf("got %v (%s)", err, fault.HintOf(err))
	}
}

func TestNewStyle(t *testing.T) {
	t.Parallel()
	screen := Screen{Terminal: true, Colours: true, Width: 90}
	for name, c := range map[string]struct {
		screen  Screen
		env     map[string]string
		noIcons bool
		want    Style
	}{
		"terminal":      {screen: screen, want: Style{Width: 90, Icons: true, Colour: true}},
		"file":          {screen: Screen{Width: 90}, want: Style{}},
		"NO_COLOR":      {screen: screen, env: map[string]string{"NO_COLOR": "1"}, want: Style{Width: 90, Icons: true}},
		"no icons":      {screen: screen, noIcons: true, want: Style{Width: 90, Colour: true}},
		"dumb":          {screen: screen, env: map[string]string{"TERM": "dumb"}, want: Style{Width: 90}},
		"linux console": {screen: screen, env: map[string]string{"TERM": "linux"}, want: Style{Width: 90, Colour: true}},
		"old console":   {screen: Screen{Terminal: true, Width: 90}, want: Style{Width: 90, Icons: true}},
	} {
		getenv := func(name string) string { return c.env[name] }
		if got := NewStyle(c.screen, getenv, c.noIcons); got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}

func TestSpan(t *testing.T) {
	t.Parallel()
	for want, d := range map[string]time.Duration{
		"0s": 900 * time.Millisecond, "59s": 59 * time.Second, "59m12s": 59*time.Minute + 12*time.Second,
		"11h59m": 11*time.Hour + 59*time.Minute + 59*time.Second, "3d4h": 76*time.Hour + time.Minute,
	} {
		if got := Span(d); got != want {
			t.Errorf("Span(%s) = %s, want %s", d, got, want)
		}
	}
	if got := Span(-time.Hour); got != "0s" {
		t.Errorf("a negative span is %s", got)
	}
}

func TestExpiresIn(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		at   time.Time
		want []Text
	}{
		"never":   {time.Time{}, nil},
		"long":    {now.Add(12*time.Hour - time.Second), Line("11h59m")},
		"soon":    {now.Add(5 * time.Minute), []Text{{Value: "5m0s", Tone: Warn}}},
		"now":     {now, []Text{{Value: "Expired!", Tone: Bad}}},
		"expired": {now.Add(-time.Hour), []Text{{Value: "Expired!", Tone: Bad}}},
	} {
		if diff := cmp.Diff(c.want, ExpiresIn(c.at, now)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

var errFull = errors.New("disk full")

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

func TestWriteErrors(t *testing.T) {
	t.Parallel()
	for _, format := range Formats() {
		p := Printer{Out: fullDisk{}, Err: &bytes.Buffer{}, Format: Format(format)}
		if err := List(p, Listing[service]{Columns: columns(), Rows: services()}); !errors.Is(err, errFull) {
			t.Errorf("list as %s: got %v", format, err)
		}
		if err := p.Describe(Description{Name: "x", Value: 1, View: sheets()}); !errors.Is(err, errFull) {
			t.Errorf("describe as %s: got %v", format, err)
		}
	}
	p := Printer{Out: &bytes.Buffer{}, Format: JSON}
	if err := p.Describe(Description{Value: make(chan int)}); err == nil {
		t.Error("what JSON can not say was printed")
	}
}
