package aws

import (
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/smithy-go"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/registryname"
	"github.com/svcconn/svcconn/pkg/secret"
)

// registryUser is the user name of all logins of ECR.
const registryUser = "AWS"

// registryKind is the registries and repositories of ECR.
func registryKind() kind {
	return kind{
		ResourceType: connector.ResourceType{
			Name:  registryType,
			Title: "AWS ECR container registry",
			Icon:  "🐳",
			Doc: `Allows docker and all other clients of container registries to pull from and push to ECR, with logins of 12 hours at most. A login is one of the registry as a whole, and can do what the keys can that got it: those are scoped to the repository, or to the registry if none was named, and to pulling or pushing, where the auth method can do that.

A connector reaches the registries of its account, in its region and those in the field regions, and the accounts in registry_ids. Registries of the account in other regions of the partition are reached too, but not listed. Repositories that cache those of other registries are repositories like others: the first pull makes them.

ECR Public is reached by a connector for it alone: --resource-name public.ecr.aws.`,
			Formats: []string{
				"ACCOUNT.dkr.ecr.REGION.amazonaws.com[/REPOSITORY], and what other partitions, FIPS and dual-stack endpoints have in its place",
				"arn:PARTITION:ecr:REGION:ACCOUNT:repository/REPOSITORY",
				"public.ecr.aws[/ALIAS[/REPOSITORY]]",
			},
			Permissions: []string{
				"ecr:GetAuthorizationToken",
				"ecr:DescribeRepositories, to list repositories, and ecr-public:DescribeRegistries, to list public registries; without them the registries are listed alone",
				"to pull: " + inWords(registryGrants.read) + "; those of them that import or create are for caches alone",
				"to push also: " + inWords(registryGrants.write),
				"for ECR Public: " + inWords(publicLogin) + "; to push also: " + inWords(publicWrite),
			},
			Instances: true,
			Parse: func(values field.Values, name string) (string, error) {
				r, err := parseRegistry(values, name)
				if err != nil {
					return "", err
				}
				return r.name(), nil
			},
			Serves:   servesRegistry,
			Username: func(field.Values) string { return registryUser },
		},
		list: listRegistries,
		mint: mintRegistry,
	}
}

// servesRegistry reads an address as a name is read. ECR Public is everyone's: only
// those who registered it serve it.
func servesRegistry(settings connector.Settings, address string) (string, bool) {
	if isARN(address) {
		return "", false
	}
	r, err := parseRegistry(settings.Values, address)
	if err != nil {
		return "", false
	}
	name, own := r.name(), ""
	if settings.ResourceType == registryType {
		own = settings.ResourceName
	}
	if own == "" {
		return name, !r.public()
	}
	return own, name == own || strings.HasPrefix(name, own+"/")
}

func listRegistries(ctx context.Context, s *session, yield func(string) error) error {
	if name := s.settings.ResourceName; name != "" {
		return listRegistry(ctx, s, name, yield)
	}
	k, err := s.keysFor(ctx, purpose{own: true, scope: registriesPolicy()})
	if err != nil {
		return err
	}
	var listings []connector.Listing
	for _, region := range regionsOf(s.values) {
		listings = append(listings, connector.Listing{Where: "region " + region, List: func(ctx context.Context, yield func(string) error) error {
			return s.registriesOf(ctx, k, region, yield)
		}})
	}
	if s.hasPublic() {
		listings = append(listings, connector.Listing{Where: "public registries", List: func(ctx context.Context, yield func(string) error) error {
			return s.publicRegistries(ctx, k, yield)
		}})
	}
	return connector.ListTogether(ctx, yield, listings)
}

// listRegistry proves the use of one registry or repository, and asks for no more.
func listRegistry(ctx context.Context, s *session, name string, yield func(string) error) error {
	r, err := parseRegistry(s.values, name)
	if err != nil {
		return err
	}
	if _, err := s.registryLogin(ctx, r, purpose{own: true, scope: s.registryScope(r, connector.ReadOnly)}); err != nil {
		return err
	}
	return yield(name)
}

// registriesOf lists the registries of one region, and their repositories: that of the
// account, and those of the accounts that grant it access. What may not be listed may
// still be used.
func (s *session) registriesOf(ctx context.Context, k keys, region string, yield func(string) error) error {
	answer, err := s.authorize(ctx, k, region)
	if err != nil {
		return err
	}
	own, err := s.registryIn(region, answer.endpoint)
	if err != nil {
		return err
	}
	if err := s.ofAccount(own.account); err != nil {
		return err
	}
	accounts := []string{own.account}
	for _, account := range registryIDsField.Get(s.values) {
		if !slices.Contains(accounts, account) {
			accounts = append(accounts, account)
		}
	}
	for _, account := range accounts {
		r := own
		r.account, r.host = account, account+strings.TrimPrefix(own.host, own.account)
		if err := yield(r.host); err != nil {
			return err
		}
		if err := s.repositories(ctx, k, r, yield); err != nil && !notAllowed(err) {
			return err
		}
	}
	return nil
}

