// Package audit is the append-only record of every mint, hand-out and refusal, and
// of every change to a connector: one JSON object a line, in STATE/audit.jsonl.
//
// It refuses secrets: a Record has no field that could carry one. A record that
// cannot be written is an error to its caller, who decides whether to go on.
package audit

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/svcconn/svcconn/pkg/atomicfile"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/filelock"
)

// Outcome is what happened.
type Outcome string

// The outcomes.
const (
	Minted        Outcome = "minted"         // a new credential came from the service or the secret store
	HandedOut     Outcome = "handed-out"     // a credential was given to a caller
	Refused       Outcome = "refused"        // a caller got an error instead
	RefreshFailed Outcome = "refresh-failed" // a refresh ahead failed; the old credential is served while fresh
	Registered    Outcome = "registered"
	Updated       Outcome = "updated"
	Deleted       Outcome = "deleted"
	Forgotten     Outcome = "forgotten" // kept credentials were dropped on request
)

// Caller is who asked.
type Caller struct {
	Surface string `json:"surface,omitempty"` // the operation: "docker.get", "credential"
	Binary  string `json:"binary,omitempty"`  // the front-end
	PID     int    `json:"pid,omitempty"`
	Parent  string `json:"parent,omitempty"` // the executable that ran the front-end
}

// Record is one line.
type Record struct {
	Time    time.Time `json:"time"`
	Outcome Outcome   `json:"outcome"`
	Caller
	Connector    string     `json:"connector,omitempty"`
	ConnectorID  string     `json:"connector_id,omitempty"`
	ResourceType string     `json:"resource_type,omitempty"`
	ResourceName string     `json:"resource_name,omitempty"`
	Expires      *time.Time `json:"expires_at,omitempty"`
	Kind         fault.Kind `json:"error_kind,omitempty"`
	Error        string     `json:"error,omitempty"`
}

// maxSize is when the log is set aside as audit.jsonl.1, older ones moving up to
// .keepRotated; a variable of Log for the tests.
const (
	maxSize     = 16 << 20
	keepRotated = 8
)

// Log appends to one file. It is safe for concurrent use, by several processes
// too: each record is one write to a file opened for appending.
type Log struct {
	path    string
	now     func() time.Time
	maxSize int64

	mu   sync.Mutex
	file *os.File
	info fs.FileInfo // of file, to notice when it is moved or removed
}

// Open returns the log in a state folder. Nothing is created before the first
// record.
func Open(stateDir string, now func() time.Time) *Log {
	return &Log{path: filepath.Join(stateDir, "audit.jsonl"), now: now, maxSize: maxSize}
}

// Path is the file that is being written.
func (l *Log) Path() string { return l.path }

// Append writes a record, with the time filled in.
func (l *Log) Append(record Record) error {
	record.Time = l.now().UTC()
	line, err := json.Marshal(record)
	if err != nil {
		return fault.New(fault.Failed, "cannot write the audit log %s: %w", l.path, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.ready(); err != nil {
		return fault.Within(err, "audit log")
	}
	if _, err := l.file.Write(append(line, '\n')); err != nil {
		return fault.New(fault.Failed, "cannot write the audit log %s: %w", l.path, err).
			Hint("free some space on its disk, or set SVCCONN_STATE_DIR to a folder that can be written")
	}
	return nil
}

// ready opens the file, or opens it anew when it was rotated, moved or removed.
func (l *Log) ready() error {
	info, err := os.Stat(l.path)
	if l.file != nil && err == nil && os.SameFile(info, l.info) {
		if info.Size() < l.maxSize {
			return nil
		}
		if err := l.rotate(); err != nil {
			return err
		}
	}
	return l.reopen()
}

func (l *Log) reopen() error {
	l.close()
	if err := atomicfile.MakeDir(filepath.Dir(l.path)); err != nil {
		return err
	}
	file, err := os.OpenFile(l.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, atomicfile.FileMode)
	if err != nil {
		return fault.New(fault.Failed, "cannot open %s: %w", l.path, err).
			Hint("make it writable, or set SVCCONN_STATE_DIR to a folder that is")
	}
	info, err := file.Stat()
	if err != nil {
		_ = file.Close()
		return fault.New(fault.Failed, "cannot read %s: %w", l.path, err)
	}
	l.file, l.info = file, info
	return nil
}

// rotate moves the files up by one. Another process may do it at the same time: the
// lock decides who, and whoever comes second finds a small file and leaves it.
func (l *Log) rotate() error {
	lock, err := filelock.Try(l.path + ".lock")
	if err != nil || lock == nil {
		return err // someone else rotates: this record still goes into the old file
	}
	defer lock.Release()
	if info, err := os.Stat(l.path); err != nil || info.Size() < l.maxSize {
		return nil
	}
	for n := keepRotated; n > 0; n-- {
		if err := os.Rename(rotated(l.path, n-1), rotated(l.path, n)); err != nil && !os.IsNotExist(err) {
			return fault.New(fault.Failed, "cannot rotate %s: %w", l.path, err)
		}
	}
	return nil
}

func rotated(path string, n int) string {
	if n == 0 {
		return path
	}
	return path + "." + string(rune('0'+n))
}

// Close gives the file up; Append opens it again.
func (l *Log) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.close()
}

func (l *Log) close() {
	if l.file != nil {
		_ = l.file.Close()
		l.file = nil
	}
}
