package awstest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// bucketKey is a bucket: names are shared by all accounts and regions of a partition.
type bucketKey struct{ partition, name string }

type bucket struct {
	account      *Account
	name, region string
	created      time.Time
	objects      map[string]object
}

type object struct {
	content     []byte
	contentType string
	etag        string
	stored      time.Time
	metadata    http.Header // X-Amz-Meta-…
}

// Bucket makes an empty bucket of the account in a region.
func (a *Account) Bucket(name, region string) {
	a.server.mu.Lock()
	defer a.server.mu.Unlock()
	a.server.others.buckets[bucketKey{a.partition, name}] = &bucket{account: a, name: name, region: region, created: a.server.now(), objects: map[string]object{}}
}

// arn is the ARN of the bucket, or of something in it.
func (b *bucket) arn(rest string) string {
	return "arn:" + b.account.partition + ":s3:::" + b.name + rest
}

func s3Service() *service {
	return &service{
		name: "s3", protocol: restXML, action: s3Action,
		unsigned: func(*request) bool { return true }, // what no other service wants
		public:   map[string]bool{"HeadBucket": true, "ListObjectsV2": true, "GetObject": true, "HeadObject": true},
		operations: map[string]operation{
			"ListBuckets":       s3ListBuckets,
			"HeadBucket":        s3HeadBucket,
			"GetBucketLocation": s3GetBucketLocation,
			"ListObjectsV2":     s3ListObjects,
			"GetObject":         s3GetObject,
			"HeadObject":        s3GetObject,
			"PutObject":         s3PutObject,
			"DeleteObject":      s3DeleteObject,
		},
	}
}

// s3Target is the bucket and the key that a request is about, "" for none. The bucket is
// the first part of the path, or of the host where that is one of AWS's own.
func (r *request) s3Target() (name, key string) {
	path := strings.TrimPrefix(r.URL.Path, "/")
	if host, ok := parseHost(r.Host); ok {
		i := slices.IndexFunc(host.labels, func(label string) bool { return label == "s3" || label == "s3-fips" })
		if i > 0 {
			return strings.Join(host.labels[:i], "."), path
		}
	}
	name, key, _ = strings.Cut(path, "/")
	return name, key
}

// subresources are the query keys that make a request one for another operation than the
// fake has.
var subresources = []string{"acl", "cors", "delete", "encryption", "lifecycle", "policy", "tagging", "uploads", "uploadId", "versioning", "versions", "website"}

func s3Action(r *request) string {
	name, key := r.s3Target()
	if slices.ContainsFunc(subresources, r.form.Has) || r.Header.Get("X-Amz-Copy-Source") != "" {
		return ""
	}
	switch {
	case name == "":
		return map[string]string{http.MethodGet: "ListBuckets"}[r.Method]
	case key != "":
		return map[string]string{http.MethodGet: "GetObject", http.MethodHead: "HeadObject", http.MethodPut: "PutObject", http.MethodDelete: "DeleteObject"}[r.Method]
	case r.Method == http.MethodHead:
		return "HeadBucket"
	case r.Method == http.MethodGet && r.form.Has("location"):
		return "GetBucketLocation"
	case r.Method == http.MethodGet && r.form.Get("list-type") == "2":
		return "ListObjectsV2"
	}
	return ""
}

// bucketRegionHeader tells in every answer about a bucket where it is.
const bucketRegionHeader = "X-Amz-Bucket-Region"

// inBucket finds the bucket of a request that may do an action there: with the key, or
// with the bucket itself. Whoever may not, or asks in the wrong region, still learns where
// the bucket is.
func (r *request) inBucket(action string, with func(b *bucket, key string) (answer, error)) (answer, error) {
	name, key := r.s3Target()
	partition := partitionOf(r.region)
	b := r.server.others.buckets[bucketKey{partition, name}]
	if b == nil {
		return answer{}, &apiError{status: http.StatusNotFound, code: "NoSuchBucket", message: "The specified bucket does not exist"}
	}
	err := r.checkBucket(b, action, key)
	out := answer{}
	if err == nil {
		out, err = with(b, key)
	}
	if known, ok := err.(*apiError); ok {
		known.header = http.Header{bucketRegionHeader: {b.region}}
	}
	return out.with(bucketRegionHeader, b.region), err
}

