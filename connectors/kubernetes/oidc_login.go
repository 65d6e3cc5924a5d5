package kubernetes

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/svcconn/svcconn/pkg/callback"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/hop"
	"github.com/svcconn/svcconn/pkg/secret"
)

var errNobody = errors.New("nobody logged in")

// login has the person log in, in the way that the connector says.
func (o *oidcLogin) login(ctx context.Context, i *issuer) (proof, error) {
	waiting, cancel := context.WithTimeoutCause(ctx, o.patience, errNobody)
	defer cancel()
	i.ctx = oidc.ClientContext(waiting, o.http)
	login := o.byBrowser
	if oidcGrant.Get(o.values) == grantDeviceCode {
		login = o.byDevice
	}
	p, err := login(waiting, i)
	if err != nil && context.Cause(waiting) == errNobody {
		return proof{}, fault.New(fault.NeedsPerson, "nobody logged in at %s within %s", o.hop(), o.patience).Hint("try again")
	}
	if err == nil && o.refresh.IsEmpty() {
		o.person.Tell("The issuer gave no refresh token: you will have to log in again when this token expires. Most issuers want the scope offline_access for one.")
	}
	return p, err
}

// codeFlow is one login by authorization code.
type codeFlow struct {
	config                 *oauth2.Config
	state, nonce, verifier string
}

// page is where the browser has to go.
func (o *oidcLogin) page(f codeFlow) string {
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(f.verifier), oidc.Nonce(f.nonce)}
	for name, values := range o.parameters() {
		options = append(options, oauth2.SetAuthURLParam(name, values[0]))
	}
	return f.config.AuthCodeURL(f.state, options...)
}

// byBrowser sends the person's browser to the issuer, and waits for it to come back
// with a code. Where no browser can be opened it is the device code, if that may be,
// or the person opens the page himself.
func (o *oidcLogin) byBrowser(ctx context.Context, i *issuer) (proof, error) {
	if i.endpoint.AuthURL == "" {
		return o.byDevice(ctx, i)
	}
	listener, err := o.listen()
	if err != nil {
		return proof{}, err
	}
	back := callback.Receive(listener)
	defer back.Close()
	f := codeFlow{config: o.config(i), state: rand.Text(), nonce: rand.Text(), verifier: oauth2.GenerateVerifier()}
	port := strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
	f.config.RedirectURL = "http://" + net.JoinHostPort(oidcRedirectHost.Get(o.values), port) + callback.Path
	page := o.page(f)
	if err := o.person.OpenBrowser(page); err == nil {
		o.person.Tell("Log in with the browser that was opened. If there is none, open " + page)
	} else if oidcGrant.Get(o.values) == grantAuto && i.endpoint.DeviceAuthURL != "" {
		back.Close()
		return o.byDevice(ctx, i)
	} else {
		o.person.Tell(fmt.Sprintf("No browser could be opened (%v). To log in, open %s", err, page))
	}
	query, err := back.Wait(ctx)
	if err != nil {
		return proof{}, o.silent(ctx, err)
	}
	return o.byCode(ctx, i, f, query)
}

func (o *oidcLogin) listen() (net.Listener, error) {
	port := strconv.FormatInt(oidcRedirectPort.Get(o.values), 10)
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		return nil, fault.New(fault.Failed, "cannot listen where the browser comes back to: %w", err).
			Hint("another program may have the port: end it, or --set %s=0 takes any that is free, if the issuer allows it", oidcRedirectPort.Name)
	}
	return listener, nil
}

