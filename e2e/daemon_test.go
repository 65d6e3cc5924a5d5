//go:build e2e && linux

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// daemon is a server process with everything it started.
type daemon struct {
	cmd  *exec.Cmd
	log  string
	done chan struct{}
}

// launch starts a server in a process group of its own, its output in the file
// log, and waits until ready. It does not outlive the tests, however they end.
func launch(log string, env []string, stdin string, ready func() bool, argv ...string) (*daemon, error) {
	out, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = env, strings.NewReader(stdin), out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	d := &daemon{cmd, log, make(chan struct{})}
	go func() { cmd.Wait(); close(d.done) }()
	if err := d.await(ready); err != nil {
		d.stop()
		return nil, fmt.Errorf("%s: %w\n%s", argv[0], err, tail(log))
	}
	return d, nil
}

func (d *daemon) await(ready func() bool) error {
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if ready() {
			return nil
		}
		select {
		case <-d.done:
			return fmt.Errorf("ended at once: %v", d.cmd.ProcessState)
		default:
		}
	}
	return fmt.Errorf("not ready after 30 s")
}

// stop asks the server to end, and ends its process group if it does not.
func (d *daemon) stop() {
	d.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-d.done:
	case <-time.After(10 * time.Second):
	}
	d.kill()
}

// kill ends the server's process group at once.
func (d *daemon) kill() {
	syscall.Kill(-d.cmd.Process.Pid, syscall.SIGKILL)
	<-d.done
}

// serve launches a server that lives as long as the test.
func (w *world) serve(name, stdin string, ready func(log string) bool, argv ...string) *daemon {
	w.t.Helper()
	log := w.path(name + ".log")
	d, err := launch(log, w.env, stdin, func() bool { return ready(w.read(log)) }, argv...)
	must(w.t, err)
	w.t.Cleanup(func() { d.finish(w.t) })
	return d
}

func (d *daemon) finish(t *testing.T) {
	d.stop()
	if t.Failed() {
		t.Logf("end of the log of %s:\n%s", d.cmd.Path, tail(d.log))
	}
}

// tail is the end of a log, without what went well.
func tail(log string) string {
	content, _ := os.ReadFile(log)
	lines := slices.DeleteFunc(strings.Split(string(content), "\n"), func(line string) bool { return strings.Contains(line, "level=info") })
	return strings.Join(lines[max(0, len(lines)-12):], "\n")
}
