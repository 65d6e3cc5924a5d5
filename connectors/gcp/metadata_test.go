package gcp

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/svcconn/svcconn/pkg/fault"
)

// metadataFields are those of a connector of a machine.
func metadataFields(host string) fields {
	return fields{"credential_source": sourceMetadata, "metadata_host": host, "project_id": ownProject}
}

func TestMetadata(t *testing.T) {
	t.Parallel()
	w := newAuthWorld(t)
	account := w.project.ServiceAccount("vm")
	s := w.session(methodImplicit, metadataFields(w.Metadata(account)))
	got := must(s.tokenFor(t.Context(), purpose{}))(t)
	if name, ok := w.TokenInfo(got.text.Reveal()); !ok || name != account.Email() || got.principal != account.Email() {
		t.Errorf("it is a token of %q (%t), said to be of %q", name, ok, got.principal)
	}
	lasts(t, got, time.Hour)
	who := must(s.Verify(t.Context()))(t)
	if who.Name != account.Email() {
		t.Errorf("%+v", who)
	}
	if learned := s.source.(learning).learned(who.Name); learned["principal"] != account.Email() {
		t.Errorf("it learned %v", learned)
	}
	// One question for the token, one for the address of the account.
	if n := w.Count("metadata", ""); n != 2 {
		t.Errorf("the metadata server was asked %d times", n)
	}
	// Narrower tokens are asked for where they do.
	narrow := must(s.tokenFor(t.Context(), purpose{scope: scopeStorageRead + " " + scopeStorageWrite}))(t)
	if narrow.text.Equal(got.text) {
		t.Error("the scopes were not asked for")
	}
}

// TestMetadataServersThatAreNone: an answer without the header is of something else.
func TestMetadataServersThatAreNone(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answer func(http.ResponseWriter)
		kind   fault.Kind
		words  []string
	}{
		"something else": {func(rw http.ResponseWriter) { _, _ = fmt.Fprint(rw, planted) }, fault.Invalid, []string{"is something else", "Metadata-Flavor"}},
		"no account":     {flavored(http.StatusNotFound, "not found"), fault.Denied, []string{"this machine has no service account"}},
		"forbidden":      {flavored(http.StatusForbidden, "denied by policy"), fault.Denied, []string{"403 Forbidden: denied by policy"}},
		"out of order":   {flavored(http.StatusInternalServerError, ""), fault.Unavailable, []string{"500 Internal Server Error"}},
		"no JSON":        {flavored(http.StatusOK, planted), fault.Failed, []string{"no token with an end"}},
		"no end":         {flavored(http.StatusOK, `{"access_token":"`+planted+`"}`), fault.Failed, []string{"no token with an end"}},
		"ended":          {flavored(http.StatusOK, `{"access_token":"`+planted+`","expires_in":-1}`), fault.Failed, []string{"no token with an end"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Metadata-Flavor") != "Google" || !strings.HasPrefix(r.URL.Path, "/computeMetadata/v1/") {
					t.Errorf("it asks %s with %v", r.URL, r.Header)
				}
				test.answer(rw)
			}))
			defer server.Close()
			host := newClosedHost(t)
			host.HTTP = nil
			opened := must(open(host, must(metadataFields(strings.TrimPrefix(server.URL, "http://")).settings(methodImplicit))(t)))(t)
			_, err := opened.(*session).tokenFor(t.Context(), purpose{})
			failsAs(t, err, test.kind, append(test.words, "metadata server at 127.0.0.1"), planted)
			if fault.HintOf(err) == "" {
				t.Errorf("no hint: %v", err)
			}
		})
	}
}

func flavored(status int, body string) func(http.ResponseWriter) {
	return func(rw http.ResponseWriter) {
		rw.Header().Set("Metadata-Flavor", "Google")
		rw.WriteHeader(status)
		_, _ = fmt.Fprint(rw, body)
	}
}

// TestMetadataIsAskedWithoutProxy: it would see the token in plain text.
func TestMetadataIsAskedWithoutProxy(t *testing.T) {
	t.Parallel()
	w := newAuthWorld(t)
	host := w.Metadata(w.project.ServiceAccount("vm"))
	if s := w.session(methodImplicit, metadataFields(host)); must(s.tokenFor(t.Context(), purpose{}))(t).text.IsEmpty() {
		t.Error("there is no token")
	}
}

func TestMetadataHosts(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"169.254.169.254": "169.254.169.254", "http://metadata.google.internal/": "metadata.google.internal", "127.0.0.1:8080": "127.0.0.1:8080",
		"[fd20:ce::254]": "[fd20:ce::254]", "localhost:1": "localhost:1",
	} {
		if got, err := checkMetadataHost(text); err != nil || got != want {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"metadata.google.internal.evil.tld", "evil.tld", "https://metadata.google.internal", "169.254.169.254/x", "me@169.254.169.254", "", "a b", "10.0.0.1", "169.254.169.254?x", "[::", "127.0.0.1:x",
	} {
		if got, err := checkMetadataHost(text); !fault.Is(err, fault.Invalid) || fault.HintOf(err) == "" {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
}