func (r *request) checkBucket(b *bucket, action, key string) error {
	resource := b.arn("")
	if key != "" {
		resource = b.arn("/" + key)
	}
	host, ours := parseHost(r.Host)
	switch {
	case r.who == nil:
		return r.refuse(missingToken, "")
	case r.region != b.region && ours && !slices.Contains(host.labels, r.region):
		// the host without a region, which leads to where the bucket is
		return invalid("AuthorizationHeaderMalformed", "The authorization header is malformed; the region '%s' is wrong; expecting '%s'", r.region, b.region)
	case r.region != b.region:
		return &apiError{status: http.StatusMovedPermanently, code: "PermanentRedirect", message: "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint."}
	case b.account.id != r.who.account.id:
		return r.denied(action, resource, "because no resource-based policy allows the "+action+" action")
	}
	return r.allow(action, resource)
}

func s3HeadBucket(r *request) (answer, error) {
	return r.inBucket("s3:ListBucket", func(*bucket, string) (answer, error) { return answer{}, nil })
}

func s3GetBucketLocation(r *request) (answer, error) {
	return r.inBucket("s3:GetBucketLocation", func(b *bucket, _ string) (answer, error) {
		return answerS3(newLocation(b.region))
	})
}

// most is how many items a parameter asks for, 0 where it is not given.
func (r *request) most(parameter string, limit int) (int, error) {
	if !r.form.Has(parameter) {
		return 0, nil
	}
	n, err := strconv.Atoi(r.form.Get(parameter))
	if err != nil || n < 1 || n > limit {
		return 0, invalid("InvalidArgument", "Argument %s must be an integer between 1 and %d", parameter, limit)
	}
	return n, nil
}

// s3ListBuckets pages only where max-buckets asks for it, and tells regions only where it
// is given any parameter, as AWS does.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html
func s3ListBuckets(r *request) (answer, error) {
	most, err := r.most("max-buckets", 10000)
	if err != nil {
		return answer{}, err
	}
	if err := r.allow("s3:ListAllMyBuckets", "arn:"+r.who.account.partition+":s3:::*"); err != nil {
		return answer{}, err
	}
	prefix, region := r.form.Get("prefix"), r.form.Get("bucket-region")
	var mine []*bucket
	for _, b := range r.server.others.buckets {
		if b.account.id == r.who.account.id && strings.HasPrefix(b.name, prefix) && matches(region, b.region) {
			mine = append(mine, b)
		}
	}
	found, next, ok := r.bucketPage(mine, list{prefix, region}, most)
	if !ok {
		return answer{}, invalid("InvalidArgument", "The continuation token provided is incorrect")
	}
	out := listBucketsResult{Namespace: s3Namespace, Owner: s3Owner{ID: r.who.account.id}, Buckets: []s3Bucket{}, ContinuationToken: next, Prefix: prefix}
	for _, b := range found {
		one := s3Bucket{Name: b.name, CreationDate: s3Time(b.created)}
		if r.form.Has("max-buckets") || r.form.Has("continuation-token") || prefix != "" || region != "" {
			one.BucketRegion = b.region
		}
		out.Buckets = append(out.Buckets, one)
	}
	return answerS3(out)
}

func (r *request) bucketPage(all []*bucket, selection list, most int) (found []*bucket, next string, ok bool) {
	token := r.form.Get("continuation-token")
	if most == 0 && token == "" {
		slices.SortFunc(all, func(a, b *bucket) int { return strings.Compare(a.name, b.name) })
		return all, "", true
	}
	return page(r, selection, all, func(b *bucket) string { return b.name }, token, most)
}
