package gcp

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/url"
	"strings"

	"golang.org/x/oauth2"

	"github.com/svcconn/svcconn/pkg/callback"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/hop"
	"github.com/svcconn/svcconn/pkg/secret"
)

// byBrowser sends the person's browser to the login page, and waits for it to come back
// with a code. Where no browser can be opened, the person opens the page, on any machine.
func (u *userLogin) byBrowser(ctx context.Context) (token, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return token{}, fault.New(fault.Failed, "cannot listen where the browser comes back to: %w", err)
	}
	back := callback.Receive(listener)
	defer back.Close()
	f := browserLogin{config: u.config(), state: rand.Text(), verifier: oauth2.GenerateVerifier()}
	f.config.RedirectURL = "http://" + listener.Addr().String() + callback.Path
	page := f.page(loginHintField.Get(u.values))
	wait := back.Wait
	if err := u.person.OpenBrowser(page); err == nil {
		u.person.Tell("Log in with the browser that was opened. If there is none, open " + page)
	} else {
		u.person.Tell(fmt.Sprintf("No browser could be opened (%v). To log in, open %s\nA browser on another machine ends at an address that begins with %s and that it cannot show: copy that address, and paste it here.",
			err, page, f.config.RedirectURL))
		wait = func(ctx context.Context) (url.Values, error) { return u.pasted(ctx, back) }
	}
	query, err := wait(ctx)
	if err != nil {
		return token{}, u.c.silent(ctx, oauthAPI.title, err)
	}
	return u.byCode(ctx, f, query)
}

// browserLogin is one login by authorization code.
type browserLogin struct {
	config          *oauth2.Config
	state, verifier string
}

// page is where the browser has to go.
func (f browserLogin) page(account string) string {
	options := []oauth2.AuthCodeOption{
		oauth2.S256ChallengeOption(f.verifier), oauth2.AccessTypeOffline,
		oauth2.SetAuthURLParam("prompt", "consent"), // without it, a second login brings no refresh token
	}
	if account != "" {
		options = append(options, oauth2.SetAuthURLParam("login_hint", account))
	}
	return f.config.AuthCodeURL(f.state, options...)
}

// pasted waits for the browser to come back, or for the person to say what address it
// ended at.
func (u *userLogin) pasted(ctx context.Context, back *callback.Callback) (url.Values, error) {
	type ending struct {
		query url.Values
		err   error
	}
	ctx, cancel := context.WithCancel(ctx)
	came, asked := make(chan ending, 1), make(chan ending, 1)
	go func() {
		query, err := back.Wait(ctx)
		came <- ending{query, err}
	}()
	go func() {
		text, err := u.person.Ask(ctx, "Address that the browser ended at")
		if err == nil {
			query, err := redirectedTo(text)
			asked <- ending{query, err}
			return
		}
		asked <- ending{nil, err}
	}()
	var end ending
	select {
	case end = <-came:
		cancel()
		<-asked // the terminal is the person's again
	case end = <-asked:
		cancel()
	}
	return end.query, end.err
}

// redirectedTo reads an address that the person pasted. It has a code in it, and is not
// repeated.
func redirectedTo(address secret.Text) (url.Values, error) {
	u, err := url.Parse(strings.TrimSpace(address.Reveal()))
	if err == nil {
		if query := u.Query(); query.Has("code") || query.Has("error") {
			return query, nil
		}
	}
	return nil, fault.New(fault.Invalid, "what was pasted is not the address that a login ends at").
		Hint("try again: it is in the browser's address bar after the login, and has code= in it")
}

// byCode takes what the browser came back with.
func (u *userLogin) byCode(ctx context.Context, f browserLogin, query url.Values) (token, error) {
	switch said := query.Get("error"); {
	case !secret.New(query.Get("state")).Equal(secret.New(f.state)):
		return token{}, fault.New(fault.Denied, "the browser came back with the state of another login; it was not accepted").
			Hint("try again; if that stays so, somebody interferes with the browser")
	case said == "access_denied":
		return token{}, loginDenied()
	case said != "":
		return token{}, fault.New(fault.Failed, "%s ended the login: %s", oauthAPI.title, hop.OneLine(said+" "+query.Get("error_description"))).
			Hint("check %s, and the OAuth consent screen of its project", clientIDField.Name)
	}
	code := secret.New(query.Get("code"))
	return u.accept(ctx, func(ctx context.Context) (*oauth2.Token, error) {
		return f.config.Exchange(hop.Once(ctx), code.Reveal(), oauth2.VerifierOption(f.verifier))
	}, code, secret.New(f.verifier))
}

func loginDenied() error {
	return fault.New(fault.Denied, "the login at %s was denied", oauthAPI.title).Hint("log in again, and allow what is asked for")
}
