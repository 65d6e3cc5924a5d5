package docker

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/hop"
	"github.com/svcconn/svcconn/pkg/proc"
	"github.com/svcconn/svcconn/pkg/registrytest"
	"github.com/svcconn/svcconn/pkg/secret"
)

const (
	canary  = "canary-1c7e05/ad+9"
	refresh = "refresh-canary-3b8f"
)

// fields is what a test registers.
type fields struct {
	registry, username, password, authority string
	insecure                                bool
	http                                    http.RoundTripper
	pauses                                  *[]time.Duration // where not nil, retries wait for no time and are noted
}

func (f fields) session(t *testing.T) *session {
	t.Helper()
	s, err := f.open()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (f fields) open() (*session, error) {
	var values field.Values
	values.Set("username", f.username)
	values.SetSecret("password", secret.New(f.password))
	values.Set("registry", f.registry)
	values.Set("insecure", f.insecure)
	if f.authority != "" {
		values.Set("certificate_authority", f.authority)
	}
	settings, err := connector.Types{Type()}.Check(connector.Spec{Type: "docker", Values: values})
	if err != nil {
		return nil, err
	}
	host := connector.Host{Now: proc.Real().Now, Getenv: func(string) string { return "" }, HTTP: f.http}
	return openWith(host, settings, func(ctx context.Context, wait time.Duration) error {
		if f.pauses != nil {
			*f.pauses = append(*f.pauses, wait)
		}
		return ctx.Err()
	})
}

func start(t *testing.T, options registrytest.Options) *registrytest.Server {
	t.Helper()
	options.Users = map[string]registrytest.User{"ci": {Password: canary, IdentityToken: refresh}}
	return registrytest.Start(t, options)
}

func ci(registry string) fields { return fields{registry: registry, username: "ci", password: canary} }

func identityOf(registry string) fields {
	return fields{registry: registry, username: connector.IdentityTokenUser, password: refresh}
}

// refused checks kind, words and hint of an error, and that no secret is in it.
func refused(t *testing.T, err error, kind fault.Kind, words, hint string) {
	t.Helper()
	if !fault.Is(err, kind) || !strings.Contains(err.Error(), words) || !strings.Contains(fault.HintOf(err), hint) {
		t.Errorf("got %s %v\n(hint: %s)\nwant %s %q (hint: %q)", fault.KindOf(err), err, fault.HintOf(err), kind, words, hint)
	}
	if err != nil && (strings.Contains(err.Error(), canary) || strings.Contains(err.Error(), refresh)) {
		t.Errorf("the error shows the password: %v", err)
	}
}

func TestIdentity(t *testing.T) {
	t.Parallel()
	basic := start(t, registrytest.Options{Mode: registrytest.Basic})
	bearer := start(t, registrytest.Options{Mode: registrytest.Bearer})
	open := start(t, registrytest.Options{})
	secure := start(t, registrytest.Options{Mode: registrytest.Basic, TLS: true})
	careless := ci(secure.Host())
	careless.insecure = true
	careful := ci(secure.Host())
	careful.authority = secure.CertificateAuthority()
	for what, test := range map[string]struct {
		fields       fields
		name, detail string
	}{
		"basic":           {ci(basic.Host()), "ci", "HTTP basic authentication"},
		"bearer":          {ci(bearer.Host()), "ci", "logged in at token server " + bearer.Host() + " of registry " + bearer.Host() + ", issuer " + registrytest.Issuer},
		"identity token":  {identityOf(bearer.Host()), "ci", registrytest.Issuer},
		"no login wanted": {ci(open.Host()), "anonymous", "could not be confirmed"},
		"insecure":        {careless, "ci", "basic"},
		"own authority":   {careful, "ci", "basic"},
	} {
		identity, err := test.fields.session(t).Verify(t.Context())
		if err != nil || identity.Name != test.name || !strings.Contains(identity.Detail, test.detail) {
			t.Errorf("%s: %+v, %v", what, identity, err)
		}
	}
}

func TestDockerHub(t *testing.T) {
	t.Parallel()
	s := start(t, registrytest.Options{Mode: registrytest.Bearer, TLS: true, Realm: "https://auth.docker.io/token"})
	for _, f := range []fields{ci("https://index.docker.io/v1/"), identityOf("docker.io")} {
		f.http = s.Transport()
		s.Forget()
		if identity, err := f.session(t).Verify(t.Context()); err != nil || identity.Name != "ci" {
			t.Fatalf("%+v, %v", identity, err)
		}
		var hops []string
		for _, r := range s.Requests() {
			hops = append(hops, r.Host+r.Path)
		}
		if want := []string{"registry-1.docker.io/v2/", "auth.docker.io/token", "registry-1.docker.io/v2/"}; !slices.Equal(hops, want) {
			t.Errorf("asked %q, want %q", hops, want)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	basic := start(t, registrytest.Options{Mode: registrytest.Basic})
	bearer := start(t, registrytest.Options{Mode: registrytest.Bearer})
	wrong := func(f fields) fields { f.password = "wrong"; return f }
	nobody := func(f fields) fields { f.username = "nobody"; return f }
	for what, test := range map[string]struct {
		fields      fields
		words, hint string
	}{
		"basic, wrong password":           {wrong(ci(basic.Host())), "registry " + basic.Host() + " refuses: 401 Unauthorized: UNAUTHORIZED: authentication required", "access token"},
		"basic, unknown user":             {nobody(ci(basic.Host())), "refuses: 401", "user name and password"},
		"basic, identity token":           {identityOf(basic.Host()), "no token server", "user name of its own"},
		"bearer, wrong password":          {wrong(ci(bearer.Host())), "token server " + bearer.Host() + " of registry " + bearer.Host() + " refuses: 401 Unauthorized: incorrect username or password", "access token"},
		"bearer, unknown user":            {nobody(ci(bearer.Host())), "refuses: 401", "user name and password"},
		"bearer, wrong identity token":    {wrong(identityOf(bearer.Host())), "invalid_grant: the grant is unknown", "log in anew"},
		"bearer, password as a token":     {fields{registry: bearer.Host(), username: connector.IdentityTokenUser, password: canary}, "invalid_grant", "log in anew"},
		"bearer, a token as the password": {fields{registry: bearer.Host(), username: "ci", password: refresh}, "incorrect username", "access token"},
	} {
		t.Run(what, func(t *testing.T) {
			_, err := test.fields.session(t).Verify(t.Context())
			refused(t, err, fault.Denied, test.words, test.hint)
		})
	}
}

func TestNoAnonymousTokenForAnIdentityToken(t *testing.T) {
	t.Parallel()
	s := start(t, registrytest.Options{Mode: registrytest.Bearer, Public: "public/"})
	s.Inject(registrytest.Fault{At: registrytest.AtTokenServer, Status: http.StatusNotFound, Times: 1})
	_, err := identityOf(s.Host()).session(t).Verify(t.Context())
	refused(t, err, fault.Invalid, "takes no identity tokens", "password or access token")
}

func TestForbidden(t *testing.T) {
	t.Parallel()
	s := start(t, registrytest.Options{Mode: registrytest.Basic})
	s.Inject(registrytest.Fault{At: registrytest.AtRegistry, Status: 403, Body: `{"errors":[{"code":"DENIED","message":"not from there"}]}`})
	_, err := ci(s.Host()).session(t).Verify(t.Context())
	refused(t, err, fault.Denied, "403 Forbidden: DENIED: not from there", "")
}

func TestUnavailableNamesTheHop(t *testing.T) {
	t.Parallel()
	hang := func(at registrytest.Hop) (fields, string) {
		s := start(t, registrytest.Options{Mode: registrytest.Bearer, SeparateTokenServer: true})
		s.Inject(registrytest.Fault{At: at, Hang: true})
		if at == registrytest.AtTokenServer {
			return ci(s.Host()), "token server " + s.TokenHost() + " of registry " + s.Host() + " did not answer in time"
		}
		return ci(s.Host()), "registry " + s.Host() + " did not answer in time"
	}
	for _, at := range []registrytest.Hop{registrytest.AtRegistry, registrytest.AtTokenServer} {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		f, words := hang(at)
		_, err := f.session(t).Verify(ctx)
		cancel()
		refused(t, err, fault.Unavailable, words, "")
	}
	gone := start(t, registrytest.Options{Mode: registrytest.Bearer, Realm: "http://127.0.0.1:1/token"})
	_, err := ci(gone.Host()).session(t).Verify(t.Context())
	refused(t, err, fault.Unavailable, "token server 127.0.0.1:1 of registry "+gone.Host()+" cannot be reached: dial tcp 127.0.0.1:1", "network and proxy")
}

// A service that is too busy stays that, when the caller's time is up; a caller who has
// gone is told that.
func TestTimeUpWhileWaiting(t *testing.T) {
	t.Parallel()
	for cause, kind := range map[error]fault.Kind{context.DeadlineExceeded: fault.Unavailable, context.Canceled: fault.Interrupted} {
		s := start(t, registrytest.Options{Mode: registrytest.Basic})
		s.Inject(registrytest.Fault{At: registrytest.AtRegistry, Status: 503})
		session := ci(s.Host()).session(t)
		busy := session.transport.(hop.Again)
		busy.Pause = func(context.Context, time.Duration) error { return cause }
		session.transport = busy
		_, err := session.Verify(t.Context())
		if !fault.Is(err, kind) || s.Count(registrytest.AtRegistry) != 1 {
			t.Errorf("%v: %v, %d requests", cause, err, s.Count(registrytest.AtRegistry))
		}
		if kind == fault.Unavailable {
			refused(t, err, kind, "out of order: 503", "try again")
		}
	}
}
