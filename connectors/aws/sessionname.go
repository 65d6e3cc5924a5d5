package aws

import (
	"strings"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
)

// What a template of a name can have in it.
const (
	userPlace = "${user}"
	timePlace = "${time}"
	timeForm  = "20060102T150405Z"
)

func checkSessionName(text string) (string, error) {
	return text, checkTemplate(text, longestSessionName)
}
func checkUserName(text string) (string, error) { return text, checkTemplate(text, longestUserName) }

// checkTemplate checks a template as far as it can be without a user and a time.
func checkTemplate(text string, most int) error {
	filled := fill(text, "u", timeForm)
	switch i := strings.Index(filled, "$"); {
	case i >= 0:
		return fault.New(fault.Invalid, "%q has something in it that stands for nothing: %s", text, filled[i:]).
			Hint("%s stands for the user name, %s for the time", userPlace, timePlace)
	case !wordForm.MatchString(filled):
		return fault.New(fault.Invalid, "%q has characters other than letters, digits and _+=,.@-", text)
	case len(filled) > most || len(text) < 2:
		return fault.New(fault.Invalid, "%q is not 2 to %d characters long", text, most)
	}
	return nil
}

// sessionName is the name that the template in a field makes here and now.
func sessionName(host connector.Host, template field.String, values field.Values, most int) (string, error) {
	text := template.Get(values)
	user := userName(host)
	if user == "" && strings.Contains(text, userPlace) {
		return "", fault.New(fault.Invalid, "field %s has %s, and nobody says who the user is", template.Name, userPlace).
			Hint("set the variable USER, or write the name itself: --set %s=NAME", template.Name)
	}
	name := fill(text, user, host.Now().UTC().Format(timeForm))
	if len(name) < 2 || len(name) > most {
		return "", fault.New(fault.Invalid, "field %s makes the name %q, which is not 2 to %d characters long", template.Name, name, most).
			Hint("write another one: --set %s=NAME", template.Name)
	}
	return name, nil
}

func fill(template, user, time string) string {
	return strings.NewReplacer(userPlace, user, timePlace, time).Replace(template)
}

// userName is who runs svcconn, as far as STS has characters for it.
func userName(host connector.Host) string {
	for _, variable := range []string{"USER", "LOGNAME", "USERNAME"} {
		if name := host.Getenv(variable); name != "" {
			return strings.Map(func(r rune) rune {
				if r > '~' || !wordForm.MatchString(string(r)) {
					return '-'
				}
				return r
			}, name)
		}
	}
	return ""
}
