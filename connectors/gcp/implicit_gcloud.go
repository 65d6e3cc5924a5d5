package gcp

import (
	"cmp"
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/hop"
)

// gcloudPatience bounds one run of gcloud, which takes a second or two to start.
const gcloudPatience = 20 * time.Second

// gcloudSource gets the tokens of what gcloud is logged in as.
type gcloudSource struct {
	c             *clients
	folder        gcloudFolder
	configuration string // "" is the active one
}

// relevant implements source: gcloud decides about scopes and lifetime.
func (*gcloudSource) relevant(purpose) purpose { return purpose{} }

// identity implements source: the quota project is what gcloud itself would send.
func (*gcloudSource) identity() identity { return identity{} }

// token asks gcloud for a token that is good for a while.
func (g *gcloudSource) token(ctx context.Context, _ purpose) (token, error) {
	name := g.configuration
	if name == "" {
		active, err := g.folder.active()
		if err != nil {
			return token{}, err
		}
		name = active
	}
	if err := g.check(name); err != nil {
		return token{}, err
	}
	finished, err := hop.Answer(ctx, g.c.host, gcloudPatience, connector.Command{
		Program: "gcloud",
		Args:    []string{"config", "config-helper", "--format=json", "--min-expiry=5m", "--quiet", "--configuration=" + name},
		Env:     []string{"CLOUDSDK_CONFIG=" + string(g.folder)},
	})
	if err != nil {
		return token{}, g.failed(err, string(finished.Stderr), name)
	}
	t, err := readGcloud(finished.Stdout)
	if err != nil || !t.expires.IsZero() {
		return t, err
	}
	info, err := g.c.tokenInfo(ctx, t.text) // of a token that gcloud was given
	if err == nil && info.expires().IsZero() {
		err = unknownEnd()
	}
	if err != nil {
		return token{}, err
	}
	t.expires = info.expires()
	return t, nil
}

// check refuses a configuration that gets its tokens from here.
func (g *gcloudSource) check(name string) error {
	configuration, err := g.folder.read(name)
	if err != nil {
		return err
	}
	file := configuration.get("auth", "credential_file_override")
	if file == "" {
		return nil
	}
	text, err := readCredentialFile(file)
	if err != nil {
		return nil // gcloud will say what is wrong
	}
	if says, err := readExternal(text); err == nil && says.Source.Executable != nil && says.Source.Executable.leadsHere() {
		return fault.New(fault.Invalid, "configuration %q of gcloud has its tokens from svcconn, which would ask itself for them", name).
			Hint("name the configuration that the login itself is in: --set %s=NAME", configurationField.Name)
	}
	return nil
}

// complaint is the line of gcloud's that says what is wrong: advice comes behind it.
var complaint = field.Lazily(`(?m)^ERROR: (.*)$`)

// failed says what to do where gcloud gave no token.
func (g *gcloudSource) failed(err error, stderr, name string) error {
	says := complaint.FindStringSubmatch(stderr)
	switch {
	case !fault.Is(err, fault.Failed):
		return err
	case says == nil:
		return fault.New(fault.Failed, "%w", err).
			Hint("gcloud has to be in the PATH of whoever runs svcconn, and `gcloud config config-helper --configuration=%s` has to work by itself", name)
	case strings.Contains(says[1], "Max retries exceeded"): // the same advice follows
		return fault.New(fault.Unavailable, "program gcloud: %s", g.c.printable(says[1])).Hint("check the network and the proxy; gcloud finds its proxy in `gcloud config list proxy`")
	case strings.Contains(stderr, "gcloud auth login"):
		return fault.New(fault.NeedsPerson, "program gcloud: %s", g.c.printable(says[1])).Hint("gcloud auth login --configuration=%s", name)
	}
	return fault.New(fault.Failed, "program gcloud: %s", g.c.printable(says[1])).Hint("`gcloud config config-helper --configuration=%s` has to work by itself", name)
}

// readGcloud takes the token out of what gcloud prints. Its end may be unknown.
func readGcloud(raw []byte) (token, error) {
	var said struct {
		Credential struct {
			Token   hidden    `json:"access_token"`
			Expires time.Time `json:"token_expiry"` // null is unknown
		} `json:"credential"`
		Configuration struct {
			Properties helperProperties `json:"properties"`
		} `json:"configuration"`
	}
	if json.Unmarshal(raw, &said) != nil || said.Credential.Token.IsEmpty() {
		return token{}, fault.New(fault.Failed, "program gcloud: what it prints is not JSON of a token").
			Hint("bring it up to date: gcloud components update")
	}
	return token{text: said.Credential.Token.Text, expires: said.Credential.Expires, principal: said.Configuration.Properties.principal()}, nil
}

// helperProperties are those that decide whose gcloud's tokens are.
type helperProperties struct {
	Core struct {
		Account string `json:"account"`
	} `json:"core"`
	Auth struct {
		Target string `json:"impersonate_service_account"`
		File   string `json:"credential_file_override"`
		Token  string `json:"access_token_file"`
	} `json:"auth"`
}

// principal is whose the tokens are; "" is where only the authorization server knows.
func (p helperProperties) principal() string {
	target := p.Auth.Target[strings.LastIndex(p.Auth.Target, ",")+1:]
	if p.Auth.File+p.Auth.Token != "" {
		return hop.OneLine(target)
	}
	return hop.OneLine(cmp.Or(target, p.Core.Account))
}
