package gcp

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/hop"
	"github.com/svcconn/svcconn/pkg/registryname"
	"github.com/svcconn/svcconn/pkg/secret"
)

const (
	// metadataPatience bounds what a metadata server is asked: it is on this machine, or
	// nowhere.
	metadataPatience = 5 * time.Second
	// metadataHost is where the metadata server of Google's machines is. It has a name as
	// well, which a wrong resolver could send elsewhere.
	metadataHost = "169.254.169.254"
	// flavor is a header without which the metadata server answers nobody, and which it
	// puts on its answers: what else may be at the address does neither.
	flavor      = "Metadata-Flavor"
	flavorValue = "Google"
)

// metadataHosts are where plain HTTP may go beside this machine itself: the addresses of
// metadata servers of clouds, and the names of Google's.
var metadataHosts = []string{metadataHost, "fd20:ce::254", "fd00:ec2::254", "metadata.google.internal", "metadata.goog"}

// metadataServer tells of the machine, or the pod, that this runs on.
// https://cloud.google.com/compute/docs/metadata/querying-metadata
type metadataServer struct {
	c    *clients
	host string // "169.254.169.254", "127.0.0.1:8080"
}

// get asks for one value; one that is not there is fault.NotFound.
func (m metadataServer) get(ctx context.Context, path string, query url.Values) ([]byte, error) {
	address := &url.URL{Scheme: "http", Host: m.host, Path: "/computeMetadata/v1/" + path, RawQuery: query.Encode()}
	body, response, err := m.c.visit(ctx, m.String(), http.MethodGet, address, http.Header{flavor: {flavorValue}})
	switch {
	case err != nil:
		return nil, err
	case response.Header.Get(flavor) != flavorValue:
		return nil, fault.New(fault.Invalid, "%s is something else: its answer, %s, has no header %s: %s", m, hop.Status(response.StatusCode, ""), flavor, flavorValue).
			Hint("%s", metadataAdvice.Unusable)
	case response.StatusCode == http.StatusNotFound:
		return nil, fault.New(fault.NotFound, "%s has no %s", m, path)
	case response.StatusCode != http.StatusOK:
		return nil, fault.New(kindOfStatus(response.StatusCode), "%s: %s", m, hop.Status(response.StatusCode, string(body))).
			Hint("the service account, or for GKE its binding to Google's, has to be there: look at the machine's or pod's own")
	}
	return body, nil
}

// String names the server in errors.
func (m metadataServer) String() string { return "the metadata server at " + m.host }

// text is a value that is one line of text.
func (m metadataServer) text(ctx context.Context, path string) (string, error) {
	raw, err := m.get(ctx, path, nil)
	return hop.OneLine(string(raw)), err
}

// metadataAccount is the account of whatever this runs on.
const metadataAccount = "instance/service-accounts/default/"

// token asks for an access token of the account; scopes are separated by spaces.
func (m metadataServer) token(ctx context.Context, scopes string) (token, error) {
	now := m.c.host.Now()
	raw, err := m.get(ctx, metadataAccount+"token", url.Values{"scopes": {strings.Join(strings.Fields(scopes), ",")}})
	if fault.Is(err, fault.NotFound) {
		return token{}, fault.New(fault.Denied, "%s gives no token: this machine has no service account", m).
			Hint("attach one to the instance, or run this where there is one")
	}
	if err != nil {
		return token{}, err
	}
	var said struct {
		Token   string `json:"access_token"`
		Seconds int64  `json:"expires_in"`
	}
	if json.Unmarshal(raw, &said) != nil || said.Token == "" || said.Seconds <= 0 {
		return token{}, fault.New(fault.Failed, "%s: the answer is no token with an end", m).Hint("%s", metadataAdvice.Unusable)
	}
	out := token{text: secret.New(said.Token), expires: now.Add(time.Duration(said.Seconds) * time.Second)}
	out.principal, err = m.text(ctx, metadataAccount+"email")
	return out, err
}

// visit asks an address that a configuration names. What is close by, a metadata server
// or this machine, is not asked through a proxy, which would see what is said in plain
// text. The answer's body is read.
func (c *clients) visit(ctx context.Context, name, method string, address *url.URL, header http.Header) ([]byte, *http.Response, error) {
	client, service := *c.http, hop.Hop{Name: name, Advice: metadataAdvice}
	if nearby(address) {
		limited, cancel := context.WithTimeout(ctx, metadataPatience)
		defer cancel()
		ctx, client.Transport = limited, withoutProxy(client.Transport)
	}
	request, err := http.NewRequestWithContext(ctx, method, address.String(), nil)
	if err != nil {
		return nil, nil, fault.New(fault.Invalid, "%s cannot be asked: its address is malformed", name)
	}
	request.Header = header.Clone()
	response, err := client.Do(request)
	if err != nil {
		return nil, nil, service.Silent(ctx, err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, nil, service.Silent(ctx, err)
	}
	return body, response, nil
}

// metadataAdvice is what a person can do about an address of a configuration, or a
// metadata server, that gives no answer.
var metadataAdvice = &hop.Advice{
	Late:        "a metadata server is there inside its machine or pod alone; check the address",
	Unreachable: "a metadata server is there inside its machine or pod alone; check the address",
	Proxy:       advice.Proxy,
	WrongName:   "use an address whose host its certificate has",
	Expired:     advice.Expired,
	Untrusted:   advice.Untrusted,
	Plain:       "check the address, and its port",
	Unusable:    "check the address",
}

// kindOfStatus is the kind of a refusal by something that has no words of Google's.
func kindOfStatus(status int) fault.Kind {
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return fault.Denied
	case status == http.StatusTooManyRequests || status >= http.StatusInternalServerError:
		return fault.Unavailable
	}
	return fault.Failed
}

// checkMetadataHost takes the host of a metadata server, with its port where that is not
// the usual one.
func checkMetadataHost(text string) (string, error) {
	text = strings.TrimRight(strings.TrimPrefix(text, "http://"), "/")
	u, err := url.Parse("http://" + text)
	if err != nil || u.Host != text || !nearby(u) {
		return "", fault.New(fault.Invalid, "it is not the host of a metadata server").
			Hint("it is asked by plain http, so it has to be this machine, or one of: %s", strings.Join(metadataHosts, ", "))
	}
	return text, nil
}

// nearby reports whether an address is on this machine or that of a metadata server.
func nearby(u *url.URL) bool {
	host := strings.ToLower(u.Hostname())
	ip := net.ParseIP(host)
	return registryname.Loopback(host) || slices.ContainsFunc(metadataHosts, func(known string) bool {
		return host == known || ip != nil && ip.Equal(net.ParseIP(known))
	})
}

// checkAddress refuses addresses to which secrets would go in plain text.
func checkAddress(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http":
		return nil, fault.New(fault.Invalid, "it is not an address that begins with https://")
	case u.Scheme == "http" && !nearby(u):
		return nil, fault.New(fault.Invalid, "it goes to %s by plain http, which everybody on the way can read", u.Host).
			Hint("plain http is for this machine and for metadata servers alone; use https")
	}
	return u, nil
}
