package main

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// stage is the temporary machine of the demo: a home of its own, and a PATH that has
// the three binaries and crane first.
type stage struct {
	ctx       context.Context
	dir, home string
	bin       string
	tools     string
	env       []string
	secrets   []string // must be in no file and in nothing that is printed
	audited   int      // lines of the audit log that were shown
	// passphrase protects the encrypted secrets. It reaches svcconn through a pipe,
	// so that the demo can claim that no secret is on disk.
	passphrase string
}

func newStage(ctx context.Context, bin string, secrets ...string) (*stage, error) {
	bin, err := filepath.Abs(bin)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "svcconn-demo-")
	if err != nil {
		return nil, err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	s := &stage{ctx: ctx, dir: dir, home: filepath.Join(dir, "home"), bin: bin, secrets: secrets,
		passphrase: "passphrase of the demo", tools: filepath.Join(cache, "svcconn-e2e", "demo")}
	s.env = []string{
		"HOME=" + s.home, "PATH=" + strings.Join([]string{bin, s.tools, os.Getenv("PATH")}, string(os.PathListSeparator)),
		"SVCCONN_CONFIG_DIR=" + filepath.Join(dir, "svcconn"), "SVCCONN_SECRETS=file", "NO_COLOR=1",
		"XDG_RUNTIME_DIR=" + filepath.Join(dir, "run"), "XDG_CONFIG_HOME=" + filepath.Join(dir, "home", ".config"),
	}
	return s, errors.Join(os.Mkdir(s.home, 0o700), os.MkdirAll(s.tools, 0o755))
}

// close stops the agent and removes everything.
func (s *stage) close() error {
	_ = s.command(context.Background(), "svcconn", "agent", "stop").Run()
	return os.RemoveAll(s.dir)
}

func (s *stage) title(text string) { fmt.Printf("\n── %s\n", text) }
func (s *stage) say(text string)   { fmt.Println("   " + text) }

func (s *stage) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	path := name
	for _, dir := range []string{s.bin, s.tools} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			path = filepath.Join(dir, name)
			break
		}
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env, cmd.Dir = s.env, s.dir
	return cmd
}

// show runs a command the way a person types it, and prints both.
func (s *stage) show(stdin, name string, args ...string) error {
	typed := strings.Join(append([]string{name}, args...), " ")
	if stdin != "" {
		typed = "printf %s \"$PASSWORD\" | " + typed
	}
	fmt.Println("   $ " + typed)
	var out bytes.Buffer
	cmd := s.command(s.ctx, name, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &out
	if name == "svcconn" {
		if err := s.unlockable(cmd); err != nil {
			return err
		}
	}
	err := cmd.Run()
	for line := range strings.Lines(out.String()) {
		fmt.Println("   " + strings.TrimRight(line, "\n"))
	}
	for _, hidden := range s.secrets {
		if strings.Contains(out.String(), hidden) {
			return fmt.Errorf("%s printed a secret", name)
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", typed, err)
	}
	return nil
}

// unlockable gives a command the passphrase in a pipe, as descriptor 3.
func (s *stage) unlockable(cmd *exec.Cmd) error {
	reader, writer, err := os.Pipe()
	if err != nil {
		return err
	}
	if _, err := writer.WriteString(s.passphrase); err != nil {
		return err
	}
	cmd.ExtraFiles = []*os.File{reader}
	cmd.Env = append(cmd.Env, "SVCCONN_PASSPHRASE_FILE=/dev/fd/3")
	return writer.Close()
}

// buildCrane builds the client, once a machine.
func (s *stage) buildCrane() error {
	if _, err := os.Stat(filepath.Join(s.tools, "crane")); err == nil {
		return nil
	}
	cmd := exec.CommandContext(s.ctx, "go", "install", "-trimpath", crane)
	cmd.Env = append(os.Environ(), "GOBIN="+s.tools, "CGO_ENABLED=0", "GOFLAGS=")
	cmd.Dir = s.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return nil
}

// buildSDK builds a program that uses AWS's SDK for Go, of this module.
func (s *stage) buildSDK() error {
	cmd := exec.CommandContext(s.ctx, "go", "build", "-trimpath", "-o", filepath.Join(s.tools, "awssdk"), "./e2e/awssdk")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return nil
}

// layer writes the contents of the image: one file.
func (s *stage) layer() (string, error) {
	var out bytes.Buffer
	archive := tar.NewWriter(&out)
	text := "pushed through docker-credential-svcconn\n"
	if err := archive.WriteHeader(&tar.Header{Name: "hello.txt", Mode: 0o644, Size: int64(len(text))}); err != nil {
		return "", err
	}
	if _, err := archive.Write([]byte(text)); err != nil {
		return "", err
	}
	if err := archive.Close(); err != nil {
		return "", err
	}
	path := filepath.Join(s.dir, "layer.tar")
	return path, os.WriteFile(path, out.Bytes(), 0o600)
}

// capture runs a command whose output is a secret, and shows what was typed alone.
func (s *stage) capture(name string, args ...string) (string, error) {
	fmt.Println("   $ " + strings.Join(append([]string{name}, args...), " "))
	var stdout, stderr bytes.Buffer
	cmd := s.command(s.ctx, name, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := s.unlockable(cmd); err != nil {
		return "", err
	}
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", name, err, &stderr)
	}
	s.secrets = append(s.secrets, strings.TrimSpace(stdout.String()))
	return strings.TrimSpace(stdout.String()), nil
}

// audit prints what is new in the audit log, a line each.
func (s *stage) audit() error {
	text, err := os.ReadFile(filepath.Join(s.dir, "svcconn", "state", "audit.jsonl"))
	if err != nil {
		return err
	}
	handed := 0
	lines := slices.Collect(strings.Lines(string(text)))
	fresh := lines[s.audited:]
	s.audited = len(lines)
	for _, line := range fresh {
		var r struct{ Time, Outcome, Connector, Binary, Parent, Error string }
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			return err
		}
		if r.Outcome == "handed-out" {
			handed++
		}
		if r.Parent != "" {
			r.Binary += " ← " + filepath.Base(r.Parent)
		}
		s.say(strings.TrimSpace(fmt.Sprintf("%.19s  %-10s  %-8s  %s %s", r.Time, r.Outcome, r.Connector, r.Binary, r.Error)))
	}
	if handed == 0 {
		return errors.New("nothing was handed out: the client did not use svcconn")
	}
	return nil
}

// search looks for the secrets in every file below the demo's folder.
func (s *stage) search() (files int, err error) {
	needles := []string{s.passphrase}
	for _, hidden := range s.secrets {
		encode := base64.StdEncoding.EncodeToString
		needles = append(needles, hidden, encode([]byte(hidden)), encode([]byte("demo:"+hidden)), url.QueryEscape(hidden))
	}
	err = filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		files++
		text, err := os.ReadFile(path)
		for _, needle := range needles {
			if err == nil && bytes.Contains(text, []byte(needle)) {
				return fmt.Errorf("a secret is in %s", path)
			}
		}
		return err
	})
	return files, err
}
