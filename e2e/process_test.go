//go:build e2e && linux

package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// processes are those that run a program of this world.
func (w *world) processes() []int {
	return processesWhere(func(pid string) bool {
		exe, _ := os.Readlink("/proc/" + pid + "/exe")
		return strings.HasPrefix(exe, w.bin+"/")
	})
}

// strays are all processes that know this world by their environment: our
// programs', and what those started.
func (w *world) strays() []int {
	return processesWhere(func(pid string) bool {
		environ, _ := os.ReadFile("/proc/" + pid + "/environ")
		return bytes.Contains(environ, []byte(w.root))
	})
}

func processesWhere(match func(pid string) bool) []int {
	var pids []int
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err == nil && match(strconv.Itoa(pid)) && !isZombie(pid) {
			pids = append(pids, pid)
		}
	}
	return pids
}

func isZombie(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return true
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(rest, "Z")
}

func (w *world) endProcesses() {
	for _, pid := range append(w.processes(), w.strays()...) {
		syscall.Kill(pid, syscall.SIGKILL)
	}
}

// kill ends a process as a power cut would and waits until it is gone.
func kill(t *testing.T, pid int) {
	t.Helper()
	must(t, syscall.Kill(pid, syscall.SIGKILL))
	eventually(t, "the killed process is gone", func() bool { return isZombie(pid) })
}

// eventually polls for something that another process is about to do.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	within(t, 20*time.Second, what, done)
}

// within is eventually for what may take its time.
func within(t *testing.T, limit time.Duration, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if done() {
			return
		}
	}
	t.Fatalf("after %v, still not: %s", limit, what)
}
