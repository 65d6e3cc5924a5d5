// Package kubeapi puts an object into a cluster, with a credential that a connector
// has handed out: what `svcconn pull-secret --apply` needs, without kubectl.
//
// It refuses to be a client of Kubernetes: one request, server-side apply, never with
// force, since what somebody else manages is not ours to change; no redirect is
// followed, since the credential is for one server.
package kubeapi

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

// fieldManager is whom the API server notes as the owner of what is applied.
const fieldManager = "svcconn"

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 1 << 20

// Client talks to one API server. It is safe for concurrent use.
type Client struct {
	server string
	token  secret.Text
	http   *http.Client
}

// New makes a client of a credential. proxy is the proxy for servers whose endpoint
// names none; nil is none. Errors are fault.Invalid.
func New(auth connector.KubernetesAuth, proxy func(*http.Request) (*url.URL, error)) (*Client, error) {
	server, err := connector.ServerURL(auth.Endpoint.Server)
	if err != nil {
		return nil, err
	}
	trust, err := tlsOf(auth)
	if err != nil {
		return nil, err
	}
	if auth.Endpoint.ProxyURL != "" {
		u, err := url.Parse(auth.Endpoint.ProxyURL)
		if err != nil { // its text may have a password
			return nil, fault.New(fault.Invalid, "the proxy of cluster %s is no URL", auth.Endpoint.Cluster)
		}
		proxy = http.ProxyURL(u)
	}
	return &Client{server: server, token: auth.Token, http: &http.Client{
		Transport:     &http.Transport{Proxy: proxy, TLSClientConfig: trust, ForceAttemptHTTP2: true, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

func tlsOf(auth connector.KubernetesAuth) (*tls.Config, error) {
	e := auth.Endpoint
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: e.TLSServerName, InsecureSkipVerify: e.Insecure}
	if e.CertificateAuthority != "" {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM([]byte(e.CertificateAuthority)) {
			return nil, fault.New(fault.Invalid, "the certificate authority of cluster %s has no certificate in it", e.Cluster)
		}
	}
	if auth.ClientCertificate != "" {
		pair, err := tls.X509KeyPair([]byte(auth.ClientCertificate), []byte(auth.ClientKey.Reveal()))
		if err != nil {
			return nil, fault.New(fault.Invalid, "the client certificate for cluster %s does not fit its key", e.Cluster)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// ApplySecret makes a Secret in the cluster, or brings it to the manifest's state. A
// Secret that somebody else manages is fault.Failed, a namespace that is not there
// fault.NotFound, a refusal fault.Denied, a silent server fault.Unavailable.
func (c *Client) ApplySecret(ctx context.Context, s PullSecret) error {
	manifest, err := s.Manifest()
	if err != nil {
		return err
	}
	path := "/api/v1/namespaces/" + url.PathEscape(s.Namespace) + "/secrets/" + url.PathEscape(s.Name) + "?fieldManager=" + fieldManager
	request, err := http.NewRequestWithContext(ctx, http.MethodPatch, c.server+path, strings.NewReader(manifest.Reveal()))
	if err != nil {
		return fault.New(fault.Failed, "cannot ask %s: %w", c.server, err)
	}
	request.Header.Set("Content-Type", "application/apply-patch+yaml") // JSON is YAML
	request.Header.Set("Accept", "application/json")
	if !c.token.IsEmpty() {
		request.Header.Set("Authorization", "Bearer "+c.token.Reveal())
	}
	response, err := c.http.Do(request)
	if err != nil {
		return c.silent(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return c.silent(err)
	}
	return c.outcome(response.StatusCode, text, s)
}

// silent is the error of a server that gave no answer; the method and the path that
// net/http puts in front say nothing to a person.
func (c *Client) silent(err error) error {
	var at *url.Error
	if errors.As(err, &at) {
		err = at.Err
	}
	return fault.New(fault.Unavailable, "no answer from the API server %s: %w", c.server, err)
}

func (c *Client) outcome(status int, text []byte, s PullSecret) error {
	if status == http.StatusOK || status == http.StatusCreated {
		return nil
	}
	err := fault.New(kindOf(status), "the API server %s refuses secret %s/%s: %s", c.server, s.Namespace, s.Name, s.clean(message(status, text)))
	switch status {
	case http.StatusConflict:
		return err.Hint("somebody else manages that secret: choose another name with --name, or delete it first")
	case http.StatusNotFound:
		return err.Hint("make the namespace first: kubectl create namespace %s", s.Namespace)
	case http.StatusForbidden:
		return err.Hint("the connector needs the permission to patch and create secrets in namespace %s", s.Namespace)
	}
	return err
}

func kindOf(status int) fault.Kind {
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return fault.Denied
	case status == http.StatusNotFound:
		return fault.NotFound
	case status == http.StatusTooManyRequests || status >= 500:
		return fault.Unavailable
	}
	return fault.Failed
}

// message is what the server says of a failure, in its Status object if it sent one.
func message(status int, text []byte) string {
	var answer struct {
		Message string `json:"message"`
	}
	if json.NewDecoder(bytes.NewReader(text)).Decode(&answer) == nil && answer.Message != "" {
		return answer.Message
	}
	return http.StatusText(status)
}
