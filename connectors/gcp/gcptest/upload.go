package gcptest

import (
	"bytes"
	"cmp"
	"io"
	"mime/multipart"
	"net/textproto"
	"strings"
	"unicode/utf8"
)

// defaultType is the content type of an object that came with none.
const defaultType = "application/octet-stream"

// insertObject stores an object, or begins an upload in parts.
// https://cloud.google.com/storage/docs/uploads-downloads
func insertObject(r *request) (answer, error) {
	if r.form.Get("uploadType") == "resumable" {
		return r.beginUpload()
	}
	meta, content, err := r.uploaded()
	if err != nil {
		return answer{}, err
	}
	b, err := r.intoBucket(&meta)
	if err != nil {
		return answer{}, err
	}
	return r.store(b, meta, content)
}

// uploaded takes the object out of a request that has it whole.
func (r *request) uploaded() (metadata, []byte, error) {
	switch kind := r.form.Get("uploadType"); kind {
	case "media":
		return metadata{ContentType: r.Header.Get("Content-Type")}, r.body, nil
	case "multipart":
		return parseMultipart(r.Header.Get("Content-Type"), r.body)
	default:
		return metadata{}, nil, invalid("Invalid upload type: '%s'.", kind)
	}
}

// intoBucket finds the bucket for a new object, whose metadata it completes.
func (r *request) intoBucket(meta *metadata) (*Bucket, error) {
	meta.Name = cmp.Or(r.form.Get("name"), meta.Name)
	meta.ContentType = cmp.Or(meta.ContentType, defaultType)
	if err := checkObjectName(meta.Name); err != nil {
		return nil, err
	}
	b, err := r.inBucket("storage.objects.create", meta.Name)
	if err != nil {
		return nil, err
	}
	const overwrite = "storage.objects.delete"
	if b.objects[meta.Name] != nil && !r.mayIn(b.name, overwrite, meta.Name) {
		return nil, r.refuseStorage(overwrite, "Google Cloud Storage object")
	}
	return b, r.checkConditions(b.objects[meta.Name])
}

// checkObjectName refuses what no object may be called.
// https://cloud.google.com/storage/docs/objects#naming
func checkObjectName(name string) error {
	switch {
	case name == "":
		return invalid("Required parameter: name")
	case len(name) > 1024, !utf8.ValidString(name), strings.ContainsAny(name, "\r\n"), name == ".", name == "..",
		strings.HasPrefix(name, ".well-known/acme-challenge/"):
		return invalid("Invalid object name.")
	}
	return nil
}

// store keeps what was uploaded, if it is what its sender says it is.
func (r *request) store(b *Bucket, meta metadata, content []byte) (answer, error) {
	md5Hash, crc32c := sums(content)
	switch {
	case meta.MD5 != "" && meta.MD5 != md5Hash:
		return answer{}, invalid("Provided MD5 hash \"%s\" doesn't match calculated MD5 hash \"%s\".", meta.MD5, md5Hash)
	case meta.CRC32C != "" && meta.CRC32C != crc32c:
		return answer{}, invalid("Provided CRC32C \"%s\" doesn't match calculated CRC32C \"%s\".", meta.CRC32C, crc32c)
	}
	o := &object{metadata: meta, content: content}
	b.store(r.server, o)
	return answerJSON(o.described(r, b))
}

// parseMultipart takes metadata and content out of a body of multipart/related. Like
// Google, it takes boundaries in single quotes, and lines that end with LF: gcloud sends
// both.
func parseMultipart(contentType string, body []byte) (metadata, []byte, error) {
	malformed := invalid("Malformed multipart body.")
	media, rest, _ := strings.Cut(contentType, ";")
	_, boundary, _ := strings.Cut(rest, "boundary=")
	boundary, _, _ = strings.Cut(boundary, ";")
	boundary = strings.Trim(boundary, `'" `)
	if !strings.EqualFold(strings.TrimSpace(media), "multipart/related") || boundary == "" {
		return metadata{}, nil, malformed
	}
	parts := multipart.NewReader(bytes.NewReader(body), boundary)
	_, text, err := nextPart(parts)
	if err != nil {
		return metadata{}, nil, malformed
	}
	meta, err := parseMetadata(text)
	if err != nil {
		return metadata{}, nil, err
	}
	header, content, err := nextPart(parts)
	if err != nil {
		return metadata{}, nil, malformed
	}
	if _, err := parts.NextRawPart(); err != io.EOF {
		return metadata{}, nil, malformed
	}
	meta.ContentType = cmp.Or(meta.ContentType, header.Get("Content-Type"))
	return meta, content, nil
}

func nextPart(parts *multipart.Reader) (textproto.MIMEHeader, []byte, error) {
	part, err := parts.NextRawPart()
	if err != nil {
		return nil, nil, err
	}
	content, err := io.ReadAll(part)
	return part.Header, content, err
}
