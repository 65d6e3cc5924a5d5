package aws

import (
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/connectors/aws/awstest"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

// clusterWorld has clusters in two regions.
func clusterWorld(t *testing.T) *world {
	w := newWorld(t)
	for _, name := range []string{"a", "b", "c"} {
		w.Account(account1).Cluster("eu-central-1", name, awstest.Cluster{Endpoint: "https://" + name + ".example.com", CertificateAuthority: w.CertificateAuthority()})
		w.Account(account1).Cluster("eu-west-1", name, awstest.Cluster{})
	}
	w.Account(account1).Cluster("us-east-1", "not-ours", awstest.Cluster{})
	w.Account(account2).Cluster("eu-central-1", "elsewhere", awstest.Cluster{})
	return w
}

var twoRegions = map[string]any{"regions": []string{"eu-west-1"}}

func TestListClusters(t *testing.T) {
	t.Parallel()
	w := clusterWorld(t)
	names, err := listingOf(t, w.ofRole(t, twoRegions, actions("eks:ListClusters")), clusterType)
	want := []string{"a", "b", "c", "eu-west-1/a", "eu-west-1/b", "eu-west-1/c"}
	if diff := cmp.Diff(want, names); err != nil || diff != "" {
		t.Errorf("%v: -want +got:\n%s", err, diff)
	}
	if n := w.Count("eks", "ListClusters"); n != 4 {
		t.Errorf("%d pages, not 4", n)
	}
}

// A region that fails is named, and does not hide the others.
func TestListClustersWithoutARegion(t *testing.T) {
	t.Parallel()
	w := clusterWorld(t)
	w.Account(account1).DisableRegion("eu-west-1")
	names, err := listingOf(t, w.ofRole(t, twoRegions), clusterType)
	if diff := cmp.Diff([]string{"a", "b", "c"}, names); diff != "" || err == nil || !strings.Contains(err.Error(), "region eu-west-1: ") {
		t.Errorf("%v: -want +got:\n%s", err, diff)
	}
	_, err = listingOf(t, w.ofRole(t, twoRegions, actions("s3:ListBucket")), clusterType)
	if !fault.Is(err, fault.Denied) || !strings.Contains(err.Error(), "region eu-central-1: ") || !strings.Contains(err.Error(), "; region eu-west-1: ") {
		t.Errorf("%s: %v", fault.KindOf(err), err)
	}
}

func TestListClustersStopsWhenItIsTold(t *testing.T) {
	t.Parallel()
	w, enough, yielded := clusterWorld(t), errors.New("enough"), 0
	err := w.ofRole(t, twoRegions).List(t.Context(), clusterType, func(connector.Resource) error { yielded++; return enough })
	if !errors.Is(err, enough) || yielded != 1 {
		t.Errorf("%v after %d", err, yielded)
	}
}

func TestListOneCluster(t *testing.T) {
	t.Parallel()
	w := clusterWorld(t)
	w.Account(account1).Cluster("eu-central-1", "new", awstest.Cluster{Status: "CREATING"})
	jane := w.Account(account1).User("jane", onlyAssume)
	role := w.Account(account1).Role("reader", awstest.Role{Policies: []string{actions("eks:DescribeCluster")}})
	for name, kind := range map[string]fault.Kind{"a": "", "eu-west-1/b": "", "new": fault.Unavailable, "missing": fault.NotFound} {
		s := w.scoped(t, methodRole, clusterType, name, with(jane, map[string]any{"role_arn": role, "regions": []string{"eu-west-1"}}))
		names, err := listingOf(t, s, clusterType)
		if fault.KindOf(err) != kind || err == nil && !cmp.Equal(names, []string{name}) {
			t.Errorf("%s: %v, %v", name, names, err)
		}
	}
	if n := w.Count("eks", "ListClusters"); n != 0 {
		t.Errorf("all clusters are asked for, %d times", n)
	}
}

func TestMintCluster(t *testing.T) {
	t.Parallel()
	w := clusterWorld(t)
	s := w.ofRole(t, twoRegions)
	got := minted[connector.KubernetesAuth](t, s, clusterType, "a", connector.ReadWrite)
	want := connector.KubernetesEndpoint{Cluster: "a", Server: "https://a.example.com", CertificateAuthority: strings.TrimSpace(w.CertificateAuthority())}
	if diff := cmp.Diff(want, got.Endpoint); diff != "" || !got.Expires.Equal(noon.Add(15*time.Minute)) {
		t.Errorf("until %s: -want +got:\n%s", got.Expires, diff)
	}
	if status, answer := ask(t, got.Token, "a"); status != http.StatusOK || !strings.Contains(answer, "arn:aws:sts::123456789012:assumed-role/deployer/") {
		t.Errorf("%d: %s", status, answer)
	}
	if status, answer := ask(t, got.Token, "b"); status != http.StatusForbidden {
		t.Errorf("the token is good for another cluster: %d: %s", status, answer)
	}
	far := minted[connector.KubernetesAuth](t, s, clusterType, "eu-west-1/a", connector.ReadWrite)
	if far.Endpoint.Cluster != "eu-west-1/a" || far.Endpoint.Server == got.Endpoint.Server {
		t.Errorf("%+v", far.Endpoint)
	}
	if status, answer := ask(t, far.Token, "a"); status != http.StatusOK {
		t.Errorf("%d: %s", status, answer)
	}
}

// ask asks STS as a cluster does that got a token.
func ask(t *testing.T, token secret.Text, name string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address(t, token).String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-K8s-Aws-Id", name)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// address is the URL that a token is made of, which has nothing that clusters refuse.
func address(t *testing.T, token secret.Text) *url.URL {
	t.Helper()
	encoded, ok := strings.CutPrefix(token.Reveal(), "k8s-aws-v1.")
	text, err := base64.RawURLEncoding.DecodeString(encoded)
	if !ok || err != nil || token.Len() > 4096 {
		t.Fatalf("not a token of EKS (%d bytes): %v", token.Len(), err)
	}
	u, err := url.Parse(string(text))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for key, values := range u.Query() {
		if !slices.Contains(tokenQuery, key) || len(values) != 1 || seen[strings.ToLower(key)] {
			t.Errorf("the token has %s", key)
		}
		seen[strings.ToLower(key)] = true
	}
	q := u.Query()
	if u.Path != "/" || q.Get("Action") != "GetCallerIdentity" || q.Get("Version") != "2011-06-15" || q.Get("X-Amz-Expires") != "60" ||
		!slices.Contains(strings.Split(q.Get("X-Amz-SignedHeaders"), ";"), "x-k8s-aws-id") {
		t.Errorf("the token has %v at %s", q, u.Path)
	}
	return u
}

// A token lives no longer than the keys that signed it.
func TestClusterTokenEndsWithItsKeys(t *testing.T) {
	t.Parallel()
	w := clusterWorld(t)
	s := w.ofRole(t, nil)
	request := connector.Request{ResourceType: clusterType, ResourceName: "a", Lifetime: 15 * time.Minute}
	if _, err := s.Mint(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	w.clock.advance(10 * time.Minute)
	got, err := s.Mint(t.Context(), request)
	if err != nil || !got.Expiry().Equal(noon.Add(15*time.Minute)) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestMintClusterInEveryStatus(t *testing.T) {
	t.Parallel()
	w := clusterWorld(t)
	s := w.ofRole(t, nil)
	for status, test := range map[string]struct {
		kind fault.Kind
		text string
	}{
		"ACTIVE": {}, "UPDATING": {},
		"CREATING": {fault.Unavailable, "still being created"},
		"PENDING":  {fault.Unavailable, "still being created"},
		"DELETING": {fault.Failed, "its status is DELETING"},
		"FAILED":   {fault.Failed, "its status is FAILED"},
	} {
		w.Account(account1).Cluster("eu-central-1", "x", awstest.Cluster{Status: status})
		_, err := s.Mint(t.Context(), connector.Request{ResourceType: clusterType, ResourceName: "x"})
		if fault.KindOf(err) != test.kind || err != nil && !strings.Contains(err.Error(), test.text) {
			t.Errorf("%s: %s: %v", status, fault.KindOf(err), err)
		}
	}
}

// Keys for a cluster are scoped to it.
func TestClusterKeysAreScoped(t *testing.T) {
	t.Parallel()
	w := clusterWorld(t)
	s := w.ofRole(t, map[string]any{"account_id": account1})
	k, _ := got(t, s, purpose{scope: s.clusterScope(cluster{"eu-central-1", "a"})})
	if _, err := s.describe(t.Context(), k, cluster{"eu-central-1", "a"}); err != nil {
		t.Error(err)
	}
	for _, other := range []cluster{{"eu-central-1", "b"}, {"eu-west-1", "a"}} {
		if _, err := s.describe(t.Context(), k, other); !fault.Is(err, fault.Denied) {
			t.Errorf("%v: %v", other, err)
		}
	}
}

func TestMintClusterWithoutAProperServer(t *testing.T) {
	t.Parallel()
	w := clusterWorld(t)
	s := w.ofRole(t, nil)
	for what, c := range map[string]awstest.Cluster{
		"plain HTTP":     {Endpoint: "http://a.example.com"},
		"authority":      {CertificateAuthority: "no certificate"},
		"user and host":  {Endpoint: "https://me:x@a.example.com"},
		"query and host": {Endpoint: "https://a.example.com?x"},
	} {
		w.Account(account1).Cluster("eu-central-1", "x", c)
		_, err := s.Mint(t.Context(), connector.Request{ResourceType: clusterType, ResourceName: "x"})
		if !fault.Is(err, fault.Failed) {
			t.Errorf("%s: %s: %v", what, fault.KindOf(err), err)
		}
	}
}

// signing is a session that only signs.
func signing(t *testing.T, pairs ...any) *session {
	return &session{clients: &clients{host: connector.Host{Now: func() time.Time { return noon }}, values: fieldsOf(t, pairs...)}}
}

// The token's address is that of STS, as the fields have it.
func TestClusterTokenAsksTheSTSOfTheFields(t *testing.T) {
	t.Parallel()
	k := keys{id: "ASIAIOSFODNN7EXAMPLE", secret: secret.New(planted), token: secret.New("t")}
	for host, pairs := range map[string][]any{
		"sts.eu-central-1.amazonaws.com":    {"region", "eu-central-1"},
		"sts.cn-north-1.amazonaws.com.cn":   {"region", "cn-north-1"},
		"sts.us-gov-west-1.amazonaws.com":   {"region", "us-gov-west-1"},
		"sts-fips.us-east-1.amazonaws.com":  {"region", "us-east-1", "use_fips_endpoint", true},
		"sts.eu-central-1.api.aws":          {"region", "eu-central-1", "use_dualstack_endpoint", true},
		"vpce-1.sts.example.com":            {"region", "eu-central-1", "endpoint_url", "https://other.example.com", "endpoint_url_sts", "https://vpce-1.sts.example.com"},
		"sts.eusc-de-east-1.amazonaws.eu":   {"region", "eusc-de-east-1"},
		"sts.us-iso-east-1.c2s.ic.gov":      {"region", "us-iso-east-1"},
		"sts.us-isob-east-1.sc2s.sgov.gov":  {"region", "us-isob-east-1"},
		"sts.eu-isoe-west-1.cloud.adc-e.uk": {"region", "eu-isoe-west-1"},
	} {
		token, expires, err := signing(t, pairs...).clusterToken(t.Context(), k, "production")
		if err != nil {
			t.Errorf("%s: %v", host, err)
			continue
		}
		u := address(t, token)
		if u.Scheme != "https" || u.Host != host || u.Query().Get("X-Amz-Date") != "20260102T120000Z" || !expires.Equal(noon.Add(15*time.Minute)) {
			t.Errorf("%s: %s until %s", host, u.Host, expires)
		}
		if strings.Contains(u.String(), planted) {
			t.Error("the token shows the secret key")
		}
	}
}

func TestClusterTokenThatNoClusterTakes(t *testing.T) {
	t.Parallel()
	short := keys{id: "ASIAIOSFODNN7EXAMPLE", secret: secret.New("s"), token: secret.New("t")}
	long := short
	long.token = secret.New(strings.Repeat(planted+"/", 150))
	for _, test := range []struct {
		keys       keys
		pairs      []any
		text, hint string
	}{
		{long, []any{"region", "eu-central-1"}, "and clusters take 4096", "fewer session tags"},
		{short, []any{"region", "eu-central-1", "endpoint_url", "https://gate.example.com/sts"}, "the path /sts/", "endpoint_url_sts"},
	} {
		_, _, err := signing(t, test.pairs...).clusterToken(t.Context(), test.keys, "production")
		wantInvalid(t, test.pairs, err, test.text, test.hint)
		noCanary(t, "token", err)
	}
	if err := checkToken("production", "https://sts/?Action=x&x-evil=1", 1); !fault.Is(err, fault.Failed) {
		t.Errorf("%v", err)
	}
	_, _, err := signing(t, "region", "eu-central-1", "endpoint_url", "https://gate.example.com", "use_fips_endpoint", true).clusterToken(t.Context(), short, "x")
	wantInvalid(t, "FIPS at an endpoint of one's own", err, "no address of STS for these fields", "")
}
