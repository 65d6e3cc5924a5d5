package aws

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc/types"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/hop"
	"github.com/svcconn/svcconn/pkg/secret"
)

// What a client of IAM Identity Center is and does (RFC 8628, RFC 6749).
const (
	clientName   = "svcconn"
	clientType   = "public"
	grantDevice  = "urn:ietf:params:oauth:grant-type:device_code"
	grantRefresh = "refresh_token"
)

// access is a token that is good. refused is one that is not, although it should be.
func (s *ssoSource) access(ctx context.Context, refused secret.Text) (secret.Text, error) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return secret.Text{}, s.failed(ctx, ctx.Err())
	}
	if !refused.IsEmpty() && s.token.access.Equal(refused) {
		s.token.access = secret.Text{}
	}
	if s.token.good(s.c.now()) {
		return s.token.access, nil
	}
	if gone, err := s.refresh(ctx); !gone {
		return s.token.access, err
	}
	if s.c.host.Person == nil {
		return secret.Text{}, fault.New(fault.NeedsPerson, "login required at %s (%s)", identityCenter, s.token.startURL)
	}
	if err := s.login(ctx); err != nil {
		return secret.Text{}, err
	}
	return s.token.access, nil
}

// failed is c.failed, without what was presented.
func (s *ssoSource) failed(ctx context.Context, err error) error {
	return scrubbed(s.c.failed(ctx, identityCenter, err), s.token.refresh, s.token.clientSecret)
}

// refresh renews the token without the person. gone says that it takes the person.
func (s *ssoSource) refresh(ctx context.Context) (gone bool, err error) {
	if s.token.refresh.IsEmpty() || !s.token.hasClient(s.c.now()) {
		return true, nil
	}
	err = s.create(ctx, &ssooidc.CreateTokenInput{GrantType: awssdk.String(grantRefresh), RefreshToken: awssdk.String(s.token.refresh.Reveal())})
	switch {
	case isGone(err):
		s.token.refresh = secret.Text{}
		return true, nil
	case err != nil:
		return false, s.failed(ctx, err)
	}
	return false, nil
}

// isGone reports whether IAM Identity Center does not honour a refresh token or a client
// any more.
func isGone(err error) bool {
	var grant *types.InvalidGrantException
	var client *types.InvalidClientException
	var unauthorized *types.UnauthorizedClientException
	var expired *types.ExpiredTokenException
	return errors.As(err, &grant) || errors.As(err, &client) || errors.As(err, &unauthorized) || errors.As(err, &expired)
}

// create asks for a token, and takes it. Errors are the SDK's.
func (s *ssoSource) create(ctx context.Context, in *ssooidc.CreateTokenInput) error {
	in.ClientId, in.ClientSecret = awssdk.String(s.token.client.Reveal()), awssdk.String(s.token.clientSecret.Reveal())
	out, err := s.c.ssoLogin(s.token.region).CreateToken(ctx, in)
	switch {
	case err != nil:
		return err
	case value(out.AccessToken) == "" || out.ExpiresIn <= 0:
		return fault.New(fault.Failed, "%s answers without a token", identityCenter)
	}
	s.token.access = secret.New(*out.AccessToken)
	s.token.expires = s.c.now().Add(time.Duration(out.ExpiresIn) * time.Second)
	if next := value(out.RefreshToken); next != "" {
		s.token.refresh = secret.New(next)
	}
	return nil
}

// login has the person log in: in the browser, where a code is to be confirmed.
func (s *ssoSource) login(ctx context.Context) error {
	begun, err := s.begin(ctx)
	if err != nil {
		return err
	}
	person := s.c.host.Person
	if err := person.OpenBrowser(begun.page); err == nil {
		person.Tell(fmt.Sprintf("Log in with the browser that was opened, and check that it shows the code %s. If there is none, open %s", begun.userCode, begun.page))
	} else {
		person.Tell(fmt.Sprintf("To log in, open %s on any machine, and check that it shows the code %s", begun.page, begun.userCode))
	}
	if err := s.poll(ctx, begun); err != nil {
		return err
	}
	if s.token.refresh.IsEmpty() {
		person.Tell(fmt.Sprintf("%s gave no refresh token: you will have to log in again when this token expires. It wants the scope %s for one.", identityCenter, ssoScopes.Default))
	}
	return nil
}

// deviceLogin is a login by device code that has begun.
type deviceLogin struct {
	code               string
	page, userCode     string
	interval, patience time.Duration
}

