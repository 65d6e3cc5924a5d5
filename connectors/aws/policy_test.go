package aws

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/pkg/connector"
)

func ownPartitionOf(t testing.TB, id string) partition {
	t.Helper()
	p, ok := partitionNamed(id)
	if !ok {
		t.Fatalf("no partition %s", id)
	}
	return p
}

func TestGeneratedPolicies(t *testing.T) {
	t.Parallel()
	aws, cn := ownPartitionOf(t, "aws"), ownPartitionOf(t, "aws-cn")
	app := registry{host: ownRegistry, account: ownAccount, region: "eu-central-1", repository: "team/app"}
	whole := registry{host: ownRegistry, account: ownAccount, region: "eu-central-1"}
	public := registry{host: publicHost, repository: "acme/team/app"}
	for what, test := range map[string]struct{ got, want string }{
		"bucket, read": {bucketPolicy(aws, "zenfiles", connector.ReadOnly), `{"Version":"2012-10-17","Statement":[
{"Effect":"Allow","Action":["s3:GetBucketLocation","s3:GetBucketVersioning","s3:ListBucket","s3:ListBucketVersions"],"Resource":["arn:aws:s3:::zenfiles"]},
{"Effect":"Allow","Action":["s3:GetObject","s3:GetObjectTagging","s3:GetObjectVersion"],"Resource":["arn:aws:s3:::zenfiles/*"]},
{"Effect":"Allow","Action":["kms:Decrypt"],"Resource":["*"],"Condition":{"StringLike":{"kms:ViaService":"s3.*.amazonaws.com"}}}]}`},
		"bucket, write": {bucketPolicy(cn, "zenfiles", connector.ReadWrite), `{"Version":"2012-10-17","Statement":[
{"Effect":"Allow","Action":["s3:GetBucketLocation","s3:GetBucketVersioning","s3:ListBucket","s3:ListBucketVersions","s3:ListBucketMultipartUploads"],"Resource":["arn:aws-cn:s3:::zenfiles"]},
{"Effect":"Allow","Action":["s3:GetObject","s3:GetObjectTagging","s3:GetObjectVersion","s3:AbortMultipartUpload","s3:DeleteObject","s3:DeleteObjectVersion","s3:ListMultipartUploadParts","s3:PutObject","s3:PutObjectTagging"],"Resource":["arn:aws-cn:s3:::zenfiles/*"]},
{"Effect":"Allow","Action":["kms:Decrypt","kms:GenerateDataKey"],"Resource":["*"],"Condition":{"StringLike":{"kms:ViaService":"s3.*.amazonaws.com.cn"}}}]}`},
		"buckets": {bucketsPolicy(), `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:ListAllMyBuckets"],"Resource":["*"]}]}`},
		"cluster": {clusterPolicy(aws, "eu-central-1", ownAccount, "production"),
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["eks:DescribeCluster"],"Resource":["arn:aws:eks:eu-central-1:123456789012:cluster/production"]}]}`},
		"cluster, account unknown": {clusterPolicy(aws, "eu-central-1", "", "production"),
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["eks:DescribeCluster"],"Resource":["arn:aws:eks:eu-central-1:*:cluster/production"]}]}`},
		"clusters": {clustersPolicy(), `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["eks:ListClusters"],"Resource":["*"]}]}`},
		"repository, read": {registryPolicy(aws, app, connector.ReadOnly), `{"Version":"2012-10-17","Statement":[
{"Effect":"Allow","Action":["ecr:GetAuthorizationToken"],"Resource":["*"]},
{"Effect":"Allow","Action":["ecr:BatchCheckLayerAvailability","ecr:BatchGetImage","ecr:BatchImportUpstreamImage","ecr:CreateRepository","ecr:DescribeImages","ecr:GetDownloadUrlForLayer","ecr:ListImages"],"Resource":["arn:aws:ecr:eu-central-1:123456789012:repository/team/app"]}]}`},
		"registry, write": {registryPolicy(cn, whole, connector.ReadWrite), `{"Version":"2012-10-17","Statement":[
{"Effect":"Allow","Action":["ecr:GetAuthorizationToken"],"Resource":["*"]},
{"Effect":"Allow","Action":["ecr:BatchCheckLayerAvailability","ecr:BatchGetImage","ecr:BatchImportUpstreamImage","ecr:CreateRepository","ecr:DescribeImages","ecr:GetDownloadUrlForLayer","ecr:ListImages","ecr:CompleteLayerUpload","ecr:InitiateLayerUpload","ecr:PutImage","ecr:UploadLayerPart"],"Resource":["arn:aws-cn:ecr:eu-central-1:123456789012:repository/*"]}]}`},
		"registries": {registriesPolicy(), `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ecr:DescribeRepositories","ecr:GetAuthorizationToken","ecr-public:DescribeRegistries"],"Resource":["*"]}]}`},
		"public, read": {publicRegistryPolicy(aws, ownAccount, public, connector.ReadOnly),
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ecr-public:GetAuthorizationToken","sts:GetServiceBearerToken"],"Resource":["*"]}]}`},
		"public, write": {publicRegistryPolicy(aws, ownAccount, public, connector.ReadWrite), `{"Version":"2012-10-17","Statement":[
{"Effect":"Allow","Action":["ecr-public:GetAuthorizationToken","sts:GetServiceBearerToken"],"Resource":["*"]},
{"Effect":"Allow","Action":["ecr-public:BatchCheckLayerAvailability","ecr-public:CompleteLayerUpload","ecr-public:InitiateLayerUpload","ecr-public:PutImage","ecr-public:UploadLayerPart"],"Resource":["arn:aws:ecr-public::123456789012:repository/team/app"]}]}`},
	} {
		if diff := cmp.Diff(strings.ReplaceAll(test.want, "\n", ""), test.got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", what, diff)
		}
	}
}

// Every generated policy is one that AWS takes, with the longest names that there are.
func TestGeneratedPoliciesAreShortEnough(t *testing.T) {
	t.Parallel()
	const region, account = "ap-southeast-123", "*"
	for _, p := range partitions {
		for what, policy := range map[string]string{
			"bucket":  bucketPolicy(p, strings.Repeat("b", 63), connector.ReadWrite),
			"cluster": clusterPolicy(p, region, account, strings.Repeat("c", 100)),
			"repository": registryPolicy(p, registry{region: region, account: ownAccount, repository: strings.Repeat("r", maxRepository)},
				connector.ReadWrite),
			"public": publicRegistryPolicy(p, "", registry{repository: strings.Repeat("a", maxPublicAlias) + "/" + strings.Repeat("r", maxPublicRepository)},
				connector.ReadWrite),
			"buckets": bucketsPolicy(), "clusters": clustersPolicy(), "registries": registriesPolicy(),
		} {
			if n := utf8.RuneCountInString(policy); n > longestPolicy {
				t.Errorf("%s, %s: %d characters", p.id, what, n)
			}
			if compact, err := checkPolicy(policy); err != nil || compact != policy {
				t.Errorf("%s, %s: %v", p.id, what, err)
			}
		}
	}
}
