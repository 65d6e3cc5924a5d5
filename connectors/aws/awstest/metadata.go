package awstest

import (
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The lifetime of what the metadata services hand out, and how long before its end they
// have new keys.
const (
	metadataKeys   = 6 * time.Hour
	metadataAhead  = 15 * time.Minute
	maxMetadataTTL = 6 * time.Hour
)

// roleKeys are the keys of a role that a metadata service has at hand.
type roleKeys struct {
	server *Server
	role   string // ARN
	name   string // of the session
	key    *accessKey
}

// current is the keys to hand out now, nil where there is no such role. The caller holds
// the lock.
func (k *roleKeys) current() *accessKey {
	role := k.server.roleAt(k.role)
	if role == nil {
		return nil
	}
	if k.key == nil || k.key.revoked || k.key.expires.Sub(k.server.now()) < metadataAhead {
		k.key = k.server.issue(role.session(k.name), metadataKeys)
	}
	return k.key
}

// answer writes the keys as both metadata services have them, with further fields.
func (k *roleKeys) answer(w http.ResponseWriter, further map[string]string) {
	k.server.mu.Lock()
	key := k.current()
	k.server.mu.Unlock()
	if key == nil {
		http.Error(w, "there is no such role", http.StatusNotFound)
		return
	}
	body := map[string]string{
		"AccessKeyId": key.id, "SecretAccessKey": key.secret, "Token": key.token, "Expiration": key.expires.UTC().Format(time.RFC3339),
	}
	for name, value := range further {
		body[name] = value
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body)
}

// listen serves a metadata service on a port of its own.
func (s *Server) listen(handler http.Handler) (address string, err error) {
	at, err := s.listens.Listen(handler)
	return "http://" + at, err
}

// noteMetadata writes a request to a metadata service down in the journal.
func (s *Server) noteMetadata(name, action string) {
	s.journal.Add(Call{Service: name, Action: action, Time: s.now()})
}

// Instance starts the metadata service of an EC2 instance with that role, version 2 alone,
// and returns its address, an ec2_metadata_service_endpoint, with a slash at its end: the
// AWS CLI wants one. Its calls are in the journal
// as service "imds".
func (s *Server) Instance(roleARN string) (endpoint string, err error) {
	i := &instance{keys: roleKeys{server: s, role: roleARN, name: "i-0a1b2c3d4e5f60718"}, tokens: map[string]time.Time{}}
	address, err := s.listen(i)
	return address + "/", err
}

// instance is the metadata service of an instance.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html
type instance struct {
	keys   roleKeys
	tokens map[string]time.Time // when each ends; the server's lock guards it
}

const (
	imdsTokenPath = "/latest/api/token"
	imdsTTL       = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds"
	imdsToken     = "X-Aws-Ec2-Metadata-Token"
	imdsKeys      = "/latest/meta-data/iam/security-credentials/"
)

// ServeHTTP implements http.Handler.
func (i *instance) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s := i.keys.server
	if r.Method == http.MethodPut && r.URL.Path == imdsTokenPath {
		s.noteMetadata("imds", "Token")
		i.token(w, r)
		return
	}
	s.noteMetadata("imds", "Get")
	role := i.keys.role[strings.LastIndexByte(i.keys.role, '/')+1:]
	switch {
	case !i.knows(r.Header.Get(imdsToken)):
		http.Error(w, "Unauthorized", http.StatusUnauthorized)
	case r.Method != http.MethodGet:
		http.Error(w, "Method Not Allowed", http.StatusMethodNotAllowed)
	case r.URL.Path == imdsKeys:
		_, _ = io.WriteString(w, role)
	case r.URL.Path == imdsKeys+role:
		i.keys.answer(w, map[string]string{"Code": "Success", "Type": "AWS-HMAC", "LastUpdated": s.now().UTC().Format(time.RFC3339)})
	default:
		http.Error(w, "Not Found", http.StatusNotFound)
	}
}

// token gives a session token out. What came through a proxy gets none: the service is for
// the instance alone.
func (i *instance) token(w http.ResponseWriter, r *http.Request) {
	seconds, err := strconv.Atoi(r.Header.Get(imdsTTL))
	ttl := time.Duration(seconds) * time.Second
	switch {
	case r.Header.Get("X-Forwarded-For") != "":
		http.Error(w, "Forbidden", http.StatusForbidden)
		return
	case err != nil || ttl < time.Second || ttl > maxMetadataTTL:
		http.Error(w, "Bad Request", http.StatusBadRequest)
		return
	}
	s := i.keys.server
	s.mu.Lock()
	token := randomSecret(40)
	i.tokens[token] = s.now().Add(ttl)
	s.mu.Unlock()
	w.Header().Set(imdsTTL, strconv.Itoa(seconds))
	_, _ = io.WriteString(w, token)
}

func (i *instance) knows(token string) bool {
	s := i.keys.server
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now().Before(i.tokens[token])
}

// Container starts the endpoint that a container with that role has, and returns its
// address, which is an AWS_CONTAINER_CREDENTIALS_FULL_URI, and what must be in the header
// Authorization. Its calls are in the journal as service "container".
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
func (s *Server) Container(roleARN string) (uri, authorization string, err error) {
	keys := &roleKeys{server: s, role: roleARN, name: "container"}
	authorization = "Bearer " + rand.Text()
	address, err := s.listen(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.noteMetadata("container", "Get")
		if r.URL.Path != containerPath || r.Method != http.MethodGet || r.Header.Get("Authorization") != authorization {
			http.Error(w, `{"code":"Unauthorized","message":"the path or the authorization token is wrong"}`, http.StatusUnauthorized)
			return
		}
		keys.answer(w, map[string]string{"RoleArn": roleARN})
	}))
	return address + containerPath, authorization, err
}

const containerPath = "/v1/credentials"
