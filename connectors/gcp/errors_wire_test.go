package gcp

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/hop"
	"github.com/svcconn/svcconn/pkg/proc"
	"github.com/svcconn/svcconn/pkg/secret"
)

const (
	wireToken  = "ya29.canary-Zq81_wire"
	wireSecret = "canary/+wire=secret"
)

// endpoints are the fields with the addresses of services.
var endpoints = []field.String{endpointStorage, endpointContainer, endpointRegistry, endpointCredentials, endpointSTS, endpointOAuth}

// wired are clients whose services are all at an address, "" being Google's own; calls are
// repeated without waiting.
func wired(t testing.TB, address string, change ...func(*connector.Host, *field.Values)) *clients {
	t.Helper()
	host := connector.Host{Now: proc.Real().Now, Getenv: func(string) string { return "" }, Home: t.TempDir(), HTTP: &http.Transport{}}
	var values field.Values
	values.Set(projectField.Name, ownProject)
	for _, f := range endpoints {
		if address != "" {
			values.Set(f.Name, address)
		}
	}
	values.SetSecret("some_json", secret.New(wireSecret))
	for _, change := range change {
		change(&host, &values)
	}
	c, err := newClients(host, values)
	if err != nil {
		t.Fatal(err)
	}
	return hasty(c)
}

// hasty are clients that do not wait before they ask again.
func hasty(c *clients) *clients {
	again, _ := c.http.Transport.(hop.Again)
	again.Pause = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	c.http.Transport = again
	return c
}

// asks puts a question to an API in the way that it is asked in: by JSON, or for tokens by
// x/oauth2.
func asks(ctx context.Context, c *clients, a api) error {
	if a.service == stsAPI.service || a.service == oauthAPI.service {
		config := clientcredentials.Config{ClientID: "id", ClientSecret: wireSecret, TokenURL: c.address(a) + "/token", AuthStyle: oauth2.AuthStyleInParams}
		_, err := c.fetch(ctx, a, config.Token, secret.New(wireSecret))
		return err
	}
	bearer := token{text: secret.New(wireToken), principal: "ci@acme-prod.iam.gserviceaccount.com"}
	path := "/v1/projects/acme-prod"
	if a.service == credentialsAPI.service {
		path = "/v1/projects/-/serviceAccounts/target@acme-prod.iam.gserviceaccount.com:generateAccessToken"
	}
	return c.ask(ctx, call{api: a, method: http.MethodPost, path: path, body: map[string]string{"a": "b"}, bearer: bearer}, &struct{}{})
}

// answeringAlways are the clients of a server that gives one answer to whatever is asked.
func answeringAlways(t *testing.T, status int, header http.Header, body string) *clients {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		for name, values := range header {
			w.Header()[name] = values
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	return wired(t, server.URL)
}

// says checks an error as a person sees it.
func says(t *testing.T, what string, err error, kind fault.Kind, text, hint string) {
	t.Helper()
	if err == nil {
		t.Fatalf("%s: no error", what)
	}
	if !fault.Is(err, kind) || !strings.Contains(err.Error(), text) || !strings.Contains(fault.HintOf(err), hint) {
		t.Errorf("%s: %q\n  %v\n  (hint: %s)", what, fault.KindOf(err), err, fault.HintOf(err))
	}
	shown := fmt.Sprintf("%v %+v %#v", err, err, err)
	if strings.Contains(shown+fault.HintOf(err), "canary") || strings.Contains(shown, "\n") || strings.ContainsAny(fault.HintOf(err), "{}") {
		t.Errorf("%s: it tells a secret, more than a line, or is unfinished: %s (hint: %s)", what, shown, fault.HintOf(err))
	}
}
