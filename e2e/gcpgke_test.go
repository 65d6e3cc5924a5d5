//go:build e2e && linux

package e2e

import (
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/svcconn/svcconn/connectors/gcp/gcptest"
)

// gke is the one GKE cluster of the run: an API server whose webhook takes the tokens of the
// shared Google, as GKE's does. Every project of a test has it as a cluster of its own.
var gke struct {
	once    sync.Once
	cluster *cluster
	err     error
}

// The name of the cluster, and the host of its endpoint by name.
const (
	gkeName = "prod-cluster"
	gkeHost = "gke-e2e.europe-west1.gke.goog"
)

// useGKE gives the world a project of the shared Google with the cluster in it.
func (w *world) useGKE() (*project, *cluster) {
	w.t.Helper()
	for _, tool := range []string{"etcd", "kube-apiserver", "kubectl"} {
		need(w.t, tool)
	}
	p := w.useSharedGoogle()
	gke.once.Do(func() { gke.cluster, gke.err = startGKE(w.t, p.google) })
	must(w.t, gke.err)
	w.searchLogs(gke.cluster)
	p.gkeCluster(homeLocation, gkeName)
	return p, gke.cluster
}

func startGKE(t *testing.T, f *fakeGoogle) (*cluster, error) {
	hook := &reviewer{server: httptest.NewServer(f.Authenticator())}
	c, err := startCluster(t, "gke", webhook{kubeconfig: hook.kubeconfig(), version: "v1"})
	if err != nil {
		return nil, err
	}
	server, err := url.Parse(c.url)
	if err != nil {
		return nil, err
	}
	f.Route(gkeHost, &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(server) },
		Transport: careless,
	})
	return c, c.bind(readers, "system:authenticated")
}

// gkeCluster tells the project of the cluster, under a name.
func (p *project) gkeCluster(location, name string) {
	p.Cluster(location, name, gcptest.Cluster{
		Endpoint: strings.TrimPrefix(gke.cluster.url, "https://"), CertificateAuthority: gke.cluster.ca.certPEM(), DNSEndpoint: gkeHost,
	})
}

// registeredGKE is a world with one connector, called prod, to a project with the cluster.
func registeredGKE(t *testing.T, shows string) (*world, *project, *cluster) {
	t.Helper()
	w := newWorld(t, shows)
	p, c := w.useGKE()
	p.serviceAccount().register(w, "prod").exits(0).says("prod")
	p.forgetCalls()
	return w, p, c
}

// gkeContext is what gcloud calls the context of a cluster.
func (p *project) gkeContext(location, name string) string {
	return "gke_" + p.ID() + "_" + location + "_" + name
}

// TestGKE is the main job for GKE.
func TestGKE(t *testing.T) {
	t.Parallel()
	w, p, _ := registeredGKE(t, "login kubectl asks GKE for server and CA and writes the context that gcloud would; the API server knows our token; logout restores the kubeconfig")
	config := w.ownKubeconfig()
	before := w.read(config)
	w.ok("svcconn", "login", "kubectl", "--connector", "prod", gkeName, "--use")
	w.wantContext(p.gkeContext(homeLocation, gkeName))
	w.wantUser(p.robot.Email())
	w.ok("kubectl", "get", "namespaces").says("kube-system")
	w.ok("kubectl", "svcconn", "list-resources").says(gkeName)
	w.ok("svcconn", "explain", p.gkeContext(homeLocation, gkeName)).says("connector prod")
	w.ok("svcconn", "logout", "kubectl", gkeName)
	if after := w.read(config); after != before {
		t.Errorf("after logout the kubeconfig is\n%s", after)
	}
}

// TestGKEDNS reaches the cluster by its name, through a proxy, with a certificate that a
// public authority has signed.
func TestGKEDNS(t *testing.T) {
	t.Parallel()
	w, p, _ := registeredGKE(t, "with cluster_endpoint=dns kubectl reaches the API server by its name, without a certificate authority of its own")
	w.ok("svcconn", "update", "prod", "--set", "cluster_endpoint=dns")
	w.cmd("svcconn", "login", "kubectl", "--connector", "prod", gkeName).run().fails().says("dns", gkeName)
	p.Cluster(homeLocation, gkeName, gcptest.Cluster{DNSEndpoint: gkeHost, AllowExternalTraffic: true, NoIPEndpoints: true})
	w.ok("svcconn", "login", "kubectl", "--connector", "prod", gkeName, "--use")
	config := w.read(w.path("home", ".kube", "config"))
	if !strings.Contains(config, "https://"+gkeHost) || strings.Contains(config, "certificate-authority") {
		t.Errorf("the kubeconfig is\n%s", config)
	}
	w.wantUser(p.robot.Email())
}

