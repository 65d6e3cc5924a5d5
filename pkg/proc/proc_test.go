package proc

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/svcconn/svcconn/pkg/fault"
)

func TestExitCodes(t *testing.T) {
	t.Parallel()
	for want, errs := range map[int][]error{
		0:   {nil},
		1:   {errors.New("x"), fault.New(fault.Failed, "x")},
		2:   {fault.New(fault.Invalid, "x")},
		3:   {fault.New(fault.NotFound, "x")},
		4:   {fault.New(fault.Denied, "x")},
		5:   {fault.New(fault.Unavailable, "x"), context.DeadlineExceeded},
		6:   {fault.New(fault.NeedsPerson, "x")},
		7:   {fault.New(fault.Ambiguous, "x")},
		130: {fault.New(fault.Interrupted, "x"), context.Canceled},
	} {
		for _, err := range errs {
			if got := ExitCode(err); got != want {
				t.Errorf("ExitCode(%v) = %d, want %d", err, got, want)
			}
		}
	}
}

func TestPrintError(t *testing.T) {
	t.Parallel()
	err := fault.New(fault.NotFound, "no connector %q", "hbu").Hint("did you mean hub?\nsvcconn list")
	var out bytes.Buffer
	PrintError(&out, "svcconn", err)
	if want := "svcconn: error: no connector \"hbu\"\nsvcconn: hint: did you mean hub?\nsvcconn: hint: svcconn list\n"; out.String() != want {
		t.Errorf("got %q", out.String())
	}
	out.Reset()
	PrintErrorJSON(&out, err)
	if want := `{"error":{"kind":"not-found","message":"no connector \"hbu\"","hint":"did you mean hub?\nsvcconn list"}}` + "\n"; out.String() != want {
		t.Errorf("got %s", &out)
	}
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	w := World{Env: []string{"A=1", "AB=2", "A=3", "E=", "=C:=x"}}
	for name, want := range map[string]string{"A": "1", "AB": "2", "E": "", "B": ""} {
		if got := w.Getenv(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	if _, set := w.LookupEnv("E"); !set {
		t.Error("an empty variable is not set")
	}
	if _, set := w.LookupEnv("B"); set {
		t.Error("a variable that is not there is set")
	}
}