// Bounds of what IAM Identity Center may say of a login (RFC 8628).
const (
	pollDefault = 5 * time.Second
	pollLeast   = time.Second
	pollMost    = time.Minute
	pollSlower  = 5 * time.Second // what slow_down adds
	longestTurn = 10 * time.Minute
)

// begin registers a client, if there is none that is good, and asks for a code.
func (s *ssoSource) begin(ctx context.Context) (deviceLogin, error) {
	kept := s.token.hasClient(s.c.now())
	if !kept {
		if err := s.register(ctx); err != nil {
			return deviceLogin{}, err
		}
	}
	out, err := s.authorize(ctx)
	if kept && isGone(err) {
		if err := s.register(ctx); err != nil {
			return deviceLogin{}, err
		}
		out, err = s.authorize(ctx)
	}
	if err != nil {
		return deviceLogin{}, fault.WithHint(s.failed(ctx, err), "check the fields %s and %s", ssoStartURL.Name, ssoRegion.Name)
	}
	return readDeviceLogin(out)
}

// register makes svcconn known to IAM Identity Center, for some months.
func (s *ssoSource) register(ctx context.Context) error {
	out, err := s.c.ssoLogin(s.token.region).RegisterClient(ctx, &ssooidc.RegisterClientInput{
		ClientName: awssdk.String(clientName), ClientType: awssdk.String(clientType),
		Scopes: ssoScopes.Get(s.values), GrantTypes: []string{grantDevice, grantRefresh},
	})
	if err != nil {
		return s.failed(ctx, err)
	}
	s.token.client, s.token.clientSecret = secret.New(value(out.ClientId)), secret.New(value(out.ClientSecret))
	s.token.clientExpires = time.Unix(out.ClientSecretExpiresAt, 0)
	s.token.refresh = secret.Text{} // it was another client's
	return nil
}

// authorize asks for a code. Errors are the SDK's.
func (s *ssoSource) authorize(ctx context.Context) (*ssooidc.StartDeviceAuthorizationOutput, error) {
	return s.c.ssoLogin(s.token.region).StartDeviceAuthorization(ctx, &ssooidc.StartDeviceAuthorizationInput{
		ClientId: awssdk.String(s.token.client.Reveal()), ClientSecret: awssdk.String(s.token.clientSecret.Reveal()), StartUrl: &s.token.startURL,
	})
}

// readDeviceLogin checks what a login begins with, before a person is sent to the page.
func readDeviceLogin(out *ssooidc.StartDeviceAuthorizationOutput) (deviceLogin, error) {
	address := value(out.VerificationUriComplete)
	if address == "" {
		address = value(out.VerificationUri)
	}
	page, err := url.Parse(address)
	code := hop.OneLine(value(out.UserCode))
	if err != nil || page.Host == "" || !safePage(page) || code == "" || value(out.DeviceCode) == "" {
		return deviceLogin{}, fault.New(fault.Failed, "%s gave a device code that is malformed", identityCenter)
	}
	begun := deviceLogin{code: *out.DeviceCode, page: page.String(), userCode: code, interval: pollDefault, patience: longestTurn}
	if out.Interval > 0 {
		begun.interval = min(max(time.Duration(out.Interval)*time.Second, pollLeast), pollMost)
	}
	if out.ExpiresIn > 0 {
		begun.patience = min(time.Duration(out.ExpiresIn)*time.Second, longestTurn)
	}
	return begun, nil
}

// poll asks until the person has confirmed the code, or the code is over.
func (s *ssoSource) poll(ctx context.Context, begun deviceLogin) error {
	for waited := begun.interval; waited <= begun.patience; waited += begun.interval {
		if err := s.pause(ctx, begun.interval); err != nil {
			return s.failed(ctx, err)
		}
		err := s.create(ctx, &ssooidc.CreateTokenInput{GrantType: awssdk.String(grantDevice), DeviceCode: &begun.code})
		var pending *types.AuthorizationPendingException
		var slower *types.SlowDownException
		var expired *types.ExpiredTokenException
		var denied *types.AccessDeniedException
		switch {
		case errors.As(err, &pending):
		case errors.As(err, &slower):
			begun.interval += pollSlower
		case errors.As(err, &expired):
			return nobodyConfirmed()
		case errors.As(err, &denied):
			return fault.New(fault.Denied, "the login at %s was denied", identityCenter)
		case err != nil:
			return s.failed(ctx, err)
		default:
			return nil
		}
	}
	return nobodyConfirmed()
}

func nobodyConfirmed() error {
	return fault.New(fault.NeedsPerson, "nobody confirmed the code at %s before it expired", identityCenter).Hint("try again")
}
