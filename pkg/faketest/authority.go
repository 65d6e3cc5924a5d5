package faketest

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

// Authority is a certificate authority made for a test. It is safe for concurrent use.
type Authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	now         time.Time
}

// NewAuthority makes an authority. What it signs is good for years on either side of now:
// tests have clocks of their own.
func NewAuthority(name string, now time.Time) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	own := Template(pkix.Name{CommonName: name + " certificate authority"}, now.AddDate(-10, 0, 0), now.AddDate(10, 0, 0))
	own.IsCA, own.BasicConstraintsValid, own.KeyUsage = true, true, x509.KeyUsageCertSign
	raw, err := x509.CreateCertificate(rand.Reader, own, own, key.Public(), key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(raw)
	return &Authority{certificate, key, now}, err
}

// PEM is the authority's own certificate.
func (a *Authority) PEM() string { return PEM(a.certificate.Raw) }

// Pool trusts the authority alone.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	return pool
}

// Sign returns a certificate, DER, for somebody's public key.
func (a *Authority) Sign(leaf *x509.Certificate, public crypto.PublicKey) ([]byte, error) {
	return x509.CreateCertificate(rand.Reader, leaf, a.certificate, public, a.key)
}

// ForServer makes the certificate of a server of some host names and IP addresses.
func (a *Authority) ForServer(hosts ...string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	leaf := Template(pkix.Name{CommonName: hosts[0][:min(len(hosts[0]), commonNameMax)]}, a.now.AddDate(-10, 0, 0), a.now.AddDate(10, 0, 0))
	leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			leaf.IPAddresses = append(leaf.IPAddresses, ip)
		} else {
			leaf.DNSNames = append(leaf.DNSNames, host)
		}
	}
	raw, err := a.Sign(leaf, key.Public())
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}, err
}

// commonNameMax is X.509's bound on a common name.
const commonNameMax = 64

// Template is a certificate to sign, good from one time to another.
func Template(subject pkix.Name, from, to time.Time) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<62)) // fails for bounds below 1 only
	return &x509.Certificate{SerialNumber: serial, Subject: subject, NotBefore: from, NotAfter: to, KeyUsage: x509.KeyUsageDigitalSignature}
}

// PEM encodes a certificate.
func PEM(raw []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw}))
}
