package aws

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/hop"
	"github.com/svcconn/svcconn/pkg/registryname"
	"github.com/svcconn/svcconn/pkg/secret"
)

// metadataPatience bounds what a metadata service is asked: it is on this machine, or
// nowhere.
const metadataPatience = 5 * time.Second

// maxMetadata is more than a metadata service has to say of keys, in bytes.
const maxMetadata = 64 << 10

// direct is a client that goes through no proxy: it would see the keys in plain text.
func (c *clients) direct() *http.Client {
	client := *c.http
	client.Transport = withoutProxy(client.Transport)
	return &client
}

// containerSource gets the keys of a container of ECS, of a pod of EKS with an identity
// of its own, or of whatever else speaks their protocol.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
type containerSource struct {
	c         *clients
	uri       string
	tokenFile string
	token     secret.Text
}

func (*containerSource) relevant(want purpose) purpose { return purpose{lifetime: want.lifetime} }

func (s *containerSource) keys(ctx context.Context, want purpose) (keys, error) {
	if want.lifetime != 0 {
		return keys{}, unaskable("the container")
	}
	token, err := s.authorization()
	if err != nil {
		return keys{}, err
	}
	header := http.Header{}
	if !token.IsEmpty() {
		header.Set("Authorization", token.Reveal())
	}
	name := "the container's keys at " + s.uri
	raw, err := s.c.ask(ctx, name, http.MethodGet, s.uri, header, token)
	if err != nil {
		return keys{}, err
	}
	return readMetadata(raw, name, token)
}

// authorization is the token to show.
func (s *containerSource) authorization() (secret.Text, error) {
	token := s.token
	if s.tokenFile != "" {
		text, err := readSmall(s.tokenFile)
		if err != nil {
			return token, fault.Within(err, "field %s", containerTokenFile.Name)
		}
		token = secret.New(strings.TrimRight(text, "\r\n"))
	}
	return token, fault.Within(checkHeader(token), "field %s", containerTokenFile.Name)
}

// checkHeader refuses what a header cannot have.
func checkHeader(token secret.Text) error {
	if strings.ContainsFunc(token.Reveal(), unicode.IsControl) {
		return fault.New(fault.Invalid, "it has line breaks or control characters in it").Hint("it has to be the token alone")
	}
	return nil
}

// ask asks a metadata service, and returns what it answers. sent is the secret among the
// headers.
func (c *clients) ask(ctx context.Context, name, method, uri string, header http.Header, sent secret.Text) ([]byte, error) {
	limited, cancel := context.WithTimeout(ctx, metadataPatience)
	defer cancel()
	request, err := http.NewRequestWithContext(limited, method, uri, nil)
	if err != nil {
		return nil, fault.New(fault.Invalid, "%w", err)
	}
	request.Header = header
	service := hop.Hop{Name: name, Advice: metadataAdvice}
	response, err := c.direct().Do(request)
	if err != nil {
		return nil, service.Silent(limited, err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(response.Body, maxMetadata))
	switch {
	case err != nil:
		return nil, service.Silent(limited, err)
	case response.StatusCode == http.StatusOK:
		return raw, nil
	}
	return nil, refusedBy(name, response.StatusCode, raw, sent)
}

// metadataAdvice is what a person can do about a metadata service that gives no answer.
var metadataAdvice = &hop.Advice{
	Late:        "it is there inside the container or instance alone; check the address",
	Unreachable: "it is there inside the container or instance alone; check the address",
	Unusable:    "check the address",
}

// refusedBy is the error for an answer without keys, in the service's own words.
func refusedBy(name string, status int, raw []byte, sent secret.Text) error {
	var said struct{ Code, Message string }
	_ = json.Unmarshal(raw, &said) // not all of them say anything
	words := hop.Scrubbed(strings.Trim(said.Code+": "+said.Message, ": "), sent)
	kind := fault.Failed
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		kind = fault.Denied
	case status == http.StatusTooManyRequests || status >= http.StatusInternalServerError:
		kind = fault.Unavailable
	}
	return fault.New(kind, "%s: %w", name, metadataRefusal{status, words})
}

// metadataRefusal is an answer without keys.
type metadataRefusal struct {
	status int
	words  string
}

// Error implements error.
func (m metadataRefusal) Error() string { return hop.Status(m.status, m.words) }

