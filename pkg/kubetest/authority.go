package kubetest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"time"
)

// authority is a certificate authority.
type authority struct {
	pem         string
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(name string, now time.Time) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	ca := template(pkix.Name{CommonName: name + " certificate authority"}, now, 24*time.Hour)
	ca.IsCA, ca.BasicConstraintsValid, ca.KeyUsage = true, true, x509.KeyUsageCertSign
	raw, err := x509.CreateCertificate(rand.Reader, ca, ca, key.Public(), key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(raw)
	return &authority{pem: string(encodeCertificate(raw)), certificate: certificate, key: key}, err
}

func encodeCertificate(raw []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw})
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	return pool
}

// sign returns a certificate in DER.
func (a *authority) sign(leaf *x509.Certificate, public crypto.PublicKey) ([]byte, error) {
	return x509.CreateCertificate(rand.Reader, leaf, a.certificate, public, a.key)
}

func (a *authority) serverCertificate(names []string, now time.Time) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	leaf := template(pkix.Name{CommonName: "kubetest"}, now, 24*time.Hour)
	leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	leaf.DNSNames = names
	if names == nil {
		leaf.DNSNames, leaf.IPAddresses = []string{"localhost"}, []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	raw, err := a.sign(leaf, key.Public())
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}, err
}

// clientCertificate returns a certificate in DER for a subject's key.
func (a *authority) clientCertificate(subject pkix.Name, public crypto.PublicKey, now time.Time, lifetime time.Duration) ([]byte, error) {
	leaf := template(subject, now, lifetime)
	leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	return a.sign(leaf, public)
}

// ClientCertificate makes a client certificate for a user, and its key, both in PEM.
// The server knows it until lifetime is over; one that is negative is over already.
func (s *Server) ClientCertificate(user User, lifetime time.Duration) (certificate, key string, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", err
	}
	raw, err := s.clients.clientCertificate(pkix.Name{CommonName: user.Name, Organization: user.Groups}, private.Public(), s.options.Now(), lifetime)
	if err != nil {
		return "", "", err
	}
	rawKey, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return "", "", err
	}
	return string(encodeCertificate(raw)), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: rawKey})), nil
}

func template(subject pkix.Name, now time.Time, lifetime time.Duration) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<62)) // fails for bounds below 1 only
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      subject,
		NotBefore:    now.Add(-48 * time.Hour),
		NotAfter:     now.Add(lifetime),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
}
