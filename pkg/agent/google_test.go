package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/svcconn/svcconn/pkg/broker"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/secret"
	"github.com/svcconn/svcconn/pkg/wire"
)

// tokenService is a service that hands out access tokens, and the type that reaches it.
type tokenService struct {
	mints atomic.Int64
	asked atomic.Pointer[connector.Request]
	hang  atomic.Bool
}

type tokenSession struct {
	session
	service *tokenService
}

func (s tokenSession) Mint(ctx context.Context, r connector.Request) (connector.Credential, error) {
	s.service.mints.Add(1)
	s.service.asked.Store(&r)
	if s.service.hang.Load() {
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}
	if r.KeyFile {
		return keyFile, nil
	}
	return connector.AccessToken{Token: secret.New("ya29." + canary), Principal: "ci@acme", Expires: time.Now().Add(time.Hour)}, nil
}

// startTokens is an agent with a connector that hands out access tokens.
func startTokens(t *testing.T) (*agentWorld, *tokenService) {
	t.Helper()
	service := &tokenService{}
	kind := &connector.Type{
		Name: "tokens", Title: "t", Doc: "t",
		Methods: []connector.AuthMethod{{Name: "m", Title: "m", Doc: "m"}},
		Resources: []connector.ResourceType{{
			Name: "gcp-generic", Title: "g", Doc: "g", Default: func(field.Values) string { return "acme" },
			Parse: func(_ field.Values, name string) (string, error) { return name, nil },
		}},
		Open: func(_ connector.Host, settings connector.Settings) (connector.Session, error) {
			return tokenSession{session{settings}, service}, nil
		},
	}
	w := startTypes(t, "1.0.0", connector.NewTypes(append(types(), kind)...))
	if _, err := w.broker.Register(t.Context(), broker.Draft{Name: "prod", Spec: connector.Spec{Type: "tokens"}}, false); err != nil {
		t.Fatal(err)
	}
	return w, service
}

// answered reads what the executable prints.
func answered(t *testing.T, body string) executableAnswer {
	t.Helper()
	var out executableAnswer
	if err := json.Unmarshal([]byte(body), &out); err != nil || !strings.HasSuffix(body, "}\n") {
		t.Fatalf("%v: not one line of JSON", err)
	}
	return out
}

