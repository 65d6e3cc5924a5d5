package agent

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/svcconn/svcconn/pkg/broker"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
	"github.com/svcconn/svcconn/pkg/settings"
	"github.com/svcconn/svcconn/pkg/wire"
)

// executableAnswer is what an executable answers gcloud and the libraries of Google:
// https://google.aip.dev/auth/4117
type executableAnswer struct {
	Version   int    `json:"version"`
	Success   bool   `json:"success"`
	TokenType string `json:"token_type,omitempty"`
	Token     string `json:"id_token,omitempty"`
	Expires   int64  `json:"expiration_time,omitempty"` // seconds since 1970
	Code      string `json:"code,omitempty"`
	Message   string `json:"message,omitempty"`
}

func (a executableAnswer) text() (secret.Text, error) {
	a.Version = 1
	text, err := json.Marshal(a)
	return secret.New(string(text) + "\n"), err
}

// GoogleFailure is the answer that makes gcloud and the libraries of Google tell a person
// of a failure. Of an executable that fails, some of them show nothing.
func GoogleFailure(err error) string {
	message := err.Error()
	if hint := fault.HintOf(err); hint != "" {
		message += " (" + hint + ")"
	}
	text, _ := executableAnswer{Code: string(fault.KindOf(err)), Message: strings.Join(strings.Fields(message), " ")}.text()
	return text.Reveal()
}

// googleToken answers an executable of gcloud's or of a library's: the credential waits in
// the exchange for the token that is answered.
func googleToken(ctx context.Context, c *call, _ settings.Settings) (wire.Reply, secret.Text, error) {
	a, err := args[wire.CredentialArgs](c)
	if err != nil {
		return wire.Reply{}, secret.Text{}, err
	}
	if err := c.server.openExchange(a.Exchange); err != nil {
		return wire.Reply{}, secret.Text{}, err
	}
	grant, err := c.server.broker.Credential(ctx, requestOf(a))
	if err != nil {
		return wire.Reply{}, secret.Text{}, err
	}
	token, ok := grant.Credential.(connector.AccessToken)
	if !ok {
		return wire.Reply{}, secret.Text{}, fault.New(fault.Invalid, "a credential of resource type %s is no access token of Google", grant.ResourceType).
			Hint("`svcconn login gcloud` writes the right command")
	}
	nonce, until := c.server.exchange.offer(token, via(grant, a))
	body, err := executableAnswer{Success: true, TokenType: wire.SubjectTokenType, Token: nonce.Reveal(), Expires: until.Unix()}.text()
	return wire.Reply{}, body, err
}

// via tells the tokens of a connector apart.
func via(grant broker.Grant, a wire.CredentialArgs) string {
	words := []string{grant.Connector.Name}
	if grant.ResourceName != "" {
		words = append(words, grant.ResourceName)
	}
	if a.ReadOnly {
		words = append(words, "to read")
	}
	return strings.Join(words, " ")
}

// openExchange sees to it that the exchange listens where it is wanted.
func (s *Server) openExchange(address string) error {
	if s.stopListening == nil {
		return fault.New(fault.Invalid, "without the agent there is nobody to give gcloud and the SDKs of Google their token").
			Hint("take SVCCONN_AGENT=off out of the environment; or, for gcloud and Terraform: svcconn credential --format env")
	}
	return s.exchange.open(address)
}
