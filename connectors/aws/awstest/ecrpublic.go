package awstest

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// publicRegistry is an account's registry at public.ecr.aws.
type publicRegistry struct {
	account      *Account
	alias        string
	repositories map[string]time.Time // by name: when they were made
}

// PublicRegistry gives the account a registry at public.ecr.aws, with that alias and
// repositories. Anybody may pull from it.
func (a *Account) PublicRegistry(alias string, repositories ...string) {
	a.server.mu.Lock()
	defer a.server.mu.Unlock()
	p := &publicRegistry{account: a, alias: alias, repositories: map[string]time.Time{}}
	for _, name := range repositories {
		p.repositories[name] = a.server.now()
	}
	a.server.others.publicOnes[a.id] = p
}

// publicHost is the one host of ECR Public.
const publicHost = "public.ecr.aws"

func (p *publicRegistry) uri() string { return publicHost + "/" + p.alias }

func (p *publicRegistry) arn(rest string) string {
	return "arn:aws:ecr-public::" + p.account.id + ":" + rest
}

func (p *publicRegistry) repositoryARN(name string) string { return p.arn("repository/" + name) }

func ecrPublicService() *service {
	target := targetOf("SpencerFrontendService")
	return &service{
		name: "ecr-public", protocol: json11, action: func(r *request) string {
			if r.region != globalRegion {
				return "" // AWS has no such host
			}
			return target(r)
		},
		operations: map[string]operation{
			"GetAuthorizationToken": ecrPublicGetAuthorizationToken,
			"DescribeRegistries":    ecrPublicDescribeRegistries,
			"DescribeRepositories":  ecrPublicDescribeRepositories,
		},
	}
}

func ecrPublicGetAuthorizationToken(r *request) (answer, error) {
	for _, action := range []string{"ecr-public:GetAuthorizationToken", "sts:GetServiceBearerToken"} {
		if err := r.allow(action, "*"); err != nil {
			return answer{}, err
		}
	}
	token := r.issueRegistryToken(ecrPublicTokens)
	return answerJSON11(map[string]any{"authorizationData": map[string]any{
		"authorizationToken": token.encoded(), "expiresAt": epoch(token.expires),
	}})
}

type pageOf struct {
	NextToken  string
	MaxResults *int
}

func (in pageOf) check() error {
	if in.MaxResults != nil && (*in.MaxResults < 1 || *in.MaxResults > 1000) {
		return constraint("maxResults", "must satisfy range [1,1000]")
	}
	return nil
}

func ecrPublicDescribeRegistries(r *request) (answer, error) {
	var in pageOf
	if err := r.decode(&in); err != nil {
		return answer{}, err
	}
	if err := in.check(); err != nil {
		return answer{}, err
	}
	if err := r.allow("ecr-public:DescribeRegistries", "*"); err != nil {
		return answer{}, err
	}
	registries := []map[string]any{}
	if p := r.server.others.publicOnes[r.who.account.id]; p != nil {
		registries = append(registries, map[string]any{
			"registryId": p.account.id, "registryArn": p.arn("registry/" + p.account.id), "registryUri": p.uri(), "verified": false,
			"aliases": []map[string]any{{"name": p.alias, "status": "ACTIVE", "primaryRegistryAlias": true, "defaultRegistryAlias": true}},
		})
	}
	if in.NextToken != "" {
		return answer{}, constraint("nextToken", "the token is not one of this list")
	}
	return answerJSON11(map[string]any{"registries": registries})
}

func ecrPublicDescribeRepositories(r *request) (answer, error) {
	var in describeRepositories
	if err := r.decode(&in); err != nil {
		return answer{}, err
	}
	if err := in.check(); err != nil {
		return answer{}, err
	}
	id := r.who.account.id
	if in.RegistryID != "" && in.RegistryID != id {
		return answer{}, r.denied("ecr-public:DescribeRepositories", "arn:aws:ecr-public::"+in.RegistryID+":repository/*", "")
	}
	p := r.server.others.publicOnes[id]
	if p == nil {
		p = &publicRegistry{account: r.who.account}
	}
	names := in.RepositoryNames
	if names == nil {
		names = []string{"*"}
	}
	for _, name := range names {
		if err := r.allow("ecr-public:DescribeRepositories", p.repositoryARN(name)); err != nil {
			return answer{}, err
		}
	}
	return r.publicRepositories(p, in)
}

// publicRepositories is the answer for those that were asked for by name, or for a page of
// all.
func (r *request) publicRepositories(p *publicRegistry, in describeRepositories) (answer, error) {
	names, next, ok := in.RepositoryNames, "", true
	if names == nil {
		all := slices.Collect(maps.Keys(p.repositories))
		names, next, ok = page(r, nil, all, strings.Clone, in.NextToken, value(in.MaxResults))
	}
	if !ok {
		return answer{}, constraint("nextToken", "the token is not one of this list")
	}
	out := []map[string]any{}
	for _, name := range names {
		created, known := p.repositories[name]
		if !known {
			return answer{}, invalid("RepositoryNotFoundException", "%s", noRepository(name, p.account.id))
		}
		out = append(out, map[string]any{
			"repositoryArn": p.repositoryARN(name), "registryId": p.account.id, "repositoryName": name,
			"repositoryUri": p.uri() + "/" + name, "createdAt": epoch(created),
		})
	}
	return answerJSON11(paged(map[string]any{"repositories": out}, next))
}
