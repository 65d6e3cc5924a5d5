package aws

import (
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/registryname"
)

// registry is a registry of ECR, or one repository of it.
type registry struct {
	host       string // as docker calls it, with the port where it is not 443
	account    string // "" for ECR Public
	region     string // "" for ECR Public
	repository string // what is behind the host; "" is the registry as a whole
}

// The hosts of ECR Public; the second one has IPv6 addresses too.
// https://docs.aws.amazon.com/AmazonECR/latest/public/public-ecr-requests.html
const (
	publicHost          = "public.ecr.aws"
	publicHostDualStack = "ecr-public.aws.com"
)

// publicPartition is the one partition that has ECR Public.
const publicPartition = "aws"

func (r registry) public() bool { return r.account == "" }

// name is the canonical resource name.
func (r registry) name() string {
	if r.repository == "" {
		return r.host
	}
	return r.host + "/" + r.repository
}

// publicPath is what a name of ECR Public has behind its host: an alias, and a
// repository of it.
func (r registry) publicPath() (alias, repository string) {
	alias, repository, _ = strings.Cut(r.repository, "/")
	return alias, repository
}

// parseRegistry reads the name of a registry or repository: an address, or an ARN. It
// refuses those that the connector is not for, and says what they are.
func parseRegistry(values field.Values, name string) (registry, error) {
	p, err := partitionIn(values)
	if err != nil {
		return registry{}, err
	}
	if isARN(name) {
		return registryOfARN(values, p, name)
	}
	host, path, err := registryname.Address(name)
	if err != nil {
		return registry{}, err
	}
	if host == publicHost || host == publicHostDualStack {
		return publicRegistry(p, host, path)
	}
	r, err := registryAt(values, p, host)
	if err != nil {
		return registry{}, err
	}
	return r.within(values, path)
}

// within is a repository of the registry, or the registry itself, of an account that
// the connector is for.
func (r registry) within(values field.Values, path string) (registry, error) {
	if r.repository = path; path != "" && !isRepository(path, maxRepository) {
		return registry{}, fault.New(fault.Invalid, "%q is not the name of a repository of ECR", path).
			Hint("give the repository alone, without tag and digest")
	}
	return r, r.reached(values)
}

// reached refuses registries of accounts that the connector is not for. While its own
// account is unknown, it is for whatever its regions have.
func (r registry) reached(values field.Values) error {
	own, further := accountField.Get(values), registryIDsField.Get(values)
	switch {
	case r.account == own || slices.Contains(further, r.account):
		return nil
	case own == "":
		return inRegion(values, "the registry", r.region)
	}
	return fault.New(fault.Invalid, "the registry is of account %s, and the connector is for %s", r.account, strings.Join(append([]string{own}, further...), ", ")).
		Hint("if that account grants access: --set %s=%s", registryIDsField.Name, strings.Join(append(further, r.account), ","))
}

// registryAt reads a host: ACCOUNT.dkr.ecr.REGION.DOMAIN, and those of the FIPS and
// dual-stack endpoints. Every part of it is compared in full, from the first to the last.
func registryAt(values field.Values, p partition, host string) (registry, error) {
	if own := registryDomain.Get(values); own != "" {
		r, ok := splitHost(host, own, "")
		if !ok {
			return registry{}, fault.New(fault.Invalid, "%s is not a registry of ECR in the domain %s", host, own)
		}
		return r, p.hasRegion(values, r.region)
	}
	for _, other := range partitions {
		r, ok := splitHost(host, other.domain, other.dualStack)
		switch {
		case !ok:
		case other.domain == p.domain:
			return r, p.hasRegion(values, r.region)
		case other.regions.MatchString(r.region):
			return registry{}, p.inPartition("the registry", other.id)
		}
	}
	return registry{}, fault.New(fault.Invalid, "%s is not a registry of ECR", host)
}

// hasRegion refuses regions of other partitions, and those that nobody knows but the
// connector's own.
func (p partition) hasRegion(values field.Values, region string) error {
	if slices.Contains(regionsOf(values), region) {
		return nil
	}
	other, known := partitionOfRegion(region)
	if !known {
		return fault.New(fault.Invalid, "the registry is in region %q, which no partition is known to have", region)
	}
	return p.inPartition("the registry", other.id)
}