func TestGcloudGetsATokenFromTheAgent(t *testing.T) {
	t.Parallel()
	w, service := startTokens(t)
	address := openSomewhere(t, w.server.exchange)
	for range 3 {
		body, err := w.credential(wire.GoogleToken, wire.CredentialArgs{Format: FormatGoogle, Exchange: address, Left: 6 * time.Minute, ReadOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		answer := answered(t, body)
		left := time.Until(time.Unix(answer.Expires, 0))
		if answer.Version != 1 || !answer.Success || answer.TokenType != wire.SubjectTokenType || left < 50*time.Second || left > time.Minute || strings.Contains(body, canary) {
			t.Errorf("%+v", answer)
		}
		status, got := post(t, address, wire.ExchangePath, tokenForm(answer.Token))
		if life, _ := got["expires_in"].(float64); status != 200 || got["access_token"] != "ya29."+canary || life < 3500 || life > 3600 {
			t.Errorf("%d, good for %v seconds", status, got["expires_in"])
		}
		if _, got := post(t, address, wire.IntrospectPath, url.Values{"token": {"ya29." + canary}}); !strings.HasPrefix(got["username"].(string), "ci@acme (svcconn prod acme to read, ") {
			t.Errorf("%v", got)
		}
	}
	if service.mints.Load() != 1 || service.asked.Load().Access != connector.ReadOnly {
		t.Errorf("%d mints, the last for %+v", service.mints.Load(), service.asked.Load())
	}
	_, until := w.server.exchange.offer(googleToken1, "prod")
	if at := w.server.exitsAt(0); at.Before(until) {
		t.Errorf("the agent ends at %s, before an offer does at %s", at, until)
	}
	var status wire.Status
	if err := json.Unmarshal(w.mustCall(wire.AgentStatus, "").Data, &status); err != nil || len(status.Exchanges) != 1 || status.Exchanges[0] != address {
		t.Errorf("%v: %+v", err, status.Exchanges)
	}
	w.mustCall(wire.AgentStop, "")
	w.exited()
	if err := ExchangeIsFree(address); err != nil {
		t.Errorf("the port is not given up: %v", err)
	}
}

func TestGcloudIsToldWhatIsWrong(t *testing.T) {
	t.Parallel()
	w, service := startTokens(t)
	address := openSomewhere(t, w.server.exchange)
	w.register("team", dockerType, "registry.example.com")
	for name, tc := range map[string]struct {
		args wire.CredentialArgs
		want string
		kind fault.Kind
	}{
		"nobody":        {wire.CredentialArgs{Connector: "nobody", Exchange: address}, "nobody", fault.NotFound},
		"a login":       {wire.CredentialArgs{Connector: "team", Exchange: address}, "no access token of Google", fault.Invalid},
		"no exchange":   {wire.CredentialArgs{Connector: "prod"}, "neither 127.0.0.1:PORT", fault.Invalid},
		"the whole net": {wire.CredentialArgs{Connector: "prod", Exchange: "0.0.0.0:20000"}, "neither 127.0.0.1:PORT", fault.Invalid},
		"no port":       {wire.CredentialArgs{Connector: "prod", Exchange: "127.0.0.1:99999"}, "neither 127.0.0.1:PORT", fault.Invalid},
	} {
		answer, err := w.client(nil).Call(t.Context(), wire.GoogleToken, tc.args, secret.Text{})
		if !fault.Is(err, tc.kind) || !strings.Contains(err.Error(), tc.want) || !answer.Body.IsEmpty() {
			t.Errorf("%s: %v", name, err)
		}
	}
	service.hang.Store(true)
	if err := os.WriteFile(filepath.Join(w.dirs.Config, "config.toml"), []byte("[gcloud]\ntimeout = '50ms'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := w.credential(wire.GoogleToken, wire.CredentialArgs{Exchange: address}); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "still waiting for acme") {
		t.Errorf("%v: the slow hop is not named", err)
	}
}

// A child that answers one request is gone when the library comes for its token.
func TestWithoutAnAgentNothingIsExchanged(t *testing.T) {
	t.Parallel()
	w, service := startTokens(t)
	child := NewServer(w.broker, w.dirs, "1.0.0", 1, time.Now)
	args, err := json.Marshal(wire.CredentialArgs{Connector: "prod", Exchange: "127.0.0.1:20000"})
	if err != nil {
		t.Fatal(err)
	}
	var in, out bytes.Buffer
	if err := wire.Write(&in, wire.Request{Protocol: wire.Protocol, Op: wire.GoogleToken, Args: args}, secret.Text{}); err != nil {
		t.Fatal(err)
	}
	child.ServeConn(t.Context(), struct {
		io.Reader
		io.Writer
	}{&in, &out}, Peer{PID: os.Getpid()})
	var reply wire.Reply
	if _, err := wire.Read(&out, &reply); err != nil {
		t.Fatal(err)
	}
	failure := reply.Error.Fault()
	if !fault.Is(failure, fault.Invalid) || !strings.Contains(fault.HintOf(failure), "SVCCONN_AGENT=off") || service.mints.Load() != 0 {
		t.Errorf("%v, %d mints", failure, service.mints.Load())
	}
}

func TestAFailureIsAnAnswer(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		err  error
		want string
	}{
		{fault.New(fault.Denied, "connector prod: \"no\"\nat all").Hint("svcconn verify prod"), `{"version":1,"success":false,"code":"denied","message":"connector prod: \"no\" at all (svcconn verify prod)"}` + "\n"},
		{context.DeadlineExceeded, `{"version":1,"success":false,"code":"unavailable","message":"context deadline exceeded"}` + "\n"},
	} {
		if got := GoogleFailure(tc.err); got != tc.want {
			t.Errorf("%s, want %s", got, tc.want)
		}
	}
}

// The key itself is for who asks for it by its format, and for nobody else.
func TestOnlyTheKeyFileFormatAsksForTheKey(t *testing.T) {
	t.Parallel()
	w, service := startTokens(t)
	for _, format := range []string{FormatToken, FormatKeyFile, FormatJSON} {
		body, err := w.credential(wire.GetCredential, wire.CredentialArgs{Format: format})
		isKey := format == FormatKeyFile
		if err != nil || (body == keyFile.JSON.Reveal()) != isKey {
			t.Errorf("%s: %v, %d bytes", format, err, len(body))
		}
	}
	if service.mints.Load() != 2 {
		t.Errorf("%d mints, want 2: a key is not kept as a token", service.mints.Load())
	}
}