// readMetadata reads the keys that a metadata service gives. sent is the secret that it
// was shown.
func readMetadata(raw []byte, name string, sent secret.Text) (keys, error) {
	var out struct {
		issuedText
		Code, Message string
	}
	if json.Unmarshal(raw, &out) != nil {
		return keys{}, fault.New(fault.Failed, "%s: the answer is not JSON of keys", name)
	}
	if out.Code != "" && out.Code != "Success" {
		return keys{}, fault.New(fault.Denied, "%s: %s", name, hop.OneLine(hop.Scrubbed(out.Code+": "+out.Message, sent)))
	}
	k, err := out.keys()
	return k, fault.Within(err, "%s", name)
}

// instanceSource gets the keys of the role of an EC2 instance, by the second version of
// its metadata service alone. The SDK's own provider bounds them to an hour of its own.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html
type instanceSource struct {
	c        *clients
	endpoint string
}

// What the metadata service of an instance is asked.
const (
	metadataName     = "the instance's metadata"
	metadataToken    = "/latest/api/token"
	metadataRoles    = "/latest/meta-data/iam/security-credentials/"
	metadataLife     = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds"
	metadataShow     = "X-Aws-Ec2-Metadata-Token"
	metadataLifetime = "60" // seconds: a token serves for the questions of one mint
)

func (*instanceSource) relevant(want purpose) purpose { return purpose{lifetime: want.lifetime} }

func (s *instanceSource) keys(ctx context.Context, want purpose) (keys, error) {
	if want.lifetime != 0 {
		return keys{}, unaskable("the instance")
	}
	raw, err := s.c.ask(ctx, metadataName, http.MethodPut, s.endpoint+metadataToken, http.Header{metadataLife: {metadataLifetime}}, secret.Text{})
	if err != nil {
		return keys{}, err
	}
	token := secret.New(string(raw))
	if err := checkHeader(token); err != nil || token.IsEmpty() {
		return keys{}, fault.New(fault.Failed, "%s: the answer is no token", metadataName)
	}
	if raw, err = s.ask(ctx, "", token); err != nil {
		return keys{}, err
	}
	name, _, _ := strings.Cut(strings.TrimSpace(string(raw)), "\n")
	if raw, err = s.ask(ctx, url.PathEscape(name), token); err != nil {
		return keys{}, err
	}
	return readMetadata(raw, metadataName, token)
}

// ask asks for the keys of a role, or for its name.
func (s *instanceSource) ask(ctx context.Context, role string, token secret.Text) ([]byte, error) {
	raw, err := s.c.ask(ctx, metadataName, http.MethodGet, s.endpoint+metadataRoles+role, http.Header{metadataShow: {token.Reveal()}}, token)
	var refusal metadataRefusal
	if errors.As(err, &refusal) && refusal.status == http.StatusNotFound {
		return nil, fault.New(fault.Denied, "the instance has no role").Hint("attach an instance profile to it")
	}
	return raw, err
}

// Where the metadata services are, in plain HTTP.
const (
	instanceHost  = "169.254.169.254"
	instanceHost6 = "fd00:ec2::254"
	containerHost = "169.254.170.2"
	podHost       = "169.254.170.23"
	podHost6      = "fd00:ec2::23"
)

func checkContainerURI(text string) (string, error) {
	return text, checkMetadata(text, containerHost, podHost, podHost6)
}

func checkInstance(text string) (string, error) {
	return strings.TrimRight(text, "/"), checkMetadata(text, instanceHost, instanceHost6)
}

// checkMetadata refuses plain HTTP to anywhere but this machine and the known addresses,
// as the SDKs do: what is there is shown a token, and gives keys.
func checkMetadata(text string, known ...string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil {
		return fault.New(fault.Invalid, "it is not the address of a metadata service").Hint("it looks like http://%s", known[0])
	}
	ip := net.ParseIP(u.Hostname())
	local := registryname.Loopback(u.Hostname()) || ip != nil && slices.ContainsFunc(known, func(host string) bool { return ip.Equal(net.ParseIP(host)) })
	if u.Scheme != "https" && (u.Scheme != "http" || !local) {
		return fault.New(fault.Invalid, "plain http is for %s and this machine alone", strings.Join(known, ", "))
	}
	return nil
}
