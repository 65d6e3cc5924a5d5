package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/svcconn/svcconn/connectors"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/secret"
)

// connectorTypes are svcconn's own, and behind them one for the stories: a cloud with
// many registries, clusters and buckets, whose service is a folder. It lists what the
// file of the resource type's name there has, a line each, and notes in the file "calls"
// what it was asked. With a file "down" it does not answer.
func connectorTypes() connector.Types {
	return connector.NewTypes(append(connectors.All(), pretendType())...)
}

var (
	pretendFolder = field.String{Name: "folder", Title: "folder", Help: "Where its service is.", Required: true}
	pretendHost   = field.String{Name: "host", Title: "host", Help: "Its registries are below that.", Default: "registry.example.net"}
	pretendKey    = field.Secret{Name: "key", Title: "key", Help: "What is handed out.", Required: true}
	pretendURL    = field.String{Name: "endpoint_url", Title: "endpoint", Help: "An endpoint."}
	pretendGKE    = field.String{Name: "contexts", Title: "contexts", Help: "What its clusters' contexts begin with."}
	pretendOwn    = field.String{Name: "project", Title: "project", Help: "What of its registries is its own, if not all."}
	pretendFields = field.Set{pretendFolder, pretendHost, pretendKey, pretendURL, pretendGKE, pretendOwn}
)

func pretendType() *connector.Type {
	as := func(name string, change func(*connector.ResourceType)) connector.ResourceType {
		t := connector.ResourceType{Name: name, Title: name, Doc: name, Instances: true, Formats: []string{"NAME"}, Parse: parsePretended}
		change(&t)
		return t
	}
	return &connector.Type{
		Name: "pretend", Title: "Pretended cloud", Doc: "A cloud for tests.",
		Methods: []connector.AuthMethod{{Name: "key", Title: "Key", Doc: "A key.", Fields: pretendFields}},
		Resources: []connector.ResourceType{
			as("aws-generic", func(t *connector.ResourceType) {
				t.Instances, t.Default, t.Profile = false, func(field.Values) string { return "eu-central-1" }, pretendedProfile
			}),
			as("s3-bucket", func(t *connector.ResourceType) { t.Parse, t.Profile = parseBucket, pretendedProfile }),
			as("gcp-generic", func(t *connector.ResourceType) {
				t.Instances, t.Default, t.Gcloud = false, func(field.Values) string { return "acme" }, pretendedGcloud
			}),
			as("gcs-bucket", func(t *connector.ResourceType) { t.Parse, t.Gcloud = parseGCS, pretendedGcloud }),
			as("kubernetes-cluster", func(t *connector.ResourceType) {
				t.Endpoint = func(connector.Settings) (connector.KubernetesEndpoint, bool) {
					return connector.KubernetesEndpoint{}, false
				}
			}),
			as("docker-registry", func(t *connector.ResourceType) {
				t.Username = func(field.Values) string { return "AWS" }
				t.Serves = func(s connector.Settings, address string) (string, bool) {
					host, path, _ := strings.Cut(address, "/")
					own := pretendOwn.Get(s.Values)
					return address, strings.HasSuffix(host, "."+pretendHost.Get(s.Values)) && (own == "" || path == "" || strings.HasPrefix(path+"/", own+"/"))
				}
			}),
		},
		Open: func(host connector.Host, s connector.Settings) (connector.Session, error) {
			return pretended{host, s.Values}, nil
		},
	}
}

func parsePretended(_ field.Values, name string) (string, error) {
	if strings.ContainsAny(name, " !") {
		return "", fault.New(fault.Invalid, "it has a space or exclamation mark")
	}
	return strings.ToLower(name), nil
}

func parseBucket(v field.Values, name string) (string, error) {
	name, err := parsePretended(v, name)
	return "s3://" + strings.TrimPrefix(name, "s3://"), err
}

func parseGCS(v field.Values, name string) (string, error) {
	name, err := parsePretended(v, name)
	return "gs://" + strings.TrimPrefix(name, "gs://"), err
}

