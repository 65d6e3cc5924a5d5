//go:build e2e && linux

package e2e

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// canary is a secret that a test made up, with the forms that it could leak in.
type canary struct {
	value string
	forms [][]byte
}

// secret makes up a password. Its core has no character that JSON, URLs or
// shells would write otherwise; around it are some that they do.
func (w *world) secret() string {
	core := make([]byte, 12)
	rand.Read(core)
	c := canary{value: `p<&+/= %"` + hex.EncodeToString(core)}
	c.forms = formsOf(hex.EncodeToString(core))
	w.mu.Lock()
	defer w.mu.Unlock()
	w.secrets = append(w.secrets, c)
	return c.value
}

// guard makes a secret of what a test did not make up itself: a token, by its
// signature, or a key, by the middle of it.
func (w *world) guard(text string) {
	core := text[strings.LastIndex(text, ".")+1:]
	if block, _ := pem.Decode([]byte(text)); block != nil {
		core = base64.StdEncoding.EncodeToString(block.Bytes)
	}
	if start := len(core) / 4; len(core) > 2*start+24 {
		core = core[start : start+24]
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.secrets = append(w.secrets, canary{value: text, forms: formsOf(core)})
}

// formsOf are a text as it is and in base64, where it can begin at each of three
// offsets ("user:secret"); hexadecimal digits are the same in both alphabets.
func formsOf(text string) [][]byte {
	forms := [][]byte{[]byte(text)}
	for offset := range 3 {
		encoded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", offset) + text))
		forms = append(forms, []byte(encoded[[]int{0, 2, 3}[offset]:len(encoded)-3]))
	}
	return forms
}

func (c canary) in(data []byte) bool {
	for _, form := range c.forms {
		if bytes.Contains(data, form) {
			return true
		}
	}
	return false
}

// searchForSecrets looks for every secret of the world in its files, in what was
// printed, and in the command lines and environments of all processes.
func (w *world) searchForSecrets() {
	w.t.Helper()
	for _, r := range w.printed {
		w.accuse("the output of "+r.line, []byte(r.output))
	}
	for _, pattern := range []string{"/proc/[0-9]*/cmdline", "/proc/[0-9]*/environ"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			data, _ := os.ReadFile(file)
			w.accuse(file, data)
		}
	}
	w.searchFolder(w.root)
}

func (w *world) searchFolder(dir string) {
	filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() && !strings.HasPrefix(path, w.bin) {
			w.searchFile(path)
		}
		return nil
	})
}

func (w *world) searchFile(path string) {
	data, _ := os.ReadFile(path)
	w.accuse(path, data)
}

func (w *world) accuse(place string, data []byte) {
	for _, c := range w.secrets {
		if c.in(data) {
			w.t.Errorf("a secret is in %s", place)
		}
	}
}
