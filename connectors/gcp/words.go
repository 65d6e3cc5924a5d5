package gcp

import (
	"maps"
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/hop"
	"github.com/svcconn/svcconn/pkg/secret"
)

// maxWords bounds what is repeated of a service's words, in bytes: those of Google name
// what is missing, and tell in whole sentences how to get it.
const maxWords = 700

// secrets are what a request has in it that nobody else may see, as JSON, a form or a
// header spells it. What is in the first group of one is kept.
// https://cloud.google.com/docs/authentication/token-types
var secrets = []field.Pattern{
	field.Lazily(`()(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)`),
	field.Lazily(`((?i)(?:assertion|(?:access|refresh|id|subject|actor|security)[_-]?token|client[_-]?secret|private[_-]?key|signature|credential|code_verifier|device_code)\\?["']?\s*[=:]\s*)\\?["']?[^\s&,;"'<>\\]+`),
	field.Lazily(`((?i)\bbearer\s+)[\w.~+/=-]{8,}`),
	field.Lazily(`()\beyJ[\w-]+(?:\.[\w-]*)*`),        // JSON web tokens, and what was cut off them
	field.Lazily(`()\bya29\.[\w.-]+`),                 // access tokens
	field.Lazily(`()\b1(?://|%2[Ff]%2[Ff])[\w.%-]+`),  // refresh tokens
	field.Lazily(`()\b4(?:/|%2[Ff])[0-9][\w.%-]{8,}`), // authorization codes
	field.Lazily(`()\bGOCSPX-[\w-]+`),                 // client secrets
	field.Lazily(`()[A-Za-z0-9+/=_%-]{200,}`),         // tokens of other clouds
	field.Lazily(`()\b[0-9a-fA-F]{64}\b`),             // their signatures
}

// printable is a service's text with nothing in it that was presented to the service:
// shown, and the connector's own secrets.
func (c *clients) printable(words string, shown ...secret.Text) string {
	words = hop.Scrubbed(words, slices.AppendSeq(slices.Clone(shown), maps.Values(c.values.Secrets()))...)
	for _, pattern := range secrets {
		words = pattern().ReplaceAllString(words, "${1}"+secret.Redacted)
	}
	return strings.TrimSpace(hop.Line(words, maxWords))
}
