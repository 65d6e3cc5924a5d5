package awstest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// signature is what a request says of its own signature: Signature Version 4, in the
// header Authorization or in the query.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
type signature struct {
	keyID, day, region, service string // the credential: an access key id, and the scope
	headers                     []string
	value                       string // the signature itself, lower-case hexadecimal
	date                        string // X-Amz-Date
	token                       string // the session token; "" is none
	presigned                   bool
	expires                     time.Duration // of presigned ones
	// signingKey is derived from the key's secret for the scope. It is there once the
	// signature was verified, and signs the chunks of an upload.
	signingKey []byte
}

const (
	algorithm     = "AWS4-HMAC-SHA256"
	scopeEnd      = "aws4_request"
	dateLayout    = "20060102T150405Z"
	window        = 15 * time.Minute // how far a date may be off
	maxExpires    = 7 * 24 * time.Hour
	unsignedBody  = "UNSIGNED-PAYLOAD"
	contentSHA256 = "x-amz-content-sha256"
)

// scope is the scope of the credential, as it is signed.
func (s *signature) scope() string {
	return strings.Join([]string{s.day, s.region, s.service, scopeEnd}, "/")
}

// readSignature finds the signature of a request; nil where there is none. What is
// malformed is an error in the words of the service that it names, where it names one.
func (r *request) readSignature() (*signature, error) {
	header := r.Header.Get("Authorization")
	switch {
	case strings.HasPrefix(header, "AWS4-"):
		return r.headerSignature(header)
	case r.form.Has("X-Amz-Algorithm") || r.form.Has("X-Amz-Signature"):
		return r.querySignature()
	}
	return nil, nil
}

func (r *request) headerSignature(header string) (*signature, error) {
	scheme, rest, _ := strings.Cut(header, " ")
	parts := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		parts[name] = value
	}
	s := &signature{
		headers: strings.Split(parts["SignedHeaders"], ";"), value: parts["Signature"],
		date: r.Header.Get("X-Amz-Date"), token: r.Header.Get("X-Amz-Security-Token"),
	}
	complete := s.readCredential(parts["Credential"])
	r.service = r.server.service[s.service]
	switch {
	case !complete:
		return nil, r.malformed("Authorization header requires 'Credential' parameter. Authorization=" + scheme)
	case scheme != algorithm, len(parts) != 3:
		return nil, r.malformed("Unsupported AWS 'algorithm' or parameters: '" + scheme + "'.")
	}
	return s, r.wellFormed(s)
}

func (r *request) querySignature() (*signature, error) {
	for name, values := range r.form {
		if strings.HasPrefix(name, "X-Amz-") && len(values) != 1 {
			return nil, r.malformed("'" + name + "' is there more than once")
		}
	}
	seconds, err := strconv.Atoi(r.form.Get("X-Amz-Expires"))
	s := &signature{
		headers: strings.Split(r.form.Get("X-Amz-SignedHeaders"), ";"), value: r.form.Get("X-Amz-Signature"),
		date: r.form.Get("X-Amz-Date"), token: r.form.Get("X-Amz-Security-Token"),
		presigned: true, expires: time.Duration(seconds) * time.Second,
	}
	complete := s.readCredential(r.form.Get("X-Amz-Credential"))
	r.service = r.server.service[s.service]
	switch {
	case !complete:
		return nil, r.malformed("AWS query-string parameters must include 'X-Amz-Credential'.")
	case r.form.Get("X-Amz-Algorithm") != algorithm:
		return nil, r.malformed("Unsupported AWS 'algorithm': '" + r.form.Get("X-Amz-Algorithm") + "'.")
	case r.service != nil && r.service.name == "s3" && (err != nil || s.expires < time.Second || s.expires > maxExpires):
		return nil, r.malformed("X-Amz-Expires must be between 1 and 604800 seconds")
	}
	return s, r.wellFormed(s)
}

// readCredential reads KEY/DAY/REGION/SERVICE/aws4_request.
func (s *signature) readCredential(text string) bool {
	parts := strings.Split(text, "/")
	if len(parts) != 5 || parts[4] != scopeEnd || slices.Contains(parts, "") {
		return false
	}
	s.keyID, s.day, s.region, s.service = parts[0], parts[1], parts[2], parts[3]
	return true
}

// hexSignature is how a signature is written.
var hexSignature = regexp.MustCompile(`^[0-9a-f]{64}$`)

func (r *request) wellFormed(s *signature) error {
	switch {
	case !slices.IsSorted(s.headers) || slices.Contains(s.headers, ""):
		return r.malformed("The signed headers are not a sorted list.")
	case !hexSignature.MatchString(s.value):
		return r.malformed("The signature has an invalid length or format.")
	case s.date == "":
		return r.malformed("The request requires the existence of either a 'X-Amz-Date' or a 'Date' header.")
	}
	return nil
}

// malformed refuses a signature that is none, even where it is not known whose words to
// use.
func (r *request) malformed(detail string) error {
	if r.service == nil {
		return invalid("IncompleteSignature", "%s", detail)
	}
	return r.refuse(incompleteSignature, detail)
}

// authenticate verifies the signature, and finds whose it is.
func (r *request) authenticate() error {
	if r.signed == nil {
		if r.service.public[r.action] {
			return nil
		}
		return r.refuse(missingToken, "")
	}
	for _, check := range []func() error{r.checkScope, r.checkHeaders, r.checkDate, r.checkBody} {
		if err := check(); err != nil {
			return err
		}
	}
	return r.checkKey()
}

