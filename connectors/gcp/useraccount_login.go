package gcp

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/secret"
)

// loginPatience is how long a person has to log in.
const loginPatience = 5 * time.Minute

// loginPage is where a person logs in.
// https://developers.google.com/identity/protocols/oauth2/native-app
const loginPage = "https://accounts.google.com/o/oauth2/v2/auth"

var errNobody = errors.New("nobody logged in")

// userLogin gets tokens for a login through svcconn.
type userLogin struct {
	c        *clients
	values   field.Values
	person   connector.Person // nil where nobody is there
	page     string           // to log in at
	patience time.Duration    // with the person

	turn    turn
	current secret.Text // the refresh token, as it is now
}

var (
	_ keyed    = (*userLogin)(nil)
	_ renewing = (*userLogin)(nil)
)

func newUserLogin(c *clients) *userLogin {
	return &userLogin{
		c: c, values: c.values, person: c.host.Person, page: loginPage, patience: loginPatience,
		turn: newTurn(), current: refreshTokenField.Get(c.values),
	}
}

// relevant implements source: neither scopes nor the lifetime can be chosen.
func (u *userLogin) relevant(purpose) purpose { return purpose{} }

// identity implements source.
func (u *userLogin) identity() identity { return identity{} }

// token gets a token by the refresh token, and where there is none that is good, from the
// person.
func (u *userLogin) token(ctx context.Context, _ purpose) (token, error) {
	if err := u.turn.take(ctx); err != nil {
		return token{}, u.c.silent(ctx, oauthAPI.title, err)
	}
	defer u.turn.leave()
	why := "nobody has logged in yet"
	if !u.current.IsEmpty() {
		t, next, err := u.c.refresh(ctx, refreshing{
			api: oauthAPI, address: u.c.tokenAddress(), style: oauth2.AuthStyleInParams,
			client: clientIDField.Get(u.values), secret: clientSecretField.Get(u.values), token: u.current,
		})
		u.current = next
		if !isGone(err) {
			return t, err
		}
		why = err.Error()
	}
	if u.person == nil {
		return token{}, fault.New(fault.NeedsPerson, "login required at %s: %s", oauthAPI.title, why)
	}
	return u.login(ctx)
}

// login has the person log in, in the way that the connector says.
func (u *userLogin) login(ctx context.Context) (token, error) {
	waiting, cancel := context.WithTimeoutCause(ctx, u.patience, errNobody)
	defer cancel()
	way := u.byBrowser
	if loginFlowField.Get(u.values) == flowDevice {
		way = u.byDevice
	}
	t, err := way(waiting)
	if err != nil && errors.Is(context.Cause(waiting), errNobody) {
		return token{}, nobodyLoggedIn()
	}
	return t, err
}

func nobodyLoggedIn() error {
	return fault.New(fault.NeedsPerson, "nobody finished the login at %s in time", oauthAPI.title).Hint("try again")
}

// config is the OAuth client.
func (u *userLogin) config() *oauth2.Config {
	return &oauth2.Config{
		ClientID: clientIDField.Get(u.values), ClientSecret: clientSecretField.Get(u.values).Reveal(), Scopes: loginScopesField.Get(u.values),
		Endpoint: oauth2.Endpoint{AuthURL: u.page, TokenURL: u.c.tokenAddress(), AuthStyle: oauth2.AuthStyleInParams},
	}
}

// accept takes what a login brings: the token, and the refresh token for the next ones.
// shown is what was secret in the request.
func (u *userLogin) accept(ctx context.Context, get func(context.Context) (*oauth2.Token, error), shown ...secret.Text) (token, error) {
	var granted string
	t, err := u.c.fetch(ctx, oauthAPI, func(ctx context.Context) (*oauth2.Token, error) {
		got, err := get(ctx)
		if err != nil {
			return nil, err
		}
		if got.RefreshToken != "" {
			u.current = secret.New(got.RefreshToken)
		}
		granted, _ = got.Extra("scope").(string)
		return got, nil
	}, append(shown, clientSecretField.Get(u.values))...)
	if err != nil {
		return token{}, err
	}
	if err := u.allowed(strings.Fields(granted)); err != nil {
		u.current = secret.Text{}
		return token{}, err
	}
	if u.current.IsEmpty() {
		u.person.Tell("Google gave no refresh token: you will have to log in again when this token expires.")
	}
	return t, nil
}

// allowed refuses a login of which the person ticked a part alone: what fails later for
// the lack of a scope does not say so. Where nothing is said, all was granted (RFC 6749,
// section 5.1).
func (u *userLogin) allowed(granted []string) error {
	for _, scope := range loginScopesField.Get(u.values) {
		if len(granted) > 0 && !slices.Contains(granted, scope) && !slices.Contains(granted, fullScope[scope]) {
			return fault.New(fault.Denied, "the login did not grant the scope %s", scope).
				Hint("log in again and tick all that is asked for, or ask for less: --set %s=…", loginScopesField.Name)
		}
	}
	return nil
}

// renewed implements renewing.
func (u *userLogin) renewed() map[string]secret.Text {
	u.turn <- struct{}{}
	defer u.turn.leave()
	if u.current.IsEmpty() || u.current.Equal(refreshTokenField.Get(u.values)) {
		return nil
	}
	return map[string]secret.Text{refreshTokenField.Name: u.current}
}

// keyFile implements keyed: the login as gcloud would have written it.
func (u *userLogin) keyFile() (secret.Text, error) {
	u.turn <- struct{}{}
	defer u.turn.leave()
	if u.current.IsEmpty() {
		return secret.Text{}, fault.New(fault.NeedsPerson, "login required at %s: nobody has logged in yet", oauthAPI.title)
	}
	text, err := json.Marshal(map[string]string{
		"type": fileUser, "client_id": clientIDField.Get(u.values),
		"client_secret": clientSecretField.Get(u.values).Reveal(), "refresh_token": u.current.Reveal(),
	})
	return secret.New(string(text)), err
}
