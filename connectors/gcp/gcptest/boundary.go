package gcptest

import (
	"slices"
	"strings"
)

// boundary is a credential access boundary: what a token has at most. What its owner has
// not, it has not either.
// https://cloud.google.com/iam/docs/downscoping-short-lived-credentials
type boundary struct{ rules []boundaryRule }

// boundaryRule is permissions on a bucket, and on what is in it.
type boundaryRule struct {
	bucket      string
	permissions []string
	condition   condition // nil is none
}

// allows says whether some rule has a permission on a bucket or its objects.
func (b *boundary) allows(permission string, on resource) bool {
	return slices.ContainsFunc(b.rules, func(rule boundaryRule) bool {
		return rule.bucket == on.bucket && slices.ContainsFunc(rule.permissions, func(pattern string) bool { return permits(pattern, permission) }) &&
			(rule.condition == nil || rule.condition(facts(permission, on)))
	})
}

// facts are what conditions are about. The prefix of a list is known where objects are
// listed alone.
func facts(permission string, on resource) map[string]string {
	bucket := "projects/_/buckets/" + on.bucket
	out := map[string]string{"resource.service": "storage.googleapis.com", "resource.type": "storage.googleapis.com/Bucket", "resource.name": bucket}
	switch {
	case permission == "storage.objects.list":
		out[listPrefix] = on.object
	case on.object != "":
		out["resource.type"], out["resource.name"] = "storage.googleapis.com/Object", bucket+"/objects/"+on.object
	}
	return out
}

// listPrefix is the attribute with the prefix of a list.
const listPrefix = "storage.googleapis.com/objectListPrefix"

// boundaryBucket is the bucket of a rule. Nothing but buckets can have one.
func boundaryBucket(name string) (string, error) {
	bucket, ok := strings.CutPrefix(name, "//storage.googleapis.com/projects/_/buckets/")
	if !ok || bucket == "" || strings.Contains(bucket, "/") {
		return "", oauthError("invalid_request", "Invalid availableResource: %q. Only buckets of Cloud Storage can be in an access boundary.", name)
	}
	return bucket, nil
}

// rolePermissions are what roles have, each as inRole:ROLE.
func rolePermissions(roles []string) ([]string, error) {
	if len(roles) == 0 {
		return nil, oauthError("invalid_request", "A rule of an access boundary must have at least one of availablePermissions.")
	}
	var out []string
	for _, name := range roles {
		role, ok := strings.CutPrefix(name, "inRole:")
		permissions, known := storageRoles[role]
		if !ok || !known {
			return nil, oauthError("invalid_request", "Invalid availablePermissions: %q.", name)
		}
		out = append(out, permissions...)
	}
	return out, nil
}

// storageRoles are the permissions of the predefined roles of Cloud Storage, as far as the
// fake has them. https://cloud.google.com/storage/docs/access-control/iam-roles
var storageRoles = map[string][]string{
	"roles/storage.objectViewer":       {"storage.objects.get", "storage.objects.list"},
	"roles/storage.objectCreator":      {"storage.objects.create", "storage.multipartUploads.create", "storage.multipartUploads.abort", "storage.multipartUploads.listParts"},
	"roles/storage.objectUser":         {"storage.objects.create", "storage.objects.delete", "storage.objects.get", "storage.objects.list", "storage.objects.update", "storage.multipartUploads.*"},
	"roles/storage.objectAdmin":        {"storage.objects.*", "storage.multipartUploads.*"},
	"roles/storage.admin":              {"storage.buckets.*", "storage.objects.*", "storage.multipartUploads.*"},
	"roles/storage.bucketViewer":       {"storage.buckets.get", "storage.buckets.list"},
	"roles/storage.legacyObjectReader": {"storage.objects.get"},
	"roles/storage.legacyObjectOwner":  {"storage.objects.get", "storage.objects.update", "storage.objects.getIamPolicy", "storage.objects.setIamPolicy"},
	"roles/storage.legacyBucketReader": {"storage.buckets.get", "storage.objects.list", "storage.multipartUploads.list"},
	"roles/storage.legacyBucketWriter": {"storage.buckets.get", "storage.objects.create", "storage.objects.delete", "storage.objects.list", "storage.multipartUploads.*"},
	"roles/storage.legacyBucketOwner": {
		"storage.buckets.get", "storage.buckets.update", "storage.buckets.getIamPolicy", "storage.buckets.setIamPolicy",
		"storage.objects.create", "storage.objects.delete", "storage.objects.list", "storage.multipartUploads.*",
	},
}
