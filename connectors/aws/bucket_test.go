package aws

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/connectors/aws/awstest"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
)

// bucketWorld has buckets in two regions.
func bucketWorld(t *testing.T) *world {
	w := newWorld(t)
	for name, region := range map[string]string{"alpha": "eu-central-1", "beta": "us-west-2", "gamma": "eu-central-1", "delta": "us-west-2", "files.example.com": "eu-central-1"} {
		w.Account(account1).Bucket(name, region)
	}
	w.Account(account2).Bucket("elsewhere", "eu-central-1")
	return w
}

func TestListBuckets(t *testing.T) {
	t.Parallel()
	w := bucketWorld(t)
	s := w.ofRole(t, nil, actions("s3:ListAllMyBuckets"))
	names, err := listingOf(t, s, bucketType)
	want := []string{"s3://alpha", "s3://beta", "s3://delta", "s3://files.example.com", "s3://gamma"}
	if diff := cmp.Diff(want, names); err != nil || diff != "" {
		t.Errorf("%v: -want +got:\n%s", err, diff)
	}
	if n := w.Count("s3", "ListBuckets"); n != 3 {
		t.Errorf("%d pages, not 3", n)
	}
}

func TestListStopsWhenItIsTold(t *testing.T) {
	t.Parallel()
	w, enough := bucketWorld(t), errors.New("enough")
	s := w.ofRole(t, nil)
	err := s.List(t.Context(), bucketType, func(connector.Resource) error { return enough })
	if !errors.Is(err, enough) || w.Count("s3", "ListBuckets") != 1 {
		t.Errorf("%v after %d pages", err, w.Count("s3", "ListBuckets"))
	}
}

func TestListBucketsDenied(t *testing.T) {
	t.Parallel()
	w := bucketWorld(t)
	_, err := listingOf(t, w.ofRole(t, nil, actions("s3:GetObject")), bucketType)
	if !fault.Is(err, fault.Denied) || !strings.Contains(err.Error(), "s3:ListAllMyBuckets") {
		t.Errorf("%s: %v", fault.KindOf(err), err)
	}
}

// A connector for one bucket needs no right to list buckets, wherever the bucket is.
func TestListOneBucket(t *testing.T) {
	t.Parallel()
	w := bucketWorld(t)
	jane := w.Account(account1).User("jane", onlyAssume)
	role := w.Account(account1).Role("reader", awstest.Role{Policies: []string{actions("s3:ListBucket")}})
	for name, kind := range map[string]fault.Kind{"alpha": "", "s3://beta/models": "", "elsewhere": fault.Denied, "missing": fault.NotFound} {
		s := w.scoped(t, methodRole, bucketType, name, with(jane, map[string]any{"role_arn": role}))
		names, err := listingOf(t, s, bucketType)
		if fault.KindOf(err) != kind || (err == nil) != (len(names) == 1 && names[0] == s.settings.ResourceName) {
			t.Errorf("%s: %v, %v", name, names, err)
		}
	}
	if n := w.Count("s3", "ListBuckets"); n != 0 {
		t.Errorf("all buckets are asked for, %d times", n)
	}
}

// Keys are scoped to the bucket and the access, and come with the bucket's region.
func TestMintBucket(t *testing.T) {
	t.Parallel()
	w := bucketWorld(t)
	jane := w.Account(account1).User("jane")
	role := w.Account(account1).Role("deployer", awstest.Role{})
	for _, s := range []*session{
		w.opened(t, methodRole, with(jane, map[string]any{"role_arn": role})),
		w.opened(t, methodFederationToken, with(jane, nil)),
	} {
		for bucket, region := range map[string]string{"beta": "us-west-2", "gamma": "eu-central-1"} {
			for _, access := range []connector.Access{connector.ReadOnly, connector.ReadWrite} {
				got := minted[connector.AWSKeys](t, s, bucketType, bucket, access)
				if got.Region != region || got.Account != account1 || got.SessionToken.IsEmpty() || got.Expires.Before(noon.Add(time.Hour)) {
					t.Errorf("%s: %+v", bucket, got)
				}
				checkBucketRights(t, s.s3(asKeys(got), region), bucket, access)
			}
		}
	}
}

