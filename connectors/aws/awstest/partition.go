package awstest

import (
	"net/http"
	"strings"
)

// partitionOf is the partition that a region is in.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
func partitionOf(region string) string {
	for prefix, partition := range map[string]string{
		"cn-": "aws-cn", "us-gov-": "aws-us-gov", "us-iso-": "aws-iso", "us-isob-": "aws-iso-b",
		"eu-isoe-": "aws-iso-e", "us-isof-": "aws-iso-f", "eusc-": "aws-eusc",
	} {
		if strings.HasPrefix(region, prefix) {
			return partition
		}
	}
	return defaultPartition
}

// disabled refuses a request to a region that the account has not enabled: STS says so,
// and all others know no key there.
func (r *request) disabled(account *Account) error {
	if r.service.name != "sts" {
		return r.refuse(unknownKey, "")
	}
	return &apiError{
		status: http.StatusForbidden, code: "RegionDisabledException",
		message: "STS is not activated in this region for account:" + account.id + ". Your account administrator can activate STS in this region using the IAM Console.",
	}
}
