package connectortest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/secret"
)

// leaks looks for the secrets of the settings in whatever a person or a log could get
// to see of values: printed in full depth, as JSON, with the hints of errors. (Verbs for
// text follow pointers into live transports, where the race detector finds fault.)
func (r *run) leaks(settings connector.Settings, values ...any) {
	r.leaksOf(settings.Values.Secrets(), values...)
}

func (r *run) leaksOf(secrets map[string]secret.Text, values ...any) {
	for _, value := range values {
		shown := show(value)
		for name, text := range secrets {
			for _, form := range forms(text.Reveal()) {
				r.wrongIf(strings.Contains(shown, form), "a %T shows the secret field %s", value, name)
			}
		}
	}
}

func show(value any) string {
	shown := fmt.Sprintf("%v %+v %#v", value, value, value)
	if raw, err := json.Marshal(value); err == nil {
		shown += string(raw)
	}
	if err, ok := value.(error); ok {
		shown += err.Error() + fault.HintOf(err)
	}
	return shown
}

// forms are the spellings that a secret may show up in.
func forms(text string) []string {
	if text == "" {
		return nil
	}
	return []string{text, url.QueryEscape(text), base64.StdEncoding.EncodeToString([]byte(text)), base64.RawURLEncoding.EncodeToString([]byte(text)), fmt.Sprintf("%x", text)}
}

// detection checks auto-configuration: what it finds can be registered, hints that it
// does not know are refused, and where there is nothing it says so.
func (r *run) detection() {
	if r.Type.Detect == nil {
		return
	}
	if r.Equipped == nil {
		r.wrong("no machine is given that auto-configuration finds a login on")
		return
	}
	found, err := r.Type.Detect(r.Context(), r.Equipped(r.T), nil)
	r.wrongIf(err != nil || len(found) == 0, "auto-configuration finds %d logins: %v", len(found), err)
	for _, d := range found {
		r.detected(d)
	}
	_, err = r.Type.Detect(r.Context(), r.Equipped(r.T), map[string]string{"no_such_field": "x"})
	r.wrongIf(!fault.Is(err, fault.Invalid), "an unknown hint is %q: %v", fault.KindOf(err), err)
	found, err = r.Type.Detect(r.Context(), r.host(Case{}), nil)
	r.wrongIf(len(found) > 0 || !fault.Is(err, fault.NotFound) || fault.HintOf(err) == "", "on an empty machine it finds %d logins: %v", len(found), err)
}

func (r *run) detected(d connector.Detected) {
	r.leaksOf(d.Spec.Values.Secrets(), d, d.Spec, d.Source, d.Notes)
	settings, err := connector.Types{r.Type}.Check(d.Spec)
	r.wrongIf(err != nil, "what was found at %s cannot be registered: %v", d.Source.Description, err)
	r.wrongIf(d.Source.Description == "", "where a login was found is not said")
	r.wrongIf(d.Source.PlainText && d.Source.File == "", "a secret in plain text is in no file")
	if err == nil {
		r.wrongIf(!sameSecrets(settings.Values, d.Spec.Values), "registering what was found at %s loses a secret", d.Source.Description)
	}
}

func sameSecrets(a, b field.Values) bool {
	left, right := a.Secrets(), b.Secrets()
	for name, text := range left {
		if !text.Equal(right[name]) {
			return false
		}
	}
	return len(left) == len(right)
}
