//go:build e2e && linux

package e2e

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"net/http"
	"slices"
	"testing"
	"time"
)

// verdict is what becomes of the certificate requests of a user.
type verdict string

const (
	approved  verdict = "Approved"
	denied    verdict = "Denied"
	undecided verdict = ""
)

const requestsPath = "/apis/certificates.k8s.io/v1/certificatesigningrequests"

// signingRequest is what the tests read of a CertificateSigningRequest.
type signingRequest struct {
	Metadata struct{ Name string }
	Spec     struct {
		Request           string
		SignerName        string
		Username          string
		ExpirationSeconds int
		Usages            []string
	}
	Status struct {
		Certificate string
		Conditions  []struct{ Type string }
	}
}

// decide judges the user's certificate requests as an administrator would, until the
// test ends, and signs the approved ones, as kube-controller-manager does.
func (c *cluster) decide(t *testing.T, u user, v verdict) {
	go func() {
		for tick := time.Tick(100 * time.Millisecond); t.Context().Err() == nil; <-tick {
			for _, r := range c.signingRequests(u) {
				if err := c.handle(r, v); err != nil && t.Context().Err() == nil {
					t.Errorf("signing: %v", err)
					return
				}
			}
		}
	}()
}

// signingRequests are those that the user has made.
func (c *cluster) signingRequests(u user) (own []signingRequest) {
	var list struct{ Items []signingRequest }
	if c.call(http.MethodGet, requestsPath, nil, &list) != nil {
		return nil
	}
	for _, r := range list.Items {
		if r.Spec.Username == u.name {
			own = append(own, r)
		}
	}
	return own
}

func (c *cluster) handle(r signingRequest, v verdict) error {
	path := requestsPath + "/" + r.Metadata.Name
	isApproved := slices.ContainsFunc(r.Status.Conditions, func(c struct{ Type string }) bool { return c.Type == string(approved) })
	switch {
	case len(r.Status.Conditions) == 0 && v != undecided:
		return c.change(path, "/approval", func(status object) {
			status["conditions"] = []object{{"type": v, "status": "True", "reason": "E2E", "message": "decided by the test"}}
		})
	case isApproved && r.Status.Certificate == "":
		certificate, err := c.sign(r)
		if err != nil {
			return err
		}
		return c.change(path, "/status", func(status object) { status["certificate"] = certificate })
	}
	return nil
}

// change edits the status of an object; one that is gone, or was changed meanwhile,
// is left alone.
func (c *cluster) change(path, part string, edit func(status object)) error {
	var whole object
	if c.call(http.MethodGet, path, nil, &whole) != nil {
		return nil
	}
	status, _ := whole["status"].(object)
	if status == nil {
		status = object{}
	}
	edit(status)
	whole["status"] = status
	err := c.call(http.MethodPut, path+part, whole, nil)
	if err != nil && c.call(http.MethodGet, path, nil, nil) != nil {
		return nil
	}
	return err
}

// sign makes the certificate that a request asks for, as base64 of PEM.
func (c *cluster) sign(r signingRequest) (string, error) {
	text, err := base64.StdEncoding.DecodeString(r.Spec.Request)
	if err != nil {
		return "", err
	}
	block, _ := pem.Decode(text)
	asked, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return "", err
	}
	if err := asked.CheckSignature(); err != nil {
		return "", err
	}
	now := time.Now()
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: asked.Subject, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		NotBefore:   now.Add(-5 * time.Minute), NotAfter: now.Add(time.Duration(r.Spec.ExpirationSeconds) * time.Second),
	}, c.ca.cert, asked.PublicKey, c.ca.key)
	if err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), nil
}
