package gcp

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"strings"
	"unicode"

	"golang.org/x/oauth2/google/externalaccount"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/hop"
	"github.com/svcconn/svcconn/pkg/secret"
)

// subjectToken is a token of an issuer that a pool trusts.
type subjectToken struct{ text secret.Text }

func (s subjectToken) supply(config *externalaccount.Config) { config.SubjectTokenSupplier = s }

func (s subjectToken) secrets() []secret.Text { return []secret.Text{s.text} }

// SubjectToken implements externalaccount.SubjectTokenSupplier.
func (s subjectToken) SubjectToken(context.Context, externalaccount.SupplierOptions) (string, error) {
	return s.text.Reveal(), nil
}

// tokenFormat says how a subject token is written in a file or an answer.
type tokenFormat struct {
	Type string `json:"type"` // "text", "json"; "" is text
	Key  string `json:"subject_token_field_name"`
}

func (f tokenFormat) check() error {
	switch {
	case f.Type != "" && f.Type != "text" && f.Type != "json":
		return fault.New(fault.Invalid, "its key format.type is neither text nor json")
	case f.Type == "json" && f.Key == "":
		return fault.New(fault.Invalid, "its key format lacks subject_token_field_name, which says where the token is in the JSON")
	}
	return nil
}

// read takes the token out of what a file or an address has. where names that.
func (f tokenFormat) read(raw []byte, where string) (proof, error) {
	text := strings.TrimSpace(string(raw))
	if f.Type == "json" {
		var all map[string]any
		if json.Unmarshal(raw, &all) != nil {
			return nil, fault.New(fault.Invalid, "%s is not an object of JSON, as format.type says", where).Hint("mend it, or the format in the configuration")
		}
		var ok bool
		if text, ok = all[f.Key].(string); !ok {
			return nil, fault.New(fault.Invalid, "%s has no text by the key %q", where, hop.OneLine(f.Key)).Hint("mend it, or subject_token_field_name in the configuration")
		}
	}
	return newSubject(text, where)
}

// newSubject is a subject token, if it can be one: a JSON web token, or a SAML response in
// base64.
func newSubject(text, where string) (proof, error) {
	text = strings.TrimSpace(text)
	if text == "" || strings.ContainsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }) {
		return nil, fault.New(fault.Invalid, "%s has no token: it is empty, or has white space or control characters in it", where).
			Hint("it has to be the token alone; if it is JSON, the configuration needs format.type=json")
	}
	return subjectToken{secret.New(text)}, nil
}

// fromFile reads the token of now.
func (s credentialSource) fromFile(context.Context) (proof, error) {
	text, err := readSmall(s.File)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fault.WithHint(err, "whoever renews the token has to write it there")
	case err != nil:
		return nil, fault.WithHint(err, "the configuration (credential_source.file) has to name a file with the token alone, which can be read by whoever runs svcconn")
	}
	return s.Format.read([]byte(text), "the file "+s.File)
}

// fromURL asks an address for the token of now.
func (s credentialSource) fromURL(c *clients) (prover, error) {
	address, err := checkAddress(s.URL)
	if err != nil {
		return nil, fault.Within(err, "its key url")
	}
	header := http.Header{}
	var sent []secret.Text
	for name, value := range s.Headers {
		header.Set(name, value.Reveal())
		sent = append(sent, value.Text)
	}
	where := "what " + address.Host + " answers"
	return func(ctx context.Context) (proof, error) {
		body, response, err := c.visit(ctx, address.Host, http.MethodGet, address, header)
		switch {
		case err != nil:
			return nil, err
		case response.StatusCode/100 != 2:
			return nil, fault.New(kindOfStatus(response.StatusCode), "%s: %s", address.Host, hop.Status(response.StatusCode, c.printable(string(body), sent...))).
				Hint("it is the address that the configuration gets its subject token from (credential_source.url): check it, and its headers")
		}
		return s.Format.read(body, where)
	}, nil
}
