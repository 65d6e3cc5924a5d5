package kubernetes

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/hop"
	"github.com/svcconn/svcconn/pkg/registryname"
	"github.com/svcconn/svcconn/pkg/secret"
)

// What the fields use_token and grant choose from.
const (
	useIDToken      = "id_token"
	useAccessToken  = "access_token"
	grantAuto       = "auto"
	grantAuthCode   = "authcode"
	grantDeviceCode = "device-code"
)

// The fields of auth method oidc.
var (
	oidcIssuer = field.String{
		Name: "issuer_url", Title: "issuer", Required: true, Example: "https://login.example.com",
		Help:  "The OpenID Connect issuer that the API server trusts, letter for letter as its --oidc-issuer-url has it.",
		Check: checkIssuerURL,
	}
	oidcClient = field.String{
		Name: "client_id", Title: "client id", Required: true, Example: "kubernetes",
		Help: "The client that svcconn is at the issuer, usually the API server's --oidc-client-id.",
	}
	oidcClientSecret = field.Secret{
		Name: "client_secret", Title: "client secret",
		Help: "The client's secret, where the issuer gave it one. Public clients have none.",
	}
	oidcScopes = field.List{
		Name: "scopes", Title: "scopes", Default: "openid,offline_access", Example: "openid,offline_access,groups",
		Help: "What to ask the issuer for. Without offline_access most issuers give no refresh token, and a person has to log in again whenever a token ends.",
	}
	oidcAudience = field.String{
		Name: "audience", Title: "audience",
		Help: "The parameter audience of the login, for issuers that know it.",
	}
	oidcParameters = field.List{
		Name: "auth_parameters", Title: "further parameters", Example: "access_type=offline,prompt=consent",
		Help:  "Further parameters of the login, as NAME=VALUE, for issuers that want them. They are seen in the browser.",
		Check: checkParameter,
	}
	oidcUseToken = field.String{
		Name: "use_token", Title: "token to use", Default: useIDToken, Choices: []string{useIDToken, useAccessToken},
		Help: "The token that is presented to the API server. The --oidc- flags of kube-apiserver want the ID token.",
	}
	oidcGrant = field.String{
		Name: "grant", Title: "way to log in", Default: grantAuto, Choices: []string{grantAuto, grantAuthCode, grantDeviceCode},
		Help: "How a person logs in: authcode in the browser of this machine, device-code with a code that is typed in on any machine. " +
			"auto takes the browser, and the code where no browser can be opened.",
	}
	oidcRedirectHost = field.String{
		Name: "redirect_host", Title: "redirect host", Default: "127.0.0.1", Choices: []string{"127.0.0.1", "localhost"},
		Help: "How the browser calls this machine, where the issuer allows one of the two only.",
	}
	oidcRedirectPort = field.Int{
		Name: "redirect_port", Title: "redirect port", Default: "0", Max: 65535,
		Help: "The port of 127.0.0.1 that the browser comes back to, where the issuer wants to know it beforehand; 0 is any that is free.",
	}
	oidcAuthority = field.String{
		Name: "issuer_certificate_authority", Title: "certificate authority of the issuer",
		Help:  "The certificate of the authority that signed the issuer's certificate, as PEM or as base64 of PEM. It takes the place of those of the system.",
		Check: canonicalCertificates,
	}
	oidcRefreshToken = field.Secret{
		Name: "refresh_token", Title: "refresh token",
		Help: "Filled by a login, and replaced whenever the issuer replaces it. It can be given where it was got otherwise.",
	}
)

func oidcMethod() method {
	return method{
		AuthMethod: connector.AuthMethod{
			Name: methodOIDC, Title: "OpenID Connect",
			Doc: `A person logs in to an OpenID Connect issuer that the API server trusts: once, in the browser (authorization code with PKCE) or by typing a code in on another machine (device code). From then on a refresh token, kept in the secret store, gets short-lived tokens without anybody's help. Only when the issuer does not honour it any more is the person needed again: kubectl then says so, and ` + "`svcconn verify NAME`" + ` logs in.

The browser comes back to http://127.0.0.1:PORT/callback, which the issuer has to allow for the client; RFC 8252 wants it to allow any port. The fields redirect_host and redirect_port are for those that do not.

Every ID token is checked: signature, issuer, audience, expiry and nonce. The login ends after five minutes.`,
			Fields: field.Set{
				oidcIssuer, oidcClient, oidcClientSecret, oidcScopes, oidcAudience, oidcParameters, oidcUseToken,
				oidcGrant, oidcRedirectHost, oidcRedirectPort, oidcAuthority, oidcRefreshToken,
			},
			Temporary: true,
			Renews:    func(field.Values) bool { return true },
		},
		open: openOIDC,
	}
}

