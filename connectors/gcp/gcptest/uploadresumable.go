package gcptest

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/svcconn/svcconn/pkg/field"
)

// upload is an upload in parts that was begun.
// https://cloud.google.com/storage/docs/performing-resumable-uploads
type upload struct {
	bucket  *Bucket
	meta    metadata
	by      *accessToken // may have ended meanwhile
	expires time.Time
	size    int64 // of the whole; -1 is not known yet
	content []byte
	done    *answer // what the last part got; nil before
}

const (
	// uploadLifetime is how long an upload may take.
	uploadLifetime = 7 * 24 * time.Hour
	// chunkUnit is what the length of all parts but the last is a multiple of.
	chunkUnit = 256 << 10
	// statusCancelled is what becomes of an upload that its sender gives up.
	statusCancelled = 499
)

// beginUpload answers with the address that takes the parts.
func (r *request) beginUpload() (answer, error) {
	meta, err := parseMetadata(r.body)
	if err != nil {
		return answer{}, err
	}
	meta.ContentType = cmp.Or(meta.ContentType, r.Header.Get("X-Upload-Content-Type"))
	b, err := r.intoBucket(&meta)
	if err != nil {
		return answer{}, err
	}
	size := int64(-1)
	if text := r.Header.Get("X-Upload-Content-Length"); text != "" {
		if size, err = strconv.ParseInt(text, 10, 64); err != nil || size < 0 {
			return answer{}, invalid("Invalid X-Upload-Content-Length.")
		}
	}
	id := randomText()
	r.server.others.uploads[id] = &upload{bucket: b, meta: meta, by: r.token, expires: r.now.Add(uploadLifetime), size: size}
	query := url.Values{"uploadType": {"resumable"}, "name": {meta.Name}, "upload_id": {id}}
	for _, kept := range []string{"ifGenerationMatch", "ifGenerationNotMatch"} {
		if r.form.Has(kept) {
			query.Set(kept, r.form.Get(kept))
		}
	}
	out := answer{header: contentType("text/plain; charset=utf-8")}
	return out.with("Location", r.own(r.URL.EscapedPath()+"?"+query.Encode())).with("X-Guploader-Uploadid", id), nil
}

// uploadOf is the upload that the request goes on with.
func (r *request) uploadOf() (*upload, error) {
	u := r.server.others.uploads[r.form.Get("upload_id")]
	if u == nil || u.bucket.name != r.vars["bucket"] || !r.now.Before(u.expires) {
		return nil, notFound("The requested upload was not found.")
	}
	r.token, r.vars["project"] = u.by, u.bucket.project.id
	return u, nil
}

// continueUpload takes a part, or tells how far the upload has come.
func continueUpload(r *request) (answer, error) {
	u, err := r.uploadOf()
	if err != nil {
		return answer{}, err
	}
	if u.done != nil {
		return *u.done, nil
	}
	if err := u.take(r.Header.Get("Content-Range"), r.body); err != nil {
		return answer{}, err
	}
	if int64(len(u.content)) != u.size {
		return u.soFar(), nil
	}
	if err := r.checkConditions(u.bucket.objects[u.meta.Name]); err != nil {
		return answer{}, err
	}
	out, err := r.store(u.bucket, u.meta, u.content)
	if err == nil {
		u.done = &out
	}
	return out, err
}

// soFar is the answer for an upload that is not whole.
func (u *upload) soFar() answer {
	out := answer{status: http.StatusPermanentRedirect}
	if len(u.content) == 0 {
		return out
	}
	return out.with("Range", fmt.Sprintf("bytes=0-%d", len(u.content)-1))
}

// take adds a part to the upload, where it is behind those that it has.
func (u *upload) take(contentRange string, body []byte) error {
	from, size, err := parseContentRange(contentRange, len(body))
	if err != nil {
		return err
	}
	end, have, whole := from+int64(len(body)), int64(len(u.content)), max(size, u.size)
	switch {
	case min(size, u.size) >= 0 && size != u.size, whole >= 0 && max(end, have) > whole:
		return invalid("Invalid request. The size of the upload differs from what was said before.")
	case len(body) > 0 && end != whole && len(body)%chunkUnit != 0:
		return invalid("Invalid request. The number of bytes uploaded is required to be equal or greater than %[1]d, except for the final request "+
			"(it's recommended to be the exact multiple of %[1]d). The received request contained %d bytes, which does not meet this requirement.", chunkUnit, len(body))
	}
	u.size = whole
	if from <= have && have < end {
		u.content = append(u.content, body[have-from:]...)
	}
	return nil
}

var contentRanges = field.Lazily(`^bytes (?:\*|([0-9]{1,15})-([0-9]{1,15}))/(\*|[0-9]{1,15})$`)

// parseContentRange is where a part of some length begins, and the size of the whole, -1
// where that is not known. No text is the whole in one part.
func parseContentRange(text string, length int) (from, size int64, err error) {
	if text == "" {
		return 0, int64(length), nil
	}
	found := contentRanges.FindStringSubmatch(text)
	if found == nil || found[1] == "" && length > 0 {
		return 0, 0, invalid("Failed to parse Content-Range header.")
	}
	size = -1
	if found[3] != "*" {
		size, _ = strconv.ParseInt(found[3], 10, 64) // fifteen digits
	}
	from, _ = strconv.ParseInt(cmp.Or(found[1], "0"), 10, 64)
	if to, err := strconv.ParseInt(found[2], 10, 64); err == nil && to-from+1 != int64(length) {
		return 0, 0, invalid("Invalid request. There were %d byte(s) in the request body. There should have been %d byte(s) according to the Content-Range header.",
			length, to-from+1)
	}
	return from, size, nil
}

// cancelUpload ends an upload.
func cancelUpload(r *request) (answer, error) {
	if _, err := r.uploadOf(); err != nil {
		return answer{}, err
	}
	delete(r.server.others.uploads, r.form.Get("upload_id"))
	return answer{status: statusCancelled}, nil
}
