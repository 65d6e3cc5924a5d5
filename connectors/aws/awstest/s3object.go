package awstest

import (
	"bytes"
	"cmp"
	"crypto/md5"
	"encoding/hex"
	"math"
	"net/http"
	"slices"
	"strings"
)

// maxKeys is how many keys a page of S3 has at most, however many are asked for.
const maxKeys = 1000

func s3ListObjects(r *request) (answer, error) {
	for parameter, key := range map[string]string{"prefix": "s3:prefix", "delimiter": "s3:delimiter"} {
		if r.form.Has(parameter) {
			r.conditions[key] = r.form.Get(parameter)
		}
	}
	return r.inBucket("s3:ListBucket", func(b *bucket, _ string) (answer, error) { return r.listObjects(b) })
}

// entry is a line of a listing: an object, or a prefix that stands for many.
type entry struct {
	name   string
	prefix bool
}

// entries are the lines of a listing, with each prefix once.
func (b *bucket) entries(prefix, delimiter, startAfter string) []entry {
	seen := map[entry]bool{}
	for key := range b.objects {
		rest, ok := strings.CutPrefix(key, prefix)
		if !ok || key <= startAfter {
			continue
		}
		one := entry{name: key}
		if before, _, cut := strings.Cut(rest, delimiter); cut && delimiter != "" {
			one = entry{prefix + before + delimiter, true}
		}
		seen[one] = true
	}
	var out []entry
	for one := range seen {
		out = append(out, one)
	}
	return out
}

func (r *request) listObjects(b *bucket) (answer, error) {
	most, err := r.most("max-keys", math.MaxInt32)
	if err != nil {
		return answer{}, err
	}
	most = min(most, maxKeys)
	prefix, delimiter, startAfter, encoding := r.form.Get("prefix"), r.form.Get("delimiter"), r.form.Get("start-after"), r.form.Get("encoding-type")
	token := r.form.Get("continuation-token")
	all := b.entries(prefix, delimiter, startAfter)
	found, next, ok := page(r, list{b.name, prefix, delimiter, startAfter}, all, func(e entry) string { return e.name }, token, most)
	if !ok {
		return answer{}, invalid("InvalidArgument", "The continuation token provided is incorrect")
	}
	out := listObjectsResult{
		Namespace: s3Namespace, Name: b.name, Prefix: s3Escape(encoding, prefix), Delimiter: s3Escape(encoding, delimiter),
		MaxKeys: cmp.Or(most, maxKeys), EncodingType: encoding, KeyCount: len(found), IsTruncated: next != "",
		ContinuationToken: token, NextContinuationToken: next, StartAfter: s3Escape(encoding, startAfter),
	}
	for _, e := range found {
		name := s3Escape(encoding, e.name)
		if e.prefix {
			out.CommonPrefixes = append(out.CommonPrefixes, s3Prefix{name})
			continue
		}
		o := b.objects[e.name]
		out.Contents = append(out.Contents, s3Object{name, s3Time(o.stored), o.etag, len(o.content), "STANDARD"})
	}
	return answerS3(out)
}

// s3GetObject answers GetObject and HeadObject, whole or in parts.
func s3GetObject(r *request) (answer, error) {
	return r.inBucket("s3:GetObject", func(b *bucket, key string) (answer, error) {
		o, there := b.objects[key]
		if !there && r.allow("s3:ListBucket", b.arn("")) != nil {
			return answer{}, r.refuse(denied, "Access Denied") // whoever may not list learns nothing
		}
		if !there {
			return answer{}, &apiError{status: http.StatusNotFound, code: "NoSuchKey", message: "The specified key does not exist."}
		}
		return r.content(o), nil
	})
}

// content serves an object by the standard library's rules for ranges and conditions.
func (r *request) content(o object) answer {
	w := &recorder{answer{header: http.Header{"Content-Type": {o.contentType}, "Etag": {o.etag}}}}
	for name, values := range o.metadata {
		w.header[name] = values
	}
	whole := r.Clone(r.Context())
	whole.Method = http.MethodGet // what is written for HEAD has no body
	http.ServeContent(w, whole, "", o.stored, bytes.NewReader(o.content))
	return w.answer
}

// recorder is a response writer that makes an answer.
type recorder struct{ answer }

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) { w.status = status }

func (w *recorder) Write(p []byte) (int, error) {
	w.body = append(w.body, p...)
	return len(p), nil
}

func s3PutObject(r *request) (answer, error) {
	return r.inBucket("s3:PutObject", func(b *bucket, key string) (answer, error) {
		content, err := r.upload()
		if err != nil {
			return answer{}, err
		}
		sum := md5.Sum(content)
		o := object{
			content: content, contentType: cmp.Or(r.Header.Get("Content-Type"), "binary/octet-stream"),
			etag: `"` + hex.EncodeToString(sum[:]) + `"`, stored: r.now.UTC(), metadata: http.Header{},
		}
		for name, values := range r.Header {
			if strings.HasPrefix(name, "X-Amz-Meta-") {
				o.metadata[name] = slices.Clone(values)
			}
		}
		b.objects[key] = o
		return answer{}.with("ETag", o.etag), nil
	})
}

func s3DeleteObject(r *request) (answer, error) {
	return r.inBucket("s3:DeleteObject", func(b *bucket, key string) (answer, error) {
		delete(b.objects, key)
		return answer{status: http.StatusNoContent}, nil
	})
}
