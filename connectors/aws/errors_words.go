package aws

import (
	"maps"
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/hop"
	"github.com/svcconn/svcconn/pkg/secret"
)

// maxWords bounds what is repeated of a service's words, in bytes: those of AWS name the
// action, two ARNs and the policy that forbids it.
const maxWords = 1000

// Answers to a wrong signature repeat the request, with its token, from here on.
var repeated = field.Lazily(`(?is)\s*the (canonical string|string-to-sign)\b.*`)

// secrets are what a request has in it that nobody else may see, as a URL, a header or a
// canonical request spells it.
var secrets = []field.Pattern{
	field.Lazily(`(?i)((?:signature|credential|token|secret_?access_?key|client_?secret|token_?code)["']?\s*[=:]\s*)["']?[^\s&,;"'<>]+`),
	field.Lazily(`()\beyJ[\w-]+\.[\w-]+\.[\w-]*`), // JSON web tokens
	field.Lazily(`()[A-Za-z0-9+/=_%-]{128,}`),     // session tokens
	field.Lazily(`()\b[0-9a-fA-F]{64}\b`),         // signatures
	field.Lazily(`()\baoa[A-Za-z0-9_:+/=-]{32,}`), // tokens of IAM Identity Center
}

// printable is a service's text with nothing in it that was presented to the service.
func (c *clients) printable(words string) string {
	words = repeated().ReplaceAllString(words, "")
	words = hop.Scrubbed(words, slices.Collect(maps.Values(c.values.Secrets()))...)
	for _, pattern := range secrets {
		words = pattern().ReplaceAllString(words, "${1}"+secret.Redacted)
	}
	return strings.TrimSpace(hop.Line(words, maxWords))
}
