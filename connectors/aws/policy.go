package aws

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/connector"
)

// The session policies that keys are scoped by. They say what a use of the resource
// needs and no more; what the identity itself may not do, it may not do with them either.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session

// policyVersion is the version of the policy language.
const policyVersion = "2012-10-17"

type sessionPolicy struct {
	Version   string
	Statement []allowance
}

type allowance struct {
	Effect    string
	Action    []string
	Resource  []string
	Condition map[string]map[string]string `json:",omitempty"`
}

// policyOf is the JSON of a policy.
func policyOf(statements ...allowance) string {
	text, err := json.Marshal(sessionPolicy{policyVersion, statements})
	if err != nil { // texts always marshal; what is no policy, AWS refuses
		return err.Error()
	}
	return string(text)
}

func allow(actions []string, resources ...string) allowance {
	return allowance{Effect: "Allow", Action: actions, Resource: resources}
}

// arnOf is the ARN of a resource; an empty region or account of a service that has
// them is any.
func (p partition) arnOf(service, region, account, resource string) string {
	return arnPrefix + p.id + ":" + service + ":" + region + ":" + account + ":" + resource
}

func orAny(text string) string {
	if text == "" {
		return "*"
	}
	return text
}

// grants are actions that reading needs, and those that writing needs beside them.
type grants struct{ read, write []string }

func (g grants) of(access connector.Access) []string {
	if access == connector.ReadOnly {
		return g.read
	}
	return slices.Concat(g.read, g.write)
}

// inWords names actions for a person.
func inWords(actions ...[]string) string { return strings.Join(slices.Concat(actions...), ", ") }

// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
var (
	bucketGrants = grants{
		read:  []string{"s3:GetBucketLocation", "s3:GetBucketVersioning", "s3:ListBucket", "s3:ListBucketVersions"},
		write: []string{"s3:ListBucketMultipartUploads"},
	}
	objectGrants = grants{
		read: []string{"s3:GetObject", "s3:GetObjectTagging", "s3:GetObjectVersion"},
		write: []string{"s3:AbortMultipartUpload", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:ListMultipartUploadParts",
			"s3:PutObject", "s3:PutObjectTagging"},
	}
	// Objects may be encrypted with a key of the account: S3 asks for it in the caller's
	// name. https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
	encryptionGrants = grants{read: []string{"kms:Decrypt"}, write: []string{"kms:GenerateDataKey"}}
)

func bucketPolicy(p partition, bucket string, access connector.Access) string {
	own := p.arnOf("s3", "", "", bucket)
	encryption := allow(encryptionGrants.of(access), "*")
	encryption.Condition = map[string]map[string]string{"StringLike": {"kms:ViaService": "s3.*." + p.domain}}
	return policyOf(allow(bucketGrants.of(access), own), allow(objectGrants.of(access), own+"/*"), encryption)
}

func bucketsPolicy() string { return policyOf(allow([]string{"s3:ListAllMyBuckets"}, "*")) }

// clusterPolicy needs nothing for the token: everyone may ask STS who they are. What
// the token may do is the cluster's own business.
func clusterPolicy(p partition, region, account, cluster string) string {
	return policyOf(allow([]string{"eks:DescribeCluster"}, p.arnOf("eks", region, orAny(account), "cluster/"+cluster)))
}

func clustersPolicy() string { return policyOf(allow([]string{"eks:ListClusters"}, "*")) }

// Pulling through a cache makes the repository and fetches the image, in the name of
// whoever pulls.
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache-iam.html
var registryGrants = grants{
	read: []string{"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:BatchImportUpstreamImage", "ecr:CreateRepository",
		"ecr:DescribeImages", "ecr:GetDownloadUrlForLayer", "ecr:ListImages"},
	write: []string{"ecr:CompleteLayerUpload", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart"},
}

func registryPolicy(p partition, r registry, access connector.Access) string {
	return policyOf(
		allow([]string{"ecr:GetAuthorizationToken"}, "*"),
		allow(registryGrants.of(access), p.arnOf("ecr", r.region, r.account, "repository/"+orAny(r.repository))),
	)
}

// Everyone may read what is public.
// https://docs.aws.amazon.com/AmazonECR/latest/public/public-repository-policy-examples.html
var (
	publicLogin = []string{"ecr-public:GetAuthorizationToken", "sts:GetServiceBearerToken"}
	publicWrite = []string{"ecr-public:BatchCheckLayerAvailability", "ecr-public:CompleteLayerUpload", "ecr-public:InitiateLayerUpload",
		"ecr-public:PutImage", "ecr-public:UploadLayerPart"}
)

func publicRegistryPolicy(p partition, account string, r registry, access connector.Access) string {
	login := allow(publicLogin, "*")
	if access == connector.ReadOnly {
		return policyOf(login)
	}
	_, repository := r.publicPath()
	return policyOf(login, allow(publicWrite, p.arnOf("ecr-public", "", orAny(account), "repository/"+orAny(repository))))
}

func registriesPolicy() string {
	return policyOf(allow([]string{"ecr:DescribeRepositories", "ecr:GetAuthorizationToken", "ecr-public:DescribeRegistries"}, "*"))
}
