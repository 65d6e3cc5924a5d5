package kubetest

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/svcconn/svcconn/pkg/faketest"
)

const (
	signingPath = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
	signer      = "kubernetes.io/kube-apiserver-client"
)

// signing keeps the certificate signing requests.
type signing struct {
	mu       sync.Mutex
	requests map[string]*signingRequest
	version  int
}

type signingRequest struct {
	typed
	Metadata struct {
		Name            string            `json:"name,omitempty"`
		GenerateName    string            `json:"generateName,omitempty"`
		ResourceVersion string            `json:"resourceVersion,omitempty"`
		Labels          map[string]string `json:"labels,omitempty"`
	} `json:"metadata"`
	Spec struct {
		Request           []byte   `json:"request"`
		SignerName        string   `json:"signerName"`
		ExpirationSeconds *int64   `json:"expirationSeconds,omitempty"`
		Usages            []string `json:"usages"`
		Username          string   `json:"username,omitempty"`
		Groups            []string `json:"groups,omitempty"`
	} `json:"spec"`
	Status struct {
		Certificate []byte      `json:"certificate,omitempty"`
		Conditions  []condition `json:"conditions,omitempty"`
	} `json:"status"`
}

type condition struct {
	Type    string `json:"type"`
	Status  string `json:"status"`
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
}

// SigningRequests lists the names of the certificate signing requests that there are.
func (s *Server) SigningRequests() []string {
	s.signing.mu.Lock()
	defer s.signing.mu.Unlock()
	return slices.Sorted(maps.Keys(s.signing.requests))
}

// Approve approves a certificate signing request, as `kubectl certificate approve` does.
func (s *Server) Approve(name string) error { return s.decide(name, condition{Type: "Approved"}) }

// Deny denies a certificate signing request, as `kubectl certificate deny` does.
func (s *Server) Deny(name, reason, message string) error {
	return s.decide(name, condition{Type: "Denied", Reason: reason, Message: message})
}

// FailSigning has the signer fail, whatever was decided.
func (s *Server) FailSigning(name, reason, message string) error {
	return s.decide(name, condition{Type: "Failed", Reason: reason, Message: message})
}

// Drop deletes a certificate signing request.
func (s *Server) Drop(name string) {
	s.signing.mu.Lock()
	defer s.signing.mu.Unlock()
	delete(s.signing.requests, name)
}

func (s *Server) decide(name string, decision condition) error {
	s.signing.mu.Lock()
	defer s.signing.mu.Unlock()
	request, ok := s.signing.requests[name]
	if !ok {
		return fmt.Errorf("there is no certificate signing request %q", name)
	}
	decision.Status = "True"
	request.Status.Conditions = append(request.Status.Conditions, decision)
	return s.signLocked(request)
}

// signLocked signs a request that was approved, as kube-controller-manager does.
func (s *Server) signLocked(request *signingRequest) error {
	s.signing.version++
	request.Metadata.ResourceVersion = fmt.Sprint(s.signing.version)
	approved := slices.ContainsFunc(request.Status.Conditions, func(c condition) bool { return c.Type == "Approved" })
	if !approved || s.options.Unsigned || len(request.Status.Conditions) > 1 {
		return nil
	}
	asked, err := parseRequest(request.Spec.Request)
	if err != nil {
		return err
	}
	lifetime := 365 * 24 * time.Hour
	if request.Spec.ExpirationSeconds != nil {
		lifetime = time.Duration(*request.Spec.ExpirationSeconds) * time.Second
	}
	raw, err := s.clientCertificate(asked.Subject, asked.PublicKey, lifetime)
	request.Status.Certificate = []byte(faketest.PEM(raw))
	return err
}

func parseRequest(text []byte) (*x509.CertificateRequest, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE REQUEST" {
		return nil, fmt.Errorf("PEM block type must be CERTIFICATE REQUEST")
	}
	request, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return nil, err
	}
	return request, request.CheckSignature()
}

