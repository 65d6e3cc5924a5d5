package awstest

import (
	"regexp"
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/faketest"
)

// The domains of AWS's endpoints, in all partitions that are public.
// https://docs.aws.amazon.com/general/latest/gr/rande.html
var awsDomains = []string{
	"amazonaws.com", "amazonaws.com.cn", "amazonaws.eu",
	"api.aws", "api.amazonwebservices.com.cn", "api.amazonwebservices.eu",
	"on.aws", "awsapps.com", "awsapps.cn",
}

// regionName is what regions are called. https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html
var regionName = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]+){1,2}-[0-9]{1,2}$`)

// awsHost is one of AWS's host names.
type awsHost struct {
	labels  []string // without the domain
	region  string
	service string // the label that names it
}

// globalRegion is the region that endpoints without one are in.
const globalRegion = "us-east-1"

// parseHost takes a host name of AWS apart, and tells whether it is one.
func parseHost(host string) (awsHost, bool) {
	name := faketest.BareHost(host)
	for _, domain := range awsDomains {
		front, ok := strings.CutSuffix(name, "."+domain)
		if !ok {
			continue
		}
		h := awsHost{labels: strings.Split(front, "."), region: globalRegion}
		h.service = h.labels[0]
		for _, label := range slices.Backward(h.labels) {
			if regionName.MatchString(label) {
				h.region = label
				break
			}
		}
		return h, true
	}
	return awsHost{}, false
}

// serves says whether a host is an endpoint of the service: one of its labels is the
// service's, with -fips or without.
func (h awsHost) serves(service string) bool {
	return slices.ContainsFunc(h.labels, func(label string) bool { return strings.TrimSuffix(label, "-fips") == service })
}
