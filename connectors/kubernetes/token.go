package kubernetes

import (
	"context"
	"strings"
	"time"
	"unicode"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/hop"
	"github.com/svcconn/svcconn/pkg/secret"
)

// The fields of a stored login, which three auth methods have.
var (
	token = field.Secret{
		Name: "token", Title: "bearer token",
		Help:  "A token that the API server takes, such as one of a service account. It is given without the word Bearer.",
		Check: checkToken,
	}
	clientCertificate = field.String{
		Name: "client_certificate", Title: "client certificate",
		Help:  "The certificate that we show to the API server, as PEM or as base64 of PEM: --set client_certificate=@client.crt. It goes with client_key.",
		Check: canonicalCertificates,
	}
	clientKey = field.Secret{
		Name: "client_key", Title: "key of the client certificate", Multiline: true,
		Help:  "The private key of client_certificate, not encrypted, as PEM or as base64 of PEM: --set client_key=@client.key.",
		Check: checkKey,
	}
)

func storedFields() field.Set { return field.Set{token, clientCertificate, clientKey} }

func checkToken(text secret.Text) error {
	value := text.Reveal()
	switch {
	case len(value) >= len("bearer ") && strings.EqualFold(value[:len("bearer ")], "bearer "):
		return fault.New(fault.Invalid, "the token begins with the word Bearer, which is not a part of it").Hint("give what is behind it")
	case strings.ContainsFunc(value, func(r rune) bool { return r > unicode.MaxASCII || r <= ' ' || r == unicode.MaxASCII }):
		return fault.New(fault.Invalid, "the token contains a space, a line break or another character that tokens cannot have").
			Hint("leave the line break at its end out, as `printf %%s TOKEN` does")
	}
	return nil
}

// stored is a login that does not change.
type stored struct{ proof proof }

// storedLogin reads a token, a client certificate with its key, or both.
func storedLogin(_ connector.Host, settings connector.Settings) (authenticator, error) {
	p, err := storedProof(settings.Values)
	if err != nil {
		return nil, err
	}
	return stored{p}, nil
}

func storedProof(values field.Values) (proof, error) {
	p := proof{token: token.Get(values), certificate: clientCertificate.Get(values), key: clientKey.Get(values)}
	switch {
	case p.certificate == "" && !p.key.IsEmpty():
		return proof{}, fault.New(fault.Invalid, "client_key is given without client_certificate").Hint("add --set client_certificate=@client.crt")
	case p.certificate != "" && p.key.IsEmpty():
		return proof{}, fault.New(fault.Invalid, "client_certificate is given without client_key").Hint("add --set client_key=@client.key")
	case p.certificate == "" && p.token.IsEmpty():
		return proof{}, fault.New(fault.Invalid, "there is neither a token nor a client certificate").
			Hint("give --set token=-, or --set client_certificate=@client.crt with --set client_key=@client.key")
	case p.certificate == "":
		return p, nil
	}
	p.key = secret.New(string(hop.Unwrapped(p.key.Reveal())))
	_, err := keyPair(p.certificate, p.key)
	return p, err
}

// prove implements authenticator.
func (s stored) prove(_ context.Context, _ *client, lifetime time.Duration) (proof, error) {
	if lifetime != 0 {
		return proof{}, fault.New(fault.Invalid, "a stored login has no lifetime that can be asked for")
	}
	return s.proof, nil
}

func tokenMethod() method {
	return method{open: storedLogin, AuthMethod: connector.AuthMethod{
		Name:   methodToken,
		Title:  "Token or client certificate",
		Fields: storedFields(),
		Doc: `A bearer token, or a client certificate with its key as k3d, kind and kubeadm make them, or both. What is stored is what clients get, so this method takes no expiration. The end that a token or a certificate tells itself is kept to: nothing is handed out after it.

Where the login is allowed to, auth methods service-account and client-certificate-request make short-lived credentials with it and hand out those instead.`,
	}}
}
