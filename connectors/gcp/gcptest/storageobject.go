package gcptest

import (
	"bytes"
	"cmp"
	"crypto/md5"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// object is a generation of an object.
type object struct {
	metadata
	content    []byte
	created    time.Time
	generation int64
}

// sums are the checksums of a content, in base64 as the API has them.
func sums(content []byte) (md5Hash, crc32c string) {
	sum := md5.Sum(content)
	big := binary.BigEndian.AppendUint32(nil, crc32.Checksum(content, crc32.MakeTable(crc32.Castagnoli)))
	return base64.StdEncoding.EncodeToString(sum[:]), base64.StdEncoding.EncodeToString(big)
}

// described is the object as the API has it.
// https://cloud.google.com/storage/docs/json_api/v1/objects#resource
func (o *object) described(r *request, b *Bucket) map[string]any {
	md5Hash, crc32c := sums(o.content)
	path, generation, created := "/storage/v1/b/"+b.name+"/o/"+url.PathEscape(o.Name), fmt.Sprint(o.generation), storageTime(o.created)
	out := map[string]any{
		"kind": "storage#object", "id": b.name + "/" + o.Name + "/" + generation, "name": o.Name, "bucket": b.name,
		"selfLink": r.own(path), "mediaLink": r.own("/download" + path + "?generation=" + generation + "&alt=media"),
		"generation": generation, "metageneration": "1", "contentType": o.ContentType, "storageClass": cmp.Or(o.StorageClass, "STANDARD"),
		"size": fmt.Sprint(len(o.content)), "md5Hash": md5Hash, "crc32c": crc32c, "etag": o.etag(),
		"timeCreated": created, "updated": created, "timeStorageClassUpdated": created, "timeFinalized": created,
	}
	for name, value := range map[string]string{"contentEncoding": o.ContentEncoding, "cacheControl": o.CacheControl} {
		if value != "" {
			out[name] = value
		}
	}
	if len(o.Metadata) > 0 {
		out["metadata"] = maps.Clone(o.Metadata)
	}
	return out
}

func (o *object) etag() string {
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint64(nil, uint64(o.generation)))
}

// inObject finds the object that the path has, where the caller has a permission on it.
func (r *request) inObject(permission string) (*Bucket, *object, error) {
	name := r.vars["object"]
	b, err := r.inBucket(permission, name)
	if err != nil {
		return nil, nil, err
	}
	o := b.objects[name]
	generation := r.form.Get("generation")
	switch {
	case o == nil && !r.mayIn(b.name, "storage.objects.list", name):
		return nil, nil, r.refuseStorage(permission, "Google Cloud Storage object") // whoever may not list learns nothing
	case o == nil, generation != "" && generation != fmt.Sprint(o.generation):
		return nil, nil, notFound("No such object: %s/%s", b.name, name)
	}
	return b, o, r.checkConditions(o)
}

// checkConditions refuses a request whose conditions the object, nil for none, does not
// meet. https://cloud.google.com/storage/docs/request-preconditions
func (r *request) checkConditions(o *object) error {
	var generation int64
	if o != nil {
		generation = o.generation
	}
	for parameter, wanted := range map[string]bool{"ifGenerationMatch": true, "ifGenerationNotMatch": false} {
		if !r.form.Has(parameter) {
			continue
		}
		asked, err := strconv.ParseInt(r.form.Get(parameter), 10, 64)
		if err != nil {
			return invalid("Invalid long value: '%s'.", r.form.Get(parameter))
		}
		if (asked == generation) != wanted {
			return failed412()
		}
	}
	return nil
}

// getObject answers with the object's resource, or with its content.
func getObject(r *request) (answer, error) {
	b, o, err := r.inObject("storage.objects.get")
	switch alt := r.form.Get("alt"); {
	case err != nil:
		return answer{}, err
	case alt == "media":
		return o.served(r), nil
	case alt != "" && alt != "json":
		return answer{}, invalid("Invalid alt value: '%s'.", alt)
	}
	return answerJSON(o.described(r, b))
}

// served is the content, by the standard library's rules for ranges.
func (o *object) served(r *request) answer {
	md5Hash, crc32c := sums(o.content)
	w := &recorder{answer{header: http.Header{
		"Content-Type": {o.ContentType}, "Etag": {o.etag()}, "X-Goog-Hash": {"crc32c=" + crc32c + ",md5=" + md5Hash},
		"X-Goog-Generation": {fmt.Sprint(o.generation)}, "X-Goog-Metageneration": {"1"}, "X-Goog-Stored-Content-Length": {fmt.Sprint(len(o.content))},
		"X-Goog-Stored-Content-Encoding": {cmp.Or(o.ContentEncoding, "identity")},
	}}}
	if o.ContentEncoding != "" {
		w.header.Set("Content-Encoding", o.ContentEncoding)
	}
	http.ServeContent(w, r.Request, "", o.created, bytes.NewReader(o.content))
	return w.answer
}

// recorder is a response writer that makes an answer.
type recorder struct{ answer }

// Header implements http.ResponseWriter.
func (w *recorder) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *recorder) WriteHeader(status int) { w.status = status }

// Write implements http.ResponseWriter.
func (w *recorder) Write(p []byte) (int, error) {
	w.body = append(w.body, p...)
	return len(p), nil
}

func deleteObject(r *request) (answer, error) {
	b, o, err := r.inObject("storage.objects.delete")
	if err != nil {
		return answer{}, err
	}
	delete(b.objects, o.Name)
	return answer{status: http.StatusNoContent}, nil
}
