package hop

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode"

	"github.com/svcconn/svcconn/pkg/secret"
)

// MaxWords bounds what is repeated of a service's words, in bytes.
const MaxWords = 300

// OneLine makes a service's text fit to be printed: no line breaks, no control
// characters for a terminal to obey, no more of it than MaxWords.
func OneLine(text string) string { return Line(text, MaxWords) }

// Line is OneLine with a bound of its own, in bytes.
func Line(text string, most int) string {
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " ")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + " …"
	}
	return text
}

// Status is an HTTP status with the words that came with it, on one line; words may be
// "".
func Status(code int, words string) string {
	text := fmt.Sprintf("%d %s", code, http.StatusText(code))
	if words = OneLine(words); words != "" {
		text += ": " + words
	}
	return text
}

// Scrubbed takes out of a service's words what was presented to it, however a URL
// spells it. It comes before OneLine, which may cut a secret in two.
func Scrubbed(words string, sent ...secret.Text) string {
	for _, text := range sent {
		for _, form := range []string{text.Reveal(), url.QueryEscape(text.Reveal()), url.PathEscape(text.Reveal())} {
			if form != "" {
				words = strings.ReplaceAll(words, form, secret.Redacted)
			}
		}
	}
	return words
}
