package hop

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

func TestAnswer(t *testing.T) {
	t.Parallel()
	const canary = "canary-2b9e61"
	command := connector.Command{Program: "/opt/my\x1btool", Args: []string{canary}, Env: []string{"A=1"}}
	for what, test := range map[string]struct {
		finished connector.Finished
		err      error
		kind     fault.Kind
		says     string
	}{
		"good":            {connector.Finished{Stdout: []byte("out")}, nil, "", ""},
		"failed":          {connector.Finished{Failure: "exit status 3", Stderr: []byte("one\ntwo\n\nthree\x1b[2J\nfour\n")}, nil, fault.Failed, "program my tool: exit status 3: two; three [2J; four"},
		"failed silently": {connector.Finished{Failure: "signal: killed"}, nil, fault.Failed, "program my tool: signal: killed"},
		"says a secret":   {connector.Finished{Failure: "exit status 1", Stdout: []byte(`{"t":"` + canary + `"}`), Stderr: []byte("got " + canary + "\nsorry")}, nil, fault.Failed, "exit status 1: sorry"},
		"a token":         {connector.Finished{Failure: "exit status 1", Stderr: []byte("sent Bearer ya29." + strings.Repeat(canary, 4) + " to /a/path/that/is/so/long/that/it/has/more/than/thirty-two/letters")}, nil, fault.Failed, "exit status 1: sent Bearer " + secret.Redacted + " to /a/path/that"},
		"short words":     {connector.Finished{Failure: "exit status 1", Stdout: []byte("no"), Stderr: []byte("no luck")}, nil, fault.Failed, "exit status 1: no luck"},
		"not there":       {connector.Finished{}, errors.New("no such program"), fault.Failed, "program my tool cannot be run: no such program"},
	} {
		host := connector.Host{Home: "/home/me", Run: func(ctx context.Context, c connector.Command) (connector.Finished, error) {
			deadline, bounded := ctx.Deadline()
			if c.Dir != "/home/me" || len(c.Env) != 1 || len(c.Args) != 1 || !bounded || time.Until(deadline) > time.Minute {
				t.Errorf("%s: it ran %+v", what, c)
			}
			return test.finished, test.err
		}}
		got, err := Answer(t.Context(), host, time.Minute, command)
		if fault.KindOf(err) != test.kind || err != nil && (!strings.Contains(err.Error(), test.says) || fault.HintOf(err) == "" || strings.Contains(err.Error(), canary)) {
			t.Errorf("%s: %q %v", what, fault.KindOf(err), err)
		}
		if string(got.Stdout) != string(test.finished.Stdout) || string(got.Stderr) != string(test.finished.Stderr) {
			t.Errorf("%s: %+v", what, got)
		}
	}
}

func TestAnswerEnds(t *testing.T) {
	t.Parallel()
	host := connector.Host{Run: func(ctx context.Context, _ connector.Command) (connector.Finished, error) {
		<-ctx.Done()
		return connector.Finished{Stderr: []byte("waiting for a code")}, ctx.Err()
	}}
	_, err := Answer(t.Context(), host, time.Nanosecond, connector.Command{Program: "x"})
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "program x did not answer in time: waiting for a code") || fault.HintOf(err) == "" {
		t.Errorf("late: %v", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err = Answer(gone, host, time.Minute, connector.Command{Program: "x"}); !fault.Is(err, fault.Interrupted) {
		t.Errorf("after Ctrl-C: %v", err)
	}
	if _, err = Answer(t.Context(), connector.Host{}, time.Minute, connector.Command{Program: "x"}); !fault.Is(err, fault.Failed) || fault.HintOf(err) == "" {
		t.Errorf("no programs: %v", err)
	}
}