// fileRequest answers the making of a certificate signing request.
func (s *Server) fileRequest(c call) {
	var in signingRequest
	if !c.read("certificates.k8s.io/v1", "CertificateSigningRequest", &in) {
		return
	}
	asked, err := parseRequest(in.Spec.Request)
	switch {
	case err != nil:
		c.invalid("spec.request: Invalid value: " + err.Error())
	case in.Spec.SignerName != signer:
		c.invalid("spec.signerName: Unsupported value")
	case !slices.Contains(in.Spec.Usages, "client auth") || !subset(in.Spec.Usages, "client auth", "digital signature", "key encipherment"):
		c.invalid("spec.usages: Unsupported value")
	case in.Spec.ExpirationSeconds != nil && *in.Spec.ExpirationSeconds < leastLifetime:
		c.invalid("spec.expirationSeconds: Invalid value: may not specify a duration less than 600 seconds (10 minutes)")
	case slices.Contains(asked.Subject.Organization, "system:masters"):
		refuse(c.w, http.StatusForbidden, "Forbidden", "use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed")
	case in.Metadata.Name+in.Metadata.GenerateName == "":
		c.invalid("metadata.name: Required value: name or generateName is required")
	default:
		s.keepRequest(c, in)
	}
}

func subset(list []string, of ...string) bool {
	return !slices.ContainsFunc(list, func(one string) bool { return !slices.Contains(of, one) })
}

func (s *Server) keepRequest(c call, in signingRequest) {
	s.signing.mu.Lock()
	defer s.signing.mu.Unlock()
	if in.Metadata.Name == "" {
		in.Metadata.Name = in.Metadata.GenerateName + strings.ToLower(rand.Text()[:5])
	}
	if s.signing.requests[in.Metadata.Name] != nil {
		refuse(c.w, http.StatusConflict, "AlreadyExists", fmt.Sprintf("certificatesigningrequests %q already exists", in.Metadata.Name))
		return
	}
	s.signing.version++
	in.Metadata.ResourceVersion = fmt.Sprint(s.signing.version)
	in.Spec.Username, in.Spec.Groups = c.user.Name, c.user.Groups
	in.Status.Certificate, in.Status.Conditions = nil, nil
	s.signing.requests[in.Metadata.Name] = &in
	respond(c.w, http.StatusCreated, in)
}

// withRequest finds a certificate signing request and has it at peace.
func (s *Server) withRequest(c call, use func(*signingRequest)) {
	s.signing.mu.Lock()
	defer s.signing.mu.Unlock()
	name := c.r.PathValue("name")
	request, ok := s.signing.requests[name]
	if !ok {
		refuse(c.w, http.StatusNotFound, "NotFound", fmt.Sprintf("certificatesigningrequests.certificates.k8s.io %q not found", name))
		return
	}
	use(request)
}

func (s *Server) getRequest(c call) {
	s.withRequest(c, func(request *signingRequest) { respond(c.w, http.StatusOK, request) })
}

func (s *Server) deleteRequest(c call) {
	s.withRequest(c, func(request *signingRequest) {
		delete(s.signing.requests, request.Metadata.Name)
		respond(c.w, http.StatusOK, map[string]any{"kind": "Status", "apiVersion": "v1", "metadata": map[string]any{}, "status": "Success"})
	})
}

// updateApproval answers the approving and denying of a request.
func (s *Server) updateApproval(c call) {
	var in signingRequest
	if !c.read("certificates.k8s.io/v1", "CertificateSigningRequest", &in) {
		return
	}
	if !s.authorize(c.user, "approve signers") {
		refuse(c.w, http.StatusForbidden, "Forbidden", fmt.Sprintf("user not permitted to approve requests with signerName %q", signer))
		return
	}
	s.withRequest(c, func(request *signingRequest) {
		if in.Metadata.Name != request.Metadata.Name || in.Metadata.ResourceVersion != "" && in.Metadata.ResourceVersion != request.Metadata.ResourceVersion {
			refuse(c.w, http.StatusConflict, "Conflict", "the object has been modified; please apply your changes to the latest version and try again")
			return
		}
		request.Status.Conditions = in.Status.Conditions
		if err := s.signLocked(request); err != nil {
			c.invalid(err.Error())
			return
		}
		respond(c.w, http.StatusOK, request)
	})
}
