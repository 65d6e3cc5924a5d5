package awstest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"sync"
	"time"
)

// authority is the certificate authority that signs the certificates of the hosts that the
// proxy answers for.
type authority struct {
	pem         string
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	server      *ecdsa.PrivateKey // of all hosts
	made        time.Time

	mu    sync.Mutex
	hosts map[string]*tls.Certificate
}

func newAuthority(now time.Time) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	server, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	ca := template("awstest certificate authority", now)
	ca.IsCA, ca.BasicConstraintsValid, ca.KeyUsage = true, true, x509.KeyUsageCertSign
	raw, err := x509.CreateCertificate(rand.Reader, ca, ca, key.Public(), key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(raw)
	return &authority{
		pem:         string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw})),
		certificate: certificate, key: key, server: server, made: now, hosts: map[string]*tls.Certificate{},
	}, err
}

// forHost is the certificate of a host name or address, made at first use.
func (a *authority) forHost(host string) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if known := a.hosts[host]; known != nil {
		return known, nil
	}
	leaf := template(host, a.made)
	leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	if ip := net.ParseIP(host); ip != nil {
		leaf.IPAddresses = []net.IP{ip}
	} else {
		leaf.DNSNames = []string{host}
	}
	raw, err := x509.CreateCertificate(rand.Reader, leaf, a.certificate, a.server.Public(), a.key)
	if err != nil {
		return nil, err
	}
	a.hosts[host] = &tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: a.server}
	return a.hosts[host], nil
}

// commonNameMax is X.509's bound on a common name.
const commonNameMax = 64

// template is a certificate that is good for years on either side of now: tests have
// clocks of their own.
func template(name string, now time.Time) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<62)) // fails for bounds below 1 only
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name[:min(len(name), commonNameMax)]},
		NotBefore:    now.AddDate(-10, 0, 0),
		NotAfter:     now.AddDate(10, 0, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
}

// CertificateAuthority is the certificate, PEM, of the authority that signs the
// certificates of the hosts that ProxyURL answers for.
func (s *Server) CertificateAuthority() string { return s.ca.pem }