// TestGKEAmbiguous has clusters of one name in two locations.
func TestGKEAmbiguous(t *testing.T) {
	t.Parallel()
	w, p, _ := registeredGKE(t, "clusters of one name are LOCATION/NAME; the name alone is ambiguous, and both are named; self links and gcloud's contexts are names too")
	p.gkeCluster(awayLocation, gkeName)
	p.Cluster(awayLocation+"-b", "alone", gcptest.Cluster{})
	home, away := homeLocation+"/"+gkeName, awayLocation+"/"+gkeName
	w.ok("svcconn", "list-resources", "--resource-type", "kubernetes-cluster").says(home, away, "alone")
	w.askToken("kubernetes-cluster", gkeName).exits(7).says(home, away)
	w.cmd("svcconn", "login", "kubectl", "--connector", "prod", gkeName).run().exits(7).says(home, away)
	for _, name := range []string{
		away, p.gkeContext(awayLocation, gkeName), "projects/" + p.ID() + "/locations/" + awayLocation + "/clusters/" + gkeName,
		"https://container.googleapis.com/v1/projects/" + p.ID() + "/locations/" + awayLocation + "/clusters/" + gkeName,
	} {
		w.token("kubernetes-cluster", name)
	}
	w.ok("svcconn", "login", "kubectl", "--connector", "prod", away, "--use")
	w.wantContext(p.gkeContext(awayLocation, gkeName))
	w.wantUser(p.robot.Email())
	w.askToken("kubernetes-cluster", "gke_another-project_"+homeLocation+"_"+gkeName).exits(2).says("another-project")
}

// TestGKEStatus has clusters that have no API server yet, or are not there.
func TestGKEStatus(t *testing.T) {
	t.Parallel()
	w, p := registeredGoogle(t, "a cluster that is being created is unavailable and said to be, one that does not exist is not found, and both are named")
	p.Cluster(homeLocation, "young", gcptest.Cluster{Status: "PROVISIONING"})
	w.askToken("kubernetes-cluster", "young").exits(5).says("young", "being created")
	w.askToken("kubernetes-cluster", "nowhere").exits(3).says("nowhere")
	w.cmd("svcconn", "login", "kubectl", "--connector", "prod", "young").run().exits(5).says("young", "being created")
}

// TestGKERefused shows tokens that the API server must not take, to know that it would
// notice.
func TestGKERefused(t *testing.T) {
	t.Parallel()
	w, p, c := registeredGKE(t, "the API server refuses tokens that are revoked, expired, changed or narrowed to a bucket, and takes what Google gives")
	own, _ := p.bucketNames()
	good := w.token("kubernetes-cluster", gkeName)
	w.ok("kubectl", "--kubeconfig", c.plainKubeconfig(t, "token: "+good), "auth", "whoami").says(p.robot.Email())
	revoked := p.google.IssueToken("serviceAccount:"+p.robot.Email(), "", time.Hour)
	p.google.RevokeToken(revoked)
	for name, token := range map[string]string{
		"revoked": revoked,
		"expired": p.google.IssueToken("serviceAccount:"+p.robot.Email(), "", -time.Second),
		"changed": good[:len(good)-6] + "AAAAAA",
		"bucket":  w.token("gcs-bucket", own),
	} {
		t.Run(name, func(t *testing.T) {
			w.cmd("kubectl", "--kubeconfig", c.plainKubeconfig(t, "token: "+token), "auth", "whoami").run().fails().says("logged in")
		})
	}
}

// TestGKEPlugin compares our answer to kubectl with that of Google's own plugin, field by
// field. The plugin asks gcloud, and gcloud asks us.
func TestGKEPlugin(t *testing.T) {
	t.Parallel()
	w, p, c := registeredGKE(t, "our ExecCredential is that of gke-gcloud-auth-plugin, but for the token's text; ours says it ends a margin earlier; the API server takes both for the same account")
	need(t, "gke-gcloud-auth-plugin")
	w.loginGcloud("all")
	// It keeps its token in plain text, beside the kubeconfig, and gcloud logs what it tells the plugin.
	env := []string{"CLOUDSDK_ACTIVE_CONFIG_NAME=all", allowExecutables, "KUBECONFIG=" + t.TempDir() + "/config", "CLOUDSDK_CORE_DISABLE_FILE_LOGGING=true"}
	for _, version := range []string{"v1", "v1beta1"} {
		info := `{"apiVersion":"client.authentication.k8s.io/` + version + `","kind":"ExecCredential","spec":{"interactive":false}}`
		theirs := w.cmd("gke-gcloud-auth-plugin").setenv(append(env, execInfo+"="+info)...).revealing().run()
		ours := w.execCredential(info, "--connector", "prod", "--cluster", gkeName).run()
		want, got := w.wantCredential(theirs, "client.authentication.k8s.io/v1beta1"), w.wantCredential(ours, "client.authentication.k8s.io/"+version)
		for _, answer := range []execCredential{got, want} {
			if email, _ := p.google.TokenInfo(answer.Status.Token); email != p.robot.Email() {
				t.Errorf("%s: a token is of %q", version, email)
			}
			w.ok("kubectl", "--kubeconfig", c.plainKubeconfig(t, "token: "+answer.Status.Token), "auth", "whoami").says(p.robot.Email())
		}
		if got.Status.ClientCertificate != want.Status.ClientCertificate || got.Status.ClientKey != want.Status.ClientKey {
			t.Errorf("%s: our answer has a certificate, theirs none", version)
		}
		if early := want.Status.ExpirationTimestamp.Sub(*got.Status.ExpirationTimestamp); early < 30*time.Second || early > 6*time.Minute {
			t.Errorf("%s: we say that the token ends %v before the plugin does", version, early)
		}
	}
	if n := len(p.calls()); n > 3 {
		t.Errorf("Google was asked %d times: %v", n, p.calls())
	}
}
