package registryname

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/svcconn/svcconn/pkg/fault"
)

// maxText bounds what is looked at: a host of 253 characters, a repository of 255,
// and room for the rest.
const maxText = 1024

// parts is an address taken apart, not canonical yet. The host has its brackets.
type parts struct{ scheme, host, port, path string }

// split takes an address apart. Its errors quote nothing of a text that has an @,
// a query or a fragment, where passwords and tokens are found.
func split(text string) (parts, error) {
	if err := checkText(text); err != nil {
		return parts{}, err
	}
	p, rest, err := splitScheme(text)
	if err != nil {
		return p, err
	}
	authority, path, _ := strings.Cut(rest, "/")
	p.path = path
	if strings.Contains(authority, "@") {
		return p, fault.New(fault.Invalid, "the registry has a user name or password in front of its host").
			Hint("give the host alone; user name and password are fields of their own")
	}
	p.host, p.port, err = splitPort(authority)
	return p, err
}

func checkText(text string) error {
	switch {
	case text == "":
		return fault.New(fault.Invalid, "the registry is empty").Hint("name its host, as in registry.example.com:5000; Docker Hub is docker.io")
	case len(text) > maxText:
		return fault.New(fault.Invalid, "the registry is longer than %d bytes", maxText)
	case !utf8.ValidString(text):
		return fault.New(fault.Invalid, "the registry is not valid UTF-8")
	case strings.ContainsFunc(text, unprintable):
		return fault.New(fault.Invalid, "the registry contains a space or a control character")
	case strings.ContainsAny(text, `?#\`):
		return fault.New(fault.Invalid, "the registry contains a query, a fragment or a backslash").Hint("give the host alone")
	}
	return nil
}

func unprintable(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }

func splitScheme(text string) (p parts, rest string, err error) {
	scheme, rest, found := strings.Cut(text, "://")
	if !found {
		return p, text, nil
	}
	p.scheme = strings.ToLower(scheme)
	if p.scheme != "http" && p.scheme != "https" {
		return p, "", fault.New(fault.Invalid, "the registry has a scheme other than http and https").Hint("give the host alone")
	}
	return p, rest, nil
}

func splitPort(authority string) (host, port string, err error) {
	host, port = authority, ""
	i := strings.LastIndexByte(authority, ':')
	if i >= 0 && !strings.HasSuffix(authority, "]") {
		host, port = authority[:i], authority[i+1:]
		if err := checkPort(port); err != nil {
			return "", "", err
		}
	}
	if strings.Contains(host, ":") && !strings.HasPrefix(host, "[") {
		return "", "", fault.New(fault.Invalid, "the registry %q has more than one colon", authority).
			Hint("an IPv6 address is written in brackets, as in [::1]:5000")
	}
	return host, port, nil
}

func checkPort(port string) error {
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 || strconv.FormatUint(n, 10) != port {
		return fault.New(fault.Invalid, "the registry's port %q is not a number from 1 to 65535", port)
	}
	return nil
}

// cleanPath returns the repository that an address names. The registry API's own
// prefix is not part of it: the first segment of a URL, or all of a bare path.
func cleanPath(p parts) (string, error) {
	path := strings.Trim(p.path, "/")
	if path == "" {
		return "", nil
	}
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "" || segment == "." || segment == ".." || strings.ContainsFunc(segment, notInPath) {
			return "", fault.New(fault.Invalid, "the path behind the registry is not that of a repository").Hint("give the host alone")
		}
	}
	first, rest, _ := strings.Cut(path, "/")
	if (first == "v1" || first == "v2") && (p.scheme != "" || rest == "") {
		return rest, nil
	}
	return path, nil
}

// notInPath reports characters that neither repositories nor their tags and
// digests have.
func notInPath(r rune) bool {
	return r >= utf8.RuneSelf || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("._-:@+", r)
}
