//go:build !windows

package proc

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// TestInterruptible runs this test binary anew: the first signal ends the ctx, the
// second the process.
func TestInterruptible(t *testing.T) {
	if os.Getenv("PROC_TEST_CHILD") != "" {
		ctx, stop := Interruptible(context.Background())
		defer stop()
		fmt.Println("ready")
		<-ctx.Done()
		fmt.Println("ended")
		select {}
	}
	t.Parallel()
	for _, sent := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestInterruptible$")
		cmd.Env = append(os.Environ(), "PROC_TEST_CHILD=1")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for _, want := range []string{"ready", "ended"} {
			if !lines.Scan() || lines.Text() != want {
				t.Fatalf("%v: got %q, want %q", sent, lines.Text(), want)
			}
			if err := cmd.Process.Signal(sent); err != nil {
				t.Fatal(err)
			}
		}
		_ = cmd.Wait()
		if status := cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != sent {
			t.Errorf("%v: the second one left %v", sent, cmd.ProcessState)
		}
	}
}

func TestInterruptibleWithoutSignal(t *testing.T) {
	t.Parallel()
	ctx, stop := Interruptible(t.Context())
	if ctx.Err() != nil {
		t.Error("ended at once")
	}
	stop()
	if ctx.Err() == nil {
		t.Error("stop does not end it")
	}
}
