package awstest

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// registryKey is one registry: an account has one in each region.
type registryKey struct{ account, region string }

// ecrRegistry is what an account has of ECR in a region.
type ecrRegistry struct {
	account      *Account
	region       string
	grants       []Grant
	repositories map[string]*repository
}

type repository struct {
	registry *ecrRegistry
	name     string
	grants   []Grant
	created  time.Time
}

// Repository makes a repository in the account's ECR registry of a region. Principals of
// other accounts need a grant; those of the account have what their own policies allow, and
// what is granted.
func (a *Account) Repository(region, name string, grants ...Grant) {
	a.server.mu.Lock()
	defer a.server.mu.Unlock()
	registry := a.registry(region)
	registry.repositories[name] = &repository{registry: registry, name: name, grants: slices.Clone(grants), created: a.server.now()}
}

// registry is the account's registry in a region, made at first use.
func (a *Account) registry(region string) *ecrRegistry {
	key := registryKey{a.id, region}
	all := a.server.others.registries
	if all[key] == nil {
		all[key] = &ecrRegistry{account: a, region: region, repositories: map[string]*repository{}}
	}
	return all[key]
}

// domain is where the hosts of the account's partition are.
// https://docs.aws.amazon.com/general/latest/gr/rande.html
func (a *Account) domain() string {
	switch a.partition {
	case "aws-cn":
		return "amazonaws.com.cn"
	case "aws-iso":
		return "c2s.ic.gov"
	case "aws-iso-b":
		return "sc2s.sgov.gov"
	case "aws-eusc":
		return "amazonaws.eu"
	}
	return "amazonaws.com"
}

func (g *ecrRegistry) host() string {
	return g.account.id + ".dkr.ecr." + g.region + "." + g.account.domain()
}

// arn is the ARN of a repository, which need not exist.
func (g *ecrRegistry) arn(repository string) string {
	return "arn:" + g.account.partition + ":ecr:" + g.region + ":" + g.account.id + ":repository/" + repository
}

func ecrService() *service {
	return &service{
		name: "ecr", protocol: json11, action: targetOf("AmazonEC2ContainerRegistry_V20150921"),
		operations: map[string]operation{
			"GetAuthorizationToken": ecrGetAuthorizationToken,
			"DescribeRepositories":  ecrDescribeRepositories,
		},
	}
}

// targetOf is how requests of JSON 1.1 name the operation.
func targetOf(prefix string) func(*request) string {
	return func(r *request) string {
		if r.Method != "POST" || r.URL.Path != "/" || r.Header.Get("Content-Type") != "application/x-amz-json-1.1" {
			return ""
		}
		action, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), prefix+".")
		if !ok {
			return ""
		}
		return action
	}
}

var accountFormat = regexp.MustCompile(`^[0-9]{12}$`)

// constraint is ECR's refusal of a parameter's value.
func constraint(parameter, rule string) error {
	return invalid("InvalidParameterException", "Invalid parameter at '%s' failed to satisfy constraint: '%s'", parameter, rule)
}

func ecrGetAuthorizationToken(r *request) (answer, error) {
	var in struct{ RegistryIDs []string }
	if err := r.decode(&in); err != nil {
		return answer{}, err
	}
	if in.RegistryIDs == nil {
		in.RegistryIDs = []string{r.who.account.id}
	}
	if len(in.RegistryIDs) < 1 || len(in.RegistryIDs) > 10 {
		return answer{}, constraint("registryIds", "Member must have length between 1 and 10")
	}
	if err := r.allow("ecr:GetAuthorizationToken", "*"); err != nil {
		return answer{}, err
	}
	type data struct {
		AuthorizationToken string  `json:"authorizationToken"`
		ExpiresAt          float64 `json:"expiresAt"`
		ProxyEndpoint      string  `json:"proxyEndpoint"`
	}
	var out []data
	for _, id := range in.RegistryIDs {
		if !accountFormat.MatchString(id) {
			return answer{}, constraint("registryIds", "must satisfy regular expression '[0-9]{12}'")
		}
		token := r.issueRegistryToken(ecrTokens)
		registry := ecrRegistry{account: &Account{id: id, partition: r.who.account.partition}, region: r.region}
		out = append(out, data{token.encoded(), epoch(token.expires), "https://" + registry.host()})
	}
	return answerJSON11(map[string]any{"authorizationData": out})
}

