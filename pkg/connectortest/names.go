package connectortest

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
)

// names checks that resource names have one canonical form.
func (r *run) names() {
	for _, name := range r.Names {
		r.subject = "resource type " + name.ResourceType + ": "
		settings, ok := r.settings(name.Spec)
		t := r.resourceType(name.ResourceType)
		if !ok || t == nil {
			continue
		}
		for in, want := range name.Good {
			got, err := t.Parse(settings.Values, in)
			r.wrongIf(err != nil || got != want, "the name %q became %q (%v), not %q", in, got, err, want)
			again, err := t.Parse(settings.Values, want)
			r.wrongIf(err != nil || again != want, "the canonical name %q became %q (%v)", want, again, err)
		}
		for _, in := range slices.Concat(name.Bad, []string{"", "\x00", "a b", "\xff"}) {
			got, err := t.Parse(settings.Values, in)
			r.wrongIf(!fault.Is(err, fault.Invalid), "the name %q became %q, %v: it should be refused as invalid", in, got, err)
		}
	}
	for _, t := range r.Type.Resources {
		r.wrongIf(!slices.ContainsFunc(r.Names, func(n Name) bool { return n.ResourceType == t.Name }), "no names of resource type %s are given", t.Name)
	}
}

func (r *run) resourceType(name string) *connector.ResourceType {
	t, err := r.Type.Resource(name)
	if err != nil {
		r.wrong("%v", err)
	}
	return t
}

// addresses checks that a connector serves its own addresses and nobody else's.
func (r *run) addresses() {
	for _, a := range r.Addresses {
		r.subject = "resource type " + a.ResourceType + ": "
		settings, ok := r.settings(a.Spec)
		t := r.resourceType(a.ResourceType)
		if !ok || t == nil || t.Serves == nil {
			continue
		}
		for address, want := range a.Serves {
			name, ok := t.Serves(settings, address)
			r.wrongIf(!ok || name != want, "the address %q is %q (%v), not %q", address, name, ok, want)
			for _, foreign := range slices.Concat(a.Foreign, impostors(address)) {
				name, ok := t.Serves(settings, foreign)
				r.wrongIf(ok, "the address %q is served, as %q", foreign, name)
			}
		}
	}
	for _, t := range r.Type.Resources {
		given := slices.ContainsFunc(r.Addresses, func(a Address) bool { return a.ResourceType == t.Name && len(a.Serves) > 0 })
		r.wrongIf(t.Serves != nil && !given, "no addresses of resource type %s are given", t.Name)
	}
}

// impostors makes addresses that look like one that is served, and lead elsewhere.
func impostors(address string) []string {
	scheme, rest := "", address
	if i := strings.Index(address, "://"); i >= 0 {
		scheme, rest = address[:i+3], address[i+3:]
	}
	authority, path, _ := strings.Cut(rest, "/")
	u, err := url.Parse("//" + authority)
	if err != nil {
		return nil
	}
	port := ""
	if u.Port() != "" {
		port = ":" + u.Port()
	}
	host := strings.TrimSuffix(authority, port)
	var out []string
	for _, impostor := range []string{
		host + ".evil.tld" + port, "evil-" + host + port, "evil." + host + port, "evil.example.com", "evil.example.com" + port,
		authority + "@evil.tld", "evil@" + authority, authority + ":x@evil.tld", authority + `\@evil.tld`, authority + "#@evil.tld",
		authority + "?@evil.tld", "evil.tld/" + authority, "evil.tld?" + authority, "evil.tld#" + authority,
		host + "\x00.evil.tld" + port, host + " .evil.tld" + port, host + "%00.evil.tld" + port, host + "%2eevil.tld" + port,
		host + ":" + otherPort(u.Port()), "",
	} {
		out = append(out, scheme+impostor, "https://"+impostor+"/"+path, "http://"+impostor+"/"+path)
	}
	return out
}

func otherPort(port string) string {
	n, err := strconv.Atoi(port)
	if err != nil {
		return "444"
	}
	return strconv.Itoa(n%65535 + 1)
}
