//go:build e2e && linux

package e2e

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/svcconn/svcconn/connectors/aws/awstest"
)

// eks is the one EKS cluster of the run: an API server whose webhook is the real
// aws-iam-authenticator, as AWS runs it. It knows tokens for one name of a cluster, and
// principals of one account.
var eks struct {
	once    sync.Once
	cluster *cluster
	err     error
}

const (
	eksName    = "prod-cluster"
	eksAccount = "555555555555"
	eksRole    = "kube-reader" // the API server knows it; all sessions are readers
	eksUser    = "kube-user"   // and this user
)

// useEKS gives the world the EKS cluster and its account.
func (w *world) useEKS() (*account, *cluster) {
	w.t.Helper()
	for _, tool := range []string{"etcd", "kube-apiserver", "kubectl", "aws-iam-authenticator"} {
		need(w.t, tool)
	}
	a := w.useSharedAWS(eksAccount)
	eks.once.Do(func() { eks.cluster, eks.err = startEKS(w.t, a.aws) })
	must(w.t, eks.err)
	w.searchLogs(eks.cluster)
	return a, eks.cluster
}

// startEKS starts the authenticator and the API server that asks it, and tells the
// fake AWS of them.
func startEKS(t *testing.T, f *fakeAWS) (*cluster, error) {
	dir := filepath.Join(suite.dir, "eks")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	decider, hook, err := startAuthenticator(dir, f)
	if err != nil {
		return nil, err
	}
	c, err := startCluster(t, "eks", hook)
	if err != nil {
		decider.kill()
		return nil, err
	}
	c.decider = decider
	a := f.Account(eksAccount)
	a.Role(eksRole, awstest.Role{})
	for region, name := range map[string]string{homeRegion: eksName, awayRegion: eksName} {
		a.Cluster(region, name, awstest.Cluster{Endpoint: c.url, CertificateAuthority: c.ca.certPEM()})
	}
	a.Cluster(homeRegion, "foreign", awstest.Cluster{Endpoint: c.url, CertificateAuthority: c.ca.certPEM()})
	return c, nil
}

// startAuthenticator starts aws-iam-authenticator's server. It asks STS by its host
// names, which it checks against its own list, through the proxy of the fake.
func startAuthenticator(dir string, f *fakeAWS) (*daemon, webhook, error) {
	ports, err := freePorts(1)
	if err != nil {
		return nil, webhook{}, err
	}
	var port int
	fmt.Sscanf(ports[0], "127.0.0.1:%d", &port)
	kubeconfig := filepath.Join(dir, "webhook.yaml")
	config, _ := json.Marshal(object{"clusterID": eksName, "server": object{
		"address": "127.0.0.1", "port": port, "stateDir": dir, "generateKubeconfig": kubeconfig,
		"mapRoles": []object{{"roleARN": "arn:aws:iam::" + eksAccount + ":role/" + eksRole, "username": eksRole + ":{{SessionName}}", "groups": []string{readers}}},
		"mapUsers": []object{{"userARN": "arn:aws:iam::" + eksAccount + ":user/" + eksUser, "username": eksUser, "groups": []string{readers}}},
	}})
	path := filepath.Join(dir, "authenticator.json")
	if err := os.WriteFile(path, config, 0o600); err != nil {
		return nil, webhook{}, err
	}
	log := filepath.Join(dir, "authenticator.log")
	listening := func() bool {
		text, _ := os.ReadFile(log)
		return strings.Contains(string(text), "Starting the h.ec2Provider")
	}
	d, err := launch(log, append(os.Environ(), f.env()...), "", listening, "aws-iam-authenticator", "server", "--config", path)
	if err != nil {
		return nil, webhook{}, err
	}
	text, err := os.ReadFile(kubeconfig)
	return d, webhook{string(text), "v1beta1"}, err
}

// registeredEKS is a world with one connector, called prod, whose role the EKS cluster
// knows, or, with another login, what prepare makes.
func registeredEKS(t *testing.T, shows string, login func(a *account) awsLogin) (*world, *account, *cluster) {
	t.Helper()
	w := newWorld(t, shows)
	a, c := w.useEKS()
	login(a).register(w, "prod").exits(0).says("prod")
	return w, a, c
}

// eksLogin is the role that the cluster knows. Its sessions are called after the world.
func eksLogin(a *account) awsLogin {
	return awsLogin{"iam-role", with(keyFields(a.ada), "role_arn", "arn:aws:iam::"+eksAccount+":role/"+eksRole, "role_session_name", a.w.session()), nil, ""}
}

func (w *world) session() string { return "session-" + w.tag() }