// byCode takes what the browser came back with.
func (o *oidcLogin) byCode(ctx context.Context, i *issuer, f codeFlow, query url.Values) (proof, error) {
	switch code := query.Get("error"); {
	case !secret.New(query.Get("state")).Equal(secret.New(f.state)):
		return proof{}, fault.New(fault.Denied, "the browser came back with the state of another login; it was not accepted").
			Hint("try again; if that stays so, somebody interferes with the browser, or the issuer is broken")
	case query.Has("iss") && query.Get("iss") != oidcIssuer.Get(o.values): // RFC 9207
		return proof{}, fault.New(fault.Denied, "the browser came back from another issuer, %s", hop.OneLine(query.Get("iss")))
	case code == "access_denied":
		return proof{}, o.denied(query.Get("error_description"))
	case code != "":
		return proof{}, fault.New(fault.Failed, "%s ended the login: %s", o.hop(), hop.OneLine(code+": "+query.Get("error_description")))
	}
	code := secret.New(query.Get("code"))
	token, err := f.config.Exchange(i.ctx, code.Reveal(), oauth2.VerifierOption(f.verifier))
	if err != nil {
		return proof{}, o.refused(ctx, err, code, secret.New(f.verifier))
	}
	return o.accept(ctx, i, token, f.nonce)
}

func (o *oidcLogin) denied(words string) error {
	if words = hop.OneLine(words); words != "" {
		words = ": " + words
	}
	return fault.New(fault.Denied, "the login at %s was denied%s", o.hop(), words)
}

// Bounds of what an issuer may say of a login by device code (RFC 8628).
const (
	pollDefault = 5
	pollLeast   = time.Second
	pollMost    = time.Minute
)

// byDevice tells the person a code to type in, and asks the issuer until that was done.
func (o *oidcLogin) byDevice(ctx context.Context, i *issuer) (proof, error) {
	if i.endpoint.DeviceAuthURL == "" {
		return proof{}, fault.New(fault.Invalid, "%s offers no login by device code", o.hop()).Hint("--set grant=%s", grantAuthCode)
	}
	says, err := o.deviceCode(ctx, i)
	if err != nil {
		return proof{}, err
	}
	o.person.Tell(fmt.Sprintf("To log in, open %s on any machine and enter the code %s", says.Page, says.UserCode))
	lifetime := after(says.Lifetime, pollLeast, o.patience)
	waiting, cancel := context.WithTimeoutCause(i.ctx, lifetime, errNobody)
	defer cancel()
	device := oauth2.DeviceAuthResponse{DeviceCode: says.Code.text.Reveal(), Interval: int64(after(says.Interval, pollLeast, pollMost) / time.Second)}
	token, err := o.config(i).DeviceAccessToken(waiting, &device)
	var answer *oauth2.RetrieveError
	switch {
	case err == nil:
		return o.accept(ctx, i, token, "")
	case errors.As(err, &answer) && answer.ErrorCode == "access_denied":
		return proof{}, o.denied(answer.ErrorDescription)
	case ctx.Err() == nil && (errors.As(err, &answer) && answer.ErrorCode == "expired_token" || context.Cause(waiting) == errNobody):
		return proof{}, fault.New(fault.NeedsPerson, "nobody entered the code at %s before it expired", o.hop()).Hint("try again")
	}
	return proof{}, o.refused(ctx, err, says.Code.text)
}

// deviceCode is what an issuer says to begin a login with.
type deviceCode struct {
	Code     hidden `json:"device_code"`
	UserCode string `json:"user_code"`
	Page     string `json:"verification_uri"`
	Lifetime int64  `json:"expires_in"`
	Interval int64  `json:"interval"`
}

// hidden is a secret in an issuer's answer.
type hidden struct{ text secret.Text }

// UnmarshalText implements encoding.TextUnmarshaler.
func (h *hidden) UnmarshalText(text []byte) error {
	h.text = secret.New(string(text))
	return nil
}

func (o *oidcLogin) deviceCode(ctx context.Context, i *issuer) (deviceCode, error) {
	form := o.parameters()
	form.Set("scope", strings.Join(oidcScopes.Get(o.values), " "))
	says := deviceCode{Interval: pollDefault, Lifetime: int64(o.patience / time.Second)}
	if err := o.post(ctx, i, i.endpoint.DeviceAuthURL, form, &says); err != nil {
		return deviceCode{}, err
	}
	page, err := url.Parse(says.Page)
	if err != nil || !secure(page) || page.Host == "" || says.UserCode == "" || says.Code.text.IsEmpty() {
		return deviceCode{}, fault.New(fault.Failed, "%s gave a device code that is malformed", o.hop())
	}
	says.Page, says.UserCode = page.String(), hop.OneLine(says.UserCode)
	return says, nil
}
