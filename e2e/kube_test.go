//go:build e2e && linux

package e2e

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// kube is the one Kubernetes API server of the run, started by the first test that
// needs it. Tests keep apart by names: each has users and a namespace of its own.
var kube struct {
	once    sync.Once
	cluster *cluster
	err     error
}

// cluster is an API server with its etcd. It has no controllers and no nodes: what
// a controller would do for a test, such as signing certificates, the test does.
type cluster struct {
	dir     string
	url     string       // of the API server
	ca      keyPair      // signs the certificates of the server and its clients
	admin   string       // the token of a member of system:masters
	client  *http.Client // trusts ca
	webhook webhook
	tokens  *reviewer // nil where another webhook decides
	issuers *issuers
	etcd    *daemon
	server  *daemon
	decider *daemon // behind the webhook, where that is a process

	mu    sync.Mutex
	named int // names that were given out
}

// useCluster gives the world the API server, and a kubeconfig in its home that is
// not there yet.
func (w *world) useCluster() *cluster {
	w.t.Helper()
	for _, tool := range []string{"etcd", "kube-apiserver", "kubectl"} {
		need(w.t, tool)
	}
	kube.once.Do(func() {
		tokens := startReviewer()
		kube.cluster, kube.err = startCluster(w.t, "kube", webhook{kubeconfig: tokens.kubeconfig(), version: "v1"})
		if kube.err == nil {
			kube.cluster.tokens = tokens
		}
	})
	must(w.t, kube.err)
	w.searchLogs(kube.cluster)
	return kube.cluster
}

// searchLogs looks for the world's secrets in what a cluster wrote down.
func (w *world) searchLogs(c *cluster) {
	w.t.Cleanup(func() {
		for _, log := range []string{"etcd.log", "apiserver.log", "audit.log", "authenticator.log"} {
			w.searchFile(c.path(log))
		}
	})
}

func stopClusters() {
	for _, c := range []*cluster{kube.cluster, eks.cluster, gke.cluster} {
		if c != nil {
			c.stop()
		}
	}
}

// webhook is who decides on bearer tokens for an API server.
type webhook struct {
	kubeconfig string // leads to it
	version    string // of the TokenReview that it knows
}

func (c *cluster) stop() {
	for _, d := range []*daemon{c.server, c.etcd} {
		if d != nil {
			d.stop()
		}
	}
	if c.decider != nil {
		c.decider.kill()
	}
}

// startCluster starts etcd and the API server and gives the tests' groups their
// rights.
func startCluster(t *testing.T, name string, hook webhook) (*cluster, error) {
	c := &cluster{dir: filepath.Join(suite.dir, name), ca: newAuthority(t), admin: rand.Text(), webhook: hook}
	c.client = &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: c.ca.pool()}}}
	var err error
	if c.issuers, err = startIssuers(6); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return nil, err
	}
	if err := c.writeFiles(t); err != nil {
		return nil, err
	}
	if err := c.launch(); err != nil {
		c.stop()
		return nil, err
	}
	return c, c.grantRights()
}

func (c *cluster) path(name string) string { return filepath.Join(c.dir, name) }