// checkKey finds the key, and what the signature must be.
func (r *request) checkKey() error {
	s := r.signed
	key := r.server.keys[s.keyID]
	switch {
	case key == nil || key.revoked || partitionOf(s.region) != key.who.account.partition:
		return r.refuse(unknownKey, "")
	case key.who.account.disabled[s.region]:
		return r.disabled(key.who.account)
	case s.token != key.token && (s.token == "" || !key.temporary()):
		return r.refuse(unknownKey, "")
	case s.token != key.token:
		return r.refuse(wrongToken, "")
	}
	s.signingKey = signingKey(key.secret, s)
	if !hmac.Equal([]byte(s.value), []byte(hex.EncodeToString(mac(s.signingKey, r.stringToSign())))) {
		s.signingKey = nil
		return r.refuse(wrongSignature, "")
	}
	if key.temporary() && !r.now.Before(key.expires) {
		return r.refuse(expiredToken, "")
	}
	r.who, r.key = key.who, key
	return nil
}

// checkScope compares the scope with the request: its day, and its host where that is one
// of AWS's own.
func (r *request) checkScope() error {
	s := r.signed
	if day, _, _ := strings.Cut(s.date, "T"); day != s.day {
		return r.refuse(wrongScope, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '"+s.day+"' != '"+day+"', from '"+s.date+"'.")
	}
	host, ours := parseHost(r.Host)
	switch {
	case !regionName.MatchString(s.region), ours && s.region != host.region:
		return r.refuse(wrongScope, "")
	case ours && !host.serves(s.service):
		return r.refuse(wrongScope, "Credential should be scoped to correct service: '"+host.service+"'. ")
	}
	return nil
}

// checkHeaders refuses what must be signed and is not: the host and all of AWS's own
// headers.
func (r *request) checkHeaders() error {
	if !slices.Contains(r.signed.headers, "host") {
		return r.refuse(unsignedHeader, "")
	}
	for name := range r.Header {
		lower := strings.ToLower(name)
		if strings.HasPrefix(lower, "x-amz-") && !slices.Contains(r.signed.headers, lower) {
			return r.refuse(unsignedHeader, "'"+name+"' must be a 'SignedHeader' in the AWS Authorization.")
		}
	}
	for _, name := range r.signed.headers {
		if name != "host" && name != "content-length" && r.Header.Values(name) == nil {
			return r.refuse(wrongSignature, "")
		}
	}
	return nil
}

// checkDate refuses dates that are too far off. Presigned requests of S3 are good for as
// long as they say; those of others for as long as any.
func (r *request) checkDate() error {
	s := r.signed
	at, err := time.Parse(dateLayout, s.date)
	if err != nil {
		return r.malformed("Date must be in ISO-8601 'basic format'. Got '" + s.date + "'.")
	}
	ofS3 := s.service == "s3"
	valid := window
	if s.presigned && ofS3 {
		valid = s.expires
	}
	now, limit := r.now.UTC().Format(dateLayout), func(d time.Duration) string { return r.now.Add(d).UTC().Format(dateLayout) }
	switch {
	case r.now.Sub(at) > valid && s.presigned && ofS3:
		return r.refuse(denied, "Request has expired")
	case ofS3 && r.now.Sub(at).Abs() > valid:
		return r.refuse(skewed, "")
	case r.now.Sub(at) > valid:
		return r.refuse(skewed, "Signature expired: "+s.date+" is now earlier than "+limit(-window)+" ("+now+" - 15 min.)")
	case at.Sub(r.now) > window:
		return r.refuse(skewed, "Signature not yet current: "+s.date+" is still later than "+limit(window)+" ("+now+" + 15 min.)")
	}
	return nil
}

// checkBody compares the body with the hash that the request states, where it states one.
func (r *request) checkBody() error {
	stated := r.Header.Get(contentSHA256)
	switch {
	case r.signed.service != "s3":
		if stated != "" && stated != r.bodyHash() {
			return r.refuse(wrongSignature, "")
		}
	case stated == "" && !r.signed.presigned:
		return invalid("InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
	case stated != "" && stated != unsignedBody && !strings.HasPrefix(stated, "STREAMING-") && stated != r.bodyHash():
		return invalid("XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.")
	}
	return nil
}

func (r *request) bodyHash() string {
	sum := sha256.Sum256(r.body)
	return hex.EncodeToString(sum[:])
}

// payload is the last line of the canonical request.
func (r *request) payload() string {
	switch stated := r.Header.Get(contentSHA256); {
	case stated != "":
		return stated
	case r.signed.presigned && r.signed.service == "s3":
		return unsignedBody
	}
	return r.bodyHash()
}

func (r *request) stringToSign() string {
	sum := sha256.Sum256([]byte(r.canonical()))
	return strings.Join([]string{algorithm, r.signed.date, r.signed.scope(), hex.EncodeToString(sum[:])}, "\n")
}

func signingKey(secret string, s *signature) []byte {
	key := []byte("AWS4" + secret)
	for _, part := range []string{s.day, s.region, s.service, scopeEnd} {
		key = mac(key, part)
	}
	return key
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
