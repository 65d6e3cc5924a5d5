package agent

import (
	"context"
	"encoding/json"
	"io"
	"strings"
	"time"

	"github.com/svcconn/svcconn/pkg/broker"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/registryname"
	"github.com/svcconn/svcconn/pkg/secret"
	"github.com/svcconn/svcconn/pkg/settings"
	"github.com/svcconn/svcconn/pkg/wire"
)

// kubelet's credential provider protocol: k8s.io/kubelet/pkg/apis/credentialprovider/v1.
// Its types are written down here, since its module comes with half of Kubernetes; a
// test compares them.
const (
	providerVersion  = "credentialprovider.kubelet.k8s.io/v1"
	providerRequest  = "CredentialProviderRequest"
	providerResponse = "CredentialProviderResponse"

	keyRegistry = "Registry" // kubelet caches for all of a registry
	keyImage    = "Image"    // for one image
)

type kubeletRequest struct {
	Kind        string            `json:"kind"`
	APIVersion  string            `json:"apiVersion"`
	Image       string            `json:"image"`
	Token       string            `json:"serviceAccountToken"`
	Annotations map[string]string `json:"serviceAccountAnnotations"`
}

type kubeletResponse struct {
	Kind          string                 `json:"kind"`
	APIVersion    string                 `json:"apiVersion"`
	CacheKeyType  string                 `json:"cacheKeyType"`
	CacheDuration *string                `json:"cacheDuration,omitempty"`
	Auth          map[string]kubeletAuth `json:"auth,omitempty"`
}

type kubeletAuth struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

func kubeletBudget(s settings.Settings) time.Duration { return s.Kubelet.Timeout }

// kubeletGet answers `docker-credential-svcconn kubelet`. A registry that nobody
// serves gets an empty answer, on which kubelet pulls anonymously; it asks again for
// the next pull.
func kubeletGet(ctx context.Context, c *call, _ settings.Settings) (wire.Reply, secret.Text, error) {
	image, err := parseKubelet(c.body)
	if err != nil {
		return wire.Reply{}, secret.Text{}, err
	}
	registry, repository := splitImage(image)
	located, err := c.server.broker.Locate(ctx, broker.DockerRegistry, registry+"/"+repository)
	if err != nil {
		return wire.Reply{}, secret.Text{}, err
	}
	if located == nil {
		never := "0s"
		return kubeletAnswer(kubeletResponse{CacheKeyType: keyRegistry, CacheDuration: &never})
	}
	grant, err := c.server.broker.CredentialFor(ctx, located, broker.Request{Access: connector.ReadOnly})
	if err != nil {
		return wire.Reply{}, secret.Text{}, explainable(err, registry)
	}
	login, err := loginOf(grant)
	if err != nil {
		return wire.Reply{}, secret.Text{}, err
	}
	if login.Username == connector.IdentityTokenUser {
		return wire.Reply{}, secret.Text{}, fault.New(fault.Failed, "connector %s logs in to %s with an identity token, which kubelet cannot use", grant.Connector.Name, registry).
			Hint("use a connector with a user name and a password or access token")
	}
	out := kubeletResponse{CacheKeyType: keyRegistry, CacheDuration: c.server.halfOf(login.Expires)}
	at := registry
	if strings.Contains(located.ResourceName, "/") { // the login is for a part of the registry
		out.CacheKeyType, at = keyImage, registry+"/"+repository
	}
	out.Auth = map[string]kubeletAuth{at: {login.Username, login.Secret.Reveal()}}
	return kubeletAnswer(out)
}

func kubeletAnswer(out kubeletResponse) (wire.Reply, secret.Text, error) {
	out.APIVersion, out.Kind = providerVersion, providerResponse
	text, err := json.Marshal(out)
	return wire.Reply{}, secret.New(string(text) + "\n"), err
}

// halfOf is how long kubelet shall keep a login: half of what is left of it, as other
// providers say; nil, for one that does not expire, leaves that to kubelet's own
// configuration.
func (s *Server) halfOf(expires time.Time) *string {
	if expires.IsZero() {
		return nil
	}
	text := max(expires.Sub(s.now())/2, 0).Truncate(time.Second).String()
	return &text
}

// parseKubelet reads kubelet's request as strictly as kubelet reads the answer. Its
// errors repeat nothing of it: there may be a token in it.
func parseKubelet(body secret.Text) (image string, err error) {
	decoder := json.NewDecoder(strings.NewReader(body.Reveal()))
	decoder.DisallowUnknownFields()
	var in kubeletRequest
	if err := decoder.Decode(&in); err != nil {
		return "", badKubelet("is not the JSON of a %s", providerRequest)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return "", badKubelet("has something behind the %s", providerRequest)
	}
	switch {
	case in.APIVersion != providerVersion:
		return "", badKubelet("is not of version %s", providerVersion)
	case in.Kind != providerRequest:
		return "", badKubelet("is not a %s", providerRequest)
	case strings.TrimSpace(in.Image) == "":
		return "", badKubelet("names no image")
	case in.Token != "" || len(in.Annotations) > 0:
		return "", fault.New(fault.Invalid, "kubelet sends tokens of service accounts, which are not used here").
			Hint("remove tokenAttributes from the provider in kubelet's CredentialProviderConfig")
	}
	return in.Image, nil
}

func badKubelet(format string, args ...any) error {
	return fault.New(fault.Invalid, "what kubelet sent "+format, args...).
		Hint("set apiVersion: %s for the provider in kubelet's CredentialProviderConfig", providerVersion)
}

// splitImage divides the name of an image, by docker's rule: the first part is a
// registry if it has a dot or a port or is localhost. Tag and digest are dropped.
func splitImage(image string) (registry, repository string) {
	image, _, _ = strings.Cut(strings.TrimSpace(image), "@")
	first, rest, ok := strings.Cut(image, "/")
	if !ok || !strings.ContainsAny(first, ".:") && first != "localhost" {
		first, rest = registryname.DockerHub, image
	}
	if at := strings.LastIndex(rest, ":"); at > strings.LastIndex(rest, "/") {
		rest = rest[:at]
	}
	return first, rest
}
