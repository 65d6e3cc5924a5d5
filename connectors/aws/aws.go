// Package aws is the connector type for accounts of Amazon Web Services, and of what
// speaks its protocols.
//
// It turns whatever a person has to log in with into temporary keys, scoped to the
// resource that they are for wherever AWS can do that, and those into logins of ECR
// registries and tokens of EKS clusters. It takes every expiry from the service. It
// refuses to look at the environment of whoever started the process, to ask a metadata
// service that nobody named, and to hand out keys that have no rights without saying so.
package aws

import (
	"github.com/svcconn/svcconn/pkg/connector"
)

const typeName = "aws"

// The names of the resource types.
const (
	genericType  = "aws-generic"
	bucketType   = "s3-bucket"
	clusterType  = "kubernetes-cluster"
	registryType = "docker-registry"
)

// Type is the connector type. The value is new at every call and never changes.
func Type() *connector.Type {
	return &connector.Type{
		Name:       typeName,
		Title:      "AWS Service Connector",
		Icon:       "🔶",
		Doc:        typeDoc,
		Methods:    declaredMethods(),
		Resources:  declaredKinds(),
		Detect:     detect,
		MethodHint: true,
		Open:       open,
	}
}

const typeDoc = `The AWS service connector logs in to one account of Amazon Web Services. From it, aws, Terraform and every SDK get keys, docker gets logins of ECR registries, and kubectl gets tokens of EKS clusters: temporary ones, scoped to the resource that they are for wherever AWS can do that, while the long-lived keys stay in the secret store.

Prefer an auth method that mints temporary keys. iam-role is the best of them: its keys can be scoped to one bucket, repository or cluster. session-token needs no role, but its keys have all rights of their user. secret-key hands the long-lived keys themselves out.

A connector has one region, and may have more in the field regions: EKS clusters and ECR registries are looked for in all of them. Buckets are found wherever they are. China, GovCloud and the other partitions go by their regions; FIPS and dual-stack endpoints, VPC endpoints and services that merely speak AWS's protocols have fields.

Auto-configuration takes over what the AWS CLI would use here: the environment's keys, a profile of ~/.aws/config and ~/.aws/credentials with its role, SSO session, web identity or credential process. These fields steer it:

* profile_name: the profile to take, rather than the environment's keys, AWS_PROFILE or default.
* config_file, shared_credentials_file: other files to look in.
* region, role_arn and all other fields of the auth method that are not secret: set as they are, in place of what was found.

Long-lived keys are kept for session-token, unless --auth-method names another that they can serve. Temporary keys are taken only where something says until when they are good.`