func pretendedGcloud(s connector.Settings, _ string) connector.GcloudProperties {
	p := connector.GcloudProperties{Project: "acme", QuotaProject: "acme-quota"}
	if url := pretendURL.Get(s.Values); url != "" {
		p.Endpoints = map[string]string{"storage": url + "/storage/v1"}
	}
	return p
}

func pretendedProfile(s connector.Settings, name string) connector.AWSProfile {
	p := connector.AWSProfile{Region: "eu-central-1"}
	if url := pretendURL.Get(s.Values); url != "" && strings.HasPrefix(name, "s3://") {
		p.Endpoints = map[string]string{"s3": url}
	}
	return p
}

type pretended struct {
	host   connector.Host
	values field.Values
}

func (p pretended) path(name string) string { return filepath.Join(pretendFolder.Get(p.values), name) }

// called notes a question, and refuses it where the service is down.
func (p pretended) called(words ...string) error {
	calls, err := os.OpenFile(p.path("calls"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer calls.Close()
	_, err = fmt.Fprintln(calls, strings.Join(words, " "))
	if _, down := os.Stat(p.path("down")); down == nil {
		err = fault.New(fault.Unavailable, "the cloud does not answer")
	}
	return err
}

// context is what the cloud's own tool calls a cluster's context, if it has one.
func (p pretended) context(cluster string) string {
	prefix := pretendGKE.Get(p.values)
	if prefix == "" {
		return ""
	}
	return prefix + strings.ReplaceAll(cluster, "/", "_")
}

func (p pretended) Verify(context.Context) (connector.Identity, error) {
	return connector.Identity{Name: "somebody"}, p.called("verify")
}

func (p pretended) List(_ context.Context, resourceType string, yield func(connector.Resource) error) error {
	if err := p.called("list", resourceType); err != nil {
		return err
	}
	text, err := os.ReadFile(p.path(resourceType))
	if err != nil {
		return nil // there are none
	}
	for name := range strings.FieldsSeq(string(text)) {
		if err := yield(connector.Resource{Type: resourceType, Name: name}); err != nil {
			return err
		}
	}
	return nil
}

func (p pretended) Mint(_ context.Context, r connector.Request) (connector.Credential, error) {
	if err := p.called("mint", r.ResourceType, r.ResourceName, string(r.Access)); err != nil {
		return nil, err
	}
	lifetime, _ := os.ReadFile(p.path("lifetime"))
	life, err := time.ParseDuration(cmp.Or(strings.TrimSpace(string(lifetime)), "1h"))
	if err != nil {
		return nil, err
	}
	key, until := pretendKey.Get(p.values), p.host.Now().Add(life)
	switch r.ResourceType {
	case "docker-registry":
		host, _, _ := strings.Cut(r.ResourceName, "/")
		return connector.RegistryLogin{Registry: host, Username: "AWS", Secret: key, Expires: until}, nil
	case "kubernetes-cluster":
		return connector.KubernetesAuth{Token: key, Expires: until, Endpoint: connector.KubernetesEndpoint{
			Cluster: r.ResourceName, Context: p.context(r.ResourceName), Server: "https://" + strings.ReplaceAll(r.ResourceName, "/", ".") + ".example.net", CertificateAuthority: "-----BEGIN CERTIFICATE-----\n",
		}}, nil
	}
	if strings.HasPrefix(r.ResourceType, "gc") {
		if r.KeyFile {
			return connector.KeyFile{JSON: secret.New(`{"type": "service_account", "private_key": "` + key.Reveal() + `"}`), Project: "acme"}, nil
		}
		return connector.AccessToken{Token: key, Principal: "ci@acme.example.net", Project: "acme", QuotaProject: "acme-quota", Universe: "googleapis.com", Expires: until}, nil
	}
	return connector.AWSKeys{AccessKeyID: "ASIAEXAMPLE", SecretAccessKey: key, SessionToken: secret.New("session-" + key.Reveal()), Account: "123456789012", Region: "eu-central-1", Expires: until}, nil
}
