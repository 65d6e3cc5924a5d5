package kubernetes

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"slices"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/secret"
)

// The fields of auth method client-certificate-request.
var (
	certificateUser = field.String{
		Name: "certificate_user", Title: "user of the certificates", Example: "ci",
		Help: "The user that the certificates are for. Left out, it is the stored login's own, with its groups.",
	}
	certificateGroups = field.List{
		Name: "certificate_groups", Title: "groups of the certificates", Example: "developers",
		Help: "The groups that the certificates are for. Kubernetes signs none for system:masters.",
	}
)

// Groups that certificates are not asked for: everybody is in the first, and no signer
// of API servers gives the second.
var groupsLeftOut = []string{"system:authenticated", "system:masters"}

// certificateRequest has client certificates signed with a stored login, which never
// leaves.
type certificateRequest struct {
	stored proof
	user   string
	groups []string
}

func certificateRequestLogin(_ connector.Host, settings connector.Settings) (authenticator, error) {
	p, err := storedProof(settings.Values)
	if err != nil {
		return nil, err
	}
	return certificateRequest{p, certificateUser.Get(settings.Values), certificateGroups.Get(settings.Values)}, nil
}

// prove implements authenticator. The certificate says itself how long it lasts.
func (m certificateRequest) prove(ctx context.Context, c *client, lifetime time.Duration) (proof, error) {
	a, err := c.asStored(m.stored)
	if err != nil {
		return proof{}, err
	}
	defer a.close()
	subject, err := m.subject(ctx, a)
	if err != nil {
		return proof{}, err
	}
	key, request, err := newRequest(subject)
	if err != nil {
		return proof{}, err
	}
	certificate, err := a.sign(ctx, request, orDefault(lifetime))
	if err != nil {
		return proof{}, err
	}
	if _, err := keyPair(certificate, key); err != nil {
		return proof{}, fault.New(fault.Failed, "%s signed another key than ours: %w", a.hop(), err)
	}
	return proof{certificate: certificate, key: key}, nil
}

// subject is whom the certificates are for.
func (m certificateRequest) subject(ctx context.Context, a *api) (pkix.Name, error) {
	name, groups := m.user, m.groups
	if name == "" {
		u, err := a.whoAmI(ctx)
		if err != nil {
			return pkix.Name{}, err
		}
		if u.claimed {
			return pkix.Name{}, fault.New(fault.Invalid, "%s cannot tell whom certificates should be for", a.hop()).Hint("add --set certificate_user=NAME")
		}
		name = u.Username
		if len(groups) == 0 {
			groups = slices.DeleteFunc(u.Groups, func(group string) bool { return slices.Contains(groupsLeftOut, group) })
		}
	}
	return pkix.Name{CommonName: name, Organization: groups}, nil
}

// newRequest makes a key and a request to certify it, in PEM.
func newRequest(subject pkix.Name) (secret.Text, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return secret.Text{}, nil, err
	}
	request, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: subject}, key)
	if err != nil {
		return secret.Text{}, nil, fault.New(fault.Invalid, "no certificate can be asked for: %w", err)
	}
	raw, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return secret.Text{}, nil, err
	}
	return secret.New(string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: raw}))),
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: request}), nil
}

// verify implements verifying. It asks for no certificate, since someone may have to
// approve each: it asks who the stored login is, and what it may.
func (m certificateRequest) verify(ctx context.Context, c *client) (connector.Identity, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	a, err := c.asStored(m.stored)
	if err != nil {
		return connector.Identity{}, err
	}
	defer a.close()
	u, err := a.whoAmI(ctx)
	if err != nil {
		return connector.Identity{}, err
	}
	if u.detail, err = a.mayHaveSigned(ctx, u.Username); err != nil {
		return connector.Identity{}, err
	}
	if m.user != "" {
		u.detail = "certificates are for " + m.user + "; " + u.detail
	}
	return u.identity(), nil
}

func certificateRequestMethod() method {
	return method{open: certificateRequestLogin, AuthMethod: connector.AuthMethod{
		Name:      methodCertificateRequest,
		Title:     "Short-lived client certificates",
		Fields:    slices.Concat(field.Set{certificateUser, certificateGroups}, storedFields()),
		Temporary: true,
		Lifetime:  lifetimes,
		Doc: `Has short-lived client certificates signed by the cluster (CertificateSigningRequest, signer kubernetes.io/kube-apiserver-client) with a stored token or client certificate. Each key is made by svcconn and goes to nobody but the client; the stored login never leaves svcconn.

Where the stored login may approve its own requests, it does. Where it may not, svcconn waits for someone who does: kubectl certificate approve NAME. A request is deleted once it is over.

The expiration is what --expiration asks for, 10 minutes or more; the signer may give another, and what the certificate says is what counts. Kubernetes cannot revoke client certificates, so keep it short.`,
	}}
}
