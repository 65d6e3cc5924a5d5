// Package tomlfile reads and writes the TOML files that svcconn keeps: strictly,
// so that a mistake in a file is an error with file, line and key and never a
// setting that silently does nothing; and prettily, so that the files are fit to
// be read, diffed and edited by hand.
//
// A reader asks a Table for the keys that it knows, and the keys that nobody asked
// for are the unknown ones: there is no second list of them. The first mistake is
// kept until Err, so that a reader reads like a list of keys. Cached re-reads a
// file only when it has changed.
//
// It refuses files over 1 MiB, and to keep what it does not understand.
package tomlfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/svcconn/svcconn/pkg/fault"
)

// MaxSize is the size in bytes above which a file is refused before it is parsed.
const MaxSize = 1 << 20

// Read returns the content of a file, links followed, with its description as it
// was just before. name is what errors call the file. A file that is not there is
// an error that is fs.ErrNotExist; one that is not a regular file or is larger than
// MaxSize is fault.Invalid.
func Read(path, name string) ([]byte, fs.FileInfo, error) {
	// Opening a named pipe would wait for its writer: look first.
	if info, err := os.Stat(path); err != nil {
		return nil, nil, unreadable(name, err)
	} else if !info.Mode().IsRegular() {
		return nil, nil, fault.New(fault.Invalid, "%s: is not a regular file", name).Hint("move %s away", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, unreadable(name, err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, nil, unreadable(name, err)
	}
	var data bytes.Buffer
	data.Grow(int(min(info.Size(), MaxSize)) + bytes.MinRead)
	if _, err := data.ReadFrom(io.LimitReader(file, MaxSize+1)); err != nil {
		return nil, nil, unreadable(name, err)
	}
	return data.Bytes(), info, nil
}

func unreadable(name string, err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		err = pathErr.Err
	}
	return fault.New(fault.Failed, "%s: cannot be read: %w", name, err).Hint("make the file readable for you, or move it away")
}

// Parse reads TOML. name is what errors call the file. Errors are fault.Invalid and
// never quote a value.
func Parse(name string, data []byte) (*Table, error) {
	if len(data) > MaxSize {
		return nil, fault.New(fault.Invalid, "%s: is larger than %d bytes", name, MaxSize)
	}
	data = withoutMark(data)
	values := map[string]any{}
	if err := toml.Unmarshal(data, &values); err != nil {
		return nil, malformed(name, err)
	}
	return &Table{doc: &document{name: name, data: data}, values: values}, nil
}

func malformed(name string, err error) error {
	var at *toml.DecodeError
	if errors.As(err, &at) {
		line, _ := at.Position()
		name = fmt.Sprintf("%s:%d", name, line)
	}
	return fault.New(fault.Invalid, "%s: is not TOML: %s", name, strings.TrimPrefix(err.Error(), "toml: "))
}

// LeadingComment returns the comment that a file begins with, without the marks, for
// who writes the file anew and wants to keep it.
func LeadingComment(data []byte) string {
	var text strings.Builder
	for line := range strings.Lines(string(withoutMark(data))) {
		line, ok := strings.CutPrefix(line, "#")
		if !ok {
			break
		}
		text.WriteString(strings.TrimSpace(line) + "\n")
	}
	return text.String()
}

// withoutMark drops the byte order mark that editors on Windows begin a file with.
func withoutMark(data []byte) []byte { return bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) }
