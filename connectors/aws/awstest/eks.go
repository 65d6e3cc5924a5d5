package awstest

import (
	"encoding/base64"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Cluster is an EKS cluster.
type Cluster struct {
	Endpoint             string // URL of the API server; "" is one in EKS's own domain
	CertificateAuthority string // PEM
	Status               string // ACTIVE, CREATING …; "" is ACTIVE
}

type clusterKey struct{ account, region, name string }

type cluster struct {
	Cluster
	account      *Account
	region, name string
	created      time.Time
}

// Cluster makes an EKS cluster of the account in a region, or changes it.
func (a *Account) Cluster(region, name string, c Cluster) {
	a.server.mu.Lock()
	defer a.server.mu.Unlock()
	if c.Status == "" {
		c.Status = "ACTIVE"
	}
	if c.Endpoint == "" {
		c.Endpoint = "https://" + uniqueID("", a.id, region+"/"+name) + ".gr7." + region + ".eks." + a.domain()
	}
	a.server.others.clusters[clusterKey{a.id, region, name}] = &cluster{Cluster: c, account: a, region: region, name: name, created: a.server.now()}
}

// clusterARN is the ARN of a cluster of the caller's account, which need not exist.
func (r *request) clusterARN(name string) string {
	return "arn:" + r.who.account.partition + ":eks:" + r.region + ":" + r.who.account.id + ":cluster/" + name
}

func eksService() *service {
	return &service{
		name: "eks", protocol: restJSON, action: eksAction,
		operations: map[string]operation{"ListClusters": eksListClusters, "DescribeCluster": eksDescribeCluster},
	}
}

func eksAction(r *request) string {
	name, named := strings.CutPrefix(r.URL.Path, "/clusters/")
	switch {
	case r.Method != http.MethodGet:
		return ""
	case r.URL.Path == "/clusters":
		return "ListClusters"
	case named && name != "" && !strings.Contains(name, "/"):
		return "DescribeCluster"
	}
	return ""
}

func eksListClusters(r *request) (answer, error) {
	if err := r.allow("eks:ListClusters", r.clusterARN("*")); err != nil {
		return answer{}, err
	}
	most, err := strconv.Atoi(r.form.Get("maxResults"))
	if r.form.Has("maxResults") && (err != nil || most < 1 || most > 100) {
		return answer{}, invalid("InvalidParameterException", "maxResults must be between 1 and 100")
	}
	var names []string
	for key := range maps.Keys(r.server.others.clusters) {
		if key.account == r.who.account.id && key.region == r.region {
			names = append(names, key.name)
		}
	}
	found, next, ok := page(r, nil, names, strings.Clone, r.form.Get("nextToken"), most)
	if !ok {
		return answer{}, invalid("InvalidParameterException", "Invalid nextToken")
	}
	return answerJSON(paged(map[string]any{"clusters": slices.Concat([]string{}, found)}, next))
}

func eksDescribeCluster(r *request) (answer, error) {
	name := strings.TrimPrefix(r.URL.Path, "/clusters/")
	if err := r.allow("eks:DescribeCluster", r.clusterARN(name)); err != nil {
		return answer{}, err
	}
	c := r.server.others.clusters[clusterKey{r.who.account.id, r.region, name}]
	if c == nil {
		return answer{}, &apiError{status: http.StatusNotFound, code: "ResourceNotFoundException", message: "No cluster found for name: " + name + "."}
	}
	described := map[string]any{
		"name": name, "arn": r.clusterARN(name), "createdAt": epoch(c.created), "version": "1.33",
		"roleArn": c.account.iam("role/eks-" + name), "status": c.Status, "platformVersion": "eks.1", "tags": map[string]string{},
	}
	if c.Status != "CREATING" && c.Status != "PENDING" { // there is no API server yet
		described["endpoint"] = c.Endpoint
		described["certificateAuthority"] = map[string]string{"data": base64.StdEncoding.EncodeToString([]byte(c.CertificateAuthority))}
	}
	return answerJSON(map[string]any{"cluster": described})
}