// TestEKS is the main job for EKS, as AWS runs it.
func TestEKS(t *testing.T) {
	t.Parallel()
	for name, login := range map[string]func(a *account) awsLogin{
		"iam-role":      eksLogin,
		"session-token": func(a *account) awsLogin { return awsLogin{"session-token", keyFields(a.newUser(eksUser)), nil, ""} },
		"secret-key":    func(a *account) awsLogin { return awsLogin{"secret-key", keyFields(a.newUser(eksUser)), nil, ""} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, _, _ := registeredEKS(t, "login kubectl asks EKS for server and CA; the API server's aws-iam-authenticator maps our token to its user; logout restores the kubeconfig", login)
			user := eksUser
			if name == "iam-role" {
				user = eksRole + ":" + w.session()
			}
			config := w.ownKubeconfig()
			before := w.read(config)
			w.ok("svcconn", "login", "kubectl", "--connector", "prod", eksName, "--context", "eks", "--use")
			w.wantUser(user)
			w.ok("kubectl", "get", "namespaces").says("kube-system")
			w.ok("kubectl", "svcconn", "list-resources").says(eksName)
			w.ok("svcconn", "logout", "kubectl", eksName)
			if after := w.read(config); after != before {
				t.Errorf("after logout the kubeconfig is\n%s", after)
			}
		})
	}
}

// TestEKSRegions has clusters of one name in two regions.
func TestEKSRegions(t *testing.T) {
	t.Parallel()
	w, _, _ := registeredEKS(t, "a cluster in a further region is listed as REGION/NAME, and the API server takes its token", func(a *account) awsLogin {
		l := eksLogin(a)
		l.fields["regions"] = awayRegion
		return l
	})
	w.ok("svcconn", "list-resources", "--resource-type", "kubernetes-cluster").says(eksName, awayRegion+"/"+eksName)
	w.ok("svcconn", "login", "kubectl", "--connector", "prod", awayRegion+"/"+eksName, "--context", "away", "--use")
	w.wantUser(eksRole + ":" + w.session())
}

// TestEKSRefused shows tokens that the API server must not take, to know that it would
// notice.
func TestEKSRefused(t *testing.T) {
	t.Parallel()
	w, a, c := registeredEKS(t, "the API server refuses tokens that are expired, for another cluster, of a stranger, of revoked keys, or changed", eksLogin)
	good := w.eksToken()
	w.ok("kubectl", "--kubeconfig", c.plainKubeconfig(t, "token: "+good.text), "auth", "whoami").says(eksRole)
	dev := a.role("stranger-"+w.tag(), awstest.Role{})
	dev.register(w, "stranger").exits(0)
	revoked := a.newUser(eksUser)
	a.aws.Revoke(revoked.AccessKeyID)
	for name, token := range map[string]string{
		"foreign cluster": w.eksToken("--resource-name", "foreign").text,
		"unmapped role":   w.eksToken("--connector", "stranger").text,
		"expired":         presign(t, a.newUser(eksUser), eksName, time.Now().Add(-16*time.Minute)),
		"revoked keys":    presign(t, revoked, eksName, time.Now()),
		"changed":         good.text[:len(good.text)-6] + "AAAAAA",
	} {
		t.Run(name, func(t *testing.T) {
			w.cmd("kubectl", "--kubeconfig", c.plainKubeconfig(t, "token: "+token), "auth", "whoami").run().fails().says("logged in")
		})
	}
	fresh := presign(t, a.newUser(eksUser), eksName, time.Now())
	w.ok("kubectl", "--kubeconfig", c.plainKubeconfig(t, "token: "+fresh), "auth", "whoami").says(eksUser)
}

// presign makes a token as EKS wants it, with the SDK's signer and a clock of its own.
func presign(t *testing.T, keys awstest.Keys, cluster string, at time.Time) string {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, "https://sts."+homeRegion+".amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Expires=60", nil)
	must(t, err)
	req.Header.Set("X-K8s-Aws-Id", cluster)
	credentials := awssdk.Credentials{AccessKeyID: keys.AccessKeyID, SecretAccessKey: keys.SecretAccessKey, SessionToken: keys.SessionToken}
	const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	signed, _, err := v4.NewSigner().PresignHTTP(context.Background(), credentials, req, emptyHash, "sts", homeRegion, at)
	must(t, err)
	return eksPrefix + base64.RawURLEncoding.EncodeToString([]byte(signed))
}

const eksPrefix = "k8s-aws-v1."

// eksToken is a token of EKS taken apart.
type eksToken struct {
	text    string
	url     *url.URL
	query   url.Values
	expires *time.Time // as the client was told
}

func (w *world) parseToken(answer result) eksToken {
	w.t.Helper()
	var got execCredential
	w.decode(answer.exits(0), &got)
	text := got.Status.Token
	w.guard(text)
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(text, eksPrefix))
	must(w.t, err)
	u, err := url.Parse(string(raw))
	must(w.t, err)
	return eksToken{text, u, u.Query(), got.Status.ExpirationTimestamp}
}