// registryIn reads the address that ECR says a registry has.
func (s *session) registryIn(region, endpoint string) (registry, error) {
	host, _, err := registryname.Address(endpoint)
	if err != nil {
		return registry{}, fault.New(fault.Failed, "ECR does not say where the registry is: %w", err)
	}
	r, err := registryAt(s.values, s.partition, host)
	switch {
	case err != nil:
		return registry{}, fault.New(fault.Failed, "ECR says that the registry is %s: %w", host, err).
			Hint("if that is right, say the domain: --set %s=DOMAIN", registryDomain.Name)
	case r.region != region:
		return registry{}, fault.New(fault.Failed, "ECR in %s says that the registry is %s, in %s", region, host, r.region)
	}
	return r, nil
}

// pageOfRepositories is how many repositories are asked for at once: as many as ECR grants.
const pageOfRepositories = 1000

// repositories lists those of one registry.
func (s *session) repositories(ctx context.Context, k keys, r registry, yield func(string) error) error {
	pages := ecr.NewDescribeRepositoriesPaginator(s.ecr(k, r.region), &ecr.DescribeRepositoriesInput{
		RegistryId: &r.account, MaxResults: awssdk.Int32(pageOfRepositories),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return s.failed(ctx, "ECR", err)
		}
		for _, one := range page.Repositories {
			if err := yield(r.host + "/" + value(one.RepositoryName)); err != nil {
				return err
			}
		}
	}
	return nil
}

// notAllowed tells that the identity lacks the right to one action, from all the other
// ways to be refused.
func notAllowed(err error) bool {
	var refusal smithy.APIError
	return errors.As(err, &refusal) && strings.HasPrefix(refusal.ErrorCode(), "AccessDenied")
}

func mintRegistry(ctx context.Context, s *session, request connector.Request) (connector.Credential, error) {
	r, err := parseRegistry(s.values, request.ResourceName)
	if err != nil {
		return nil, err
	}
	return s.registryLogin(ctx, r, purpose{scope: s.registryScope(r, request.Access), lifetime: request.Lifetime})
}

func (s *session) registryScope(r registry, access connector.Access) string {
	if r.public() {
		return publicRegistryPolicy(s.partition, accountField.Get(s.values), r, access)
	}
	return registryPolicy(s.partition, r, access)
}

// registryLogin gets a login of a registry, with keys for a purpose. It ends no later
// than they do.
func (s *session) registryLogin(ctx context.Context, r registry, want purpose) (connector.Credential, error) {
	k, err := s.keysFor(ctx, want)
	if err != nil {
		return nil, err
	}
	var answer authorization
	if r.public() {
		answer, err = s.authorizePublic(ctx, k)
	} else {
		answer, err = s.authorize(ctx, k, r.region)
	}
	if err != nil {
		return nil, err
	}
	login := connector.RegistryLogin{Registry: r.host, Username: registryUser, Secret: answer.password, Expires: answer.expires}
	return connector.Bounded(login, k.expires), nil
}

// authorization is an answer of GetAuthorizationToken.
type authorization struct {
	endpoint string // of the account's own registry; "" for ECR Public
	password secret.Text
	expires  time.Time
}

// authorize asks ECR in a region for a login, which is good for all registries that
// grant the identity access there.
func (s *session) authorize(ctx context.Context, k keys, region string) (authorization, error) {
	out, err := s.ecr(k, region).GetAuthorizationToken(ctx, &ecr.GetAuthorizationTokenInput{})
	if err != nil {
		return authorization{}, s.failed(ctx, "ECR", err)
	}
	if len(out.AuthorizationData) == 0 {
		return authorization{}, noAuthorization("ECR")
	}
	data := out.AuthorizationData[0]
	answer, err := authorizationOf("ECR", data.AuthorizationToken, data.ExpiresAt)
	answer.endpoint = value(data.ProxyEndpoint)
	return answer, err
}

// authorizationOf reads a token: base64 of AWS:PASSWORD.
func authorizationOf(service string, token *string, expires *time.Time) (authorization, error) {
	text, err := base64.StdEncoding.DecodeString(value(token))
	user, password, found := strings.Cut(string(text), ":")
	if err != nil || !found || user != registryUser || password == "" || expires == nil {
		return authorization{}, noAuthorization(service)
	}
	return authorization{password: secret.New(password), expires: *expires}, nil
}

func noAuthorization(service string) error {
	return fault.New(fault.Failed, "%s answered without an authorization token", service)
}
