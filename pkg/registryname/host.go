package registryname

import (
	"net/netip"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"github.com/svcconn/svcconn/pkg/fault"
)

// Limits of the domain name system.
const (
	maxHost  = 253
	maxLabel = 63
)

// canonicalHost returns a host in its one canonical spelling: a domain name, an
// IPv4 address, or an IPv6 address in brackets.
func canonicalHost(host string) (string, error) {
	if strings.HasPrefix(host, "[") {
		return canonicalIPv6(host)
	}
	ascii, err := toASCII(strings.ToLower(strings.TrimSuffix(host, ".")))
	if err != nil {
		return "", err
	}
	if err := checkDomain(ascii); err != nil {
		return "", err
	}
	if !endsInNumber(ascii) {
		return ascii, nil
	}
	// Resolvers read 127.1 and 0x7f000001 as addresses: only the plain spelling of
	// an address may pass for one, or two names would be one host.
	addr, err := netip.ParseAddr(ascii)
	if err != nil {
		return "", fault.New(fault.Invalid, "the registry's host %q is neither a domain name nor an IPv4 address", ascii).
			Hint("write an IPv4 address as four decimal numbers")
	}
	return addr.String(), nil
}

func canonicalIPv6(host string) (string, error) {
	inner, closed := strings.CutSuffix(host[1:], "]")
	addr, err := netip.ParseAddr(inner)
	if !closed || err != nil || !addr.Is6() || addr.Zone() != "" {
		return "", fault.New(fault.Invalid, "the registry's host %q is not an IPv6 address in brackets", host).
			Hint("write it as in [::1]:5000, without a zone")
	}
	return "[" + addr.String() + "]", nil
}

// toASCII turns an internationalised domain name into punycode, and checks one that
// is punycode already. Plain names are left alone: idna refuses some that exist in
// the DNS (two hyphens in third and fourth place), and those are nobody's trick.
func toASCII(host string) (string, error) {
	if !strings.ContainsFunc(host, func(r rune) bool { return r >= utf8.RuneSelf }) && !strings.Contains(host, "xn--") {
		return host, nil
	}
	ascii, err := idna.Lookup.ToASCII(host)
	if err != nil {
		return "", fault.New(fault.Invalid, "the registry's host %q is not a valid internationalised domain name: %w", host, err)
	}
	return ascii, nil
}

func checkDomain(host string) error {
	if host == "" {
		return fault.New(fault.Invalid, "the registry has no host").Hint("name its host, as in registry.example.com:5000")
	}
	if len(host) > maxHost {
		return fault.New(fault.Invalid, "the registry's host is longer than %d characters", maxHost)
	}
	for label := range strings.SplitSeq(host, ".") {
		if err := checkLabel(host, label); err != nil {
			return err
		}
	}
	return nil
}

func checkLabel(host, label string) error {
	switch {
	case label == "":
		return fault.New(fault.Invalid, "the registry's host %q has an empty part between its dots", host)
	case len(label) > maxLabel:
		return fault.New(fault.Invalid, "the registry's host %q has a part longer than %d characters", host, maxLabel)
	case strings.ContainsFunc(label, notInLabel):
		return fault.New(fault.Invalid, "the registry's host %q has a character that host names do not have", host).
			Hint("a host has letters, digits and hyphens, separated by dots")
	case label[0] == '-' || label[len(label)-1] == '-':
		return fault.New(fault.Invalid, "the registry's host %q has a part that starts or ends with a hyphen", host)
	}
	return nil
}

func notInLabel(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-'
}

// endsInNumber reports whether resolvers may read the host as an IPv4 address: its
// last part is a decimal or hexadecimal number.
func endsInNumber(host string) bool {
	last := host[strings.LastIndexByte(host, '.')+1:]
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return strings.Trim(last, "0123456789") == ""
}
