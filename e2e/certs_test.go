//go:build e2e && linux

package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"testing"
	"time"
)

// keyPair is a certificate and its key.
type keyPair struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// newAuthority makes a certificate authority.
func newAuthority(t *testing.T) keyPair {
	return issue(t, keyPair{}, &x509.Certificate{
		Subject: pkix.Name{CommonName: "e2e authority"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	})
}

// serverCert makes a certificate for 127.0.0.1 that is valid for the hour that
// ends after the given time from now, which may be negative.
func (ca keyPair) serverCert(t *testing.T, ends time.Duration) keyPair {
	end := time.Now().Add(ends)
	return issue(t, ca, &x509.Certificate{
		Subject: pkix.Name{CommonName: "127.0.0.1"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, NotBefore: end.Add(-time.Hour), NotAfter: end,
	})
}

// issue signs a certificate with the authority; one without a key signs itself.
func issue(t *testing.T, ca keyPair, template *x509.Certificate) keyPair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	if ca.key == nil {
		ca = keyPair{template, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.cert, &key.PublicKey, ca.key)
	must(t, err)
	cert, err := x509.ParseCertificate(der)
	must(t, err)
	return keyPair{cert, key}
}

func (p keyPair) certPEM() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.cert.Raw}))
}

func (p keyPair) keyPEM(t *testing.T) string {
	t.Helper()
	der, err := x509.MarshalECPrivateKey(p.key)
	must(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}))
}

// signDigest signs with ECDSA and gives the two halves of a JWS signature.
func signDigest(p keyPair, digest []byte) (r, s []byte, err error) {
	x, y, err := ecdsa.Sign(rand.Reader, p.key, digest)
	if err != nil {
		return nil, nil, err
	}
	return x.FillBytes(make([]byte, 32)), y.FillBytes(make([]byte, 32)), nil
}
