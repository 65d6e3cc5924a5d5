package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/hop"
)

const (
	signingPath = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
	signer      = "kubernetes.io/kube-apiserver-client"
)

// Bounds of the waiting for a signature.
const (
	firstLook        = 250 * time.Millisecond // doubled every time
	longestLook      = 5 * time.Second
	approvalPatience = 5 * time.Minute
	cleanUp          = 5 * time.Second
)

// signingRequest is a CertificateSigningRequest, as far as it concerns us.
type signingRequest struct {
	APIVersion string          `json:"apiVersion"`
	Kind       string          `json:"kind"`
	Metadata   signingMetadata `json:"metadata"`
	Spec       signingSpec     `json:"spec"`
	Status     signingStatus   `json:"status,omitzero"`
}

type signingMetadata struct {
	Name            string            `json:"name,omitempty"`
	GenerateName    string            `json:"generateName,omitempty"`
	ResourceVersion string            `json:"resourceVersion,omitempty"`
	Labels          map[string]string `json:"labels,omitempty"`
}

type signingSpec struct {
	Request           []byte   `json:"request"`
	SignerName        string   `json:"signerName"`
	ExpirationSeconds int64    `json:"expirationSeconds,omitempty"`
	Usages            []string `json:"usages"`
}

type signingStatus struct {
	Certificate []byte             `json:"certificate,omitempty"`
	Conditions  []signingCondition `json:"conditions,omitempty"`
}

