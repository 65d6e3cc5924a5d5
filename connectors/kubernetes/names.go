package kubernetes

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/svcconn/svcconn/pkg/fault"
)

var hostName = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*$`)

// checkHost accepts what DNS and certificates call a host, and addresses of IPv4.
func checkHost(text string) (string, error) {
	if len(text) > 253 || !hostName.MatchString(text) {
		return "", fault.New(fault.Invalid, "it is not the name of a host").Hint("internationalised names are given in their xn-- form")
	}
	return text, nil
}

// checkProxy accepts what Go and client-go can use, without a password: the field is
// not a secret.
func checkProxy(text string) (string, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || !slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme):
		return "", fault.New(fault.Invalid, "it is not the URL of a proxy").Hint("give it as http://HOST:PORT, https://HOST:PORT or socks5://HOST:PORT")
	case u.User != nil:
		return "", fault.New(fault.Invalid, "it has a user name or password in it, and this field is stored in plain text").
			Hint("leave the field out and set HTTPS_PROXY in the environment, which may have one")
	}
	return text, nil
}

// canonicalName checks the name of a cluster; nothing is ever stripped of it.
func canonicalName(name string) (string, error) {
	switch {
	case name == "":
		return "", fault.New(fault.Invalid, "the name is empty")
	case !utf8.ValidString(name):
		return "", fault.New(fault.Invalid, "the name is not valid UTF-8")
	case strings.ContainsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }):
		return "", fault.New(fault.Invalid, "the name contains a space or a control character")
	}
	return name, nil
}