// eksToken asks for a token in the format of kubectl's plugins; --connector and
// --resource-name are prod and the cluster, unless given.
func (w *world) eksToken(more ...string) eksToken {
	w.t.Helper()
	args := []string{"svcconn", "credential", "--resource-type", "kubernetes-cluster", "--format", "exec-credential"}
	for flag, value := range map[string]string{"--connector": "prod", "--resource-name": eksName} {
		if !slices.Contains(more, flag) {
			args = append(args, flag, value)
		}
	}
	return w.parseToken(w.cmd(append(args, more...)...).revealing().run())
}

// TestEKSGetToken compares our token with those of AWS's own programs, field by field.
func TestEKSGetToken(t *testing.T) {
	t.Parallel()
	w, a, c := registeredEKS(t, "our token has the host, the query keys and values, and the signed headers of those of aws eks get-token and aws-iam-authenticator", eksLogin)
	w.loginAWS("eks")
	ours := w.eksToken()
	if len(ours.text) > 4096 {
		t.Errorf("the token has %d bytes: the authenticator takes 4096", len(ours.text))
	}
	if left := time.Until(*ours.expires); left > 14*time.Minute || left < 10*time.Minute {
		t.Errorf("our token is said to be good for %v; it is for 15 minutes, less the margin", left)
	}
	vendors := map[string]*call{"aws-iam-authenticator": w.cmd("aws-iam-authenticator", "token", "--cluster-id", eksName, "--region", homeRegion).setenv("AWS_PROFILE=eks", "AWS_SDK_LOAD_CONFIG=1", "AWS_STS_REGIONAL_ENDPOINTS=regional")}
	for version, aws := range awsCLIs() {
		vendors["aws "+version] = w.cmd(aws, "--profile", "eks", "--region", homeRegion, "eks", "get-token", "--cluster-name", eksName)
	}
	for name, ask := range vendors {
		t.Run(name, func(t *testing.T) {
			theirs := w.parseToken(ask.revealing().run())
			compareTokens(t, ours, theirs)
			w.ok("kubectl", "--kubeconfig", c.plainKubeconfig(t, "token: "+theirs.text), "auth", "whoami").says(eksRole + ":" + a.w.session())
		})
	}
}

// signedAlike are the query keys whose values must be the same; the others differ by
// the keys and the second they were signed with.
var signedAlike = []string{"Action", "Version", "X-Amz-Algorithm", "X-Amz-Expires", "X-Amz-SignedHeaders"}

func compareTokens(t *testing.T, ours, theirs eksToken) {
	t.Helper()
	if got, want := ours.url.Scheme+"://"+ours.url.Host+ours.url.Path, theirs.url.Scheme+"://"+theirs.url.Host+theirs.url.Path; got != want {
		t.Errorf("our token is for %s, theirs for %s", got, want)
	}
	if got, want := slices.Sorted(maps.Keys(ours.query)), slices.Sorted(maps.Keys(theirs.query)); !slices.Equal(got, want) {
		t.Errorf("our token has the query keys %v, theirs %v", got, want)
	}
	for _, key := range signedAlike {
		got, want := ours.query.Get(key), theirs.query.Get(key)
		if key == "X-Amz-Expires" && want == "0" {
			continue // aws-iam-authenticator says 60 and means nanoseconds; STS does not look
		}
		if got != want {
			t.Errorf("%s is %q in our token and %q in theirs", key, got, want)
		}
	}
	scope := func(token eksToken) string {
		_, rest, _ := strings.Cut(token.query.Get("X-Amz-Credential"), "/")
		return rest
	}
	if got, want := scope(ours), scope(theirs); got != want {
		t.Errorf("our token is signed for %s, theirs for %s", got, want)
	}
	if ours.expires.After(*theirs.expires) {
		t.Errorf("our token is said to be good until %v, theirs until %v", ours.expires, theirs.expires)
	}
}

// TestEKSStatus has clusters that have no API server yet, or are not there.
func TestEKSStatus(t *testing.T) {
	t.Parallel()
	w, a := registeredAWS(t, "a cluster that is being created is unavailable and said to be, one that does not exist is not found, and both are named")
	a.Cluster(homeRegion, "young", awstest.Cluster{Status: "CREATING"})
	a.Cluster(homeRegion, "gone", awstest.Cluster{Status: "DELETING"})
	ask := func(name string) result {
		return w.cmd("svcconn", "credential", "--connector", "prod", "-r", "kubernetes-cluster", "-n", name, "--format", "token").run()
	}
	ask("young").exits(5).says("young", "being created")
	ask("gone").fails().says("gone", "DELETING")
	ask("nowhere").exits(3).says("nowhere")
	ask("arn:aws:eks:" + awayRegion + ":" + a.ID() + ":cluster/young").exits(2).says(awayRegion)
	w.cmd("svcconn", "login", "kubectl", "--connector", "prod", "young").run().exits(5).says("young", "being created")
}
