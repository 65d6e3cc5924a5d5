package gcp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/hop"
	"github.com/svcconn/svcconn/pkg/secret"
)

// advice is what a person can do about a service that gives no answer.
var advice = &hop.Advice{
	Late:        "try again; if it stays away, check the field api_endpoint_* of the service, universe_domain, the network and the proxy",
	Unreachable: "check the field api_endpoint_* of the service, universe_domain, the network and the proxy",
	Proxy:       "check the proxy in svcconn's environment (HTTPS_PROXY, NO_PROXY)",
	Plain:       "check the port in the field api_endpoint_* of the service; where it is meant to speak plain HTTP, its scheme is http",
	WrongName:   "use an api_endpoint_* whose host its certificate has; a proxy that opens TLS connections can be the reason, too",
	Expired:     "check this machine's clock; if it is right, the endpoint needs a new certificate",
	Untrusted: "where the endpoint, or a proxy that opens TLS connections, has a certificate authority of its own, give that one's certificate: " +
		"--set ca_bundle=@ca.pem",
	Unusable: "check the field api_endpoint_* of the service, and the proxy if there is one",
}

// refused is the error for a refusal. What a person can do about it depends on the codes
// of the answer; the words are the service's own, without what is secret in them. The
// answer is in the error's chain, for who knows more of it: see hinted. shown are secrets
// that were sent.
func (c *clients) refused(a *answer, shown ...secret.Text) error {
	said := a.printed(func(words string) string { return c.printable(words, shown...) })
	if said.isBare() {
		return said.bare()
	}
	m := said.meaning()
	if m.kind == fault.Unavailable {
		return said.later(m.says, said)
	}
	says, hint := m.says, m.hint
	if clock, wrong := c.clock(said); wrong {
		says += ", and this machine's clock " + clock
		hint = "set this machine's clock; if it is right, " + hint
	}
	facts := c.facts(said)
	return fault.New(m.kind, "%s %s: %w", said.api.title, facts.Replace(says), said).Hint("%s", facts.Replace(hint))
}

// later is the error for a service that may well do it some time later.
func (a *answer) later(says string, err error) error {
	if a.tries > 1 {
		says += fmt.Sprintf(", after %d tries", a.tries)
	}
	return fault.New(fault.Unavailable, "%s %s: %w", a.api.title, says, err).Hint("try again %s", hop.Later(a.header))
}

// clock says how this machine's clock is compared with Google's, where that is why Google
// refuses, or may well be.
func (c *clients) clock(a *answer) (is string, wrong bool) {
	off := hop.Skew(a.header, c.host.Now())
	judges := a.status == http.StatusUnauthorized || slices.Contains([]string{"invalid_grant", "invalid_token"}, a.code)
	return hop.ClockIs(off, "Google's"), a.blamesClock() || judges && off.Abs() > hop.SkewTolerated
}

// clockWords are how Google says that a JSON web token is of another time.
var clockWords = []string{"reasonable timeframe", "issued in the future", "used too early", "iat and exp values"}

func (a *answer) blamesClock() bool { return slices.ContainsFunc(clockWords, a.has) }

// hinted gives a refusal the hint of who knows more of it than the answer tells: an auth
// method, which has sent what was refused. hint returns "" for refusals that it knows
// nothing of; errors that are no refusals are returned as they are.
func hinted(err error, hint func(*answer) string) error {
	if said := refusal(err); said != nil {
		if text := hint(said); text != "" {
			return fault.New(fault.KindOf(err), "%w", err).Hint("%s", text)
		}
	}
	return err
}

// ofKey names the key of a service account, and the account, in the hint of a refusal of
// what the key signed.
func ofKey(err error, id, account string) error {
	id, account = hop.OneLine(id), hop.OneLine(account)
	return hinted(err, func(said *answer) string {
		hint := strings.ReplaceAll(fault.HintOf(err), "ACCOUNT", account)
		switch said.meaning() {
		case badKey:
			return "it is the key " + id + " of " + account + "; " + hint
		case accountGone:
			return hint
		}
		return ""
	})
}

// isBare reports whether Google is not in the answer: neither codes nor words of its own.
func (a *answer) isBare() bool { return a.name() == "" && a.message == "" }

// bare is the error for a refusal that somebody on the way may have given, too.
func (a *answer) bare() error {
	words := hop.Status(a.status, "")
	switch {
	case a.status >= http.StatusInternalServerError || a.status == http.StatusTooManyRequests:
		return a.later(byStatus(a.status).says, errors.New(words))
	case a.status == http.StatusProxyAuthRequired:
		return fault.New(fault.Unavailable, "the proxy in front of %s does not let us through: %s", a.api.title, words).Hint("%s", advice.Proxy)
	case a.status/100 == 3:
		return fault.New(fault.Invalid, "%s redirects elsewhere, where the credential does not belong: %s", a.api.title, words).
			Hint("check %s: give the address that it leads to, if that is the service's own", a.api.setting())
	case a.status == http.StatusUnauthorized || a.status == http.StatusForbidden:
		return fault.New(fault.Denied, "%s refuses without a word: %s", a.api.title, words).
			Hint("something else may answer in its place: check %s, and the proxy if there is one", a.api.setting())
	}
	return foreign(a.api, words)
}

// setting is the field that has the address of a service, as hints name it.
func (a api) setting() string { return cmp.Or(a.endpoint.Name, "its address") }

func foreign(a api, words string) error {
	return fault.New(fault.Invalid, "%s gave an answer that is not Google's: %s", a.title, words).
		Hint("check %s, universe_domain, and the proxy if there is one: something else answers there", a.setting())
}

// foreign is the error for an answer that is none of Google's.
func (c *clients) foreign(service string, response *http.Response) error {
	return foreign(api{title: service}, hop.Status(response.StatusCode, ""))
}

// silent is the error for a service that said nothing.
func (c *clients) silent(ctx context.Context, service string, err error) error {
	return hop.At(service, advice, err).Silent(ctx, err)
}
