package kubernetes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/hop"
	"github.com/svcconn/svcconn/pkg/secret"
)

// issuer is what an OpenID Connect issuer says of itself.
type issuer struct {
	provider *oidc.Provider
	endpoint oauth2.Endpoint
	ctx      context.Context // carries the HTTP client for both libraries
}

// issuerClient talks to an issuer and nobody else. What is sent by POST is secret, and
// goes nowhere else whatever the answer says.
func issuerClient(base http.RoundTripper, certificates string) (*http.Client, error) {
	if base == nil {
		base = http.DefaultTransport
	}
	if certificates != "" {
		trusting, err := trusting(base, certificates, false)
		if err != nil {
			return nil, err
		}
		base = trusting
	}
	return &http.Client{
		Transport: bounded{base},
		Timeout:   patience,
		CheckRedirect: func(_ *http.Request, before []*http.Request) error {
			if before[0].Method != http.MethodGet || len(before) > 5 {
				return http.ErrUseLastResponse
			}
			return nil
		},
	}, nil
}

// bounded refuses plain HTTP to other machines, wherever a document or redirect leads,
// and answers without end.
type bounded struct{ inner http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	if !secure(r.URL) {
		return nil, fault.New(fault.Failed, "it leads to %s, which is not reached by https", hop.OneLine(r.URL.Host))
	}
	response, err := b.inner.RoundTrip(r)
	if err == nil {
		response.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(response.Body, maxBody), response.Body}
	}
	return response, err
}

// discover reads the issuer's own description of itself.
func (o *oidcLogin) discover(ctx context.Context) (*issuer, error) {
	ctx = oidc.ClientContext(ctx, o.http)
	provider, err := oidc.NewProvider(ctx, oidcIssuer.Get(o.values))
	if err != nil {
		return nil, o.undiscovered(ctx, err)
	}
	var says struct {
		Methods []string `json:"token_endpoint_auth_methods_supported"`
	}
	if err := provider.Claims(&says); err != nil {
		return nil, fault.New(fault.Failed, "the discovery document of %s is malformed", o.hop())
	}
	i := &issuer{provider: provider, endpoint: provider.Endpoint(), ctx: ctx}
	for _, at := range []string{i.endpoint.TokenURL, i.endpoint.AuthURL, i.endpoint.DeviceAuthURL} {
		if u, err := url.Parse(at); at != "" && (err != nil || !secure(u) || u.Host == "") {
			return nil, fault.New(fault.Failed, "the discovery document of %s names the endpoint %q, which is not reached by https", o.hop(), hop.OneLine(at))
		}
	}
	if i.endpoint.TokenURL == "" {
		return nil, fault.New(fault.Failed, "the discovery document of %s names no token endpoint", o.hop())
	}
	i.endpoint.AuthStyle = o.authStyle(says.Methods)
	return i, nil
}

// authStyle is how the client says who it is. It is never found out by trying, as the
// library would: a second try with a refresh token that is good for one use revokes it.
func (o *oidcLogin) authStyle(methods []string) oauth2.AuthStyle {
	switch {
	case oidcClientSecret.Get(o.values).IsEmpty():
		return oauth2.AuthStyleInParams
	case slices.Contains(methods, "client_secret_post") && !slices.Contains(methods, "client_secret_basic"):
		return oauth2.AuthStyleInParams
	}
	return oauth2.AuthStyleInHeader
}

func (o *oidcLogin) undiscovered(ctx context.Context, err error) error {
	var mismatch *oidc.IssuerMismatchError
	var transport *url.Error
	switch {
	case errors.As(err, &mismatch):
		return fault.New(fault.Invalid, "the issuer at %s calls itself %s", mismatch.Provided, hop.OneLine(mismatch.Discovered)).
			Hint("if that is whom the API server trusts: --set issuer_url=%s", hop.OneLine(mismatch.Discovered))
	case errors.As(err, &transport) || ctx.Err() != nil:
		return o.silent(ctx, err)
	case strings.HasPrefix(err.Error(), "5") || strings.HasPrefix(err.Error(), "429"): // its status
		return fault.New(fault.Unavailable, "%s is out of order: %s", o.hop(), hop.OneLine(err.Error())).Hint("try again later")
	}
	return fault.New(fault.Invalid, "%s is not an OpenID Connect issuer: %s", o.hop(), hop.OneLine(err.Error())).
		Hint("check issuer_url: %s/.well-known/openid-configuration has to be there", strings.TrimSuffix(oidcIssuer.Get(o.values), "/"))
}

// silent is hop.silent with the field that is the issuer's.
func (o *oidcLogin) silent(ctx context.Context, err error) error {
	out := o.hop().Silent(ctx, err)
	if strings.Contains(fault.HintOf(out), "certificate_authority=") {
		return fault.New(fault.KindOf(out), "%w", out).
			Hint("give the certificate of the authority that signed it: --set %s=@ca.pem", oidcAuthority.Name)
	}
	return out
}

