package aws

import (
	"strings"
	"testing"

	"github.com/svcconn/svcconn/pkg/fault"
)

func TestParseBucket(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 63)
	for _, test := range []struct{ region, in, want string }{
		{"eu-central-1", "zenfiles", "s3://zenfiles"},
		{"eu-central-1", "s3://zenfiles", "s3://zenfiles"},
		{"eu-central-1", "s3://zenfiles/", "s3://zenfiles"},
		{"eu-central-1", "s3://zenfiles/a b/c", "s3://zenfiles"},
		{"eu-central-1", "arn:aws:s3:::zenfiles", "s3://zenfiles"},
		{"eu-central-1", "arn:aws:s3:::zenfiles/models/*", "s3://zenfiles"},
		{"cn-north-1", "arn:aws-cn:s3:::zenfiles", "s3://zenfiles"},
		{"us-gov-west-1", "arn:aws-us-gov:s3:::zenfiles", "s3://zenfiles"},
		{"eu-central-1", "files.example.com", "s3://files.example.com"},
		{"eu-central-1", "1.2.3", "s3://1.2.3"},
		{"eu-central-1", long, "s3://" + long},
	} {
		got, err := parseBucket(fieldsOf(t, "region", test.region), test.in)
		if err != nil || got != test.want {
			t.Errorf("%s: %q became %q, %v", test.region, test.in, got, err)
		}
	}
}

func TestParseBucketRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ region, in, text, hint string }{
		{"eu-central-1", "", "not the name of a bucket", ""},
		{"eu-central-1", "s3://", "not the name of a bucket", ""},
		{"eu-central-1", "ab", "not the name of a bucket", ""},
		{"eu-central-1", strings.Repeat("a", 64), "3 to 63", ""},
		{"eu-central-1", "Zenfiles", "lower-case", ""},
		{"eu-central-1", "zen_files", "not the name of a bucket", ""},
		{"eu-central-1", "a..b", "not the name of a bucket", ""},
		{"eu-central-1", "-zenfiles", "not the name of a bucket", ""},
		{"eu-central-1", "xn--zenfiles", "not the name of a bucket", ""},
		{"eu-central-1", "zenfiles/models", "not the name of a bucket", ""},
		{"eu-central-1", "zenfiles*", "not the name of a bucket", ""},
		{"eu-central-1", "192.168.0.1", "IP address", ""},
		{"eu-central-1", "files--x-s3", "directory bucket", ""},
		{"eu-central-1", "files-s3alias", "alias of an access point", ""},
		{"eu-central-1", "https://zenfiles.s3.amazonaws.com/?X-Amz-Signature=" + pastedSecret, "web address", ""},
		{"eu-central-1", "S3://zenfiles", "web address", ""},
		{"eu-central-1", "arn:aws:s3", "malformed", ""},
		{"eu-central-1", "arn:aws:s3:::", "not the name of a bucket", ""},
		{"eu-central-1", "arn:evil:s3:::zenfiles", `no partition "evil"`, ""},
		{"eu-central-1", "arn:aws:s3:eu-central-1:123456789012:accesspoint/x", "neither region nor account", ""},
		{"eu-central-1", "arn:aws:s3-object-lambda:::zenfiles", "not of s3", ""},
		{"eu-central-1", "arn:aws-cn:s3:::zenfiles", "the bucket is in partition aws-cn, and the connector in aws", "aws-cn"},
		{"cn-north-1", "arn:aws:s3:::zenfiles", "the bucket is in partition aws, and the connector in aws-cn", ""},
		{"xx-north-1", "zenfiles", "no partition of AWS", "--set partition=aws"},
	} {
		got, err := parseBucket(fieldsOf(t, "region", test.region), test.in)
		if err == nil {
			t.Errorf("%q is accepted, as %q", test.in, got)
			continue
		}
		wantInvalid(t, test.in, err, test.text, test.hint)
		if strings.Contains(err.Error(), pastedSecret) {
			t.Errorf("the error repeats a signature: %v", err)
		}
	}
}

func FuzzParseBucket(f *testing.F) {
	for _, seed := range []string{"zenfiles", "s3://zenfiles/x", "arn:aws:s3:::zenfiles/*", "s3://s3://x", "arn:aws:s3:::a/b:c", "1.2.3.4"} {
		f.Add(seed)
	}
	values := fieldsOf(f, "region", "eu-central-1")
	f.Fuzz(func(t *testing.T, text string) {
		once, err := parseBucket(values, text)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		if twice, err := parseBucket(values, once); err != nil || twice != once {
			t.Fatalf("%q is %q, which is %q, %v", text, once, twice, err)
		}
		if strings.ContainsAny(strings.TrimPrefix(once, bucketPrefix), "/:*?$ \x00") || !strings.Contains(text, strings.TrimPrefix(once, bucketPrefix)) {
			t.Fatalf("%q became %q", text, once)
		}
	})
}
