package kubernetes

import (
	"bytes"
	"net/url"
	"os"
	"strings"
	"time"
	"unicode"

	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/secret"
)

// shortLived is how soon a login ends that is of no use when stored.
const shortLived = 24 * time.Hour

// candidate is a context on its way to becoming a connector.
type candidate struct {
	host    connector.Host
	context string

	values field.Values
	method string
	source connector.Source
	notes  []string // each the end of a sentence about the context
}

func (c *candidate) note(text string) { c.notes = append(c.notes, text) }

// refuse is why a context makes no connector.
func refuse(format string, args ...any) error { return fault.New(fault.Invalid, format, args...) }

// connector makes a connector of a context that could be registered as it is.
func (c *candidate) connector(config *kubeconfig) (connector.Detected, error) {
	entry := config.contexts[c.context]
	cluster, user := config.clusters[entry.Cluster], config.users[entry.AuthInfo]
	switch {
	case cluster == nil:
		return connector.Detected{}, refuse("its cluster %q is not there", entry.Cluster)
	case user == nil:
		return connector.Detected{}, refuse("its user %q is not there", entry.AuthInfo)
	}
	if err := c.cluster(entry.Cluster, cluster); err != nil {
		return connector.Detected{}, err
	}
	c.source = connector.Source{Description: user.LocationOfOrigin + " (context " + c.context + ")", File: user.LocationOfOrigin, Key: entry.AuthInfo}
	if err := c.user(user, cluster); err != nil {
		return connector.Detected{}, err
	}
	spec := connector.Spec{Type: typeName, Method: c.method, Values: c.values}
	settings, err := connector.Types{Type()}.Check(spec)
	if err == nil {
		_, err = open(c.host, settings)
	}
	return connector.Detected{Spec: spec, Source: c.source}, err
}

// cluster reads how the API server is reached.
func (c *candidate) cluster(name string, cluster *clientcmdapi.Cluster) error {
	canonical, err := connector.ServerURL(cluster.Server)
	if err != nil {
		return err
	}
	c.values.Set(server.Name, canonical)
	c.values.Set(clusterName.Name, c.named(name))
	ca, err := dataOrFile(cluster.CertificateAuthorityData, cluster.CertificateAuthority)
	switch {
	case err != nil:
		return err
	case cluster.InsecureSkipTLSVerify && len(ca) > 0:
		return refuse("its cluster has both a certificate authority and insecure-skip-tls-verify")
	case cluster.InsecureSkipTLSVerify:
		c.values.Set(insecure.Name, true)
		c.note("does not verify the server's certificate, and neither does the connector")
	case len(ca) > 0:
		c.values.Set(authority.Name, string(ca))
	}
	if cluster.TLSServerName != "" {
		c.values.Set(tlsServerName.Name, cluster.TLSServerName)
	}
	c.proxy(cluster.ProxyURL)
	return nil
}

// named is the cluster's name as a resource can have it.
func (c *candidate) named(name string) string {
	dashed := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return '-'
		}
		return r
	}, name)
	if dashed != name {
		c.note("has a cluster with spaces in its name; the connector has dashes there")
	}
	return dashed
}

func (c *candidate) proxy(text string) {
	if text == "" {
		return
	}
	if u, err := url.Parse(text); err == nil && u.User != nil {
		c.note("has a proxy with a password in its address, which was left out: set HTTPS_PROXY in the environment")
		return
	}
	c.values.Set(proxyURL.Name, text)
}

// user reads the login, by the precedence that client-go has.
func (c *candidate) user(user *clientcmdapi.AuthInfo, cluster *clientcmdapi.Cluster) error {
	switch {
	case user.Impersonate != "" || user.ImpersonateUID != "" || len(user.ImpersonateGroups) > 0 || len(user.ImpersonateUserExtra) > 0:
		return refuse("its user acts as another, which credentials cannot say")
	case user.AuthProvider != nil:
		return refuse("its user has an auth-provider, which no kubectl since 1.26 knows; log in with a credential plugin, or register with auth method %s", methodOIDC)
	case user.Token != "" || user.TokenFile != "":
		return c.token(user)
	case user.Username != "" || user.Password != "":
		return c.password(user)
	case len(user.ClientCertificateData) > 0 || user.ClientCertificate != "":
		c.method = methodToken
		return c.certificate(user)
	case user.Exec != nil:
		return c.exec(user.Exec, cluster)
	}
	return refuse("its user has no login")
}

// token takes a token, from its file if there is one, and a certificate beside it.
func (c *candidate) token(user *clientcmdapi.AuthInfo) error {
	text := user.Token
	c.source.PlainText = text != ""
	if user.TokenFile != "" {
		raw, err := readSmall(user.TokenFile)
		if err != nil {
			return err
		}
		text = strings.TrimSpace(string(raw))
		c.source.PlainText = false // there may be a copy in the file of the token, which is not ours to mend
		c.note("has its token in " + user.TokenFile + "; the connector has the one of now and does not follow the file")
	}
	if end := claimsOf(secret.New(text)).expiry(); c.soon(end) {
		return refuse("its token is short-lived, until %s, and nothing could renew it", end.UTC().Format(time.RFC3339))
	}
	c.method = methodToken
	c.values.SetSecret(token.Name, secret.New(text))
	if len(user.ClientCertificateData) > 0 || user.ClientCertificate != "" {
		return c.certificate(user)
	}
	return nil
}

func (c *candidate) soon(end time.Time) bool {
	return !end.IsZero() && end.Before(c.host.Now().Add(shortLived))
}

func (c *candidate) certificate(user *clientcmdapi.AuthInfo) error {
	certificate, err := dataOrFile(user.ClientCertificateData, user.ClientCertificate)
	if err != nil {
		return err
	}
	key, err := dataOrFile(user.ClientKeyData, user.ClientKey)
	if err != nil {
		return err
	}
	if end := endOf(string(certificate)); c.soon(end) {
		return refuse("its client certificate is over, or will soon be, at %s, and nothing could renew it", end.UTC().Format(time.RFC3339))
	}
	c.values.Set(clientCertificate.Name, string(certificate))
	c.values.SetSecret(clientKey.Name, secret.New(string(key)))
	c.source.PlainText = c.source.PlainText || len(user.ClientKeyData) > 0
	return nil
}

func (c *candidate) password(user *clientcmdapi.AuthInfo) error {
	c.method = methodPassword
	c.values.Set(username.Name, user.Username)
	c.values.SetSecret(password.Name, secret.New(user.Password))
	c.source.PlainText = true
	c.note("logs in with a user name and a password, which current API servers refuse")
	return nil
}

// dataOrFile reads what a kubeconfig has itself, or else the file that it names.
func dataOrFile(data []byte, path string) ([]byte, error) {
	if len(data) > 0 || path == "" {
		return bytes.TrimSpace(data), nil
	}
	return readSmall(path)
}

// readSmall reads a file that is no larger than tokens and certificates are.
func readSmall(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err == nil && (!info.Mode().IsRegular() || info.Size() > maxBody) {
		return nil, refuse("%s is not a file of a token or of certificates", path)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.New(fault.Failed, "%w", err)
	}
	return raw, nil
}
