package kubetest

import (
	"crypto/subtle"
	"crypto/x509"
	"net/http"
	"slices"
	"strings"
)

const (
	anonymous     = "system:anonymous"
	authenticated = "system:authenticated"
)

// authenticate finds out who makes a request, as the real server does: by certificate,
// then by token, then in old versions by password. Credentials that are not good are
// refused; those of a sort that the version does not know are as good as none.
func (s *Server) authenticate(r *http.Request) (User, bool) {
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		return s.byCertificate(r.TLS.PeerCertificates)
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") && token != "" {
		return s.byToken(token)
	}
	if name, password, ok := r.BasicAuth(); ok && s.options.Minor < 19 {
		want, known := s.options.Passwords[name]
		return withEverybody(User{Name: name}), known && subtle.ConstantTimeCompare([]byte(password), []byte(want)) == 1
	}
	return User{Name: anonymous, Groups: []string{"system:unauthenticated"}}, true
}

func (s *Server) byCertificate(chain []*x509.Certificate) (User, bool) {
	leaf := chain[0]
	_, err := leaf.Verify(x509.VerifyOptions{
		Roots: s.clients.Pool(), CurrentTime: s.options.Now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil || leaf.Subject.CommonName == "" {
		return User{}, false
	}
	return withEverybody(User{Name: leaf.Subject.CommonName, Groups: leaf.Subject.Organization}), true
}

func (s *Server) byToken(token string) (User, bool) {
	if s.isRevoked(token) {
		return User{}, false
	}
	if user, ok := s.options.Tokens[token]; ok {
		return withEverybody(user), true
	}
	if user, ok := s.accounts.check(token, s.options.Now()); ok {
		return withEverybody(user), true
	}
	if s.options.Authenticate != nil {
		if user, ok := s.options.Authenticate(token); ok {
			return withEverybody(user), true
		}
	}
	return User{}, false
}

func withEverybody(user User) User {
	user.Groups = append(slices.Clone(user.Groups), authenticated)
	return user
}

// authorize reports whether a user may do something, as "VERB RESOURCE".
func (s *Server) authorize(user User, what string) bool {
	return user.Name != anonymous && !slices.Contains(s.options.Forbidden, what)
}