// splitHost takes the host of a registry apart; the second domain is that of hosts
// with IPv6 addresses, or "".
func splitHost(host, domain, dualStack string) (registry, bool) {
	var labels []string
	if rest, ok := strings.CutSuffix(host, "."+domain); ok {
		if labels = strings.Split(rest, "."); len(labels) != 4 || labels[1] != "dkr" || labels[2] != "ecr" && labels[2] != "ecr-fips" {
			return registry{}, false
		}
	} else if rest, ok := strings.CutSuffix(host, "."+dualStack); ok && dualStack != "" {
		if labels = strings.Split(rest, "."); len(labels) != 3 || labels[1] != "dkr-ecr" && labels[1] != "dkr-ecr-fips" {
			return registry{}, false
		}
	} else {
		return registry{}, false
	}
	account, region := labels[0], labels[len(labels)-1]
	return registry{host: host, account: account, region: region}, isAccount(account) && isRegion(region)
}

// domainOf is the domain of the usual hosts of registries.
func (p partition) domainOf(values field.Values) string {
	if own := registryDomain.Get(values); own != "" {
		return own
	}
	return p.domain
}

func registryHost(account, region, domain string) string {
	return account + ".dkr.ecr." + region + "." + domain
}

// repositoryPrefix is what the ARN of a repository has in front of its name.
const repositoryPrefix = "repository/"

func registryOfARN(values field.Values, p partition, text string) (registry, error) {
	if strings.HasPrefix(text, arnPrefix+p.id+":ecr-public:") {
		return registry{}, fault.New(fault.Invalid, "the ARN is one of ECR Public, and does not tell the address").
			Hint("name it by its address: %s/ALIAS/REPOSITORY", publicHost)
	}
	a, err := parseARN(text, "ecr")
	if err != nil {
		return registry{}, err
	}
	if err := regional(a); err != nil {
		return registry{}, err
	}
	if err := p.inPartition("the registry", a.Partition); err != nil {
		return registry{}, err
	}
	path, ok := strings.CutPrefix(a.Resource, repositoryPrefix)
	switch {
	case a.Resource+"/" == repositoryPrefix: // that of no repository is the registry
		path = ""
	case !ok || path == "":
		return registry{}, malformedARN("%q is not a repository", a.Resource)
	}
	r := registry{host: registryHost(a.AccountID, a.Region, p.domainOf(values)), account: a.AccountID, region: a.Region}
	if err := p.hasRegion(values, r.region); err != nil {
		return registry{}, err
	}
	return r.within(values, path)
}

// publicRegistry reads a name of ECR Public: the host, an alias behind it, and a
// repository behind that.
func publicRegistry(p partition, host, path string) (registry, error) {
	if err := p.inPartition("ECR Public", publicPartition); err != nil {
		return registry{}, err
	}
	r := registry{host: host, repository: path}
	alias, repository := r.publicPath()
	switch {
	case path == "":
		return r, nil
	case !publicAlias.MatchString(alias) || len(alias) > maxPublicAlias || isVersion(path):
		return registry{}, fault.New(fault.Invalid, "%q is not the alias of a public registry", alias)
	case strings.Contains(path, "/") && !isRepository(repository, maxPublicRepository):
		return registry{}, fault.New(fault.Invalid, "%q is not the name of a public repository", repository).
			Hint("give the repository alone, without tag and digest")
	}
	return r, nil
}

// The bounds of names.
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html
// https://docs.aws.amazon.com/AmazonECRPublic/latest/APIReference/API_CreateRepository.html
const (
	minRepository       = 2
	maxRepository       = 256
	maxPublicRepository = 205
	maxPublicAlias      = 50
)

// Repositories are named as the OCI's distribution specification has it, which is a
// little more than what can be created by hand: caches take upstream names over.
var (
	repositoryName = field.Lazily(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$`)
	publicAlias    = field.Lazily(`^[a-z][a-z0-9]+([._-][a-z0-9]+)*$`)
)

func isRepository(path string, most int) bool {
	return len(path) >= minRepository && len(path) <= most && repositoryName.MatchString(path) && !isVersion(path)
}

// isVersion tells the paths that every tool takes for the start of a registry's API.
func isVersion(path string) bool { return path == "v1" || path == "v2" }
