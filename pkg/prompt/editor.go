package prompt

import (
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/svcconn/svcconn/pkg/fault"
)

// maxAnswer is the longest answer in bytes.
const maxAnswer = 1 << 20

// The keys that mean something, as a terminal in raw mode sends them.
const (
	ctrlC     = 0x03
	ctrlD     = 0x04
	backspace = 0x08
	ctrlU     = 0x15
	escape    = 0x1b
	del       = 0x7f
)

var errInterrupted = fault.New(fault.Interrupted, "interrupted")

// editor reads an answer from a terminal in raw mode, with the usual keys for
// mending it. The line discipline of the system would do that too, but cuts a line
// at 4,095 bytes, in silence: too short for the keys of some clouds.
type editor struct {
	in    io.Reader
	out   io.Writer
	shown bool // whether what is typed is echoed
	text  []byte
}

// line reads to Enter.
func (e *editor) line() (string, error) {
	for {
		key, err := e.key()
		switch {
		case err != nil:
			return "", err
		case key == '\r' || key == '\n':
			return string(e.text), nil
		case key == ctrlD && len(e.text) == 0:
			return "", errInterrupted
		}
		if err := e.edit(key); err != nil {
			return "", err
		}
	}
}

// lines reads to Ctrl-D. Terminals send a pasted line break as CR, LF or both.
func (e *editor) lines() (string, error) {
	var last byte
	for {
		key, err := e.key()
		switch {
		case err != nil:
			return "", err
		case key == ctrlD:
			return strings.TrimSuffix(string(e.text), "\n"), nil
		case key == '\r', key == '\n' && last != '\r':
			e.text = append(e.text, '\n')
		case key != '\n':
			err = e.edit(key)
		}
		if err != nil {
			return "", err
		}
		last = key
	}
}

// key reads one byte: what is typed ahead stays for the next question. The end of
// input is a terminal that was closed.
func (e *editor) key() (byte, error) {
	var one [1]byte
	if _, err := io.ReadFull(e.in, one[:]); err != nil {
		return 0, err
	}
	if one[0] == ctrlC {
		return 0, errInterrupted
	}
	return one[0], nil
}

// edit applies a key to the answer; control characters that mean nothing here are
// ignored, but for the tab, which a secret may have.
func (e *editor) edit(key byte) error {
	switch {
	case key == backspace || key == del:
		e.erase(1)
	case key == ctrlU:
		e.erase(len(e.text))
	case key == escape:
		return e.skipSequence()
	case key < ' ' && key != '\t':
	case len(e.text) >= maxAnswer:
		return fault.New(fault.Invalid, "the answer is longer than 1 MiB")
	default:
		e.text = append(e.text, key)
		return e.echo([]byte{key})
	}
	return nil
}

// erase takes back up to n characters of the current line.
func (e *editor) erase(n int) {
	for ; n > 0 && len(e.text) > 0 && e.text[len(e.text)-1] != '\n'; n-- {
		_, size := utf8.DecodeLastRune(e.text)
		e.text = e.text[:len(e.text)-size]
		_ = e.echo([]byte("\b \b"))
	}
}

func (e *editor) echo(text []byte) error {
	if !e.shown {
		return nil
	}
	_, err := e.out.Write(text)
	return err
}

// skipSequence reads over what an arrow or function key sends: ESC [ … final, or
// ESC O and a character, or ESC and a character (Alt).
func (e *editor) skipSequence() error {
	key, err := e.key()
	if err == nil && key == 'O' {
		_, err = e.key()
	}
	if err != nil || key != '[' {
		return err
	}
	for {
		if key, err = e.key(); err != nil || key >= '@' && key <= '~' {
			return err
		}
	}
}

// control calls f with the file's descriptor, which stays usable with deadlines:
// File.Fd may end that.
func control(file *os.File, f func(fd int) error) error {
	conn, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if err := conn.Control(func(fd uintptr) { inner = f(int(fd)) }); err != nil {
		return err
	}
	return inner
}
