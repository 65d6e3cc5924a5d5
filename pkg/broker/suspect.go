package broker

import (
	"encoding/json"
	"os"
	"strings"

	"github.com/svcconn/svcconn/pkg/fault"
)

// suspect returns an error when a connector that cannot be used mentions the
// address that nobody else serves: such an address must not look unknown, or docker
// goes on anonymously and reports something misleading.
func (ix *index) suspect(address string) error {
	_, rest, isURL := strings.Cut(address, "://")
	if !isURL {
		rest = address
	}
	host, _, _ := strings.Cut(rest, "/")
	for _, file := range ix.snapshot.Broken() {
		if text, err := os.ReadFile(file.Path); err == nil && mentions(string(text), host) {
			return fault.WithHint(file.Err, "edit the file, or delete it; `svcconn list` shows every broken one")
		}
	}
	for _, e := range ix.entries {
		if e.problem == nil {
			continue
		}
		if text, err := json.Marshal(e.connector); err == nil && mentions(string(text), host) {
			return e.problem
		}
	}
	return nil
}

// mentions reports whether text has host as a whole word.
func mentions(text, host string) bool {
	for rest := text; ; {
		at := strings.Index(rest, host)
		if at < 0 || host == "" {
			return false
		}
		before, after := rest[:at], rest[at+len(host):]
		if !endsInHost(before) && !startsWithHost(after) {
			return true
		}
		rest = after
	}
}

const hostCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-"

func endsInHost(s string) bool     { return s != "" && strings.IndexByte(hostCharacters, s[len(s)-1]) >= 0 }
func startsWithHost(s string) bool { return s != "" && strings.IndexByte(hostCharacters, s[0]) >= 0 }
