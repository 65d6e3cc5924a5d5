package awstest

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
)

// canonical is the canonical request of Signature Version 4.
func (r *request) canonical() string {
	var headers strings.Builder
	for _, name := range r.signed.headers {
		headers.WriteString(name + ":" + r.headerValue(name) + "\n")
	}
	return strings.Join([]string{
		r.Method, r.canonicalPath(), canonicalQuery(r.URL.RawQuery), headers.String(),
		strings.Join(r.signed.headers, ";"), r.payload(),
	}, "\n")
}

// headerValue is a header as it is signed.
func (r *request) headerValue(name string) string {
	switch name {
	case "host":
		return r.Host
	case "content-length":
		return strconv.FormatInt(r.ContentLength, 10)
	}
	var values []string
	for _, value := range r.Header.Values(name) {
		values = append(values, collapsed(value))
	}
	return strings.Join(values, ",")
}

// collapsed is a header's value without the spaces that make no difference.
func collapsed(value string) string {
	value = strings.Trim(value, " ")
	for strings.Contains(value, "  ") {
		value = strings.ReplaceAll(value, "  ", " ")
	}
	return value
}

// canonicalPath is the path, encoded once for S3, and normalised and encoded twice for all
// others.
func (r *request) canonicalPath() string {
	sent := r.URL.EscapedPath()
	if sent == "" {
		sent = "/"
	}
	if r.signed.service == "s3" {
		return encoded(r.URL.Path, true)
	}
	clean := path.Clean(sent)
	if strings.HasSuffix(sent, "/") && clean != "/" {
		clean += "/"
	}
	return encoded(clean, true)
}

// canonicalQuery is the query, sorted and encoded anew, without the signature.
func canonicalQuery(raw string) string {
	var pairs []string
	for pair := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, nameErr := url.QueryUnescape(name)
		value, valueErr := url.QueryUnescape(value)
		if pair == "" || name == "X-Amz-Signature" || nameErr != nil || valueErr != nil {
			continue
		}
		// NUL sorts before all that an encoded name has
		pairs = append(pairs, encoded(name, false)+"\x00"+encoded(value, false))
	}
	slices.Sort(pairs)
	return strings.ReplaceAll(strings.Join(pairs, "&"), "\x00", "=")
}

// encoded encodes all but RFC 3986's unreserved characters, and slashes where they stay.
func encoded(text string, keepSlash bool) string {
	var out strings.Builder
	for i := range len(text) {
		c := text[i]
		switch {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', strings.IndexByte("-_.~", c) >= 0, c == '/' && keepSlash:
			out.WriteByte(c)
		default:
			fmt.Fprintf(&out, "%%%02X", c)
		}
	}
	return out.String()
}
