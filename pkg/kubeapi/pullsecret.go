package kubeapi

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

// What a pull secret says of where it comes from.
const (
	managedBy   = "app.kubernetes.io/managed-by"
	expiresAt   = "svcconn.dev/expires-at"
	ofConnector = "svcconn.dev/connector"
	dockerJSON  = ".dockerconfigjson"
)

// PullSecret is a Secret by which a cluster logs in to a registry.
type PullSecret struct {
	Name      string
	Namespace string // "" leaves it to whoever applies the manifest
	Connector string // that the login comes from
	Key       string // what the registry is called in docker's configuration
	Login     connector.RegistryLogin
}

// NameFor makes the name of a Secret of a registry's.
func NameFor(registry string) string {
	return "svcconn-" + strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' {
			return r
		}
		return '-'
	}, registry), "-.")
}

// The rules for names of objects (RFC 1123 subdomains) and namespaces (labels).
var (
	label     = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
	subdomain = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)
)

const longestName = 253

// check refuses what a cluster would, and logins that a kubelet cannot use.
func (s PullSecret) check() error {
	switch {
	case len(s.Name) > longestName || !subdomain.MatchString(s.Name):
		return fault.New(fault.Invalid, "%q is not the name of a secret", s.Name).Hint("lower-case letters, digits, hyphens and dots: --name regcred")
	case s.Namespace != "" && !label.MatchString(s.Namespace):
		return fault.New(fault.Invalid, "%q is not the name of a namespace", s.Namespace).Hint("lower-case letters, digits and hyphens: --namespace web")
	case s.Login.Username == connector.IdentityTokenUser:
		return fault.New(fault.Invalid, "the login for %s is an identity token, which clusters cannot pull with", s.Login.Registry).
			Hint("use a connector with a user name and a password or access token")
	}
	return nil
}

// Manifest is the Secret in JSON. It has the login in it, and when that expires.
func (s PullSecret) Manifest() (secret.Text, error) {
	if err := s.check(); err != nil {
		return secret.Text{}, err
	}
	annotations := map[string]string{ofConnector: s.Connector}
	if !s.Login.Expires.IsZero() {
		annotations[expiresAt] = s.Login.Expires.UTC().Format(time.RFC3339)
	}
	type metadata struct {
		Name        string            `json:"name"`
		Namespace   string            `json:"namespace,omitempty"`
		Labels      map[string]string `json:"labels"`
		Annotations map[string]string `json:"annotations"`
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(struct {
		APIVersion string            `json:"apiVersion"`
		Kind       string            `json:"kind"`
		Metadata   metadata          `json:"metadata"`
		Type       string            `json:"type"`
		Data       map[string]string `json:"data"`
	}{"v1", "Secret", metadata{s.Name, s.Namespace, map[string]string{managedBy: fieldManager}, annotations},
		"kubernetes.io/dockerconfigjson", map[string]string{dockerJSON: base64.StdEncoding.EncodeToString([]byte(s.dockerConfig().Reveal()))}})
	return secret.New(out.String()), err
}

// dockerConfig is the docker configuration that the Secret holds.
func (s PullSecret) dockerConfig() secret.Text {
	password := s.Login.Secret.Reveal()
	text, _ := json.Marshal(map[string]any{"auths": map[string]any{s.Key: map[string]string{ // plain strings always encode
		"username": s.Login.Username, "password": password,
		"auth": base64.StdEncoding.EncodeToString([]byte(s.Login.Username + ":" + password)),
	}}})
	return secret.New(string(text))
}

// clean takes the login out of a server's words, should it repeat what it was sent.
func (s PullSecret) clean(text string) string {
	password := s.Login.Secret.Reveal()
	for _, hidden := range []string{password, base64.StdEncoding.EncodeToString([]byte(s.dockerConfig().Reveal()))} {
		if hidden != "" {
			text = strings.ReplaceAll(text, hidden, secret.Redacted)
		}
	}
	return strings.Join(strings.Fields(text), " ")
}