// config is the OAuth2 client.
func (o *oidcLogin) config(i *issuer) *oauth2.Config {
	return &oauth2.Config{
		ClientID: oidcClient.Get(o.values), ClientSecret: oidcClientSecret.Get(o.values).Reveal(),
		Endpoint: i.endpoint, Scopes: oidcScopes.Get(o.values),
	}
}

// parameters are the further parameters of a login.
func (o *oidcLogin) parameters() url.Values {
	out := url.Values{}
	if audience := oidcAudience.Get(o.values); audience != "" {
		out.Set("audience", audience)
	}
	for _, text := range oidcParameters.Get(o.values) {
		name, value, _ := strings.Cut(text, "=")
		out.Set(name, value)
	}
	return out
}

// refused is the error for a request to the token endpoint that brought no token. sent
// is what was secret in it: some issuers repeat it.
func (o *oidcLogin) refused(ctx context.Context, err error, sent ...secret.Text) error {
	var answer *oauth2.RetrieveError
	if !errors.As(err, &answer) {
		var transport *url.Error
		if errors.As(err, &transport) || ctx.Err() != nil {
			return o.silent(ctx, err)
		}
		return fault.New(fault.Failed, "%s gave no usable answer for a token", o.hop()).Hint("check issuer_url, and the proxy if there is one")
	}
	status := answer.Response.StatusCode
	words := fmt.Sprintf("%d %s", status, http.StatusText(status))
	if code := answer.ErrorCode; code != "" {
		words = strings.Trim(code+": "+answer.ErrorDescription, ": ")
	}
	words = hop.Scrubbed(words, append(sent, oidcClientSecret.Get(o.values))...)
	return o.refusal(status, answer, hop.OneLine(words))
}

func (o *oidcLogin) refusal(status int, answer *oauth2.RetrieveError, words string) error {
	switch code := answer.ErrorCode; {
	case code == "invalid_client" || code == "unauthorized_client":
		return fault.New(fault.Denied, "%s does not take the client %s: %s", o.hop(), oidcClient.Get(o.values), words).
			Hint("check client_id and client_secret, and that the issuer allows the client this way to log in")
	case status == http.StatusTooManyRequests || status >= http.StatusInternalServerError || code == "temporarily_unavailable" || code == "server_error":
		return fault.New(fault.Unavailable, "%s is out of order: %s", o.hop(), words).Hint("try again %s", hop.Later(answer.Response.Header))
	case status/100 == 3:
		return fault.New(fault.Invalid, "%s redirects the request for a token, where its secrets do not belong", o.hop())
	case code == "invalid_scope":
		return fault.New(fault.Invalid, "%s does not know a scope: %s", o.hop(), words).Hint("--set scopes=openid,… with those that it knows")
	}
	return fault.New(fault.Denied, "%s refuses: %s", o.hop(), words)
}

// post sends a form to an endpoint of the issuer that is not the token endpoint, as the
// client, and reads the answer. The library's own request for a device code takes no
// ctx, says nothing of the client's secret and trips over odd answers.
func (o *oidcLogin) post(ctx context.Context, i *issuer, at string, form url.Values, out any) error {
	id, hidden := oidcClient.Get(o.values), oidcClientSecret.Get(o.values)
	form.Set("client_id", id)
	if i.endpoint.AuthStyle == oauth2.AuthStyleInParams && !hidden.IsEmpty() {
		form.Set("client_secret", hidden.Reveal())
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, at, strings.NewReader(form.Encode()))
	if err != nil {
		return fault.New(fault.Failed, "%s: %w", o.hop(), err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	if i.endpoint.AuthStyle == oauth2.AuthStyleInHeader {
		r.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(hidden.Reveal()))
	}
	response, err := o.http.Do(r)
	if err != nil {
		return o.silent(ctx, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return o.silent(ctx, err)
	}
	if response.StatusCode/100 != 2 {
		var says struct {
			Code        string `json:"error"`
			Description string `json:"error_description"`
		}
		_ = json.Unmarshal(body, &says) // what is no JSON says nothing
		return o.refused(ctx, &oauth2.RetrieveError{Response: response, ErrorCode: says.Code, ErrorDescription: says.Description})
	}
	if err := json.Unmarshal(body, out); err != nil {
		return fault.New(fault.Failed, "%s gave an answer that is malformed", o.hop())
	}
	return nil
}

// after is a number of seconds as issuers have them, held between two bounds.
func after(seconds int64, least, most time.Duration) time.Duration {
	return max(least, min(most, time.Duration(min(seconds, int64(most/time.Second)))*time.Second))
}
