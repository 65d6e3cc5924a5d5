package awstest_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/svcconn/svcconn/connectors/aws/awstest"
)

func pathStyle(o *s3.Options) { o.UsePathStyle = true }

// bucketClient is S3's client at the server's plain address.
func bucketClient(s *awstest.Server, keys awstest.Keys, region string) *s3.Client {
	return s3.NewFromConfig(config(s, keys, region), pathStyle)
}

// throughProxy is a client that believes to talk to AWS itself.
func throughProxy(t *testing.T, s *awstest.Server) *http.Client {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(s.CertificateAuthority()))
	proxy := must(url.Parse(s.ProxyURL()))(t)
	transport := &http.Transport{Proxy: http.ProxyURL(proxy), TLSClientConfig: &tls.Config{RootCAs: pool}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func TestS3Buckets(t *testing.T) {
	t.Parallel()
	s := awstest.Start(t, awstest.Options{})
	account := s.Account(ours)
	for i, where := range []string{region, "us-east-1", region, "eu-west-1", region} {
		account.Bucket(fmt.Sprintf("data-%d", i), where)
	}
	s.Account(theirs).Bucket("foreign", region)
	client := bucketClient(s, account.User("jane"), region)
	out := must(client.ListBuckets(t.Context(), &s3.ListBucketsInput{}))(t)
	if len(out.Buckets) != 5 || out.ContinuationToken != nil || out.Buckets[0].BucketRegion != nil || out.Buckets[0].CreationDate == nil {
		t.Errorf("the list without a size: %d, %v", len(out.Buckets), out.Buckets[0])
	}
	var names []string
	p := s3.NewListBucketsPaginator(client, &s3.ListBucketsInput{MaxBuckets: aws.Int32(1000)})
	pages := 0
	for ; p.HasMorePages(); pages++ {
		for _, b := range must(p.NextPage(t.Context()))(t).Buckets {
			names = append(names, aws.ToString(b.Name)+" "+aws.ToString(b.BucketRegion))
		}
	}
	if pages != 3 || !slices.Equal(names, []string{"data-0 " + region, "data-1 us-east-1", "data-2 " + region, "data-3 eu-west-1", "data-4 " + region}) {
		t.Errorf("%d pages: %q", pages, names)
	}
	some := must(client.ListBuckets(t.Context(), &s3.ListBucketsInput{BucketRegion: aws.String("eu-west-1"), Prefix: aws.String("data")}))(t)
	if len(some.Buckets) != 1 || aws.ToString(some.Buckets[0].BucketRegion) != "eu-west-1" {
		t.Errorf("those of a region: %v", some.Buckets)
	}
	_, err := client.ListBuckets(t.Context(), &s3.ListBucketsInput{ContinuationToken: aws.String("nonsense")})
	refused(t, "a wrong token", err, "InvalidArgument", "continuation token")
	where := must(client.GetBucketLocation(t.Context(), &s3.GetBucketLocationInput{Bucket: aws.String("data-0")}))(t)
	if where.LocationConstraint != types.BucketLocationConstraintEuCentral1 {
		t.Errorf("location %q", where.LocationConstraint)
	}
	_, err = client.GetBucketAcl(t.Context(), &s3.GetBucketAclInput{Bucket: aws.String("data-0")})
	refused(t, "another operation", err, "MethodNotAllowed", "")
}

// TestS3TellsWhereABucketIs to whoever asks in the wrong region, or may not know more.
func TestS3TellsWhereABucketIs(t *testing.T) {
	t.Parallel()
	s := awstest.Start(t, awstest.Options{})
	account := s.Account(ours)
	account.Bucket("data", region)
	s.Account(theirs).Bucket("foreign", "eu-west-1")
	keys, nobody := account.User("jane"), account.User("joe", allow("sts:*", "*"))
	for what, test := range map[string]struct {
		keys           awstest.Keys
		region, bucket string
		code, says     string
	}{
		"another region":    {keys, "eu-west-1", "data", "PermanentRedirect", "specified endpoint"},
		"another account":   {keys, "eu-west-1", "foreign", "AccessDenied", `s3:ListBucket on resource: "arn:aws:s3:::foreign"`},
		"no rights":         {nobody, region, "data", "AccessDenied", "because no identity-based policy allows the s3:ListBucket action"},
		"no such bucket":    {keys, region, "nope", "NoSuchBucket", ""},
		"another partition": {s.AccountIn("aws-cn", "333333333333").User("li"), "cn-north-1", "data", "NoSuchBucket", ""},
	} {
		_, err := bucketClient(s, test.keys, test.region).ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(test.bucket)})
		refused(t, what, err, test.code, test.says)
	}
	head := must(bucketClient(s, keys, region).HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: aws.String("data")}))(t)
	if aws.ToString(head.BucketRegion) != region {
		t.Errorf("its region is %q", aws.ToString(head.BucketRegion))
	}
	var answered *smithyhttp.ResponseError
	_, err := bucketClient(s, keys, "eu-west-1").HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: aws.String("data")})
	if !errors.As(err, &answered) || answered.HTTPStatusCode() != http.StatusMovedPermanently || answered.HTTPResponse().Header.Get("X-Amz-Bucket-Region") != region {
		t.Errorf("in another region: %v", err)
	}
	global := config(s, keys, "aws-global")
	global.BaseEndpoint, global.HTTPClient = nil, throughProxy(t, s)
	_, err = s3.NewFromConfig(global).ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("data")})
	refused(t, "at the host without a region", err, "AuthorizationHeaderMalformed", "the region 'us-east-1' is wrong; expecting '"+region+"'")
	status, header := get(t, http.MethodHead, s.URL()+"/data", http.Header{})
	if status != http.StatusForbidden || header.Get("X-Amz-Bucket-Region") != region {
		t.Errorf("without a signature: %d, %v", status, header)
	}
}