// checkBucketRights tries what keys can do.
func checkBucketRights(t *testing.T, client *s3.Client, bucket string, access connector.Access) {
	t.Helper()
	key, other := "key", map[string]string{"beta": "delta", "gamma": "alpha"}[bucket]
	if _, err := client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &bucket}); err != nil {
		t.Errorf("%s, %s: %v", bucket, access, err)
	}
	if _, err := client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &other}); err == nil {
		t.Errorf("%s, %s: the keys open %s", bucket, access, other)
	}
	if _, err := client.ListBuckets(t.Context(), &s3.ListBucketsInput{}); err == nil {
		t.Errorf("%s, %s: the keys list all buckets", bucket, access)
	}
	_, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader("x")})
	if (err == nil) != (access == connector.ReadWrite) {
		t.Errorf("%s, %s: writing: %v", bucket, access, err)
	}
}

// A bucket of another account is one that S3 refuses and still tells the region of.
func TestMintBucketOfAnotherAccount(t *testing.T) {
	t.Parallel()
	w := bucketWorld(t)
	w.Account(account2).Bucket("far", "us-west-2")
	s := w.ofRole(t, nil)
	if got := minted[connector.AWSKeys](t, s, bucketType, "far", connector.ReadOnly); got.Region != "us-west-2" {
		t.Errorf("region %s", got.Region)
	}
	_, err := s.Mint(t.Context(), connector.Request{ResourceType: bucketType, ResourceName: "missing"})
	if !fault.Is(err, fault.NotFound) {
		t.Errorf("%s: %v", fault.KindOf(err), err)
	}
}

// The account of keys is asked for only where nobody said it.
func TestAccountOfKeys(t *testing.T) {
	t.Parallel()
	w := bucketWorld(t)
	jane := w.Account(account1).User("jane")
	for calls, fields := range []map[string]any{{"account_id": account1}, nil} {
		w.ResetCalls()
		s := w.opened(t, methodSecretKey, with(jane, fields))
		got := minted[connector.AWSKeys](t, s, bucketType, "alpha", connector.ReadWrite)
		if got.Account != account1 || !got.Expires.IsZero() || w.Count("sts", "GetCallerIdentity") != calls {
			t.Errorf("%v: account %s until %s after %d calls", fields, got.Account, got.Expires, w.Count("sts", "GetCallerIdentity"))
		}
	}
	w.Revoke(jane.AccessKeyID)
	_, err := w.opened(t, methodSecretKey, with(jane, nil)).Mint(t.Context(), connector.Request{ResourceType: genericType})
	if !fault.Is(err, fault.Denied) || !strings.Contains(err.Error(), "the account of the keys is unknown") {
		t.Errorf("%s: %v (%s)", fault.KindOf(err), err, fault.HintOf(err))
	}
}

func TestGeneric(t *testing.T) {
	t.Parallel()
	w := bucketWorld(t)
	s := w.ofRole(t, map[string]any{"account_id": account1})
	names, err := listingOf(t, s, genericType)
	if err != nil || !cmp.Equal(names, []string{"eu-central-1"}) {
		t.Errorf("%v, %v", names, err)
	}
	got := minted[connector.AWSKeys](t, s, genericType, "", connector.ReadWrite)
	if got.Region != "eu-central-1" || got.Account != account1 || !got.Expires.Equal(noon.Add(time.Hour)) {
		t.Errorf("%+v", got)
	}
	if _, err := s.s3(asKeys(got), "eu-central-1").ListBuckets(t.Context(), &s3.ListBucketsInput{}); err != nil {
		t.Errorf("the keys are scoped: %v", err)
	}
}

func TestProfile(t *testing.T) {
	t.Parallel()
	values := fieldsOf(t, "region", "eu-central-1", "endpoint_url", "https://aws.example.com", "endpoint_url_s3", "https://s3.example.com",
		"endpoint_url_ecr_public", "https://public.example.com", "use_fips_endpoint", true)
	want := connector.AWSProfile{
		Region: "eu-central-1", Endpoint: "https://aws.example.com", FIPS: true,
		Endpoints: map[string]string{"s3": "https://s3.example.com", "ecr_public": "https://public.example.com"},
	}
	for _, resourceType := range []string{genericType, bucketType} {
		got := resourceNamed(t, resourceType).Profile(connector.Settings{Values: values}, "")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", resourceType, diff)
		}
	}
}
