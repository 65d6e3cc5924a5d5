package gcptest

import (
	"net"
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/faketest"
	"github.com/svcconn/svcconn/pkg/field"
)

const (
	defaultUniverse = "googleapis.com"
	accountsHost    = "accounts.google.com"
	metadataHost    = "metadata.google.internal"
	metadataIP      = "169.254.169.254"
)

// googleHost is one of Google's host names.
type googleHost struct {
	name   string   // in lower case, without port
	labels []string // without the universe's domain; nil where it is in none
}

// has says that one of the labels is a service's, alone or before a hyphen, as in
// storage-mine.p.googleapis.com.
func (h googleHost) has(service string) bool {
	return slices.ContainsFunc(h.labels, func(label string) bool {
		return label == service || strings.HasPrefix(label, service+"-")
	})
}

// parseHost takes a host name of Google's apart, and tells whether it is one.
func (s *Server) parseHost(host string) (googleHost, bool) {
	h := googleHost{name: faketest.BareHost(host)}
	if slices.Contains([]string{accountsHost, metadataHost, metadataIP}, h.name) {
		return h, true
	}
	for domain := range s.domains() {
		if front, ok := strings.CutSuffix(h.name, "."+domain); ok {
			h.labels = strings.Split(front, ".")
			return h, true
		}
	}
	return h, false
}

// registryHosts are what the hosts of registries are called, but for those of universes.
// https://cloud.google.com/artifact-registry/docs/transition/gcr-repositories
var registryHosts = field.Lazily(`^(?:[a-z0-9-]+-docker\.pkg\.dev|(?:(?:us|eu|asia)\.)?gcr\.io)$`)

// isRegistry says whether a host is a registry's.
func (s *Server) isRegistry(host string) bool {
	name := faketest.BareHost(host)
	if registryHosts.MatchString(name) {
		return true
	}
	for _, domain := range s.domains() {
		front, ok := strings.CutSuffix(name, "-docker."+domain)
		if domain != "" && ok && !strings.Contains(front, ".") {
			return true
		}
	}
	return false
}

// Universe makes the proxy answer for another universe too: a cloud that is Google's
// technology under another name. The domain of its APIs is as apis-berlin-build0.goog, that
// of its registries as pkg-berlin-build0.goog; "" is none. What is in it is the same.
func (s *Server) Universe(domain, registries string) {
	s.universesMu.Lock()
	defer s.universesMu.Unlock()
	s.universes[strings.ToLower(domain)] = strings.ToLower(registries)
}

// domains is the domains of universes, each with that of its registries.
func (s *Server) domains() map[string]string {
	s.universesMu.Lock()
	defer s.universesMu.Unlock()
	out := map[string]string{defaultUniverse: ""}
	for domain, registries := range s.universes {
		out[domain] = registries
	}
	return out
}

// isLoopback says whether a host, without port, is this machine.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