// epoch is a time as JSON 1.1 and REST JSON have it.
func epoch(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

type describeRepositories struct {
	RegistryID      string
	RepositoryNames []string
	NextToken       string
	MaxResults      *int
}

func (in describeRepositories) check() error {
	switch {
	case in.RegistryID != "" && !accountFormat.MatchString(in.RegistryID):
		return constraint("registryId", "must satisfy regular expression '[0-9]{12}'")
	case in.RepositoryNames != nil && (len(in.RepositoryNames) < 1 || len(in.RepositoryNames) > 100):
		return constraint("repositoryNames", "Member must have length between 1 and 100")
	case in.RepositoryNames != nil && (in.NextToken != "" || in.MaxResults != nil):
		return constraint("repositoryNames", "nextToken and maxResults are not for repository names")
	case in.MaxResults != nil && (*in.MaxResults < 1 || *in.MaxResults > 1000):
		return constraint("maxResults", "must satisfy range [1,1000]")
	}
	for _, name := range in.RepositoryNames {
		if !repositoryFormat.MatchString(name) || len(name) < 2 || len(name) > 256 {
			return constraint("repositoryNames", "must satisfy regular expression '"+repositoryFormat.String()+"'")
		}
	}
	return nil
}

var repositoryFormat = regexp.MustCompile(`^(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*$`)

func ecrDescribeRepositories(r *request) (answer, error) {
	var in describeRepositories
	if err := r.decode(&in); err != nil {
		return answer{}, err
	}
	if err := in.check(); err != nil {
		return answer{}, err
	}
	registry := r.registryOf(in.RegistryID)
	if in.RepositoryNames != nil {
		return r.namedRepositories(registry, in.RepositoryNames)
	}
	if err := r.allowOn(registry, "*", "ecr:DescribeRepositories"); err != nil {
		return answer{}, err
	}
	all := slices.Collect(maps.Values(registry.repositories))
	found, next, ok := page(r, list{registry.account.id}, all, func(p *repository) string { return p.name }, in.NextToken, value(in.MaxResults))
	if !ok {
		return answer{}, constraint("nextToken", "the token is not one of this list")
	}
	return describedRepositories(found, next)
}

// registryOf is the registry of an account, "" the caller's own, in the request's region. An
// account that does not exist has an empty one.
func (r *request) registryOf(id string) *ecrRegistry {
	if id == "" || id == r.who.account.id {
		return r.who.account.registry(r.region)
	}
	if account := r.server.accounts[id]; account != nil {
		return account.registry(r.region)
	}
	return &ecrRegistry{account: &Account{id: id, partition: r.who.account.partition}, region: r.region}
}

func (r *request) namedRepositories(registry *ecrRegistry, names []string) (answer, error) {
	var found []*repository
	for _, name := range names {
		if err := r.allowOn(registry, name, "ecr:DescribeRepositories"); err != nil {
			return answer{}, err
		}
		one := registry.repositories[name]
		if one == nil {
			return answer{}, invalid("RepositoryNotFoundException", "%s", noRepository(name, registry.account.id))
		}
		found = append(found, one)
	}
	return describedRepositories(found, "")
}

func noRepository(name, registry string) string {
	return "The repository with name '" + name + "' does not exist in the registry with id '" + registry + "'"
}

func describedRepositories(found []*repository, next string) (answer, error) {
	out := []map[string]any{}
	for _, one := range found {
		g := one.registry
		out = append(out, map[string]any{
			"repositoryArn": g.arn(one.name), "registryId": g.account.id, "repositoryName": one.name,
			"repositoryUri": g.host() + "/" + one.name, "createdAt": epoch(one.created), "imageTagMutability": "MUTABLE",
		})
	}
	return answerJSON11(paged(map[string]any{"repositories": out}, next))
}

// paged adds the token of the next page to an answer, where there is one.
func paged(answer map[string]any, next string) map[string]any {
	if next != "" {
		answer["nextToken"] = next
	}
	return answer
}

// value is what a pointer points at.
func value[T any](p *T) T {
	var zero T
	if p == nil {
		return zero
	}
	return *p
}
