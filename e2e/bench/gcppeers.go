package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/svcconn/svcconn/connectors/gcp/gcptest"
)

// gcrHelper is the helper that Google's users have without gcloud.
const gcrHelper = "github.com/GoogleCloudPlatform/docker-credential-gcr/v2@v2.2.1"

// besideGoogle times what is kept beside Google's own programs, with theirs kept.
func besideGoogle(ctx context.Context, c *cloud, server *gcptest.Server, runs int) error {
	if _, err := do(c.command(ctx, "svcconn", "login", "docker", artifactRegistry, "--connector", gcpName(0)), ""); err != nil {
		return err
	}
	empty, err := emptyProgram(ctx)
	if err != nil {
		return err
	}
	env, err := googleEnv(c, server)
	if err != nil {
		return err
	}
	docker, err := dockerPeers(ctx, env)
	if err != nil {
		return err
	}
	get := &timed{name: "docker-credential-svcconn get", path: filepath.Join(c.bin, "docker-credential-svcconn"), args: []string{"get"}, env: c.env, stdin: artifactRegistry}
	if err := beside(ctx, runs, get, append(docker, &timed{name: floorName, path: empty, env: c.env})...); err != nil {
		return err
	}
	plugin := &timed{name: "kubectl-svcconn credential", path: filepath.Join(c.bin, "kubectl-svcconn"), env: append(slices.Clone(c.env), bareInfo),
		args: []string{"credential", "--connector", gcpName(0), "--cluster", "cluster-0"}}
	return beside(ctx, runs, plugin, append(present(timed{name: "gke-gcloud-auth-plugin", env: env}), &timed{name: floorName, path: empty, env: c.env})...)
}

const floorName = "an empty Go program"

// bareInfo is what kubectl says without provideClusterInfo.
const bareInfo = `KUBERNETES_EXEC_INFO={"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1","spec":{"interactive":false}}`

// googleEnv is the set-up of Google's programs: a key, a kubeconfig for the plugin to keep
// its token beside, and the way to the fake.
func googleEnv(c *cloud, server *gcptest.Server) ([]string, error) {
	home := filepath.Join(c.dir, "google")
	path := func(name string) string { return filepath.Join(home, name) }
	if err := os.MkdirAll(home, 0o700); err != nil {
		return nil, err
	}
	for name, text := range map[string]string{
		"key.json": server.Project(projectID(0)).ServiceAccount("bench").Key(), "ca.pem": server.CertificateAuthority(),
		"kubeconfig": `{"apiVersion":"v1","kind":"Config","current-context":"bench"}`,
	} {
		if err := os.WriteFile(path(name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "GOOGLE_APPLICATION_CREDENTIALS=" + path("key.json"), "KUBECONFIG=" + path("kubeconfig"),
		"HTTPS_PROXY=" + server.ProxyURL(), "SSL_CERT_FILE=" + path("ca.pem"), "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE=" + path("ca.pem"),
		"CLOUDSDK_CORE_CHECK_GCE_METADATA=false", "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING=true", bareInfo,
	}, nil
}

// dockerPeers are Google's two helpers, logged in with the key; gcloud's where it is.
func dockerPeers(ctx context.Context, env []string) ([]*timed, error) {
	gcr, err := peer(ctx, gcrHelper)
	if err != nil {
		return nil, err
	}
	logins := [][]string{{gcr, "config", "--token-source=env"}}
	if gcloud, err := exec.LookPath("gcloud"); err == nil {
		logins = append(logins, []string{gcloud, "auth", "activate-service-account", "--quiet", "--key-file=" + lookup(env, "GOOGLE_APPLICATION_CREDENTIALS")})
	}
	for _, argv := range logins {
		cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
		cmd.Env = env
		if _, err := do(cmd, ""); err != nil {
			return nil, err
		}
	}
	return append(present(timed{name: "docker-credential-gcloud", args: []string{"get"}, env: env, stdin: artifactRegistry}),
		&timed{name: "docker-credential-gcr", path: gcr, args: []string{"get"}, env: env, stdin: artifactRegistry}), nil
}

// lookup is the value of a variable.
func lookup(env []string, name string) string {
	for _, kv := range env {
		if len(kv) > len(name) && kv[:len(name)+1] == name+"=" {
			return kv[len(name)+1:]
		}
	}
	return ""
}

// present is a program, where it is in PATH.
func present(program timed) []*timed {
	var err error
	if program.path, err = exec.LookPath(program.name); err != nil {
		return nil
	}
	return []*timed{&program}
}

// beside times ours in turns with each of the others, slow ones less often. The first run
// of each gets the token, which is kept then.
func beside(ctx context.Context, runs int, ours *timed, others ...*timed) error {
	for _, other := range others {
		if err := other.once(ctx); err != nil {
			return err
		}
		other.times, ours.times = nil, nil
		if err := inTurns(ctx, 1, other); err != nil {
			return err
		}
		times := runs
		if other.median() > 50*time.Millisecond {
			times = min(runs, slowRuns)
		}
		if err := inTurns(ctx, times, ours, other); err != nil {
			return err
		}
		aim := ""
		if other.name == floorName {
			aim = "aim: at most 1.5"
		}
		report(fmt.Sprintf("%s, warm (%s), to %s (%s)", ours.name, ours.median().Round(10*time.Microsecond), other.name, other.median().Round(10*time.Microsecond)), "%.3f x", paired(ours, other), aim)
	}
	return nil
}
