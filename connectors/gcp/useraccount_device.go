package gcp

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/hop"
	"github.com/svcconn/svcconn/pkg/registryname"
)

// Bounds of what the authorization server may say of a login by device code (RFC 8628),
// in seconds.
const (
	pollDefault = 5
	pollMost    = 60
)

// deviceCode is what a login by device code begins with. Google says verification_url
// where RFC 8628 says verification_uri.
// https://developers.google.com/identity/protocols/oauth2/limited-input-device
type deviceCode struct {
	Code     hidden `json:"device_code"`
	UserCode string `json:"user_code"`
	Page     string `json:"verification_url"`
	Lifetime int64  `json:"expires_in"`
	Interval int64  `json:"interval"`
}

// byDevice tells the person a code to type in, and asks the authorization server until
// that was done.
func (u *userLogin) byDevice(ctx context.Context) (token, error) {
	says, err := u.deviceCode(ctx)
	if err != nil {
		return token{}, err
	}
	u.person.Tell(fmt.Sprintf("To log in, open %s on any machine and enter the code %s", says.Page, says.UserCode))
	lifetime := u.patience
	if says.Lifetime > 0 {
		lifetime = min(lifetime, time.Duration(min(says.Lifetime, int64(time.Hour/time.Second)))*time.Second)
	}
	waiting, cancel := context.WithTimeoutCause(ctx, lifetime, errNobody)
	defer cancel()
	t, err := u.accept(waiting, func(ctx context.Context) (*oauth2.Token, error) {
		return u.config().DeviceAccessToken(ctx, &oauth2.DeviceAuthResponse{DeviceCode: says.Code.Reveal(), Interval: min(max(says.Interval, 1), pollMost)})
	}, says.Code.Text)
	said := refusal(err)
	switch {
	case err == nil:
		return t, nil
	case errors.Is(context.Cause(waiting), errNobody), said != nil && said.code == "expired_token":
		return token{}, nobodyLoggedIn()
	case waiting.Err() != nil: // the last answer was that the person is not there yet
		return token{}, u.c.silent(ctx, oauthAPI.title, waiting.Err())
	case said != nil && said.code == "access_denied":
		return token{}, loginDenied()
	}
	return token{}, err
}

// deviceCode begins a login.
func (u *userLogin) deviceCode(ctx context.Context) (deviceCode, error) {
	says := deviceCode{Interval: pollDefault}
	err := u.c.post(ctx, form{
		api: oauthAPI, address: u.c.address(oauthAPI) + "/device/code",
		values: url.Values{"client_id": {clientIDField.Get(u.values)}, "scope": {strings.Join(loginScopesField.Get(u.values), " ")}},
	}, &says)
	if a := refusal(err); a != nil && a.code == "invalid_scope" {
		return deviceCode{}, fault.New(fault.Invalid, "Google does not let device logins have these scopes: %w", err).
			Hint("it lets them have few, cloud-platform not among them: log in with the browser, --set %s=%s, which needs no browser on this machine; or ask for less, --set %s=…",
				loginFlowField.Name, flowBrowser, loginScopesField.Name)
	}
	if err != nil {
		return deviceCode{}, err
	}
	page, err := url.Parse(says.Page)
	if err != nil || page.Host == "" || page.Scheme != "https" && !(page.Scheme == "http" && registryname.Loopback(page.Hostname())) || says.UserCode == "" || says.Code.IsEmpty() {
		return deviceCode{}, fault.New(fault.Failed, "%s gave a device code that is malformed", oauthAPI.title)
	}
	says.Page, says.UserCode = page.String(), hop.OneLine(says.UserCode)
	return says, nil
}