func TestS3Objects(t *testing.T) {
	t.Parallel()
	s := awstest.Start(t, awstest.Options{})
	account := s.Account(ours)
	account.Bucket("data", region)
	account.Bucket("with.dots", region)
	keys := account.User("jane")
	plain := bucketClient(s, keys, region)
	c := config(s, keys, region)
	c.BaseEndpoint, c.HTTPClient = nil, throughProxy(t, s)
	asAWS, dualStack := s3.NewFromConfig(c), s3.NewFromConfig(c, func(o *s3.Options) { o.EndpointOptions.UseDualStackEndpoint = aws.DualStackEndpointStateEnabled })
	inPath := s3.NewFromConfig(c, pathStyle)
	for what, test := range map[string]struct {
		client *s3.Client
		bucket string
	}{
		"plain, in the path": {plain, "data"}, "virtual-hosted": {asAWS, "data"}, "dual-stack": {dualStack, "data"}, "TLS, in the path": {inPath, "with.dots"},
	} {
		for _, body := range []io.Reader{
			strings.NewReader("content of " + what),
			io.LimitReader(strings.NewReader("content of "+what), 1<<20), // not seekable: in chunks with a trailer
		} {
			if _, seeks := body.(io.Seeker); !seeks && strings.HasPrefix(what, "plain") {
				continue // the SDK refuses: it could not sign it
			}
			_, err := test.client.PutObject(t.Context(), &s3.PutObjectInput{
				Bucket: aws.String(test.bucket), Key: aws.String("a dir/ünï+%20&?.txt"), Body: body, ContentLength: aws.Int64(int64(len("content of " + what))),
				ContentType: aws.String("text/x-test"), Metadata: map[string]string{"by": "test"},
			})
			if err != nil {
				t.Errorf("%s: put: %v", what, err)
				continue
			}
			out := must(test.client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String(test.bucket), Key: aws.String("a dir/ünï+%20&?.txt")}))(t)
			content := must(io.ReadAll(out.Body))(t)
			if string(content) != "content of "+what || aws.ToString(out.ContentType) != "text/x-test" || out.Metadata["by"] != "test" || len(aws.ToString(out.ETag)) != 34 {
				t.Errorf("%s: got %q, %q, %v, %v", what, content, aws.ToString(out.ContentType), out.Metadata, aws.ToString(out.ETag))
			}
		}
	}
}

