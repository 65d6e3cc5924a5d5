// Package fault has the errors that a person or a program can act on: a kind
// for each decision (not for each cause), a message that says what went wrong
// on what, and a hint that says what to do next.
//
// It links the standard library only, since the thin front-ends use it.
package fault

import (
	"context"
	"errors"
	"fmt"
)

// Kind is what a caller decides by. Its text is part of the JSON contract.
type Kind string

// The kinds, each with an exit code of its own in package proc.
const (
	Failed      Kind = "failed"       // anything that has no better kind
	Invalid     Kind = "invalid"      // what was asked is wrong in itself
	NotFound    Kind = "not-found"    // no such thing
	Denied      Kind = "denied"       // the service knows us and refuses, or does not know us
	Unavailable Kind = "unavailable"  // nobody answered; trying again may help
	NeedsPerson Kind = "needs-person" // a login, an unlock, an answer is missing
	Ambiguous   Kind = "ambiguous"    // several things match equally well
	Interrupted Kind = "interrupted"  // the person pressed Ctrl-C
)

// Error is an error of a known kind. Build it with New, add advice with Hint.
type Error struct {
	Kind   Kind
	Advice string // the next step, with the exact command where there is one
	Locked bool   // unlocking the secret store would mend it
	err    error
}

// New makes an error; format may wrap another error with %w.
func New(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, err: fmt.Errorf(format, args...)}
}

// Hint returns the error with advice: what to do next, as a full sentence or
// a command.
func (e *Error) Hint(format string, args ...any) *Error {
	return &Error{Kind: e.Kind, Advice: fmt.Sprintf(format, args...), Locked: e.Locked, err: e.err}
}

// ForLock marks the error as one that unlocking the secret store would mend.
func (e *Error) ForLock() *Error {
	return &Error{Kind: e.Kind, Advice: e.Advice, Locked: true, err: e.err}
}

// Error returns the message without the advice.
func (e *Error) Error() string { return e.err.Error() }

// Unwrap gives errors.Is and errors.As the cause.
func (e *Error) Unwrap() error { return e.err }

// KindOf returns the kind of the outermost fault in err's chain. Deadlines are
// Unavailable and cancellations Interrupted even when nobody wrapped them;
// every other plain error is Failed. KindOf(nil) is "".
func KindOf(err error) Kind {
	var f *Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &f):
		return f.Kind
	case errors.Is(err, context.DeadlineExceeded):
		return Unavailable
	case errors.Is(err, context.Canceled):
		return Interrupted
	}
	return Failed
}

// Is reports whether err is of the kind.
func Is(err error, kind Kind) bool { return err != nil && KindOf(err) == kind }

// HintOf returns the outermost advice in err's chain, or "".
func HintOf(err error) string {
	for err != nil {
		var f *Error
		if !errors.As(err, &f) {
			return ""
		}
		if f.Advice != "" {
			return f.Advice
		}
		err = f.err
	}
	return ""
}

// IsLocked reports whether unlocking the secret store would mend err.
func IsLocked(err error) bool {
	var f *Error
	for ; errors.As(err, &f); err = f.err {
		if f.Locked {
			return true
		}
	}
	return false
}

// Within prefixes err with what was being done ("connector hub"), keeping its
// kind and advice. It returns nil for a nil err.
func Within(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return &Error{
		Kind:   KindOf(err),
		Advice: HintOf(err),
		err:    fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), err),
	}
}

// WithHint adds advice to any error that has none yet, keeping its kind.
func WithHint(err error, format string, args ...any) error {
	if err == nil || HintOf(err) != "" {
		return err
	}
	return &Error{Kind: KindOf(err), Advice: fmt.Sprintf(format, args...), err: err}
}
