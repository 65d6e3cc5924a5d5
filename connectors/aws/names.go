package aws

import (
	"net/url"
	"strconv"
	"strings"
	"unicode"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/hop"
	"github.com/svcconn/svcconn/pkg/registryname"
)

var (
	regionName   = field.Lazily(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	accountName  = field.Lazily(`^[0-9]{12}$`)
	accountShown = field.Lazily(`^[0-9]{4}-[0-9]{4}-[0-9]{4}$`)
)

// maxLabel is the longest part of a host name: regions are one.
const maxLabel = 63

// checkRegion takes what can be a region of some vendor: which are AWS's is said by the
// partitions.
func checkRegion(text string) (string, error) {
	text = strings.ToLower(text)
	if !isRegion(text) {
		return "", fault.New(fault.Invalid, "%q is not the name of a region", text).Hint("regions are named as in eu-central-1")
	}
	return text, nil
}

func isRegion(text string) bool { return len(text) <= maxLabel && regionName.MatchString(text) }

func isAccount(text string) bool { return accountName.MatchString(text) }

// checkAccount takes the twelve digits, also in groups of four, as the console shows
// them.
func checkAccount(text string) (string, error) {
	if accountShown.MatchString(text) {
		text = strings.ReplaceAll(text, "-", "")
	}
	if !isAccount(text) {
		return "", fault.New(fault.Invalid, "%q is not the number of an account: it has twelve digits", text).
			Hint("leading zeros count; an alias of an account does not do")
	}
	return text, nil
}

// The length of an access key id. AWS's have 16 or more, those of other vendors fewer.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetAccessKeyInfo.html
const (
	minAccessKey = 3
	maxAccessKey = 128
)

var secretAccessKey = field.Lazily(`^[A-Za-z0-9/+=]{40}$`)

// checkAccessKey refuses what is no access key id, and does not repeat it: it may be the
// secret that belongs to one.
func checkAccessKey(text string) (string, error) {
	switch {
	case secretAccessKey.MatchString(text):
		return "", fault.New(fault.Invalid, "it looks like a secret access key, not like the id of one").
			Hint("the id starts with AKIA or ASIA; the secret goes into the field %s", secretKeyField.Name)
	case len(text) < minAccessKey || len(text) > maxAccessKey:
		return "", fault.New(fault.Invalid, "an access key id has %d to %d characters, not %d", minAccessKey, maxAccessKey, len(text))
	case strings.ContainsFunc(text, func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsGraphic(r) || strings.ContainsRune(` /,"'`, r)
	}):
		return "", fault.New(fault.Invalid, "it has a character that access key ids do not have")
	}
	return text, nil
}

// checkEndpoint brings the address of a service into the form https://HOST[:PORT][/PATH].
// Plain http is for services on this machine: answers have keys and tokens in them.
func checkEndpoint(text string) (string, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "":
		return "", badEndpoint("is not a URL")
	case u.Scheme != "https" && u.Scheme != "http":
		return "", badEndpoint("has a scheme other than https")
	case u.User != nil:
		return "", badEndpoint("has a user name or password in it")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(text, "#"):
		return "", badEndpoint("has a query or a fragment")
	case u.RawPath != "" || strings.ContainsFunc(u.Path, notInEndpointPath) || strings.Contains(u.Path+"/", "/../") || strings.Contains(u.Path+"/", "/./"):
		return "", badEndpoint("has a path that is none of a service")
	}
	host, err := endpointHost(u)
	if err != nil {
		return "", err
	}
	if u.Scheme == "http" && !registryname.Loopback(strings.Trim(u.Hostname(), "[]")) {
		return "", fault.New(fault.Invalid, "the address of the endpoint is plain HTTP, which would show keys and tokens to everyone on the way").
			Hint("use https; http is for services on this machine: localhost, 127.0.0.1")
	}
	return u.Scheme + "://" + host + strings.TrimRight(u.Path, "/"), nil
}

func notInEndpointPath(r rune) bool {
	return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("/-._~", r)
}

// endpointHost is host and port in their canonical spelling. A port stands in for the
// registry's rule that a host of one label has one.
func endpointHost(u *url.URL) (string, error) {
	host := u.Hostname()
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	name, err := registryname.Parse(host + ":1")
	if err != nil {
		return "", badEndpoint("has no proper host")
	}
	host = strings.TrimSuffix(name.String(), ":1")
	if u.Port() == "" || u.Scheme == "https" && u.Port() == "443" || u.Scheme == "http" && u.Port() == "80" {
		return host, nil
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil || port == 0 || strconv.FormatUint(port, 10) != u.Port() {
		return "", badEndpoint("has a port that is none")
	}
	return host + ":" + u.Port(), nil
}

func badEndpoint(what string) error {
	return fault.New(fault.Invalid, "the address of the endpoint %s", what).Hint("write it as https://HOST[:PORT][/PATH]")
}

// checkRegistryDomain takes a domain with or without a port. It is checked with a host in
// front, since that is how it is used.
func checkRegistryDomain(text string) (string, error) {
	const host = "registry."
	name, err := registryname.Parse(host + text)
	if err != nil || strings.Contains(text, "/") {
		return "", fault.New(fault.Invalid, "it is not the domain of registries").Hint("write it as DOMAIN[:PORT]")
	}
	return strings.TrimPrefix(name.String(), host), nil
}

func checkCertificates(text string) (string, error) {
	pem, err := hop.Certificates(text)
	return pem, fault.WithHint(err, "give a file of certificates in PEM format: --set ca_bundle=@ca.pem")
}
