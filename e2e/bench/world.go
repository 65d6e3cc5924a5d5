package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// ecrHelper is the peer that docker's users have most.
const ecrHelper = "github.com/awslabs/amazon-ecr-credential-helper/ecr-login/cli/docker-credential-ecr-login@v0.12.0"

// world is the temporary set-up that everything is measured in.
type world struct {
	bin, dir string
	env      []string
}

func newWorld(bin string) (*world, error) {
	dir, err := os.MkdirTemp("", "svcconn-bench-")
	if err != nil {
		return nil, err
	}
	w := &world{bin: bin, dir: dir, env: []string{
		"PATH=" + bin + ":" + os.Getenv("PATH"), "HOME=" + dir, "SVCCONN_CONFIG_DIR=" + dir + "/svcconn", "SVCCONN_SECRETS=file",
		"SVCCONN_PASSPHRASE_FILE=" + dir + "/passphrase",
	}}
	return w, os.WriteFile(dir+"/passphrase", []byte("bench"), 0o600)
}

func (w *world) close() {
	_ = w.command(context.Background(), "svcconn", "agent", "stop").Run()
	_ = os.RemoveAll(w.dir)
}

func (w *world) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(w.bin, name), args...)
	cmd.Env = w.env
	return cmd
}

// do runs a command to its end; its output is in the error.
func do(cmd *exec.Cmd, stdin string) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s%s", strings.Join(cmd.Args, " "), err, &stdout, &stderr)
	}
	return stdout.String(), nil
}

// timed is a command to be timed again and again.
type timed struct {
	name  string
	path  string
	args  []string
	env   []string
	stdin string
	times []time.Duration
}

func (t *timed) once(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, t.path, t.args...)
	cmd.Env = t.env
	cmd.Stdin = nil
	var out bytes.Buffer
	if t.stdin != "" {
		cmd.Stdin = strings.NewReader(t.stdin)
	}
	cmd.Stdout, cmd.Stderr = &out, &out
	start := time.Now()
	err := cmd.Run()
	t.times = append(t.times, time.Since(start))
	if err != nil {
		return fmt.Errorf("%s: %w: %s", t.name, err, &out)
	}
	return nil
}

func (t *timed) median() time.Duration {
	sorted := slices.Sorted(slices.Values(t.times))
	return sorted[len(sorted)/2]
}

// inTurns times the commands A B C A B C …, after one run of each that is not
// counted.
func inTurns(ctx context.Context, runs int, commands ...*timed) error {
	for n := range runs + 1 {
		for _, c := range commands {
			if err := c.once(ctx); err != nil {
				return err
			}
			if n == 0 {
				c.times = nil
			}
		}
	}
	return nil
}

// paired is the median of the ratios of runs that followed each other.
func paired(a, b *timed) float64 {
	ratios := make([]float64, len(a.times))
	for i := range ratios {
		ratios[i] = float64(a.times[i]) / float64(b.times[i])
	}
	slices.Sort(ratios)
	return ratios[len(ratios)/2]
}

// tools is where programs that are built for measuring beside are kept.
func tools() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "svcconn-e2e", "bench")
	return dir, os.MkdirAll(dir, 0o755)
}

// emptyProgram builds the floor: a Go program that does nothing.
func emptyProgram(ctx context.Context) (string, error) {
	dir, err := tools()
	if err != nil {
		return "", err
	}
	source := filepath.Join(dir, "empty.go")
	if err := os.WriteFile(source, []byte("package main\n\nfunc main() {}\n"), 0o644); err != nil {
		return "", err
	}
	path := filepath.Join(dir, "empty")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, source)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	_, err = do(cmd, "")
	return path, err
}

// peer builds a helper of others, stripped as ours are.
func peer(ctx context.Context, module string) (string, error) {
	dir, err := tools()
	if err != nil {
		return "", err
	}
	program, _, _ := strings.Cut(module, "@")
	name := path.Base(strings.TrimSuffix(program, "/v2"))
	cmd := exec.CommandContext(ctx, "go", "install", "-trimpath", "-ldflags", "-s -w", module)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOBIN="+dir, "GOFLAGS=")
	_, err = do(cmd, "")
	return filepath.Join(dir, name), err
}
