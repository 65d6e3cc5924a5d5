package aws

import (
	"cmp"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"path/filepath"
	"time"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/hop"
	"github.com/svcconn/svcconn/pkg/secret"
)

// ssoToken is a login to IAM Identity Center, with the client that it was got for.
type ssoToken struct {
	startURL, region     string
	access, refresh      secret.Text
	expires              time.Time // of access
	client, clientSecret secret.Text
	clientExpires        time.Time
}

// ssoTokenText is how a login is kept: as the AWS CLI keeps its own in ~/.aws/sso/cache.
type ssoTokenText struct {
	StartURL      string `json:"startUrl"`
	Region        string `json:"region"`
	Access        string `json:"accessToken,omitempty"`
	Expires       string `json:"expiresAt,omitempty"`
	Refresh       string `json:"refreshToken,omitempty"`
	Client        string `json:"clientId,omitempty"`
	ClientSecret  string `json:"clientSecret,omitempty"`
	ClientExpires string `json:"registrationExpiresAt,omitempty"`
}

// readSSOToken reads a kept login. What cannot be read is as good as no login.
func readSSOToken(text secret.Text) ssoToken {
	var t ssoTokenText
	if json.Unmarshal([]byte(text.Reveal()), &t) != nil {
		return ssoToken{}
	}
	return ssoToken{
		startURL: t.StartURL, region: t.Region,
		access: secret.New(t.Access), refresh: secret.New(t.Refresh), expires: ssoTime(t.Expires),
		client: secret.New(t.Client), clientSecret: secret.New(t.ClientSecret), clientExpires: ssoTime(t.ClientExpires),
	}
}

// ssoTime reads a time in either of the forms that the AWS CLI has used; the zero time,
// which is over, where it is none.
func ssoTime(text string) time.Time {
	for _, form := range []string{time.RFC3339Nano, "2006-01-02T15:04:05UTC"} {
		if at, err := time.Parse(form, text); err == nil {
			return at
		}
	}
	return time.Time{}
}

// text is the login as it is kept.
func (t ssoToken) text() secret.Text {
	when := func(at time.Time) string {
		if at.IsZero() {
			return ""
		}
		return at.UTC().Format(time.RFC3339)
	}
	raw, _ := json.Marshal(ssoTokenText{ // strings alone: it cannot fail
		StartURL: t.startURL, Region: t.region,
		Access: t.access.Reveal(), Refresh: t.refresh.Reveal(), Expires: when(t.expires),
		Client: t.client.Reveal(), ClientSecret: t.clientSecret.Reveal(), ClientExpires: when(t.clientExpires),
	})
	return secret.New(string(raw))
}

// of is the login if it is one to that portal, and none otherwise.
func (t ssoToken) of(startURL, region string) ssoToken {
	if t.startURL != startURL || t.region != region {
		return ssoToken{startURL: startURL, region: region}
	}
	return t
}

// tokenLeft is how long a token has to be good for to be used.
const tokenLeft = time.Minute

func (t ssoToken) good(now time.Time) bool {
	return !t.access.IsEmpty() && t.expires.After(now.Add(tokenLeft))
}

func (t ssoToken) hasClient(now time.Time) bool {
	return !t.client.IsEmpty() && t.clientExpires.After(now.Add(tokenLeft))
}

// cached is the file that the AWS CLI keeps its login in.
func (p ssoPlace) cached(home string) string {
	sum := sha1.Sum([]byte(cmp.Or(p.session, p.startURL)))
	return filepath.Join(home, ".aws", "sso", "cache", hex.EncodeToString(sum[:])+".json")
}

// cachedSSOToken reads the AWS CLI's own login. It is never renewed from here: its refresh
// token is good for one use, which is the CLI's.
func (c *clients) cachedSSOToken(p ssoPlace, profile string) (secret.Text, error) {
	path := p.cached(c.host.Home)
	login := "`aws sso login --profile " + hop.OneLine(profile) + "`"
	raw, err := readSmall(path)
	switch {
	case fault.Is(err, fault.NotFound):
		return secret.Text{}, fault.New(fault.NeedsPerson, "the AWS CLI is not logged in at %s", p.startURL).Hint("log in with %s", login)
	case err != nil:
		return secret.Text{}, err
	}
	t := readSSOToken(secret.New(raw))
	switch {
	case t.startURL != "" && t.startURL != p.startURL:
		return secret.Text{}, fault.New(fault.NeedsPerson, "the AWS CLI is logged in at another portal than %s", p.startURL).Hint("log in with %s", login)
	case !t.good(c.now()):
		return secret.Text{}, fault.New(fault.NeedsPerson, "the AWS CLI's login at %s is over, or %s cannot be read", p.startURL, path).
			Hint("log in with %s; auth method %s keeps and renews a login of its own", login, methodSSO)
	}
	return t.access, nil
}
