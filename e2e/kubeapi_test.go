//go:build e2e && linux

package e2e

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"
)

// The groups that the tests' users belong to.
const (
	readers = "e2e:readers" // may read namespaces, and configmaps and secrets to the full
	minters = "e2e:minters" // may ask for service accounts' tokens and for certificates
	signers = "e2e:signers" // may approve certificates
)

// object is something of the Kubernetes API.
type object = map[string]any

// call asks the API server as the administrator; into may be nil.
func (c *cluster) call(method, path string, body, into any) error {
	content, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequest(method, c.url+path, bytes.NewReader(content))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+c.admin)
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, answer)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, into)
}

const rbac = "/apis/rbac.authorization.k8s.io/v1"

// grantRights binds the tests' groups to what they may do.
func (c *cluster) grantRights() error {
	rule := func(group string, resources []string, verbs ...string) object {
		return object{"apiGroups": []string{group}, "resources": resources, "verbs": verbs}
	}
	roles := map[string][]object{
		readers: {rule("", []string{"namespaces"}, "get", "list", "watch"), rule("", []string{"configmaps", "secrets"}, "*")},
		minters: {
			rule("", []string{"serviceaccounts/token"}, "create"), rule("", []string{"serviceaccounts"}, "get"),
			rule("certificates.k8s.io", []string{"certificatesigningrequests"}, "create", "get", "list", "watch", "delete"),
		},
		signers: {
			rule("certificates.k8s.io", []string{"certificatesigningrequests/approval"}, "update"),
			rule("certificates.k8s.io", []string{"signers"}, "approve"),
		},
	}
	for group, rules := range roles {
		role := object{"metadata": object{"name": group}, "rules": rules}
		if err := c.call(http.MethodPost, rbac+"/clusterroles", role, nil); err != nil {
			return err
		}
		if err := c.bind(group, group); err != nil {
			return err
		}
	}
	return nil
}

// bind gives a group the rights of a role.
func (c *cluster) bind(role, group string) error {
	const api = "rbac.authorization.k8s.io"
	return c.call(http.MethodPost, rbac+"/clusterrolebindings", object{
		"metadata": object{"generateName": "e2e-"},
		"roleRef":  object{"apiGroup": api, "kind": "ClusterRole", "name": role},
		"subjects": []object{{"apiGroup": api, "kind": "Group", "name": group}},
	}, nil)
}

// unique makes a name that no test of the run has used yet.
func (c *cluster) unique(prefix string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.named++
	return fmt.Sprintf("%s%d", prefix, c.named)
}

// newNamespace makes a namespace for the test.
func (c *cluster) newNamespace(t *testing.T) string {
	t.Helper()
	name := c.unique("e2e-")
	must(t, c.call(http.MethodPost, "/api/v1/namespaces", object{"metadata": object{"name": name}}, nil))
	return name
}

// serviceAccount is a service account of a namespace of its own.
type serviceAccount struct{ namespace, name string }

func (a serviceAccount) user() string { return "system:serviceaccount:" + a.namespace + ":" + a.name }
func (a serviceAccount) path() string {
	return "/api/v1/namespaces/" + a.namespace + "/serviceaccounts/" + a.name
}

// newServiceAccount makes a service account that is one of the readers.
func (c *cluster) newServiceAccount(t *testing.T) serviceAccount {
	t.Helper()
	a := serviceAccount{c.newNamespace(t), "robot"}
	c.restore(t, a)
	must(t, c.bind(readers, "system:serviceaccounts:"+a.namespace))
	return a
}

// restore makes the service account anew; tokens of the one before are worth nothing.
func (c *cluster) restore(t *testing.T, a serviceAccount) {
	t.Helper()
	must(t, c.call(http.MethodPost, "/api/v1/namespaces/"+a.namespace+"/serviceaccounts", object{"metadata": object{"name": a.name}}, nil))
}

func (c *cluster) remove(t *testing.T, a serviceAccount) {
	t.Helper()
	must(t, c.call(http.MethodDelete, a.path(), nil, nil))
}

// requestToken gets a token of the service account as the administrator.
func (c *cluster) requestToken(t *testing.T, a serviceAccount) string {
	t.Helper()
	var answer struct{ Status struct{ Token string } }
	must(t, c.call(http.MethodPost, a.path()+"/token", object{"spec": object{"expirationSeconds": 600}}, &answer))
	return answer.Status.Token
}

// clientCertificate makes a certificate of a user who is one of the readers; it may
// have ended already.
func (c *cluster) clientCertificate(t *testing.T, user string, ends time.Duration) keyPair {
	return issue(t, c.ca, &x509.Certificate{
		Subject: pkix.Name{CommonName: user, Organization: []string{readers}}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, NotBefore: time.Now().Add(-3 * time.Hour), NotAfter: time.Now().Add(ends),
	})
}

// kubeconfig is a plain kubeconfig whose one user is described by a piece of YAML.
func (c *cluster) kubeconfig(name, user string) string {
	return fmt.Sprintf(`apiVersion: v1
kind: Config
clusters:
- name: %[1]s
  cluster: {server: %[2]q, certificate-authority-data: %[3]s}
users:
- name: %[1]s
  user: {%[4]s}
contexts:
- name: %[1]s
  context: {cluster: %[1]s, user: %[1]s}
current-context: %[1]s
`, name, c.url, base64.StdEncoding.EncodeToString([]byte(c.ca.certPEM())), user)
}

func (p keyPair) kubeconfigUser(t *testing.T) string {
	encode := base64.StdEncoding.EncodeToString
	return "client-certificate-data: " + encode([]byte(p.certPEM())) + ", client-key-data: " + encode([]byte(p.keyPEM(t)))
}

func (p keyPair) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(p.cert)
	return pool
}
