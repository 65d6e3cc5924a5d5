// Package prompt asks the person at the controlling terminal, whatever the
// standard streams are connected to, and tells whether a stream is a terminal.
//
// It refuses to read answers from standard input: that belongs to the data that a
// command is given, and a secret typed there would be shown. Where nobody can be
// asked it says so at once (fault.NeedsPerson) instead of waiting.
package prompt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

// attempts is how often an answer that is not one is asked for again.
const attempts = 3

// Terminal is where a person is asked. The zero value has nobody at it: every
// question fails with fault.NeedsPerson. One question at a time.
type Terminal struct {
	open func() (device, error)
}

// device is an open terminal.
type device struct {
	in, out *os.File
	close   func()
}

// Controlling is the terminal that controls this process: /dev/tty, or the console
// on Windows. It is opened for each question alone.
func Controlling() Terminal { return Terminal{open: openControlling} }

// On is a terminal that the caller has open, and closes. Its Fd method must not have
// been called: a cancelled ctx would then wait for the next key.
func On(tty *os.File) Terminal {
	return Terminal{open: func() (device, error) { return device{in: tty, out: tty, close: func() {}}, nil }}
}

// Question is what a person is asked.
type Question struct {
	Label   string // what is asked for, without colon
	Without string // how to give it where there is no terminal: a sentence
}

// Secret asks for a secret of one line, which is not shown. An empty answer is
// fault.Invalid. Ctrl-C, Ctrl-D and a cancelled ctx are fault.Interrupted; the
// terminal is then as it was.
func (t Terminal) Secret(ctx context.Context, q Question) (secret.Text, error) {
	return t.hidden(ctx, q, q.Label+": ", (*editor).line)
}

// SecretLines asks for a secret of any number of lines, ended by Ctrl-D. A newline
// at its end is dropped. Otherwise it is as Secret.
func (t Terminal) SecretLines(ctx context.Context, q Question) (secret.Text, error) {
	return t.hidden(ctx, q, q.Label+" (several lines; end with Ctrl-D): ", (*editor).lines)
}

// NewSecret asks for a secret twice, for one that can not be checked otherwise. Two
// answers that differ are asked for anew, three times in all.
func (t Terminal) NewSecret(ctx context.Context, q Question) (secret.Text, error) {
	for range attempts {
		first, err := t.Secret(ctx, q)
		if err != nil {
			return first, err
		}
		again, err := t.Secret(ctx, Question{Label: q.Label + " (again)", Without: q.Without})
		if err != nil || first.Equal(again) {
			return again, err
		}
		if err := t.say("The two differ; try again."); err != nil {
			return secret.Text{}, err
		}
	}
	return secret.Text{}, fault.New(fault.Invalid, "%s: the two entries differ", q.Label)
}

// Confirm asks for yes or no; no is what Enter alone says.
func (t Terminal) Confirm(ctx context.Context, q Question) (bool, error) {
	for range attempts {
		answer, err := t.ask(ctx, q, q.Label+" [y/N]: ", func(e *editor) (string, error) {
			e.shown = true
			return e.line()
		})
		if err != nil {
			return false, err
		}
		switch strings.ToLower(strings.TrimSpace(answer)) {
		case "y", "yes":
			return true, nil
		case "", "n", "no":
			return false, nil
		}
	}
	return false, fault.New(fault.Invalid, "%s: the answer is neither yes nor no", q.Label)
}

func (t Terminal) hidden(ctx context.Context, q Question, shown string, read func(*editor) (string, error)) (secret.Text, error) {
	answer, err := t.ask(ctx, q, shown, read)
	if err == nil && answer == "" {
		err = fault.New(fault.Invalid, "%s: nothing was entered", q.Label).Hint("%s", q.Without)
	}
	if err != nil {
		return secret.Text{}, err
	}
	return secret.New(answer), nil
}

// ask puts the terminal into raw mode for one answer. Ctrl-C then is a character
// and not a signal, so that nothing ends the process while the echo is off.
func (t Terminal) ask(ctx context.Context, q Question, shown string, read func(*editor) (string, error)) (string, error) {
	d, err := t.device(q)
	if err != nil {
		return "", err
	}
	defer d.close()
	restore, err := raw(d.in)
	if err != nil {
		return "", nobody(q, err)
	}
	defer restore()
	if _, err := io.WriteString(d.out, shown); err != nil {
		return "", nobody(q, err)
	}
	defer io.WriteString(d.out, "\r\n") // the answer is there, or its error
	answer, err := d.read(ctx, read)
	if err != nil && fault.KindOf(err) == fault.Failed {
		err = nobody(q, err)
	}
	return answer, err
}

type answer struct {
	text string
	err  error
}

// read waits for the answer or the end of ctx. A terminal whose reads take no
// deadline leaves its reader behind at the end of ctx, which the process outlives
// by moments only.
func (d device) read(ctx context.Context, read func(*editor) (string, error)) (string, error) {
	done := make(chan answer, 1)
	go func() {
		text, err := read(&editor{in: d.in, out: d.out})
		done <- answer{text, err}
	}()
	select {
	case a := <-done:
		return a.text, a.err
	case <-ctx.Done():
		if d.in.SetReadDeadline(time.Unix(1, 0)) == nil {
			<-done
			_ = d.in.SetReadDeadline(time.Time{})
		}
		return "", errInterrupted
	}
}

// say tells the person something between two questions.
func (t Terminal) say(text string) error {
	d, err := t.device(Question{})
	if err != nil {
		return err
	}
	defer d.close()
	_, err = fmt.Fprintln(d.out, text)
	return err
}

func (t Terminal) device(q Question) (device, error) {
	if t.open == nil {
		return device{}, nobody(q, errors.New("there is no terminal"))
	}
	d, err := t.open()
	if err != nil {
		return device{}, nobody(q, err)
	}
	return d, nil
}

// nobody is the error for a question that can not be put.
func nobody(q Question, cause error) error {
	return fault.New(fault.NeedsPerson, "cannot ask for %s: %w", q.Label, cause).Hint("%s", q.Without)
}

// raw switches the terminal to raw mode and returns what undoes that.
func raw(tty *os.File) (restore func(), err error) {
	var state *term.State
	err = control(tty, func(fd int) (err error) {
		state, err = term.MakeRaw(fd)
		return err
	})
	if err != nil {
		return nil, err
	}
	return func() { _ = control(tty, func(fd int) error { return term.Restore(fd, state) }) }, nil
}
