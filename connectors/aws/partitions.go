package aws

import (
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
)

// partition is a part of AWS that has regions, accounts and addresses of its own, and
// shares no credentials with the others.
// https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
type partition struct {
	id      string        // as ARNs have it
	regions field.Pattern // what its regions are called, those of the future too
	domain  string        // that its hosts are in
	// dualStack is the domain of those hosts of registries that have IPv6 addresses; ""
	// where AWS documents none.
	// https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-requests.html
	dualStack string
}

// partitions are all that the SDK knows, whose endpoint rules this table agrees with.
var partitions = []partition{
	{"aws", regionsLike(`(us|eu|ap|sa|ca|me|af|il|mx)`), "amazonaws.com", "on.aws"},
	{"aws-cn", regionsLike(`cn`), "amazonaws.com.cn", "on.amazonwebservices.com.cn"},
	{"aws-us-gov", regionsLike(`us-gov`), "amazonaws.com", "on.aws"},
	{"aws-eusc", regionsLike(`eusc-de`), "amazonaws.eu", ""},
	{"aws-iso", regionsLike(`us-iso`), "c2s.ic.gov", ""},
	{"aws-iso-b", regionsLike(`us-isob`), "sc2s.sgov.gov", ""},
	{"aws-iso-e", regionsLike(`eu-isoe`), "cloud.adc-e.uk", ""},
	{"aws-iso-f", regionsLike(`us-isof`), "csp.hci.ic.gov", ""},
}

// defaultPartition is the one that the SDK takes regions for that it does not know.
const defaultPartition = "aws"

// regionsLike matches regions such as PLACE-central-1.
func regionsLike(place string) field.Pattern {
	return field.Lazily(`^` + place + `-[a-z]+-[0-9]+$`)
}

func partitionNames() []string {
	var names []string
	for _, p := range partitions {
		names = append(names, p.id)
	}
	return names
}

func partitionNamed(id string) (partition, bool) {
	return firstPartition(func(p partition) bool { return p.id == id })
}

func partitionOfRegion(region string) (partition, bool) {
	return firstPartition(func(p partition) bool { return p.regions.MatchString(region) })
}

func firstPartition(is func(partition) bool) (partition, bool) {
	if i := slices.IndexFunc(partitions, is); i >= 0 {
		return partitions[i], true
	}
	return partition{}, false
}

// partitionIn is the partition of a connector: the one of its region, else what the
// field partition says. All regions of a connector are in one partition.
func partitionIn(values field.Values) (partition, error) {
	own, err := ownPartition(values)
	if err != nil {
		return partition{}, err
	}
	for _, region := range regionsField.Get(values) {
		if p, known := partitionOfRegion(region); known && p.id != own.id {
			return partition{}, fault.New(fault.Invalid, "region %s is in partition %s, and the connector's region %s in %s",
				region, p.id, regionField.Get(values), own.id).Hint("register a connector of its own for each partition: they share no logins")
		}
	}
	return own, nil
}

func ownPartition(values field.Values) (partition, error) {
	region, given := regionField.Get(values), partitionField.Get(values)
	p, known := partitionOfRegion(region)
	switch {
	case known && given != "" && given != p.id:
		return partition{}, fault.New(fault.Invalid, "region %s is in partition %s, and the field %s says %s", region, p.id, partitionField.Name, given).
			Hint("leave %s out: `--unset %[1]s`", partitionField.Name)
	case known:
		return p, nil
	case given == "":
		return partition{}, fault.New(fault.Invalid, "no partition of AWS is known to have a region %q", region).
			Hint("check its spelling; if it is newer than this release, or of a service of another vendor, say what it belongs to: --set %s=%s", partitionField.Name, defaultPartition)
	case given != defaultPartition && endpointField.Get(values) == "":
		return partition{}, fault.New(fault.Invalid, "no region %q of partition %s is known, nor where its services are", region, given).
			Hint("check its spelling; if it is newer than this release, say where its services are: --set %s=URL", endpointField.Name)
	}
	p, _ = partitionNamed(given)
	return p, nil
}

// regionsOf are the regions of a connector, its own first, each once.
func regionsOf(values field.Values) []string {
	regions := []string{regionField.Get(values)}
	for _, region := range regionsField.Get(values) {
		if !slices.Contains(regions, region) {
			regions = append(regions, region)
		}
	}
	return regions
}

// inPartition refuses what is in another partition than the connector. what is "the
// bucket", "the registry".
func (p partition) inPartition(what, id string) error {
	if id == p.id {
		return nil
	}
	return fault.New(fault.Invalid, "%s is in partition %s, and the connector in %s", what, id, p.id).
		Hint("register a connector for partition %s: partitions share no logins", id)
}

// inRegion refuses what is in another region than those of the connector.
func inRegion(values field.Values, what, region string) error {
	regions := regionsOf(values)
	if slices.Contains(regions, region) {
		return nil
	}
	return fault.New(fault.Invalid, "%s is in region %s, and the connector is for %s", what, region, strings.Join(regions, ", ")).
		Hint("if it shall be for that region too: --set %s=%s", regionsField.Name, strings.Join(append(regions[1:], region), ","))
}
