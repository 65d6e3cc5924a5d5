package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

// iamAuthenticator is the plugin that EKS's users had before aws eks get-token.
const iamAuthenticator = "sigs.k8s.io/aws-iam-authenticator/cmd/aws-iam-authenticator@v0.6.13"

// slowPlugin stands in for a vendor's plugin of 100 ms that is wrapped by auth method
// exec: most take longer.
const slowPlugin = `#!/bin/sh
sleep 0.1
printf '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"expirationTimestamp":"%s","token":"bench-token"}}' "$(date -u -d '+1 hour' +%Y-%m-%dT%H:%M:%SZ)"
`

const execInfo = `KUBERNETES_EXEC_INFO={"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"cluster":{"server":"https://kube.example.com","config":null},"interactive":false}}`

// slowRuns bounds how often what takes long is timed.
const slowRuns = 20

// kubectlPlugin prepares a cluster whose credentials the slow plugin mints.
func (w *world) kubectlPlugin(ctx context.Context) (*timed, error) {
	path := filepath.Join(w.dir, "slow-plugin")
	if err := os.WriteFile(path, []byte(slowPlugin), 0o700); err != nil {
		return nil, err
	}
	_, err := do(w.command(ctx, "svcconn", "register", "cluster", "--type", "kubernetes", "--auth-method", "exec", "--no-verify",
		"--set", "cluster_name=bench", "--set", "server=https://kube.example.com", "--set", "command="+path), "")
	return &timed{name: "the plugin alone", path: path, env: append(w.env, execInfo)}, err
}

// warmKubectl times `credential` of a kept credential beside the floor, the plugin that
// it keeps the answer of, and the plugins of EKS.
func warmKubectl(ctx context.Context, w *world, runs int) error {
	plugin, err := w.kubectlPlugin(ctx)
	if err != nil {
		return err
	}
	empty, err := emptyProgram(ctx)
	if err != nil {
		return err
	}
	authenticator, err := peer(ctx, iamAuthenticator)
	if err != nil {
		return err
	}
	aws := append([]string{"AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY=bench", "AWS_REGION=us-east-1", execInfo}, w.env...)
	named := &timed{name: "svcconn", path: filepath.Join(w.bin, "kubectl-svcconn"), args: []string{"credential", "--connector", "cluster"}, env: append(w.env, execInfo)}
	located := &timed{name: "svcconn by server", path: named.path, args: []string{"credential"}, env: named.env}
	floor := &timed{name: "empty", path: empty, env: named.env}
	iam := &timed{name: "aws-iam-authenticator token", path: authenticator, args: []string{"token", "-i", "bench"}, env: aws}
	if err := inTurns(ctx, runs, named, floor, located); err != nil {
		return err
	}
	report("kubectl-svcconn credential, warm, median", "%s", named.median().Round(10*time.Microsecond), "")
	report("  to an empty Go program, median of pairs", "%.2f x", paired(named, floor), "aim: at most 1.5")
	report("  without flags (provideClusterInfo), to an empty Go program", "%.2f x", paired(located, floor), "aim: at most 1.5")
	slow := []*timed{named, plugin, iam}
	if get, ok := eksGetToken(ctx, aws); ok {
		slow = append(slow, get)
	}
	if err := inTurns(ctx, min(runs, slowRuns), slow...); err != nil {
		return err
	}
	for _, other := range slow[1:] {
		report("  to "+other.name+fmt.Sprintf(" (%s)", other.median().Round(time.Millisecond)), "%.3f x", paired(named, other), "")
	}
	return nil
}

// eksGetToken is the AWS CLI, where there is one that works.
func eksGetToken(ctx context.Context, env []string) (*timed, bool) {
	path, err := exec.LookPath("aws")
	if err != nil {
		return nil, false
	}
	get := &timed{name: "aws eks get-token", path: path, args: []string{"eks", "get-token", "--cluster-name", "bench"}, env: env}
	return get, get.once(ctx) == nil
}

// kubectlStampede has the plugins of 300 commands ask at once for a cluster that nobody
// asked for before. Each has a parent of its own, as those of 300 kubectl have.
func kubectlStampede(ctx context.Context, w *world, _ int) error {
	if _, err := do(w.command(ctx, "svcconn", "agent", "forget"), ""); err != nil {
		return err
	}
	before, err := w.minted()
	if err != nil {
		return err
	}
	if err := atOnce(300, func() error {
		cmd := exec.CommandContext(ctx, "/bin/sh", "-c", "kubectl-svcconn credential --connector cluster || exit 1; :")
		cmd.Env = append(slices.Clone(w.env), execInfo)
		_, err := do(cmd, "")
		return err
	}); err != nil {
		return err
	}
	after, err := w.minted()
	report("mints for 300 concurrent kubectl-svcconn credential", "%d", after-before, "must be 1")
	return err
}
