package filelock

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/svcconn/svcconn/pkg/fault"
)

// TestMain lets the test binary play a process that takes a lock and waits.
func TestMain(m *testing.M) {
	if path := os.Getenv("FILELOCK_TEST_HOLD"); path != "" {
		if lock, err := Try(path); lock == nil || err != nil {
			os.Exit(1)
		}
		_, _ = os.Stdout.WriteString("held\n")
		_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestOneHolderAtATime(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	var inside, crowded atomic.Int64
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			lock, err := Acquire(t.Context(), path)
			if err != nil {
				t.Error(err)
				return
			}
			if inside.Add(1) != 1 {
				crowded.Add(1)
			}
			inside.Add(-1)
			lock.Release()
			lock.Release()
		})
	}
	wg.Wait()
	if crowded.Load() != 0 {
		t.Error("two holders at once")
	}
}

func TestTryAndGivingUp(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	held, err := Try(path)
	if held == nil || err != nil {
		t.Fatal(held, err)
	}
	if second, err := Try(path); second != nil || err != nil {
		t.Errorf("a second lock: %v, %v", second, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := Acquire(ctx, path); !fault.Is(err, fault.Unavailable) || fault.HintOf(err) == "" {
		t.Errorf("waiting in vain: %v", err)
	}
	if _, err := Try(filepath.Join(path, "below-a-file")); !fault.Is(err, fault.Failed) {
		t.Errorf("an impossible path: %v", err)
	}
}

func TestTheLockDiesWithItsProcess(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "FILELOCK_TEST_HOLD="+path)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "held\n" {
		t.Fatalf("the child says %q, %v", line, err)
	}
	if lock, err := Try(path); lock != nil || err != nil {
		t.Errorf("the child's lock did not hold: %v", err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	lock, err := Try(path)
	if lock == nil || err != nil {
		t.Fatalf("the lock outlived its process: %v", err)
	}
	lock.Release()
}
