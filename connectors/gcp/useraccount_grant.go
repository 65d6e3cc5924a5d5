package gcp

import (
	"cmp"
	"context"
	"net/url"
	"strings"

	"golang.org/x/oauth2"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/hop"
	"github.com/svcconn/svcconn/pkg/secret"
)

// userGrant is a file of the kind authorized_user, or external_account_authorized_user:
// what a person granted to a client.
type userGrant struct {
	Client        string `json:"client_id"`
	ClientSecret  hidden `json:"client_secret"`
	Refresh       hidden `json:"refresh_token"`
	Quota         string `json:"quota_project_id"`
	Universe      string `json:"universe_domain"`
	TokenURI      string `json:"token_uri"`      // of authorized_user; "" is Google's
	TokenURL      string `json:"token_url"`      // of external_account_authorized_user
	Introspection string `json:"token_info_url"` // the same; "" is Google's

	external bool
}

func readUserGrant(f credentialFile) (userGrant, error) {
	g := userGrant{external: f.kind == fileExternalUser}
	if err := decode([]byte(f.text.Reveal()), &g); err != nil {
		return userGrant{}, err
	}
	err := complete(
		needed{"client_id", g.Client == ""}, needed{"client_secret", g.ClientSecret.IsEmpty()}, needed{"refresh_token", g.Refresh.IsEmpty()},
		needed{"token_url", g.external && g.TokenURL == ""},
	)
	if err == nil {
		err = checkUniverse(g.Universe)
	}
	for key, address := range map[string]string{"token_uri": g.TokenURI, "token_url": g.TokenURL, "token_info_url": g.Introspection} {
		if err == nil {
			err = checkTokenAddress(key, address)
		}
	}
	return g, err
}

// turn is held by whoever is at work with a refresh token, which may be good for one use.
// It guards what stands below it.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

func (t turn) take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t turn) leave() { <-t }

// refreshing is a refresh token, and the client that it was given to.
type refreshing struct {
	api     api
	address string // that gives tokens for it
	style   oauth2.AuthStyle
	client  string
	secret  secret.Text // of the client
	token   secret.Text
}

// refresh gets a token for a refresh token. next is the one to use from now on, the same
// where the server does not replace it.
func (c *clients) refresh(ctx context.Context, r refreshing) (t token, next secret.Text, err error) {
	config := oauth2.Config{ClientID: r.client, ClientSecret: r.secret.Reveal(), Endpoint: oauth2.Endpoint{TokenURL: r.address, AuthStyle: r.style}}
	next = r.token
	t, err = c.fetch(ctx, r.api, func(ctx context.Context) (*oauth2.Token, error) {
		got, err := config.TokenSource(ctx, &oauth2.Token{RefreshToken: r.token.Reveal()}).Token()
		if err == nil && got.RefreshToken != "" {
			next = secret.New(got.RefreshToken)
		}
		return got, err
	}, r.token, r.secret)
	return t, next, err
}

// isGone reports whether a refusal means that a refresh token is not, or no longer, good:
// revoked, expired, or in want of the person (error_subtype invalid_rapt).
// https://developers.google.com/identity/protocols/oauth2#expiration
func isGone(err error) bool {
	a := refusal(err)
	return a != nil && a.code == "invalid_grant"
}

// userAccount gets tokens for a login that was made elsewhere.
type userAccount struct {
	c     *clients
	where string // the login is: see openFile
	grant userGrant
	file  secret.Text

	turn    turn
	current secret.Text // the refresh token, as it is now: some servers replace it
}

var (
	_ keyed   = (*userAccount)(nil)
	_ telling = (*workforceUser)(nil)
)

func openUserGrant(c *clients, where string, f credentialFile) (source, error) {
	g, err := readUserGrant(f)
	if err != nil {
		return nil, err
	}
	account := &userAccount{c: c, where: where, grant: g, file: f.text, turn: newTurn(), current: g.Refresh.Text}
	if g.external {
		return &workforceUser{account}, nil
	}
	return account, nil
}

// relevant implements source: neither scopes nor the lifetime can be chosen.
func (u *userAccount) relevant(purpose) purpose { return purpose{} }

// identity implements source.
func (u *userAccount) identity() identity {
	return identity{quota: u.grant.Quota, universe: u.grant.Universe}
}

// token implements source.
func (u *userAccount) token(ctx context.Context, _ purpose) (token, error) {
	r := refreshing{
		api: oauthAPI, address: cmp.Or(u.grant.TokenURI, u.c.tokenAddress()), style: oauth2.AuthStyleInParams,
		client: u.grant.Client, secret: u.grant.ClientSecret.Text,
	}
	if u.grant.external {
		r.api, r.address, r.style = stsAPI, u.grant.TokenURL, oauth2.AuthStyleInHeader
	}
	if err := u.turn.take(ctx); err != nil {
		return token{}, u.c.silent(ctx, r.api.title, err)
	}
	defer u.turn.leave()
	r.token = u.current
	t, next, err := u.c.refresh(ctx, r)
	u.current = next
	if isGone(err) {
		return token{}, fault.New(fault.KindOf(err), "the login is no longer good: %w", err).Hint("%s", u.renewal())
	}
	return t, err
}

// renewal is how a person gets a new login to where this one is.
func (u *userAccount) renewal() string {
	login := "log in anew: gcloud auth application-default login"
	if u.grant.external {
		login += " --login-config=FILE, with that of the workforce pool"
	}
	if field, ok := strings.CutPrefix(u.where, "field "); ok {
		login += "\nthen give the connector the new login: svcconn update NAME --set " + field + "=@" + usualGcloudFolder(u.c.host.Home).adc()
	}
	return login
}

// keyFile implements keyed.
func (u *userAccount) keyFile() (secret.Text, error) { return u.file, nil }

// workforceUser is a login of a workforce pool, whose tokens the Security Token Service
// tells about.
type workforceUser struct{ *userAccount }

// whose implements telling. https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/introspect
func (u *workforceUser) whose(ctx context.Context, t token) (string, error) {
	var says struct {
		Active   bool   `json:"active"`
		Username string `json:"username"`
		Subject  string `json:"sub"`
	}
	err := u.c.post(ctx, form{
		api: stsAPI, address: cmp.Or(u.grant.Introspection, u.c.address(stsAPI)+"/v1/introspect"),
		values: url.Values{"token": {t.text.Reveal()}, "token_type_hint": {"urn:ietf:params:oauth:token-type:access_token"}},
		client: u.grant.Client, secret: u.grant.ClientSecret.Text, secrets: []secret.Text{t.text},
	}, &says)
	switch who := hop.OneLine(cmp.Or(says.Username, says.Subject)); {
	case err != nil:
		return "", err
	case !says.Active:
		return "", fault.New(fault.Denied, "%s does not honour the token that it gave", stsAPI.title).Hint("%s", u.renewal())
	case who == "":
		return "", fault.New(fault.Failed, "%s does not say whose the token is", stsAPI.title)
	default:
		return who, nil
	}
}
