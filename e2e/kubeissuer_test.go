//go:build e2e && linux

package e2e

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/svcconn/svcconn/pkg/oidctest"
)

// issuers are the OpenID Connect issuers that the API server trusts, each for one
// test at a time, since how they behave is changed for all who use them.
type issuers struct {
	all  []*oidctest.Server
	free chan *oidctest.Server
}

// startIssuers starts issuers for the life of the test run. Kubernetes takes https
// alone.
func startIssuers(n int) (*issuers, error) {
	pool := &issuers{free: make(chan *oidctest.Server, n)}
	for range n {
		issuer, err := oidctest.New(oidctest.Options{TLS: true, ES256: true, Behaviour: wellBehaved()})
		if err != nil {
			return nil, err
		}
		pool.all = append(pool.all, issuer)
		pool.free <- issuer
	}
	return pool, nil
}

// wellBehaved logs jane in, who is one of the readers.
func wellBehaved() oidctest.Behaviour {
	return oidctest.Behaviour{Claims: map[string]any{"groups": []string{readers}}}
}

// jane is whom the API server takes the issuers' default subject for.
const jane = "oidc:jane"

// authenticationConfiguration has the API server trust the issuers, beside its other
// ways in.
func (p *issuers) authenticationConfiguration() string {
	var authenticators []object
	for _, issuer := range p.all {
		authenticators = append(authenticators, object{
			"issuer": object{"url": issuer.URL(), "certificateAuthority": issuer.CertificateAuthority(), "audiences": []string{oidctest.DefaultClient}},
			"claimMappings": object{
				"username": object{"claim": "sub", "prefix": "oidc:"},
				"groups":   object{"claim": "groups", "prefix": ""},
			},
		})
	}
	text, _ := json.Marshal(object{"apiVersion": "apiserver.config.k8s.io/v1", "kind": "AuthenticationConfiguration", "jwt": authenticators})
	return string(text)
}

// useIssuer takes an issuer for the test, which may change how it behaves.
func (c *cluster) useIssuer(t *testing.T) *oidctest.Server {
	t.Helper()
	issuer := <-c.issuers.free
	t.Cleanup(func() {
		issuer.Behave(func(b *oidctest.Behaviour) { *b = wellBehaved() })
		issuer.Revoke()
		c.issuers.free <- issuer
	})
	return issuer
}

// careless is a browser's or client's transport that takes any certificate: that the
// certificates are right is what the programs under test have to see.
var careless = &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}

// browser follows an address as a person's browser does, with all redirects, and
// returns the page that it ends at.
func browser(t *testing.T, by http.RoundTripper, address string) string {
	t.Helper()
	client := &http.Client{Timeout: 20 * time.Second, Transport: by}
	resp, err := client.Get(address)
	must(t, err)
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	must(t, err)
	return string(page)
}

// signedIn is what an issuer gives somebody who has logged in.
type signedIn struct {
	IDToken      string `json:"id_token"`
	RefreshToken string `json:"refresh_token"`
}

// signIn logs in by the authorization code flow, without our programs.
func signIn(t *testing.T, issuer *oidctest.Server) signedIn {
	t.Helper()
	const verifier = "a-verifier-that-is-long-enough-for-the-standard"
	sum := sha256.Sum256([]byte(verifier))
	client := &http.Client{Transport: careless, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	form := url.Values{
		"response_type": {"code"}, "client_id": {oidctest.DefaultClient}, "redirect_uri": {"http://127.0.0.1:1/"}, "scope": {"openid offline_access"},
		"state": {strings.Repeat("s", 16)}, "nonce": {strings.Repeat("n", 16)},
		"code_challenge_method": {"S256"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])},
	}
	resp, err := client.Get(issuer.URL() + string(oidctest.Authorization) + "?" + form.Encode())
	must(t, err)
	resp.Body.Close()
	back, err := resp.Location()
	must(t, err)
	resp, err = client.PostForm(issuer.URL()+string(oidctest.Token), url.Values{
		"grant_type": {"authorization_code"}, "client_id": {oidctest.DefaultClient}, "redirect_uri": {"http://127.0.0.1:1/"},
		"code": {back.Query().Get("code")}, "code_verifier": {verifier},
	})
	must(t, err)
	defer resp.Body.Close()
	var answer signedIn
	must(t, json.NewDecoder(resp.Body).Decode(&answer))
	return answer
}
