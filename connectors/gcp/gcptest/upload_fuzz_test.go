package gcptest

import (
	"errors"
	"strings"
	"testing"
)

// FuzzParseMultipart: whatever the body is, there is an object or an error of Cloud
// Storage, and never more content than body.
func FuzzParseMultipart(f *testing.F) {
	f.Add("multipart/related; boundary=xyz", "--xyz\r\n\r\n{}\r\n--xyz\r\n\r\nx\r\n--xyz--\r\n")
	f.Add("multipart/related; boundary='==1=='", "--==1==\n\n{\"name\":\"x\"}\n--==1==\nContent-Type: a/b\n\n\n--==1==--")
	f.Add("multipart/related", "")
	f.Fuzz(func(t *testing.T, contentType, body string) {
		_, content, err := parseMultipart(contentType, []byte(body))
		var api *apiError
		if err != nil && !errors.As(err, &api) {
			t.Errorf("%q: %v", body, err)
		}
		if !strings.Contains(body, string(content)) {
			t.Errorf("%q became %q", body, content)
		}
	})
}

// FuzzTake: whatever parts are sent in whatever order, an upload has the beginning of what
// was sent, and never more than its size.
func FuzzTake(f *testing.F) {
	f.Add("bytes 0-4/5", "hello", "bytes */*", "")
	f.Add("", "", "bytes 3-5/*", "abc")
	f.Add("bytes 0-2/9", "abc", "bytes 2-8/9", "cdefghi")
	f.Fuzz(func(t *testing.T, first, one, second, two string) {
		u := &upload{size: -1}
		var api *apiError
		for _, part := range [][2]string{{first, one}, {second, two}} {
			contentRange, body := part[0], part[1]
			before := string(u.content)
			err := u.take(contentRange, []byte(body))
			if err != nil && !errors.As(err, &api) {
				t.Errorf("%q: %v", contentRange, err)
			}
			if !strings.HasPrefix(string(u.content), before) || err != nil && string(u.content) != before {
				t.Errorf("%q made %q of %q", contentRange, u.content, before)
			}
			if u.size >= 0 && int64(len(u.content)) > u.size {
				t.Errorf("%d of %d bytes", len(u.content), u.size)
			}
		}
	})
}
