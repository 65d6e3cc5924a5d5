package registry

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/svcconn/svcconn/pkg/fault"
)

// The test binary plays the other processes too: childVariable says which.
const childVariable = "SVCCONN_REGISTRY_TEST_CHILD"

var children = map[string]func(ctx context.Context, config string, args []string) error{
	"create": func(ctx context.Context, config string, args []string) error {
		_, err := Open(filepath.Join(config, "connectors"), time.Now).Create(ctx, Connector{Name: args[0], Type: "docker", Description: args[1]})
		return err
	},
	"pin": func(ctx context.Context, config string, args []string) error {
		return OpenPins(config, time.Now).Set(ctx, Pin{ResourceType: "docker-registry", Address: args[0], Connector: someID})
	},
	"rename": renameForever,
	"begin": func(_ context.Context, config string, args []string) error {
		done, err := OpenPending(config).Begin(SecretKey{"keyring", args[0]})
		if err != nil {
			return err
		}
		fmt.Println("begun")
		_, _ = io.Copy(io.Discard, os.Stdin)
		return done()
	},
}

// renameForever renames a connector to and fro.
func renameForever(ctx context.Context, config string, _ []string) error {
	d := Open(filepath.Join(config, "connectors"), time.Now)
	for i := 0; ; i++ {
		s, err := d.Snapshot(ctx)
		if err != nil {
			return err
		}
		stored := s.All()[0]
		changed := stored
		changed.Name = []string{"aaa", "zzz"}[i%2]
		changed.Description = strings.Repeat(changed.Name, 1000)
		if _, err := d.Replace(ctx, stored, changed); err != nil {
			return err
		}
		fmt.Println(changed.Name)
	}
}

func TestMain(m *testing.M) {
	role, ok := os.LookupEnv(childVariable)
	if !ok {
		os.Exit(m.Run())
	}
	// All children begin at once: when the pipe that is their stdin has a line.
	_, _ = os.Stdin.Read(make([]byte, 1))
	if err := children[role](context.Background(), os.Args[1], os.Args[2:]); err != nil {
		fmt.Println(fault.KindOf(err), err)
		os.Exit(1)
	}
	os.Exit(0)
}

// child is another process.
type child struct {
	*exec.Cmd
	stdin  io.WriteCloser
	stdout *bufio.Reader
}

func start(t *testing.T, role, config string, args ...string) child {
	t.Helper()
	c := child{Cmd: exec.Command(os.Args[0], append([]string{config}, args...)...)}
	c.Env = append(os.Environ(), childVariable+"="+role)
	c.Stderr = os.Stderr
	var err error
	c.stdin, err = c.StdinPipe()
	must(t, err)
	out, err := c.StdoutPipe()
	must(t, err)
	c.stdout = bufio.NewReader(out)
	must(t, c.Start())
	t.Cleanup(func() { _ = c.Process.Kill(); _, _ = c.Process.Wait() })
	return c
}

func (c child) begin(t *testing.T) {
	t.Helper()
	_, err := c.stdin.Write([]byte("\n"))
	must(t, err)
}

// together lets all children begin at once and returns what they say, "" for
// success.
func together(t *testing.T, all []child) []string {
	t.Helper()
	for _, c := range all {
		c.begin(t)
	}
	said := make([]string, len(all))
	for i, c := range all {
		out, err := io.ReadAll(c.stdout)
		must(t, err)
		if err := c.Wait(); (err == nil) != (len(out) == 0) {
			t.Errorf("child %d ends with %v, saying %q", i, err, out)
		}
		said[i] = strings.TrimSpace(string(out))
	}
	return said
}

const crowd = 50

func TestCrowdRegistersAtOnce(t *testing.T) {
	t.Parallel()
	d := open(t, modes["watching"])
	config := filepath.Dir(d.path)
	must(t, os.MkdirAll(config, 0o700))
	d.snapshot(t)
	var all []child
	for i := range crowd {
		all = append(all, start(t, "create", config, fmt.Sprintf("c%02d", i), "x"), start(t, "pin", config, fmt.Sprintf("host%02d", i)))
	}
	for i, said := range together(t, all) {
		if said != "" {
			t.Errorf("child %d: %s", i, said)
		}
	}
	s := d.snapshot(t)
	pins, err := OpenPins(config, time.Now).List()
	if len(s.All()) != crowd || len(s.Broken()) != 0 || len(pins) != crowd || err != nil {
		t.Errorf("%d connectors, %d broken, %d pins, %v", len(s.All()), len(s.Broken()), len(pins), err)
	}
	if left, _ := filepath.Glob(filepath.Join(d.path, ".*.tmp")); len(left) != 0 {
		t.Errorf("left behind: %q", left)
	}
}

func TestCrowdTakesOneName(t *testing.T) {
	t.Parallel()
	d := open(t, nil)
	var all []child
	for i := range crowd {
		// Every other one wants the name in capitals.
		all = append(all, start(t, "create", filepath.Dir(d.path), []string{"hub", "HUB"}[i%2], fmt.Sprint(i)))
	}
	said := together(t, all)
	winner := slices.Index(said, "")
	for i, text := range said {
		if i != winner && !(strings.HasPrefix(text, "failed a connector named ") && strings.Contains(text, " exists")) {
			t.Errorf("child %d: %q", i, text)
		}
	}
	if s := d.snapshot(t); winner < 0 || len(s.All()) != 1 || s.All()[0].Description != fmt.Sprint(winner) {
		t.Errorf("winner %d, stored %s", winner, summary(s))
	}
}

// TestKilledAtAnyInstant kills a process that renames a connector again and again:
// one whole state is always in force.
func TestKilledAtAnyInstant(t *testing.T) {
	t.Parallel()
	d := open(t, nil)
	create(t, d, Connector{Name: "aaa", Type: "docker"})
	for round := range 10 {
		c := start(t, "rename", filepath.Dir(d.path))
		c.begin(t)
		for range 3 + round {
			if _, err := c.stdout.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
		must(t, c.Process.Kill())
		_ = c.Wait()
		s := d.snapshot(t)
		if len(s.All()) != 1 || len(s.Broken()) > 1 {
			t.Fatalf("round %d: %d connectors, broken: %s", round, len(s.All()), describe(s))
		}
		if got := s.All()[0]; got.Description != strings.Repeat(got.Name, 1000) {
			t.Fatalf("round %d: %s is half-written", round, got.Name)
		}
		for _, b := range s.Broken() {
			must(t, os.Remove(b.Path)) // as the hint says
		}
	}
}
