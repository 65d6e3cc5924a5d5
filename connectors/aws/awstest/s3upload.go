package awstest

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// How an upload's body is sent, as X-Amz-Content-Sha256 says: whole, or in chunks that
// are each signed or not, with or without a trailer.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
const (
	streamUnsignedTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
	streamSigned          = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	streamSignedTrailer   = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
)

// maxChunkLine is the most that a line between chunks may have.
const maxChunkLine = 4 << 10

// crc64NVME is the polynomial of CRC-64/NVME, reversed.
const crc64NVME = 0x9a6c9329ac4bc9b5

// checksums are the headers and trailers that may state a checksum of an object.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
func checksums() map[string]func() hash.Hash {
	return map[string]func() hash.Hash{
		"x-amz-checksum-crc32":     func() hash.Hash { return crc32.NewIEEE() },
		"x-amz-checksum-crc32c":    func() hash.Hash { return crc32.New(crc32.MakeTable(crc32.Castagnoli)) },
		"x-amz-checksum-crc64nvme": func() hash.Hash { return crc64.New(crc64.MakeTable(crc64NVME)) },
		"x-amz-checksum-sha1":      sha1.New,
		"x-amz-checksum-sha256":    sha256.New,
		"content-md5":              md5.New,
	}
}

// checkSums compares an upload with the checksums that its headers or trailers state.
func checkSums(content []byte, stated http.Header) error {
	for name, newHash := range checksums() {
		want := stated.Get(name)
		if want == "" {
			continue
		}
		h := newHash()
		h.Write(content)
		if got := base64.StdEncoding.EncodeToString(h.Sum(nil)); got != want {
			return badDigest(name)
		}
	}
	return nil
}

// badDigest is S3's answer to an upload that is not what its checksum says.
func badDigest(name string) error {
	if name == "content-md5" {
		return invalid("BadDigest", "The Content-MD5 you specified did not match what we received.")
	}
	algorithm := strings.ToUpper(strings.TrimPrefix(name, "x-amz-checksum-"))
	return invalid("BadDigest", "The %s you specified did not match the calculated checksum.", algorithm)
}

// upload is the object in a request's body, checked against all that the request says of it.
// The signature of the request itself was checked before.
func (r *request) upload() ([]byte, error) {
	mode := r.Header.Get(contentSHA256)
	if !strings.HasPrefix(mode, "STREAMING-") {
		return r.body, checkSums(r.body, r.Header)
	}
	content, trailer, err := r.unchunk(mode)
	if err != nil {
		return nil, err
	}
	if want := r.Header.Get("X-Amz-Decoded-Content-Length"); want != strconv.Itoa(len(content)) {
		return nil, invalid("IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header.")
	}
	return content, errors.Join(checkSums(content, r.Header), checkSums(content, trailer))
}

// unchunk takes a body in chunks apart.
func (r *request) unchunk(mode string) (content []byte, trailer http.Header, err error) {
	if !slices.Contains([]string{streamUnsignedTrailer, streamSigned, streamSignedTrailer}, mode) {
		return nil, nil, invalid("InvalidRequest", "The value of x-amz-content-sha256 header is invalid.")
	}
	if !strings.Contains(r.Header.Get("Content-Encoding"), "aws-chunked") {
		return nil, nil, malformedChunks("Content-Encoding is not aws-chunked")
	}
	in := bufio.NewReaderSize(bytes.NewReader(r.body), maxChunkLine)
	var signatures *chunkSignatures
	if mode != streamUnsignedTrailer {
		signatures = &chunkSignatures{signed: r.signed, last: r.signed.value}
	}
	for {
		chunk, err := readChunk(in, signatures)
		if err != nil {
			return nil, nil, err
		}
		if len(chunk) == 0 {
			break
		}
		content = append(content, chunk...)
	}
	trailer, err = readTrailer(in, r.Header.Values("X-Amz-Trailer"), signatures)
	return content, trailer, err
}

func malformedChunks(format string, args ...any) error {
	return invalid("InvalidRequest", "The aws-chunked body is malformed: "+format, args...)
}

// readLine reads a line that ends with CR LF, without them.
func readLine(in *bufio.Reader) (string, error) {
	line, err := in.ReadSlice('\n')
	text, ended := strings.CutSuffix(string(line), "\r\n")
	if err != nil || !ended {
		return "", malformedChunks("a line has no end")
	}
	return text, nil
}

// readChunk reads one chunk; the last one is empty, and its data has no line end.
func readChunk(in *bufio.Reader, signatures *chunkSignatures) ([]byte, error) {
	line, err := readLine(in)
	if err != nil {
		return nil, err
	}
	digits, signature, signed := strings.Cut(line, ";chunk-signature=")
	size, err := strconv.ParseInt(digits, 16, 64)
	if err != nil || size < 0 || size > maxBody || signed != (signatures != nil) {
		return nil, malformedChunks("its chunk header is %q", line)
	}
	data := make([]byte, size)
	if _, err := io.ReadFull(in, data); err != nil {
		return nil, invalid("IncompleteBody", "The request body terminated unexpectedly")
	}
	if signed && !signatures.chunk(data, signature) {
		return nil, wrongChunkSignature()
	}
	if size == 0 {
		return nil, nil
	}
	if end, err := readLine(in); err != nil || end != "" {
		return nil, malformedChunks("a chunk is longer than it says")
	}
	return data, nil
}

// trailerSignature is the line behind a trailer that signs it.
const trailerSignature = "x-amz-trailer-signature"

// readTrailer reads the trailer: what the header X-Amz-Trailer announced, all of it and
// nothing else.
func readTrailer(in *bufio.Reader, announced []string, signatures *chunkSignatures) (http.Header, error) {
	trailer, signature, text := http.Header{}, "", ""
	for {
		line, err := readLine(in)
		if err != nil {
			return nil, err
		}
		if line == "" {
			break
		}
		name, value, _ := strings.Cut(line, ":")
		if name == trailerSignature {
			signature = value
			continue
		}
		trailer.Set(name, strings.TrimSpace(value))
		text += name + ":" + strings.TrimSpace(value) + "\n"
	}
	for _, name := range announced {
		if trailer.Get(name) == "" {
			return nil, malformedTrailer()
		}
	}
	if len(trailer) != len(announced) {
		return nil, malformedTrailer()
	}
	if signatures != nil && text != "" && !signatures.trailer(text, signature) {
		return nil, wrongChunkSignature()
	}
	return trailer, nil
}

func malformedTrailer() error {
	return invalid("MalformedTrailerError", "The request contained trailing data that was not well-formed or did not conform to our published schema.")
}

// chunkSignatures verifies the signatures of chunks, each of which signs the one before.
type chunkSignatures struct {
	signed *signature
	last   string
}

// chunk says whether a signature is the one of the next chunk.
func (c *chunkSignatures) chunk(data []byte, given string) bool {
	return c.next(algorithm+"-PAYLOAD", given, hexSHA256(nil), hexSHA256(data))
}

// trailer says whether a signature is the one of the trailer.
func (c *chunkSignatures) trailer(text, given string) bool {
	return c.next(algorithm+"-TRAILER", given, hexSHA256([]byte(text)))
}

func (c *chunkSignatures) next(kind, given string, hashes ...string) bool {
	text := strings.Join(slices.Concat([]string{kind, c.signed.date, c.signed.scope(), c.last}, hashes), "\n")
	c.last = hex.EncodeToString(mac(c.signed.signingKey, text))
	return hmac.Equal([]byte(c.last), []byte(given))
}

func hexSHA256(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func wrongChunkSignature() error {
	wrong := restXMLWords[wrongSignature]
	return &wrong
}
