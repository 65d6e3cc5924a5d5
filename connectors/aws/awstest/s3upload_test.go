package awstest

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// chunked is a request with a body in chunks, of a key that signs chunks.
func chunked(mode, body, decodedLength string, announced ...string) *request {
	header := http.Header{
		"X-Amz-Content-Sha256": {mode}, "Content-Encoding": {"aws-chunked"}, "X-Amz-Decoded-Content-Length": {decodedLength}, "X-Amz-Trailer": announced,
	}
	seed := &signature{day: "20130524", region: "us-east-1", service: "s3", date: "20130524T000000Z"}
	seed.signingKey = signingKey("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", seed)
	seed.value = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
	return &request{Request: &http.Request{Header: header}, signed: seed, body: []byte(body)}
}

const crc32OfHello = "NhCmhg==" // of "hello"

func unsigned(chunks, trailer string) string { return chunks + "0\r\n" + trailer + "\r\n" }

func TestChunkedUploads(t *testing.T) {
	t.Parallel()
	const name = "x-amz-checksum-crc32"
	good := unsigned("2\r\nhe\r\n3\r\nllo\r\n", name+":"+crc32OfHello+"\r\n")
	for what, test := range map[string]struct {
		r       *request
		content string
		code    string // "" is none
	}{
		"good":                       {chunked(streamUnsignedTrailer, good, "5", name), "hello", ""},
		"empty":                      {chunked(streamUnsignedTrailer, unsigned("", ""), "0"), "", ""},
		"a wrong checksum":           {chunked(streamUnsignedTrailer, unsigned("5\r\nhellO\r\n", name+":"+crc32OfHello+"\r\n"), "5", name), "", "BadDigest"},
		"another length":             {chunked(streamUnsignedTrailer, good, "6", name), "", "IncompleteBody"},
		"no length":                  {chunked(streamUnsignedTrailer, good, "", name), "", "IncompleteBody"},
		"a trailer less":             {chunked(streamUnsignedTrailer, unsigned("5\r\nhello\r\n", ""), "5", name), "", "MalformedTrailerError"},
		"a trailer more":             {chunked(streamUnsignedTrailer, good, "5"), "", "MalformedTrailerError"},
		"no end":                     {chunked(streamUnsignedTrailer, "5\r\nhello\r\n", "5"), "", "InvalidRequest"},
		"a body that ends early":     {chunked(streamUnsignedTrailer, "5\r\nhel", "5"), "", "IncompleteBody"},
		"a chunk that goes on":       {chunked(streamUnsignedTrailer, "2\r\nhello\r\n0\r\n\r\n", "5"), "", "InvalidRequest"},
		"a size below nothing":       {chunked(streamUnsignedTrailer, "-5\r\nhello\r\n0\r\n\r\n", "5"), "", "InvalidRequest"},
		"a huge size":                {chunked(streamUnsignedTrailer, "7fffffffffffffff\r\nhello\r\n0\r\n\r\n", "5"), "", "InvalidRequest"},
		"a signature where none is":  {chunked(streamUnsignedTrailer, "5;chunk-signature=00\r\nhello\r\n0\r\n\r\n", "5"), "", "InvalidRequest"},
		"no signature where one is":  {chunked(streamSigned, good, "5"), "", "InvalidRequest"},
		"a wrong signature":          {chunked(streamSigned, "5;chunk-signature=00\r\nhello\r\n", "5"), "", "SignatureDoesNotMatch"},
		"a form that is not for us":  {chunked("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", good, "5"), "", "InvalidRequest"},
		"a line that does not end":   {chunked(streamUnsignedTrailer, strings.Repeat("0", maxChunkLine+1), "0"), "", "InvalidRequest"},
		"lines that end with LF":     {chunked(streamUnsignedTrailer, strings.ReplaceAll(good, "\r\n", "\n"), "5", name), "", "InvalidRequest"},
		"a checksum in the header":   {stating(chunked(streamUnsignedTrailer, good, "5", name), "x-amz-checksum-sha1", "AAAA"), "", "BadDigest"},
		"an encoding that says less": {stating(chunked(streamUnsignedTrailer, good, "5", name), "Content-Encoding", "gzip"), "", "InvalidRequest"},
	} {
		content, err := test.r.upload()
		var api *apiError
		switch {
		case test.code == "" && (err != nil || string(content) != test.content):
			t.Errorf("%s: %q, %v", what, content, err)
		case test.code != "" && (!errors.As(err, &api) || api.code != test.code):
			t.Errorf("%s: %v, want %s", what, err, test.code)
		}
	}
}

