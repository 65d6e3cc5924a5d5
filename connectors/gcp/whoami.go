package gcp

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/hop"
	"github.com/svcconn/svcconn/pkg/secret"
)

// telling is implemented by sources whose tokens the authorization server knows nothing
// of: they know whom to ask instead.
type telling interface {
	whose(ctx context.Context, t token) (string, error)
}

// whoAmI is whose a token is. Who got it for us may have said so; else it is asked, which
// takes no other permission than to have the token.
func (s *session) whoAmI(ctx context.Context, t token) (string, error) {
	return s.owner(ctx, s.source, t)
}

// owner is whose a token is that a source gave.
func (c *clients) owner(ctx context.Context, from source, t token) (string, error) {
	if known := cmp.Or(t.principal, from.identity().principal); known != "" {
		return known, nil
	}
	if teller, ok := from.(telling); ok {
		return teller.whose(ctx, t)
	}
	info, err := c.tokenInfo(ctx, t.text)
	if err != nil {
		return "", err
	}
	if info.owner() == "" {
		return "", unknownOwner()
	}
	return info.owner(), nil
}

func unknownOwner() error {
	return fault.New(fault.Failed, "%s does not say whose the token is", oauthAPI.title).
		Hint("get the token with the scope https://www.googleapis.com/auth/userinfo.email")
}

// tokenInfo is what the authorization server says of a token. Numbers may be text.
// https://cloud.google.com/docs/authentication/token-types#access-contents
type tokenInfo struct {
	Email   string      `json:"email"`
	Subject string      `json:"sub"`
	Client  string      `json:"azp"` // a service account is its own client: this is its number
	Scope   string      `json:"scope"`
	Expires json.Number `json:"exp"` // seconds since 1970
}

// owner is an e-mail address, or where the token does not show that, a number; "" is
// unknown.
func (i tokenInfo) owner() string { return hop.OneLine(cmp.Or(i.Email, i.Subject, i.Client)) }

// expires is when the token ends; the zero time is unknown.
func (i tokenInfo) expires() time.Time {
	seconds, err := i.Expires.Int64()
	if err != nil || seconds <= 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0)
}

// tokenInfo asks about a token, which goes into the body: addresses end up in logs.
func (c *clients) tokenInfo(ctx context.Context, text secret.Text) (tokenInfo, error) {
	var info tokenInfo
	err := c.post(ctx, form{api: oauthAPI, address: c.address(oauthAPI) + "/tokeninfo", values: url.Values{"access_token": {text.Reveal()}}, secrets: []secret.Text{text}}, &info)
	return info, err
}

// form is a question of OAuth's kind.
type form struct {
	api     api
	address string
	values  url.Values
	client  string        // the OAuth client that asks, by basic authentication; "" is none
	secret  secret.Text   // of the client
	secrets []secret.Text // in the values, which an answer may repeat
}

// post puts a form to an authorization server and reads its answer, JSON, into a pointer.
func (c *clients) post(ctx context.Context, f form, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, f.address, strings.NewReader(f.values.Encode()))
	if err != nil {
		return fault.New(fault.Invalid, "%s cannot be asked: its address is malformed", f.api.title).Hint("check the field %s", f.api.endpoint.Name)
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if f.client != "" {
		r.SetBasicAuth(url.QueryEscape(f.client), url.QueryEscape(f.secret.Reveal()))
	}
	response, err := c.http.Do(r)
	if err != nil {
		return c.silent(ctx, f.api.title, err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return c.silent(ctx, f.api.title, err)
	}
	if response.StatusCode != http.StatusOK {
		return c.refused(answerOf(f.api, response, body), append(f.secrets, f.secret)...)
	}
	if json.Unmarshal(body, into) != nil {
		return c.foreign(f.api.title, response)
	}
	return nil
}

// refusal is what a service said that refused; nil is where an error is about something
// else.
func refusal(err error) *answer {
	var a *answer
	errors.As(err, &a)
	return a
}
