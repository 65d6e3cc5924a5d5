package kubetest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"time"

	"github.com/svcconn/svcconn/pkg/faketest"
)

// clientCertificate returns a certificate in DER for a subject's key.
func (s *Server) clientCertificate(subject pkix.Name, public crypto.PublicKey, lifetime time.Duration) ([]byte, error) {
	now := s.options.Now()
	leaf := faketest.Template(subject, now.Add(-48*time.Hour), now.Add(lifetime))
	leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	return s.clients.Sign(leaf, public)
}

// ClientCertificate makes a client certificate for a user, and its key, both in PEM.
// The server knows it until lifetime is over; one that is negative is over already.
func (s *Server) ClientCertificate(user User, lifetime time.Duration) (certificate, key string, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", err
	}
	raw, err := s.clientCertificate(pkix.Name{CommonName: user.Name, Organization: user.Groups}, private.Public(), lifetime)
	if err != nil {
		return "", "", err
	}
	rawKey, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return "", "", err
	}
	return faketest.PEM(raw), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: rawKey})), nil
}