func stating(r *request, name, value string) *request {
	r.Header.Set(name, value)
	return r
}

// TestSignedChunksOfTheDocumentation is the example of
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html.
func TestSignedChunksOfTheDocumentation(t *testing.T) {
	t.Parallel()
	signatures := []string{
		"ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
		"0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
		"b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
	}
	body := ""
	for i, size := range []int{65536, 1024, 0} {
		body += fmt.Sprintf("%x;chunk-signature=%s\r\n%s\r\n", size, signatures[i], strings.Repeat("a", size))
	}
	content, err := chunked(streamSigned, body, "66560").upload()
	if err != nil || string(content) != strings.Repeat("a", 66560) {
		t.Fatalf("%d bytes, %v", len(content), err)
	}
	for i := range signatures { // each chunk signs the ones before it
		at := strings.Index(body, signatures[i])
		if _, err := chunked(streamSigned, body[:at]+"ff"+body[at+2:], "66560").upload(); err == nil {
			t.Errorf("chunk %d may have any signature", i)
		}
	}
}

// TestSignedTrailer signs with the same code as it verifies with: that of the example
// above, whose format of a trailer is the one of
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html.
func TestSignedTrailer(t *testing.T) {
	t.Parallel()
	const name = "x-amz-checksum-crc32c"
	sum := checksums()[name]()
	sum.Write([]byte("hello"))
	line := name + ":" + base64.StdEncoding.EncodeToString(sum.Sum(nil))
	signer := chunked(streamSignedTrailer, "", "")
	last := signer.signed.value
	next := func(kind string, hashes ...string) string {
		text := kind + "\n" + signer.signed.date + "\n" + signer.signed.scope() + "\n" + last + "\n" + strings.Join(hashes, "\n")
		last = hex.EncodeToString(mac(signer.signed.signingKey, text))
		return last
	}
	empty := hexSHA256(nil)
	body := "5;chunk-signature=" + next("AWS4-HMAC-SHA256-PAYLOAD", empty, hexSHA256([]byte("hello"))) + "\r\nhello\r\n" +
		"0;chunk-signature=" + next("AWS4-HMAC-SHA256-PAYLOAD", empty, empty) + "\r\n" + line + "\r\n"
	signature := next("AWS4-HMAC-SHA256-TRAILER", hexSHA256([]byte(line+"\n")))
	if content, err := chunked(streamSignedTrailer, body+trailerSignature+":"+signature+"\r\n\r\n", "5", name).upload(); err != nil || string(content) != "hello" {
		t.Errorf("%q, %v", content, err)
	}
	for _, wrong := range []string{"", trailerSignature + ":" + strings.Repeat("0", 64) + "\r\n"} {
		if _, err := chunked(streamSignedTrailer, body+wrong+"\r\n", "5", name).upload(); err == nil {
			t.Errorf("a trailer with the signature %q is good", wrong)
		}
	}
}

// TestChecksums are those of "123456789" that catalogues of checksums list.
func TestChecksums(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"x-amz-checksum-crc32": "cbf43926", "x-amz-checksum-crc32c": "e3069283", "x-amz-checksum-crc64nvme": "ae8b14860a799888",
		"x-amz-checksum-sha1": "f7c3bc1d808e04732adf679965ccc34ca7ae3441", "content-md5": "25f9e794323b453885f5181f1b624d0b",
	} {
		h := checksums()[name]()
		h.Write([]byte("123456789"))
		if got := hex.EncodeToString(h.Sum(nil)); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// FuzzUnchunk: whatever the body is, there is content or an error of S3, never more
// content than body.
func FuzzUnchunk(f *testing.F) {
	f.Add("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:"+crc32OfHello+"\r\n\r\n", false)
	f.Add("5;chunk-signature=00\r\nhello\r\n0;chunk-signature=00\r\n\r\n", true)
	f.Add("", false)
	f.Fuzz(func(t *testing.T, body string, signed bool) {
		mode := streamUnsignedTrailer
		if signed {
			mode = streamSignedTrailer
		}
		content, _, err := chunked(mode, body, "5").unchunk(mode)
		var api *apiError
		if err != nil && !errors.As(err, &api) {
			t.Errorf("%q: %v", body, err)
		}
		if len(content) > len(body) {
			t.Errorf("%q became %q", body, content)
		}
	})
}
