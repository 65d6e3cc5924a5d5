package aws

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"strings"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
)

// bucketKind is the buckets of S3.
func bucketKind() kind {
	return kind{
		ResourceType: connector.ResourceType{
			Name:  bucketType,
			Title: "AWS S3 bucket",
			Icon:  "📦",
			Doc: `Allows aws, every AWS SDK and what is built on them to read and write the objects of a bucket, with keys that are scoped to it and to reading or writing where the auth method can do that.

A connector reaches the buckets that its identity may list, in all regions of the partition; keys come with the bucket's own region. A bucket of another account is reached by its name, if that account grants access. Names are those that S3 gives out since 2018; directory buckets and access points are not reached.`,
			Formats: []string{"NAME, as in zenfiles", "s3://NAME[/PATH] (the path does not count)", "arn:PARTITION:s3:::NAME[/PATH]"},
			Permissions: []string{
				"s3:ListAllMyBuckets, to list buckets; not for a connector for one bucket",
				"to read: " + inWords(bucketGrants.read, objectGrants.read),
				"to write also: " + inWords(bucketGrants.write, objectGrants.write),
				"kms:Decrypt, and to write kms:GenerateDataKey, where objects are encrypted with a key of one's own",
			},
			Instances: true,
			Parse:     parseBucket,
			Profile:   func(settings connector.Settings, _ string) connector.AWSProfile { return profileOf(settings.Values) },
		},
		list: listBuckets,
		mint: mintBucket,
	}
}

const bucketPrefix = "s3://"

// parseBucket brings the name of a bucket into the form s3://NAME.
func parseBucket(values field.Values, name string) (string, error) {
	own, err := partitionIn(values)
	if err != nil {
		return "", err
	}
	bucket := name
	if isARN(name) {
		if bucket, err = bucketOfARN(own, name); err != nil {
			return "", err
		}
	} else if rest, ok := strings.CutPrefix(name, bucketPrefix); ok {
		bucket = withoutPath(rest)
	}
	if strings.Contains(bucket, "://") { // not repeated: addresses of objects may be signed
		return "", fault.New(fault.Invalid, "a bucket is not named by a web address")
	}
	if err := checkBucket(bucket); err != nil {
		return "", err
	}
	return bucketPrefix + bucket, nil
}

func bucketOfARN(own partition, text string) (string, error) {
	a, err := parseARN(text, "s3")
	if err != nil {
		return "", err
	}
	if a.Region != "" || a.AccountID != "" {
		return "", malformedARN("that of a bucket has neither region nor account")
	}
	return withoutPath(a.Resource), own.inPartition("the bucket", a.Partition)
}

func withoutPath(text string) string {
	first, _, _ := strings.Cut(text, "/")
	return first
}

// The rules for names of buckets.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
var (
	bucketName = field.Lazily(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	// notBuckets end the names of what is called like a bucket and is none.
	notBuckets = map[string]string{
		"-s3alias": "the alias of an access point", "--ol-s3": "the alias of an access point", ".mrap": "the alias of an access point",
		"--x-s3": "a directory bucket", "--table-s3": "a table bucket",
	}
)

func checkBucket(bucket string) error {
	if !bucketName.MatchString(bucket) || strings.Contains(bucket, "..") || strings.HasPrefix(bucket, "xn--") {
		return fault.New(fault.Invalid, "%q is not the name of a bucket: those have 3 to 63 lower-case letters, digits, hyphens and dots", bucket)
	}
	if _, err := netip.ParseAddr(bucket); err == nil {
		return fault.New(fault.Invalid, "%q is an IP address, not the name of a bucket", bucket)
	}
	for suffix, what := range notBuckets {
		if strings.HasSuffix(bucket, suffix) {
			return fault.New(fault.Invalid, "%q is the name of %s, which svcconn does not reach", bucket, what)
		}
	}
	return nil
}

// pageOfBuckets is how many buckets are asked for at once.
const pageOfBuckets = 1000

func listBuckets(ctx context.Context, s *session, yield func(string) error) error {
	if name := s.settings.ResourceName; name != "" {
		return listBucket(ctx, s, name, yield)
	}
	k, err := s.keysFor(ctx, purpose{own: true, scope: bucketsPolicy()})
	if err != nil {
		return err
	}
	pages := s3.NewListBucketsPaginator(s.s3(k, s.region()), &s3.ListBucketsInput{MaxBuckets: awssdk.Int32(pageOfBuckets)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return s.failed(ctx, "S3", err)
		}
		for _, b := range page.Buckets {
			name, err := parseBucket(s.values, value(b.Name))
			if err != nil { // older than the rules for names
				continue
			}
			if err := yield(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// listBucket asks about one bucket alone, with the rights that reading it needs.
func listBucket(ctx context.Context, s *session, name string, yield func(string) error) error {
	bucket := strings.TrimPrefix(name, bucketPrefix)
	k, err := s.keysFor(ctx, purpose{own: true, scope: bucketPolicy(s.partition, bucket, connector.ReadOnly)})
	if err != nil {
		return err
	}
	region, err := s.headBucket(ctx, k, bucket, s.region())
	if err != nil && region != "" && region != s.region() {
		_, err = s.headBucket(ctx, k, bucket, region)
	}
	if err != nil {
		return fault.Within(s.failed(ctx, "S3", err), "bucket %s", bucket)
	}
	return yield(name)
}

func mintBucket(ctx context.Context, s *session, request connector.Request) (connector.Credential, error) {
	bucket := strings.TrimPrefix(request.ResourceName, bucketPrefix)
	k, err := s.keysFor(ctx, purpose{scope: bucketPolicy(s.partition, bucket, request.Access), lifetime: request.Lifetime})
	if err != nil {
		return nil, err
	}
	region, err := s.regionOf(ctx, k, bucket)
	if err != nil {
		return nil, err
	}
	return s.handOut(ctx, k, region)
}

// regionOf is the region that a bucket is in: a refusal tells it too. It is the
// connector's own where S3 does not say.
func (s *session) regionOf(ctx context.Context, k keys, bucket string) (string, error) {
	region, err := s.headBucket(ctx, k, bucket, s.region())
	var answer *awshttp.ResponseError
	switch {
	case region != "":
		return region, nil
	case err == nil || errors.As(err, &answer) && answer.HTTPStatusCode() == http.StatusForbidden:
		return s.region(), nil
	}
	return "", fault.Within(s.failed(ctx, "S3", err), "bucket %s", bucket)
}

// headBucket asks one region about a bucket. The region that S3 says the bucket is in
// comes with errors too; it is "" where S3 says none.
func (s *session) headBucket(ctx context.Context, k keys, bucket, region string) (string, error) {
	out, err := s.s3(k, region).HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &bucket})
	said := ""
	var answer *awshttp.ResponseError
	switch {
	case err == nil:
		said = value(out.BucketRegion)
	case errors.As(err, &answer) && answer.Response != nil:
		said = answer.Response.Header.Get("X-Amz-Bucket-Region")
	}
	if !isRegion(said) {
		said = ""
	}
	return said, err
}
