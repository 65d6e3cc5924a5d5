package admin

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"os/exec"
	"slices"

	"golang.org/x/net/http/httpproxy"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/proc"
	"github.com/svcconn/svcconn/pkg/subprocess"
)

// host is the machine as connectors may see it, with the given environment.
func (e *engine) host(env []string) connector.Host {
	getenv := proc.World{Env: env}.Getenv
	return connector.Host{
		Now: e.world.Now, Getenv: getenv, Home: e.world.Getenv("HOME"),
		HTTP: &http.Transport{Proxy: proxyOf(getenv), ForceAttemptHTTP2: true, DisableKeepAlives: true},
		Run:  runProgram(env),
	}
}

// proxyOf reads the usual variables of an environment that need not be the process's.
func proxyOf(getenv func(string) string) func(*http.Request) (*url.URL, error) {
	either := func(upper, lower string) string {
		if value := getenv(upper); value != "" {
			return value
		}
		return getenv(lower)
	}
	config := httpproxy.Config{
		HTTPProxy:  either("HTTP_PROXY", "http_proxy"),
		HTTPSProxy: either("HTTPS_PROXY", "https_proxy"),
		NoProxy:    either("NO_PROXY", "no_proxy"),
		CGI:        getenv("REQUEST_METHOD") != "",
	}
	choose := config.ProxyFunc()
	return func(r *http.Request) (*url.URL, error) { return choose(r.URL) }
}

// maxOutput is more than any helper or plugin has to say, in bytes.
const maxOutput = 8 << 20

// runProgram runs programs with an environment, for connector.Host.
func runProgram(env []string) func(context.Context, connector.Command) (connector.Finished, error) {
	return func(ctx context.Context, c connector.Command) (connector.Finished, error) {
		cmd := subprocess.Command(ctx, c.Program, c.Args...)
		cmd.Env, cmd.Dir, cmd.Stdin = slices.Concat(env, c.Env), c.Dir, bytes.NewReader(c.Stdin)
		out, err := subprocess.Run(cmd, maxOutput)
		finished := connector.Finished{Stdout: out.Stdout, Stderr: out.Stderr}
		var exit *exec.ExitError
		switch {
		case ctx.Err() != nil:
			return finished, context.Cause(ctx)
		case errors.As(err, &exit):
			finished.Failure, err = exit.Error(), nil
		}
		return finished, err
	}
}
