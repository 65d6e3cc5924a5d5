package kubernetes

import (
	"context"
	"crypto/subtle"
	"errors"
	"slices"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/hop"
	"github.com/svcconn/svcconn/pkg/secret"
)

// byRefreshToken gets a token without the person. gone says that there is no refresh
// token that the issuer honours, and err why.
func (o *oidcLogin) byRefreshToken(ctx context.Context, i *issuer) (p proof, gone bool, err error) {
	if o.refresh.IsEmpty() {
		return proof{}, true, errors.New("nobody has logged in yet, or the issuer gave no refresh token")
	}
	source := o.config(i).TokenSource(i.ctx, &oauth2.Token{RefreshToken: o.refresh.Reveal()})
	token, err := source.Token()
	if err != nil {
		return proof{}, isGone(err), o.refused(ctx, err, o.refresh)
	}
	p, err = o.accept(ctx, i, token, "")
	return p, false, err
}

// isGone reports whether an issuer does not honour a refresh token any more.
func isGone(err error) bool {
	var answer *oauth2.RetrieveError
	ways := []string{"invalid_grant", "interaction_required", "login_required", "consent_required"}
	return errors.As(err, &answer) && slices.Contains(ways, answer.ErrorCode)
}

// accept takes what the issuer gave, if it is what it should be. nonce is the login's;
// "" where there is none.
func (o *oidcLogin) accept(ctx context.Context, i *issuer, token *oauth2.Token, nonce string) (proof, error) {
	if token.RefreshToken != "" { // first of all: the former one may be spent
		o.refresh = secret.New(token.RefreshToken)
	}
	raw, _ := token.Extra("id_token").(string)
	wanted := oidcUseToken.Get(o.values) == useIDToken
	if raw == "" && (wanted || nonce != "") {
		return proof{}, fault.New(fault.Denied, "%s gave no ID token", o.hop()).
			Hint("check that scopes has openid; where the API server takes access tokens, --set use_token=%s", useAccessToken)
	}
	var checked *oidc.IDToken
	if raw != "" {
		var err error
		if checked, err = o.check(ctx, i, raw, nonce); err != nil {
			return proof{}, err
		}
		if checked.AccessTokenHash != "" && checked.VerifyAccessToken(token.AccessToken) != nil {
			return proof{}, o.wrongToken("it belongs to another access token")
		}
	}
	if wanted {
		return proof{token: secret.New(raw), expires: checked.Expiry}, nil
	}
	p := proof{token: secret.New(token.AccessToken)}
	if token.ExpiresIn > 0 {
		p.expires = o.now().Add(time.Duration(token.ExpiresIn) * time.Second)
	}
	return p, nil
}

// clockSkew is how far ahead of ours an issuer's clock may be.
const clockSkew = 5 * time.Minute

// check checks an ID token: signature, issuer, audience, expiry, nonce.
func (o *oidcLogin) check(ctx context.Context, i *issuer, raw, nonce string) (*oidc.IDToken, error) {
	verifier := i.provider.VerifierContext(i.ctx, &oidc.Config{ClientID: oidcClient.Get(o.values), Now: o.now})
	token, err := verifier.Verify(i.ctx, raw)
	var expired *oidc.TokenExpiredError
	switch {
	case ctx.Err() != nil:
		return nil, o.silent(ctx, ctx.Err())
	case errors.As(err, &expired):
		return nil, o.wrongClock("it expired at " + expired.Expiry.UTC().Format(time.RFC3339) + ", before it was here")
	case err != nil:
		return nil, o.wrongToken(err.Error())
	case token.IssuedAt.After(o.now().Add(clockSkew)):
		return nil, o.wrongClock("it is of the future: it was issued at " + token.IssuedAt.UTC().Format(time.RFC3339))
	case nonce != "" && subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(nonce)) != 1:
		return nil, o.wrongToken("its nonce is that of another login")
	}
	var claims struct {
		Party string `json:"azp"`
	}
	if err := token.Claims(&claims); err != nil || claims.Party != "" && len(token.Audience) > 1 && claims.Party != oidcClient.Get(o.values) {
		return nil, o.wrongToken("it was issued to another client")
	}
	return token, nil
}

func (o *oidcLogin) wrongToken(words string) error {
	return fault.New(fault.Denied, "the ID token of %s is not good: %s", o.hop(), hop.OneLine(words))
}

func (o *oidcLogin) wrongClock(words string) error {
	return fault.New(fault.Denied, "the ID token of %s is not good: %s", o.hop(), words).
		Hint("compare this machine's clock (%s) with the issuer's", o.now().UTC().Format(time.RFC3339))
}
