package kubernetes

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"time"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/hop"
	"github.com/svcconn/svcconn/pkg/secret"
)

// canonicalCertificates reads certificates as PEM, or as base64 of PEM, and returns
// them as PEM with nothing else around them.
func canonicalCertificates(text string) (string, error) {
	canonical, err := hop.Certificates(text)
	return canonical, fault.WithHint(err, "give a file of certificates in PEM format with --set FIELD=@FILE")
}

// checkKey refuses what no client could use as a key.
func checkKey(key secret.Text) error {
	block, _ := pem.Decode(hop.Unwrapped(key.Reveal()))
	switch {
	case block == nil || !strings.HasSuffix(block.Type, "PRIVATE KEY"):
		return fault.New(fault.Invalid, "there is no private key in it").Hint("give a private key in PEM format: --set client_key=@client.key")
	case block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "":
		return fault.New(fault.Invalid, "the private key is encrypted").
			Hint("give it decrypted, as `openssl pkey -in FILE` writes it: svcconn keeps it in the secret store")
	}
	return nil
}

// keyPair reads a certificate and its key. What is wrong is said without repeating
// anything of the key.
func keyPair(certificate string, key secret.Text) (tls.Certificate, error) {
	pair, err := tls.X509KeyPair([]byte(certificate), []byte(key.Reveal()))
	if err != nil {
		return tls.Certificate{}, fault.New(fault.Invalid, "client certificate and key do not belong together, or are malformed: %w", err).
			Hint("give the certificate and the key that was made for it")
	}
	return pair, nil
}

// leaf is the first certificate of a PEM text that canonicalCertificates accepted.
func leaf(certificate string) (*x509.Certificate, error) {
	block, _ := pem.Decode([]byte(certificate))
	if block == nil {
		return nil, fault.New(fault.Invalid, "there is no client certificate")
	}
	return x509.ParseCertificate(block.Bytes)
}

// endOf is when a certificate stops being valid.
func endOf(certificate string) time.Time {
	c, err := leaf(certificate)
	if err != nil {
		return time.Time{}
	}
	return c.NotAfter
}
