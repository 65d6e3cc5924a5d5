package aws

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"github.com/svcconn/svcconn/pkg/fault"
)

const arnPrefix = "arn:"

func isARN(text string) bool { return strings.HasPrefix(text, arnPrefix) }

// parseARN takes the ARN of something of a service apart. What it says of region and
// account is checked as far as all ARNs go; either may be missing.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
func parseARN(text, service string) (arn.ARN, error) {
	a, err := arn.Parse(text)
	if err != nil {
		return a, malformedARN("it is not arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE")
	}
	if _, known := partitionNamed(a.Partition); !known {
		return a, malformedARN("there is no partition %q", a.Partition)
	}
	if a.Service != service {
		return a, fault.New(fault.Invalid, "the ARN is one of service %q, not of %s", a.Service, service)
	}
	if a.Region != "" && !isRegion(a.Region) {
		return a, malformedARN("%q is not the name of a region", a.Region)
	}
	if a.AccountID != "" && !isAccount(a.AccountID) {
		return a, malformedARN("%q is not an account: it has twelve digits", a.AccountID)
	}
	return a, nil
}

func malformedARN(format string, args ...any) error {
	return fault.Within(fault.New(fault.Invalid, format, args...), "the ARN is malformed")
}

// regional refuses an ARN without region or account.
func regional(a arn.ARN) error {
	switch {
	case a.Region == "":
		return malformedARN("it has no region")
	case a.AccountID == "":
		return malformedARN("it has no account")
	}
	return nil
}
