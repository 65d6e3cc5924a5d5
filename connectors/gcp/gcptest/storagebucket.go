package gcptest

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxItems is how many items a page of Cloud Storage has at most.
const maxItems = 1000

// most is how many items a parameter asks for, up to a limit; 0 where it is not given.
func (r *request) most(parameter string, limit int) (int, error) {
	if !r.form.Has(parameter) {
		return 0, nil
	}
	n, err := strconv.ParseUint(r.form.Get(parameter), 10, 31)
	if err != nil {
		return 0, invalid("Invalid unsigned integer value: '%s'.", r.form.Get(parameter))
	}
	return min(int(n), limit), nil
}

// refuseStorage is the refusal of what the caller may not do to something: "Google Cloud
// Storage bucket".
func (r *request) refuseStorage(permission, something string) error {
	return forbidden("", "", nil, "%s does not have %[2]s access to the %s. Permission '%[2]s' denied on resource (or it may not exist).",
		r.token.who.name, permission, something)
}

func listBuckets(r *request) (answer, error) {
	const permission = "storage.buckets.list"
	name := r.form.Get("project")
	if name == "" {
		return answer{}, invalid("Required parameter: project")
	}
	r.vars["project"] = name
	if err := r.disabledIn(name); err != nil {
		return answer{}, err
	}
	most, err := r.most("maxResults", maxItems)
	if err != nil {
		return answer{}, err
	}
	if !r.may(permission, resource{project: name}) {
		return answer{}, r.refuseStorage(permission, "Google Cloud project")
	}
	p, err := r.flawless(name)
	if err != nil {
		return answer{}, err
	}
	prefix := r.form.Get("prefix")
	found, next, err := page(r, []string{p.id, prefix}, r.server.bucketsOf(p, prefix), (*Bucket).Name, most)
	if err != nil {
		return answer{}, err
	}
	return answerJSON(listing{"kind": "storage#buckets"}.with("items", describe(found, func(b *Bucket) any { return b.described(r) })).next(next))
}

// bucketsOf are the buckets of a project whose names begin with a prefix.
func (s *Server) bucketsOf(p *Project, prefix string) []*Bucket {
	var out []*Bucket
	for name, b := range s.others.buckets {
		if b.project == p && strings.HasPrefix(name, prefix) {
			out = append(out, b)
		}
	}
	return out
}

// mayIn says whether the caller has a permission in the bucket of a name: on the bucket, or
// on an object of it. It need not exist.
func (r *request) mayIn(name, permission, object string) bool {
	on := resource{bucket: name, object: object}
	if r.token.boundary != nil && !r.token.boundary.allows(permission, on) {
		return false
	}
	b := r.server.others.buckets[name]
	if b == nil {
		return true // that there is none, everybody may know
	}
	on.project = b.project.id
	return r.may(permission, on) || b.grants.allow(r.token.who, permission)
}

// inBucket finds the bucket that the path has, where the caller has a permission: on the
// bucket, or on an object of it.
func (r *request) inBucket(permission, object string) (*Bucket, error) {
	name := r.vars["bucket"]
	if !isBucketName(name) {
		return nil, invalid("Invalid bucket name: '%s'", name)
	}
	b := r.server.others.buckets[name]
	if b != nil {
		r.vars["project"] = b.project.id
		if err := r.disabledIn(b.project.id); err != nil {
			return nil, err
		}
	}
	if !r.mayIn(name, permission, object) {
		return nil, r.refuseStorage(permission, "Google Cloud Storage "+kindOf(permission))
	}
	if b == nil {
		return nil, notFound("The specified bucket does not exist.")
	}
	return b, nil
}

// kindOf is what a permission is on, as refusals have it.
func kindOf(permission string) string {
	if strings.HasPrefix(permission, "storage.objects.") && permission != "storage.objects.list" {
		return "object"
	}
	return "bucket"
}

func getBucket(r *request) (answer, error) {
	b, err := r.inBucket("storage.buckets.get", "")
	if err != nil {
		return answer{}, err
	}
	return answerJSON(b.described(r))
}

// testBucket tells which of some permissions the caller has on a bucket.
func testBucket(r *request) (answer, error) {
	name := r.vars["bucket"]
	if r.server.others.buckets[name] == nil {
		return answer{}, notFound("The specified bucket does not exist.")
	}
	asked := r.form["permissions"]
	if len(asked) == 0 {
		return answer{}, invalid("Required parameter: permissions")
	}
	out := map[string]any{"kind": "storage#testIamPermissionsResponse"}
	if has := slices.DeleteFunc(slices.Clone(asked), func(p string) bool { return !r.mayIn(name, p, "") }); len(has) > 0 {
		out["permissions"] = has
	}
	return answerJSON(out)
}

// described is the bucket as the API has it.
// https://cloud.google.com/storage/docs/json_api/v1/buckets#resource
func (b *Bucket) described(r *request) map[string]any {
	created := storageTime(b.created)
	return map[string]any{
		"kind": "storage#bucket", "id": b.name, "name": b.name, "selfLink": r.own("/storage/v1/b/" + b.name),
		"projectNumber": b.project.number, "generation": fmt.Sprint(b.created.UnixMicro()), "metageneration": "1",
		"location": b.location, "locationType": b.locationType(), "storageClass": "STANDARD", "etag": "CAE=",
		"timeCreated": created, "updated": created,
		"iamConfiguration": map[string]any{
			"uniformBucketLevelAccess": map[string]any{"enabled": true}, "publicAccessPrevention": "inherited",
		},
	}
}

func (b *Bucket) locationType() string {
	switch {
	case slices.Contains([]string{"US", "EU", "ASIA"}, b.location):
		return "multi-region"
	case !strings.Contains(b.location, "-"):
		return "dual-region"
	}
	return "region"
}

// own is the address of something at the host that was asked.
func (r *request) own(path string) string {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + cmp.Or(r.Host, r.server.address) + path
}

// storageTime is a time as Cloud Storage has it.
func storageTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