// writeFiles writes the API server's keys and configuration.
func (c *cluster) writeFiles(t *testing.T) error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	pair := c.ca.serverCert(t, time.Hour)
	for name, content := range map[string]string{
		"ca.crt":       c.ca.certPEM(),
		"server.crt":   pair.certPEM(),
		"server.key":   pair.keyPEM(t),
		"accounts.key": string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})),
		"tokens.csv":   c.admin + `,administrator,0,"system:masters"` + "\n",
		"review.conf":  c.webhook.kubeconfig,
		"authn.conf":   c.issuers.authenticationConfiguration(),
		"audit.conf":   auditPolicy,
	} {
		if err := os.WriteFile(c.path(name), []byte(content), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// auditPolicy has the API server write down which tokens it was asked for.
const auditPolicy = `{"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"], "rules": [
  {"level": "Metadata", "resources": [{"group": "", "resources": ["serviceaccounts/token"]}]},
  {"level": "None"}]}`

func (c *cluster) launch() (err error) {
	ports, err := freePorts(3)
	if err != nil {
		return err
	}
	etcd, peers := "http://"+ports[0], "http://"+ports[1]
	_, port, _ := net.SplitHostPort(ports[2])
	c.url = "https://" + ports[2]
	c.etcd, err = launch(c.path("etcd.log"), os.Environ(), "", func() bool { return answers(http.DefaultClient, etcd+"/health") },
		"etcd", "--data-dir", c.path("etcd"), "--listen-client-urls", etcd, "--advertise-client-urls", etcd,
		"--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers, "--initial-cluster", "default="+peers, "--log-level", "warn")
	if err != nil {
		return err
	}
	c.server, err = launch(c.path("apiserver.log"), os.Environ(), "", c.ready,
		"kube-apiserver", "--etcd-servers="+etcd, "--bind-address=127.0.0.1", "--secure-port="+port, "--endpoint-reconciler-type=none",
		"--tls-cert-file="+c.path("server.crt"), "--tls-private-key-file="+c.path("server.key"), "--client-ca-file="+c.path("ca.crt"),
		"--token-auth-file="+c.path("tokens.csv"), "--authentication-config="+c.path("authn.conf"),
		"--authentication-token-webhook-config-file="+c.path("review.conf"), "--authentication-token-webhook-version="+c.webhook.version,
		"--authentication-token-webhook-cache-ttl=0s", "--authorization-mode=RBAC", "--service-cluster-ip-range=10.0.0.0/24",
		"--service-account-issuer=https://kubernetes.default.svc", "--service-account-key-file="+c.path("accounts.key"),
		"--service-account-signing-key-file="+c.path("accounts.key"), "--disable-admission-plugins=ServiceAccount",
		"--audit-policy-file="+c.path("audit.conf"), "--audit-log-path="+c.path("audit.log"))
	return err
}

// ready says whether the API server serves and has made its own roles and namespaces.
func (c *cluster) ready() bool {
	return answers(c.client, c.url+"/readyz") && c.call(http.MethodGet, "/api/v1/namespaces/default", nil, nil) == nil
}

func answers(client *http.Client, url string) bool {
	resp, err := client.Get(url)
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// freePorts finds addresses that nobody listens on, for servers that cannot choose
// one themselves.
func freePorts(n int) (addresses []string, err error) {
	for range n {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer listener.Close()
		addresses = append(addresses, listener.Addr().String())
	}
	return addresses, nil
}

// tokensAsked counts the tokens of a service account that the API server was asked
// for, as its own audit log says.
func (c *cluster) tokensAsked(t *testing.T, account serviceAccount) int {
	t.Helper()
	log, err := os.ReadFile(c.path("audit.log"))
	must(t, err)
	return strings.Count(string(log), fmt.Sprintf("/namespaces/%s/serviceaccounts/%s/token", account.namespace, account.name))
}

// TestKube shows that the API server and its clients work here without our programs.
func TestKube(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "kube-apiserver knows a token, a certificate, a service account and an OIDC user, and refuses a stranger")
	c := w.useCluster()
	certificate := c.clientCertificate(t, "ada", time.Hour)
	u, account := c.newUser(w), c.newServiceAccount(t)
	for name, login := range map[string]string{
		u.name:         "token: " + u.token,
		account.user(): "token: " + c.requestToken(t, account),
		jane:           "token: " + signIn(t, c.useIssuer(t)).IDToken,
		"ada":          certificate.kubeconfigUser(t),
	} {
		config := c.plainKubeconfig(t, login)
		w.ok("kubectl", "--kubeconfig", config, "auth", "whoami").says(name)
	}
	stranger := c.plainKubeconfig(t, "token: nobody")
	w.cmd("kubectl", "--kubeconfig", stranger, "get", "namespaces").run().fails().says("logged in")
}

// TestKubeClients shows that each client works here without our programs.
func TestKubeClients(t *testing.T) {
	t.Parallel()
	for _, client := range kubeClients() {
		t.Run(client.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "lists namespaces with a token in a plain kubeconfig")
			c := w.useCluster()
			client.prepare(w)
			client.namespaces(w, c.plainKubeconfig(t, "token: "+c.newUser(w).token)).run().exits(0).says("kube-system")
		})
	}
}

// plainKubeconfig is a kubeconfig with a secret in it, outside of the world.
func (c *cluster) plainKubeconfig(t *testing.T, user string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config")
	must(t, os.WriteFile(path, []byte(c.kubeconfig("plain", user)), 0o600))
	return path
}