func TestS3PartsAndRefusals(t *testing.T) {
	t.Parallel()
	s := awstest.Start(t, awstest.Options{})
	account := s.Account(ours)
	account.Bucket("data", region)
	plain := bucketClient(s, account.User("jane"), region)
	object := func(change ...func(*s3.GetObjectInput)) *s3.GetObjectInput {
		in := &s3.GetObjectInput{Bucket: aws.String("data"), Key: aws.String("k")}
		for _, c := range change {
			c(in)
		}
		return in
	}
	must(plain.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("data"), Key: aws.String("k"), Body: bytes.NewReader([]byte("0123456789"))}))(t)
	part := must(plain.GetObject(t.Context(), object(func(in *s3.GetObjectInput) { in.Range = aws.String("bytes=2-4") })))(t)
	if content := must(io.ReadAll(part.Body))(t); string(content) != "234" {
		t.Errorf("a part is %q", content)
	}
	head := must(plain.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("data"), Key: aws.String("k")}))(t)
	if aws.ToInt64(head.ContentLength) != 10 {
		t.Errorf("its length is %d", aws.ToInt64(head.ContentLength))
	}
	must(plain.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("data"), Key: aws.String("k")}))(t)
	_, err := plain.GetObject(t.Context(), object())
	refused(t, "a deleted object", err, "NoSuchKey", "")
	reader := bucketClient(s, account.User("joe", allow("s3:GetObject", "arn:aws:s3:::data/*")), region)
	_, err = reader.GetObject(t.Context(), object())
	refused(t, "a deleted object, without the right to list", err, "AccessDenied", "Access Denied")
	_, err = reader.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("data"), Key: aws.String("k"), Body: strings.NewReader("x")})
	refused(t, "writing with the right to read", err, "AccessDenied", `s3:PutObject on resource: "arn:aws:s3:::data/k"`)
}

func TestS3Listing(t *testing.T) {
	t.Parallel()
	s := awstest.Start(t, awstest.Options{})
	account := s.Account(ours)
	account.Bucket("data", region)
	keys := account.User("jane")
	client := bucketClient(s, keys, region)
	for _, key := range []string{"a", "b/1", "b/2", "c/1", "d e+f", "e"} {
		must(client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("data"), Key: aws.String(key), Body: strings.NewReader(key)}))(t)
	}
	list := func(change func(*s3.ListObjectsV2Input)) (lines []string, pages int) {
		in := &s3.ListObjectsV2Input{Bucket: aws.String("data")}
		change(in)
		p := s3.NewListObjectsV2Paginator(client, in)
		for ; p.HasMorePages(); pages++ {
			page := must(p.NextPage(t.Context()))(t)
			for _, o := range page.Contents {
				lines = append(lines, fmt.Sprintf("%s %d", aws.ToString(o.Key), aws.ToInt64(o.Size)))
			}
			for _, p := range page.CommonPrefixes {
				lines = append(lines, aws.ToString(p.Prefix))
			}
		}
		return lines, pages
	}
	for what, test := range map[string]struct {
		change func(*s3.ListObjectsV2Input)
		lines  []string
		pages  int
	}{
		"all":       {func(*s3.ListObjectsV2Input) {}, []string{"a 1", "b/1 3", "b/2 3", "c/1 3", "d e+f 5", "e 1"}, 3},
		"folders":   {func(in *s3.ListObjectsV2Input) { in.Delimiter = aws.String("/") }, []string{"a 1", "b/", "d e+f 5", "c/", "e 1"}, 3},
		"one":       {func(in *s3.ListObjectsV2Input) { in.Prefix, in.Delimiter = aws.String("b/"), aws.String("/") }, []string{"b/1 3", "b/2 3"}, 1},
		"behind":    {func(in *s3.ListObjectsV2Input) { in.StartAfter = aws.String("d") }, []string{"d e+f 5", "e 1"}, 1},
		"nothing":   {func(in *s3.ListObjectsV2Input) { in.Prefix = aws.String("z") }, nil, 1},
		"small":     {func(in *s3.ListObjectsV2Input) { in.MaxKeys, in.Prefix = aws.Int32(1), aws.String("b") }, []string{"b/1 3", "b/2 3"}, 2},
		"URL-coded": {func(in *s3.ListObjectsV2Input) { in.EncodingType, in.Prefix = types.EncodingTypeUrl, aws.String("d ") }, []string{"d%20e%2Bf 5"}, 1},
	} {
		if lines, pages := list(test.change); !slices.Equal(lines, test.lines) || pages != test.pages {
			t.Errorf("%s: %d pages: %q, want %d: %q", what, pages, lines, test.pages, test.lines)
		}
	}
	limited := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::data","Condition":{"StringLike":{"s3:prefix":"b/*"}}}]}`
	some := bucketClient(s, account.User("joe", limited), region)
	must(some.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("data"), Prefix: aws.String("b/")}))(t)
	_, err := some.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("data")})
	refused(t, "all, with the right to a folder", err, "AccessDenied", "s3:ListBucket")
}