type signingCondition struct {
	Type    string `json:"type"`
	Status  string `json:"status"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

func (r signingRequest) condition(kind string) (signingCondition, bool) {
	i := slices.IndexFunc(r.Status.Conditions, func(c signingCondition) bool { return c.Type == kind })
	if i < 0 {
		return signingCondition{}, false
	}
	return r.Status.Conditions[i], true
}

func (r signingRequest) path() string { return signingPath + "/" + r.Metadata.Name }

// sign has a request signed, and returns the certificate as PEM.
func (a *api) sign(ctx context.Context, request []byte, lifetime time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, approvalPatience)
	defer cancel()
	made, err := a.file(ctx, request, lifetime)
	if err != nil {
		return "", err
	}
	defer a.withdraw(ctx, made)
	if err := a.approve(ctx, made); err != nil {
		return "", err
	}
	return a.await(ctx, made)
}

// file creates a request.
func (a *api) file(ctx context.Context, request []byte, lifetime time.Duration) (signingRequest, error) {
	in := signingRequest{
		APIVersion: "certificates.k8s.io/v1", Kind: "CertificateSigningRequest",
		Metadata: signingMetadata{GenerateName: "svcconn-", Labels: map[string]string{"app.kubernetes.io/managed-by": "svcconn"}},
		Spec: signingSpec{
			Request: request, SignerName: signer, ExpirationSeconds: int64(lifetime.Seconds()),
			Usages: []string{"client auth", "digital signature"},
		},
	}
	var made signingRequest
	err := a.call(ctx, http.MethodPost, signingPath, in, &made)
	switch {
	case statusOf(err) == http.StatusForbidden:
		return made, fault.WithHint(err, "let the stored login create, get and delete certificatesigningrequests, and give no group that the signer refuses")
	case err != nil:
		return made, hinted(err)
	}
	if _, err := checkObject(made.Metadata.Name); err != nil {
		return made, a.notAnAPIServer(signingPath, "a request without a name")
	}
	return made, nil
}

// approve approves a request. Where we may not, someone else has to, and is asked to.
func (a *api) approve(ctx context.Context, made signingRequest) error {
	approved := made
	approved.APIVersion, approved.Kind = "certificates.k8s.io/v1", "CertificateSigningRequest"
	approved.Status.Conditions = []signingCondition{{Type: "Approved", Status: "True", Reason: "SvcconnApproved", Message: "Approved by svcconn with the login that made the request."}}
	err := a.call(ctx, http.MethodPut, made.path()+"/approval", approved, nil)
	switch statusOf(err) {
	case http.StatusForbidden:
		if a.host.Person != nil {
			a.host.Person.Tell("Waiting for someone to approve the certificate: kubectl certificate approve " + made.Metadata.Name)
		}
		return nil
	case http.StatusConflict, http.StatusNotFound: // someone else was at it: await finds out
		return nil
	}
	return err
}

// await looks at a request until there is a certificate or a no.
func (a *api) await(ctx context.Context, made signingRequest) (string, error) {
	for wait := firstLook; ; wait = min(2*wait, longestLook) {
		if err := a.call(ctx, http.MethodGet, made.path(), nil, &made); err != nil {
			return "", a.lost(ctx, made, err)
		}
		denied, isDenied := made.condition("Denied")
		failed, isFailed := made.condition("Failed")
		switch {
		case isDenied:
			return "", fault.New(fault.Denied, "the certificate signing request %s was denied: %s", made.Metadata.Name, denied.words()).
				Hint("ask whoever approves such requests in the cluster")
		case isFailed:
			return "", fault.New(fault.Failed, "the signer could not sign the certificate signing request %s: %s", made.Metadata.Name, failed.words())
		case len(made.Status.Certificate) > 0:
			certificate, err := canonicalCertificates(string(made.Status.Certificate))
			return certificate, fault.Within(err, "the certificate that %s signed", a.hop())
		}
		if err := a.pause(ctx, wait); err != nil {
			return "", a.lost(ctx, made, err)
		}
	}
}

func (c signingCondition) words() string {
	return hop.OneLine(fmt.Sprintf("%s: %s", c.Reason, c.Message))
}

// lost is the error for a request whose end we did not live to see.
func (a *api) lost(ctx context.Context, made signingRequest, err error) error {
	_, approved := made.condition("Approved")
	name := made.Metadata.Name
	var said *fault.Error
	switch {
	case statusOf(err) == http.StatusNotFound:
		return fault.New(fault.Failed, "someone deleted the certificate signing request %s before it was signed", name).Hint("try again")
	case !errors.Is(ctx.Err(), context.DeadlineExceeded) && errors.As(err, &said):
		return err
	case !errors.Is(ctx.Err(), context.DeadlineExceeded):
		return a.hop().Silent(ctx, err)
	case approved:
		return fault.New(fault.Unavailable, "the certificate signing request %s was approved but not signed in time", name).
			Hint("see whether kube-controller-manager runs, and signs for %s", signer)
	}
	return fault.New(fault.NeedsPerson, "nobody approved the certificate signing request %s in time, and the stored login may not do so itself", name).
		Hint("have someone run `kubectl certificate approve NAME` while svcconn waits (this time it was %s), or let the stored login "+
			"update certificatesigningrequests/approval and approve signers %s", name, signer)
}

// withdraw deletes a request that is over, even if whoever asked has gone. Where that
// is not allowed, the cluster does it by itself after an hour or so.
func (a *api) withdraw(ctx context.Context, made signingRequest) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUp)
	defer cancel()
	_ = a.call(ctx, http.MethodDelete, made.path(), nil, nil)
}

// mayHaveSigned says whether we can approve our own requests. That we cannot make any
// is an error.
func (a *api) mayHaveSigned(ctx context.Context, who string) (string, error) {
	may, err := a.may(ctx, "create", "certificatesigningrequests", "", "")
	if err != nil {
		return "", err
	}
	if !may {
		return "", fault.New(fault.Denied, "%s does not let %s create certificatesigningrequests", a.hop(), hop.OneLine(who)).
			Hint("let it create, get and delete certificatesigningrequests")
	}
	update, err := a.may(ctx, "update", "certificatesigningrequests", "approval", "")
	if err != nil {
		return "", err
	}
	approve, err := a.may(ctx, "approve", "signers", "", signer)
	if err != nil {
		return "", err
	}
	if update && approve {
		return "approves its own requests for certificates", nil
	}
	return "its requests for certificates await someone's approval", nil
}

// may asks whether we may do something.
func (a *api) may(ctx context.Context, verb, resource, subresource, name string) (bool, error) {
	in := map[string]any{
		"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
		"spec": map[string]any{"resourceAttributes": map[string]any{
			"group": "certificates.k8s.io", "verb": verb, "resource": resource, "subresource": subresource, "name": name,
		}},
	}
	var out struct {
		Status struct {
			Allowed bool `json:"allowed"`
		} `json:"status"`
	}
	err := a.call(ctx, http.MethodPost, accessReviewPath, in, &out)
	return out.Status.Allowed, err
}
