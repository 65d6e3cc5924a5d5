//go:build e2e && linux

package e2e

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// suite is what all tests share: made by TestMain before them, read-only after.
var suite struct {
	dir   string // removed at the end
	bin   string // the folder with the three binaries
	hello string // a static program for images
	inCI  bool   // a missing tool is a failure
}

// The programs under test.
var programs = []string{"svcconn", "docker-credential-svcconn", "kubectl-svcconn"}

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(runSuite(m))
}

func runSuite(m *testing.M) int {
	defer func() { os.RemoveAll(suite.dir) }()
	if err := prepare(); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	defer stopAWS()
	defer stopGoogle()
	defer stopEngine()
	defer stopClusters()
	code := m.Run()
	printSummary(os.Stdout)
	return code
}

func prepare() (err error) {
	if os.Geteuid() != 0 {
		return errors.New("these tests start a Docker engine and mount file systems: run them as root")
	}
	suite.inCI = os.Getenv("CI") == "true"
	if suite.dir, err = os.MkdirTemp("", "e2e"); err != nil {
		return err
	}
	suite.hello = filepath.Join(suite.dir, "hello")
	if err := goBuild("-o", suite.hello, "./testdata/hello"); err != nil {
		return err
	}
	suite.bin, err = findPrograms()
	return err
}

// findPrograms takes the folder of SVCCONN_BIN, else builds what is in the tree.
func findPrograms() (string, error) {
	if dir := os.Getenv("SVCCONN_BIN"); dir != "" {
		return filepath.Abs(dir)
	}
	dir := filepath.Join(suite.dir, "bin")
	return dir, buildPrograms(dir)
}

// buildPrograms builds the three binaries into dir with further flags.
func buildPrograms(dir string, flags ...string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	args := append([]string{"-trimpath", "-tags", "urfave_cli_no_docs", "-o", dir}, flags...)
	for _, program := range programs {
		args = append(args, "../cmd/"+program)
	}
	return goBuild(args...)
}

func goBuild(args ...string) error {
	cmd := exec.Command("go", append([]string{"build"}, args...)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %v: %w\n%s", args, err, out)
	}
	return nil
}
