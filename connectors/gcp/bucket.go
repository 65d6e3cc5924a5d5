package gcp

import (
	"cmp"
	"context"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
)

// bucketKind is the buckets of Cloud Storage.
func bucketKind() kind {
	return kind{
		ResourceType: connector.ResourceType{
			Name:  bucketType,
			Title: "GCP GCS bucket",
			Icon:  "📦",
			Doc: `Allows gcloud, every SDK of Google's and what is built on them to read and write the objects of a bucket, with access tokens that are scoped to it and to reading or writing, by a credential access boundary.

A connector lists the buckets of its project, in all locations. A bucket of another project is reached by its name, if that project grants access. Folders and objects are not resources of their own.`,
			Formats: []string{
				"NAME, as in zenfiles", "gs://NAME[/PATH] (the path does not count)", "https://storage.googleapis.com/NAME[/PATH], https://NAME.storage.googleapis.com[/PATH]",
				"//storage.googleapis.com/projects/_/buckets/NAME", "the address of the bucket's page in the console",
			},
			Permissions: []string{
				"storage.buckets.list, to list buckets; not for a connector for one bucket",
				"to read: storage.objects.get, storage.objects.list",
				"to write also: storage.objects.create, storage.objects.update, storage.objects.delete",
				"uniform bucket-level access of the bucket, without which access boundaries do not hold",
			},
			Instances: true,
			Parse:     parseBucket,
			Gcloud:    gcloudSettings,
		},
		list: listBuckets,
		mint: mintBucket,
	}
}

const bucketPrefix = "gs://"

// parseBucket brings the name of a bucket into the form gs://NAME.
func parseBucket(values field.Values, name string) (string, error) {
	bucket := name
	if rest, ok := strings.CutPrefix(name, bucketPrefix); ok {
		bucket = firstSegment(rest)
	} else if strings.HasPrefix(name, "https://") || strings.HasPrefix(name, "//") {
		var err error
		if bucket, err = bucketOfAddress(values, name); err != nil {
			return "", err
		}
	}
	if err := checkBucket(bucket); err != nil {
		return "", err
	}
	return bucketPrefix + bucket, nil
}

func firstSegment(path string) string {
	first, _, _ := strings.Cut(path, "/")
	return first
}

// bucketPaths are what stands in front of a bucket in the paths of addresses, by host:
// those of objects, of the API, of the console. "%" is the universe.
var bucketPaths = []struct {
	host     string
	prefixes []string
}{
	{"storage.%", []string{storagePath + "/b/", "/projects/_/buckets/", "/"}},
	{"www.%", []string{storagePath + "/b/"}},
	{"storage.cloud.google.com", []string{"/"}},
	{"console.cloud.google.com", []string{"/storage/browser/_details/", "/storage/browser/"}},
}

// bucketOfAddress is the bucket that an address is about: the address of a bucket, of an
// object in it or of its page in the console. What is behind the path is not looked at,
// and not repeated: addresses of objects may be signed.
func bucketOfAddress(values field.Values, text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.User != nil {
		return "", notABucketAddress()
	}
	universe, host := cmp.Or(universeField.Get(values), defaultUniverse), strings.ToLower(u.Host)
	if bucket, ok := strings.CutSuffix(host, ".storage."+universe); ok {
		return bucket, nil
	}
	for _, known := range bucketPaths {
		if host != strings.Replace(known.host, "%", universe, 1) {
			continue
		}
		for _, prefix := range known.prefixes {
			if rest, ok := strings.CutPrefix(u.EscapedPath(), prefix); ok {
				bucket, _, _ := strings.Cut(firstSegment(rest), ";") // the console's tabs
				return bucket, nil
			}
		}
	}
	return "", notABucketAddress()
}

func notABucketAddress() error {
	return fault.New(fault.Invalid, "it is not the address of a bucket of Cloud Storage")
}

// The rules for names of buckets: parts with dots between them.
// https://cloud.google.com/storage/docs/buckets#naming
const (
	minBucket     = 3
	maxBucket     = 222
	maxBucketPart = 63
)

var bucketName = field.Lazily(`^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$`)

func checkBucket(bucket string) error {
	if len(bucket) < minBucket || len(bucket) > maxBucket || !bucketName.MatchString(bucket) || strings.Contains(bucket, "..") {
		return fault.New(fault.Invalid, "%q is not the name of a bucket: those have %d to %d lower-case letters, digits, hyphens and underscores, or more with dots between",
			bucket, minBucket, maxBucketPart)
	}
	for part := range strings.SplitSeq(bucket, ".") {
		if len(part) > maxBucketPart {
			return fault.New(fault.Invalid, "%q is not the name of a bucket: no part between dots has more than %d characters", bucket, maxBucketPart)
		}
	}
	if _, err := netip.ParseAddr(bucket); err == nil {
		return fault.New(fault.Invalid, "%q is an IP address, not the name of a bucket", bucket)
	}
	if strings.HasPrefix(bucket, "goog") || strings.Contains(bucket, "google") {
		return fault.New(fault.Invalid, "%q is not the name of a bucket: Google keeps those with its own name in them", bucket)
	}
	return nil
}

// storagePath is where the JSON API of Cloud Storage is at its address.
const storagePath = "/storage/v1"

// pageSize is how much of a list is asked for at once: as much as all of the services give.
const pageSize = 1000

// paged are the parameters of a list: which fields of it, and how many at once.
func paged(size, fields string) url.Values {
	return url.Values{size: {strconv.Itoa(pageSize)}, "fields": {fields}}
}

func listBuckets(ctx context.Context, s *session, yield func(string) error) error {
	if name := s.settings.ResourceName; name != "" {
		return listBucket(ctx, s, name, yield)
	}
	project, err := s.knownProject()
	if err != nil {
		return err
	}
	t, err := s.tokenFor(ctx, purpose{})
	if err != nil {
		return err
	}
	query := paged("maxResults", "items(name),nextPageToken")
	query.Set("project", project)
	type page struct {
		Items         []struct{ Name string }
		NextPageToken string
	}
	return everyPage(ctx, s.clients, call{api: storageAPI, path: storagePath + "/b", query: query, bearer: t}, func(p page) (string, error) {
		for _, b := range p.Items {
			name, err := parseBucket(s.values, b.Name)
			if err != nil { // older than the rules for names
				continue
			}
			if err := yield(name); err != nil {
				return "", err
			}
		}
		return p.NextPageToken, nil
	})
}

// listBucket asks about one bucket alone, with a token that is good for reading it alone:
// whether its objects can be listed, which is what every reader does first.
func listBucket(ctx context.Context, s *session, name string, yield func(string) error) error {
	bucket := strings.TrimPrefix(name, bucketPrefix)
	t, err := s.bucketToken(ctx, bucket, connector.ReadOnly, purpose{})
	if err != nil {
		return err
	}
	question := call{
		api: storageAPI, path: storagePath + "/b/" + bucket + "/o", bearer: t,
		query: url.Values{"maxResults": {"1"}, "fields": {"items(name)"}},
	}
	if err := s.ask(ctx, question, &struct{}{}); err != nil {
		return fault.Within(err, "bucket %s", bucket)
	}
	return yield(name)
}

func mintBucket(ctx context.Context, s *session, request connector.Request) (connector.Credential, error) {
	bucket := strings.TrimPrefix(request.ResourceName, bucketPrefix)
	t, err := s.bucketToken(ctx, bucket, request.Access, purpose{lifetime: request.Lifetime})
	if err != nil {
		return nil, err
	}
	return s.handOut(t), nil
}
