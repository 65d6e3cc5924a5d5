package gcptest

import (
	"strings"
	"time"
)

// Bucket is a bucket of Cloud Storage. It is safe for concurrent use.
type Bucket struct {
	project  *Project
	name     string
	location string // in upper case, as the API has it
	created  time.Time
	objects  map[string]*object
	grants   grants // beside those of the project
}

// Bucket makes an empty bucket of the project, or empties it. The location is a region, or
// a multi-region such as EU; "" is US. Names are shared by all projects. A name that no
// bucket may have makes every question for the project's buckets fail and say so.
func (p *Project) Bucket(name, location string) *Bucket {
	s := p.server
	s.mu.Lock()
	defer s.mu.Unlock()
	if location == "" {
		location = "us"
	}
	b := &Bucket{project: p, name: name, location: strings.ToUpper(location), created: s.now(), objects: map[string]*object{}, grants: grants{}}
	owner := s.others.buckets[name]
	switch {
	case !isBucketName(name):
		p.mistake(storageName, "no bucket can be called %q", name)
	case owner != nil && owner.project != p:
		p.mistake(storageName, "the bucket %q is another project's", name)
	default:
		s.others.buckets[name] = b
	}
	return b
}

// Name is the name of the bucket.
func (b *Bucket) Name() string { return b.name }

// Grant allows a member permissions in the bucket alone, beside those in its project. See
// Project.Grant.
func (b *Bucket) Grant(member string, permissions ...string) {
	b.project.server.mu.Lock()
	defer b.project.server.mu.Unlock()
	b.grants[member] = append(b.grants[member], permissions...)
}

// Put stores an object, in place of one of that name.
func (b *Bucket) Put(name, content string) {
	s := b.project.server
	s.mu.Lock()
	defer s.mu.Unlock()
	b.store(s, &object{metadata: metadata{Name: name, ContentType: defaultType}, content: []byte(content)})
}

// Object is the content of an object, and whether there is one.
func (b *Bucket) Object(name string) (content string, there bool) {
	b.project.server.mu.Lock()
	defer b.project.server.mu.Unlock()
	o := b.objects[name]
	if o == nil {
		return "", false
	}
	return string(o.content), true
}

// store keeps an object, in place of one of that name.
func (b *Bucket) store(s *Server, o *object) {
	o.created, o.generation = s.now(), s.now().UnixMicro()
	if before := b.objects[o.Name]; before != nil {
		o.generation = max(o.generation, before.generation+1) // a clock may stand still
	}
	b.objects[o.Name] = o
}
