package gcptest

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/svcconn/svcconn/pkg/faketest"
)

// machines are the virtual machines that have a metadata server. Server.mu guards them.
type machines struct {
	at   map[string]*machine // by host:port
	last *machine            // whose metadata server the proxy's hosts are
}

func newMachines() machines { return machines{at: map[string]*machine{}} }

// machine is a virtual machine that runs as a service account.
type machine struct {
	account *ServiceAccount
	tokens  map[string]*accessToken // at hand, by scopes
}

// Metadata starts the metadata server of a machine that runs as the account, and returns
// its address, a GCE_METADATA_HOST: 127.0.0.1:PORT. The proxy's host
// metadata.google.internal is the one that was started last. It is "" where no port is
// free.
func (s *Server) Metadata(account *ServiceAccount) (host string) {
	m := &machine{account: account, tokens: map[string]*accessToken{}}
	address, err := s.listens.Listen(s.Handler())
	if err != nil {
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.machines.at[address], s.machines.last = m, m
	return address
}

// metadataService is the metadata server.
// https://cloud.google.com/compute/docs/metadata/querying-metadata
func metadataService() *service {
	return &service{
		name: "metadata", hosts: func(h googleHost) bool { return h.name == metadataHost || h.name == metadataIP },
		fail: failMetadata,
		operations: []operation{
			{method: http.MethodGet, path: "/", action: "ping", public: true, run: guarded(pingMetadata)},
			{method: http.MethodGet, path: metadataRoot + "{path...}", action: "get", public: true, refine: metadataAction, run: guarded(getMetadata)},
		},
	}
}

const (
	metadataRoot = "/computeMetadata/v1/"
	flavorHeader = "Metadata-Flavor"
	// metadataAhead is how long before its end a token is replaced.
	metadataAhead = 5 * time.Minute
	metadataZone  = "europe-west1-b"
)

// failMetadata words an error as the metadata server does.
func failMetadata(_ *request, e *apiError) answer {
	out := answer{status: e.status, header: contentType("text/html; charset=UTF-8"), body: []byte("<!DOCTYPE html><title>Error</title>" + e.message + "\n")}
	return out.with(flavorHeader, "Google")
}

// guarded refuses whoever did not mean the metadata server, or is not on the machine.
func guarded(run func(*request, *machine) (answer, error)) func(*request) (answer, error) {
	return func(r *request) (answer, error) {
		m := r.server.machines.at[r.Host]
		if host := faketest.BareHost(r.Host); host == metadataHost || host == metadataIP {
			m = r.server.machines.last
		}
		switch {
		case m == nil:
			return answer{}, notFound("There is no machine here.")
		case r.Header.Get("X-Forwarded-For") != "":
			return answer{}, &apiError{status: http.StatusForbidden, code: "PERMISSION_DENIED", message: "Requests through a proxy are refused."}
		case r.Header.Get(flavorHeader) != "Google":
			return answer{}, &apiError{status: http.StatusForbidden, code: "PERMISSION_DENIED", message: "Missing Metadata-Flavor:Google header."}
		}
		r.subject = m.account.principal()
		out, err := run(r, m)
		return out.with(flavorHeader, "Google"), err
	}
}

func pingMetadata(*request, *machine) (answer, error) {
	return answerText("application/text", "computeMetadata/\n")
}

// metadataAction is the last part of what is asked for: token, email, project-id …
func metadataAction(r *request) string {
	parts := strings.Split(strings.TrimRight(r.vars["path"], "/"), "/")
	return parts[len(parts)-1]
}

// getMetadata answers with a value, as text unless JSON is asked for, or with a folder.
func getMetadata(r *request, m *machine) (answer, error) {
	if name, ok := strings.CutPrefix(r.vars["path"], "instance/service-accounts/"); ok {
		return m.ofAccount(r, name)
	}
	project := m.account.project
	value, ok := map[string]string{
		"project/project-id": project.id, "project/numeric-project-id": project.number, "universe/universe-domain": defaultUniverse,
		"instance/zone": "projects/" + project.number + "/zones/" + metadataZone, "instance/service-accounts": "default/\n" + m.account.email + "/\n",
	}[strings.TrimRight(r.vars["path"], "/")]
	if !ok {
		return answer{}, notFound("The requested URL %s was not found on this server.", r.URL.Path)
	}
	return r.metadataText(value)
}

func (r *request) metadataText(value string) (answer, error) {
	if r.form.Get("alt") == "json" {
		return answerJSON(value)
	}
	return answerText("application/text", value)
}

// ofAccount answers for what is below instance/service-accounts: default, or the account's
// address, and what of it.
func (m *machine) ofAccount(r *request, path string) (answer, error) {
	name, what, _ := strings.Cut(path, "/")
	if name == "" {
		return r.metadataText("default/\n" + m.account.email + "/\n")
	}
	if name != "default" && name != m.account.email {
		return answer{}, notFound("The requested URL %s was not found on this server.", r.URL.Path)
	}
	scopes := []string{scopeCloudPlatform, scopeEmail}
	switch strings.TrimRight(what, "/") {
	case "":
		if r.form.Get("recursive") != "true" {
			return r.metadataText("aliases\nemail\nidentity\nscopes\ntoken\n")
		}
		return answerJSON(map[string]any{"aliases": []string{"default"}, "email": m.account.email, "scopes": scopes})
	case "email":
		return r.metadataText(m.account.email)
	case "aliases":
		return r.metadataText("default\n")
	case "scopes":
		return r.metadataText(strings.Join(scopes, "\n") + "\n")
	case "token":
		return m.token(r, scopes)
	case "identity":
		return m.identity(r)
	}
	return answer{}, notFound("The requested URL %s was not found on this server.", r.URL.Path)
}

// identity answers with an ID token of the account.
func (m *machine) identity(r *request) (answer, error) {
	audience := r.form.Get("audience")
	if audience == "" {
		return answer{}, invalid("non-empty audience parameter required")
	}
	text, err := r.idToken(m.account.principal(), audience, r.form.Get("format") == "full")
	if err != nil {
		return answer{}, err
	}
	return answerText("text/html", text)
}

// token answers with the account's token: the one at hand until shortly before its end.
func (m *machine) token(r *request, all []string) (answer, error) {
	scopes := all
	if asked := r.form.Get("scopes"); asked != "" {
		var err error
		if scopes, err = readScopes(strings.ReplaceAll(asked, ",", " ")); err != nil {
			return answer{}, err
		}
	}
	if m.account.disabled {
		return answer{}, notFound("The service account is disabled.")
	}
	slices.Sort(scopes)
	key := strings.Join(scopes, " ")
	t := m.tokens[key]
	if t == nil || !t.liveAt(r.now.Add(metadataAhead)) {
		t = r.server.issue(accountPrefix, accessLifetime, accessToken{who: m.account.principal(), scopes: scopes, client: m.account.uniqueID()})
		m.tokens[key] = t
	}
	return answerJSON(map[string]any{"access_token": t.text, "expires_in": int(t.expires.Sub(r.now).Seconds()), "token_type": "Bearer"})
}
