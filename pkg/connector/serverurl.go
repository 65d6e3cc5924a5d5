package connector

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode"

	"github.com/svcconn/svcconn/pkg/fault"
)

// maxServerURL is longer than any API server's address.
const maxServerURL = 2048

// ServerURL brings the address of an API server into its one canonical form,
// https://HOST[:PORT][/PATH]: host in lower case and without a dot at its end, no port
// 443, no slash at the end; https:// may be left out. Errors are fault.Invalid and do
// not repeat a text that may have a password in it.
func ServerURL(text string) (string, error) {
	u, err := parseServer(text)
	if err != nil {
		return "", err
	}
	host, err := serverHost(u)
	if err != nil {
		return "", err
	}
	port, err := serverPort(u)
	if err != nil {
		return "", err
	}
	path := strings.TrimRight(u.EscapedPath(), "/")
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return "", badServer("has a path with dots for folders")
		}
	}
	if canonical := "https://" + host + port + path; len(canonical) <= maxServerURL {
		return canonical, nil
	}
	return "", badServer("is too long")
}

// serverPort is the port with a colon before it; "" is the usual one.
func serverPort(u *url.URL) (string, error) {
	if u.Port() == "" {
		return "", nil
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	switch {
	case err != nil || port == 0:
		return "", badServer("has a port that is none")
	case port == 443:
		return "", nil
	}
	return ":" + strconv.FormatUint(port, 10), nil
}

func parseServer(text string) (*url.URL, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return nil, badServer("is empty")
	case len(text) > maxServerURL:
		return nil, badServer("is too long")
	case strings.ContainsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }):
		return nil, badServer("contains a space or a control character")
	case !strings.Contains(text, "://"):
		text = "https://" + text
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, badServer("is not a URL")
	case strings.EqualFold(u.Scheme, "http"):
		return nil, badServer("is plain HTTP, which would show the credential to everyone on the way")
	case !strings.EqualFold(u.Scheme, "https"):
		return nil, badServer("has a scheme other than https")
	case u.User != nil:
		return nil, badServer("has a user name or password in it")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(text, "#"):
		return nil, badServer("has a query or a fragment")
	}
	return u, nil
}

func serverHost(u *url.URL) (string, error) {
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if strings.Contains(host, ":") {
		addr, err := netip.ParseAddr(host)
		if err != nil || addr.Zone() != "" {
			return "", badServer("has a host that is no IPv6 address")
		}
		return "[" + addr.String() + "]", nil
	}
	if host == "" || strings.HasPrefix(host, ".") || strings.HasSuffix(host, ".") || strings.Contains(host, "..") || strings.ContainsFunc(host, notOfHost) {
		return "", badServer("has no proper host")
	}
	return host, nil
}

// notOfHost: names outside ASCII are written as punycode.
func notOfHost(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '.' || r == '_')
}

func badServer(what string) error {
	return fault.New(fault.Invalid, "the address of the API server %s", what).Hint("write it as https://HOST[:PORT][/PATH]")
}