// oidcTimeout is how long a person has to log in.
const oidcTimeout = 5 * time.Minute

// oidcLogin is auth method oidc at work.
type oidcLogin struct {
	values   field.Values
	now      func() time.Time
	person   connector.Person // nil where nobody is there
	http     *http.Client
	patience time.Duration // with the person

	// turn is held by whoever is at work, so that one session refreshes or logs in once
	// for all who wait. It guards what follows.
	turn    chan struct{}
	refresh secret.Text // the refresh token as it is now
	kept    proof       // what was got last
	keep    time.Time   // until when it is handed out again
}

func openOIDC(host connector.Host, settings connector.Settings) (authenticator, error) {
	v := settings.Values
	if !slices.Contains(oidcScopes.Get(v), "openid") {
		return nil, fault.New(fault.Invalid, "field %s does not have openid, without which there is no login by OpenID Connect", oidcScopes.Name).
			Hint("--set scopes=openid,offline_access")
	}
	client, err := issuerClient(host.HTTP, oidcAuthority.Get(v))
	if err != nil {
		return nil, err
	}
	return &oidcLogin{
		values: v, now: host.Now, person: host.Person, http: client, patience: oidcTimeout,
		turn: make(chan struct{}, 1), refresh: oidcRefreshToken.Get(v),
	}, nil
}

// prove gets a token by the refresh token, and where there is none that works, from the
// person. The issuer decides about lifetimes.
func (o *oidcLogin) prove(ctx context.Context, _ *client, _ time.Duration) (proof, error) {
	select {
	case o.turn <- struct{}{}:
		defer func() { <-o.turn }()
	case <-ctx.Done():
		return proof{}, o.hop().Silent(ctx, ctx.Err())
	}
	if o.now().Before(o.keep) {
		return o.kept, nil
	}
	p, err := o.obtain(ctx)
	if err != nil {
		return proof{}, err
	}
	o.kept, o.keep = p, o.now().Add(p.expires.Sub(o.now())/2)
	return p, nil
}

func (o *oidcLogin) obtain(ctx context.Context) (proof, error) {
	i, err := o.discover(ctx)
	if err != nil {
		return proof{}, err
	}
	p, gone, err := o.byRefreshToken(ctx, i)
	if !gone {
		return p, err
	}
	if o.person == nil {
		return proof{}, fault.New(fault.NeedsPerson, "login required at %s: %w", o.hop(), err)
	}
	return o.login(ctx, i)
}

// renewed implements renewing. The issuer may have replaced the refresh token.
func (o *oidcLogin) renewed() map[string]secret.Text {
	o.turn <- struct{}{}
	defer func() { <-o.turn }()
	if o.refresh.IsEmpty() || o.refresh.Equal(oidcRefreshToken.Get(o.values)) {
		return nil
	}
	return map[string]secret.Text{oidcRefreshToken.Name: o.refresh}
}

func (o *oidcLogin) hop() hop.Hop { return service("issuer " + oidcIssuer.Get(o.values)) }

// checkIssuerURL checks an issuer's name, which is compared letter for letter and so
// is kept as it is.
func checkIssuerURL(text string) (string, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		return "", fault.New(fault.Invalid, "it is not the URL of an issuer").Hint("it looks like https://login.example.com/realm")
	case u.User != nil:
		return "", fault.New(fault.Invalid, "it has a user name or password, which do not belong there")
	case u.RawQuery != "" || u.ForceQuery || strings.Contains(text, "#"):
		return "", fault.New(fault.Invalid, "an issuer's URL has no query and no fragment")
	case !secure(u):
		return "", fault.New(fault.Invalid, "the issuer is not reached by https: anyone on the way could log in as you").
			Hint("plain http is for an issuer on this machine alone")
	}
	return text, nil
}

// secure reports whether a URL is of HTTPS, or of plain HTTP on this machine.
func secure(u *url.URL) bool {
	return u.Scheme == "https" || u.Scheme == "http" && registryname.Loopback(u.Hostname())
}

// checkParameter checks NAME=VALUE; those that keep the login safe stay svcconn's.
func checkParameter(text string) (string, error) {
	name, _, ok := strings.Cut(text, "=")
	reserved := []string{"client_id", "client_secret", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce",
		"code_challenge", "code_challenge_method", "request", "request_uri", "audience"}
	switch {
	case !ok || name == "":
		return "", fault.New(fault.Invalid, "it is not of the form NAME=VALUE")
	case slices.Contains(reserved, name):
		return "", fault.New(fault.Invalid, "the parameter %s is svcconn's own business", name).Hint("scopes and audience have fields of their own")
	}
	return text, nil
}
