package audit

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/pkg/fault"
)

func noon() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }

// records reads a log, each line of which must be a record.
func records(t *testing.T, path string) []Record {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var out []Record
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var r Record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatalf("%s: %v in %q", path, err, lines.Text())
		}
		out = append(out, r)
	}
	return out
}

func appendOK(t *testing.T, l *Log, r Record) {
	t.Helper()
	if err := l.Append(r); err != nil {
		t.Fatal(err)
	}
}

func TestARecordComesBackAsWritten(t *testing.T) {
	t.Parallel()
	l := Open(filepath.Join(t.TempDir(), "state"), noon)
	defer l.Close()
	if _, err := os.Stat(filepath.Dir(l.Path())); !os.IsNotExist(err) {
		t.Error("opening made something")
	}
	expires := noon().Add(time.Hour)
	want := Record{Outcome: HandedOut, Caller: Caller{Surface: "docker.get", Binary: "docker-credential-svcconn", PID: 7, Parent: "/usr/bin/dock er\n"},
		Connector: "hub", ConnectorID: "id", ResourceType: "docker-registry", ResourceName: "docker.io", Expires: &expires, Kind: fault.Denied, Error: "line\nbreak"}
	appendOK(t, l, want)
	want.Time = noon()
	if diff := cmp.Diff([]Record{want}, records(t, l.Path())); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if info, err := os.Stat(l.Path()); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestRecordsOfManyWritersStayWhole(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var wg sync.WaitGroup
	for range 4 { // as four processes
		l := Open(dir, noon)
		defer l.Close()
		for range 4 {
			wg.Go(func() {
				for range 50 {
					if err := l.Append(Record{Outcome: Minted, Error: strings.Repeat("x", 500)}); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	wg.Wait()
	if got := len(records(t, filepath.Join(dir, "audit.jsonl"))); got != 800 {
		t.Errorf("%d records, want 800", got)
	}
}

func TestRotationLosesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	logs := []*Log{Open(dir, noon), Open(dir, noon)}
	for _, l := range logs {
		l.maxSize = 2000
		defer l.Close()
	}
	for n := range 60 {
		appendOK(t, logs[n%2], Record{Outcome: Minted, Connector: "c"})
	}
	files, err := filepath.Glob(filepath.Join(dir, "audit.jsonl*"))
	if err != nil {
		t.Fatal(err)
	}
	total, rotatedFiles := 0, 0
	for _, file := range files {
		if strings.HasSuffix(file, ".lock") {
			continue
		}
		total += len(records(t, file))
		rotatedFiles++
		if info, err := os.Stat(file); err != nil || info.Size() > 2500 {
			t.Errorf("%s has %d bytes, %v", file, info.Size(), err)
		}
	}
	if total != 60 || rotatedFiles < 2 {
		t.Errorf("%d records in %d files, want 60 in several", total, rotatedFiles)
	}
}

func TestALogThatIsTakenAwayIsMadeAnew(t *testing.T) {
	t.Parallel()
	l := Open(t.TempDir(), noon)
	defer l.Close()
	appendOK(t, l, Record{Outcome: Minted})
	if err := os.Rename(l.Path(), l.Path()+".moved"); err != nil {
		t.Fatal(err)
	}
	appendOK(t, l, Record{Outcome: Deleted})
	if got := records(t, l.Path()); len(got) != 1 || got[0].Outcome != Deleted {
		t.Errorf("got %+v", got)
	}
}

func TestALogThatCannotBeWrittenIsAnError(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "state"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := Open(filepath.Join(dir, "state"), noon).Append(Record{Outcome: Minted})
	if !fault.Is(err, fault.Failed) || !strings.Contains(err.Error(), "audit log") {
		t.Errorf("error %v", err)
	}
}
