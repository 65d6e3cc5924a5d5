package admin

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"os/exec"

	"golang.org/x/net/http/httpproxy"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/proc"
)

// host is the machine as connectors may see it, with the given environment.
func (e *engine) host(env []string) connector.Host {
	getenv := proc.World{Env: env}.Getenv
	return connector.Host{
		Now: e.world.Now, Getenv: getenv, Home: e.world.Getenv("HOME"),
		HTTP: &http.Transport{Proxy: proxyOf(getenv), ForceAttemptHTTP2: true, DisableKeepAlives: true},
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

// runProgram runs programs with an environment, for connector.Host.
func runProgram(env []string) func(context.Context, []byte, string, ...string) ([]byte, error) {
	return func(ctx context.Context, stdin []byte, program string, args ...string) ([]byte, error) {
		cmd := exec.CommandContext(ctx, program, args...)
		cmd.Env, cmd.Stdin = env, bytes.NewReader(stdin)
		return cmd.Output()
	}
}
