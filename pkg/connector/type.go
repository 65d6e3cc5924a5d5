// Package connector has the words that everything else speaks: connector types
// with their auth methods and resource types as data, scopes and resource names,
// sessions, and the credentials that they mint.
//
// It refuses to know any connector type, to keep anything, and to talk to anyone:
// the types are in the folder connectors, what is registered in package registry,
// the secrets in package secrets, the engine in package broker.
package connector

import (
	"context"
	"net/http"
	"time"

	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/secret"
)

// Type is a kind of service that svcconn can reach, described as data.
type Type struct {
	Name  string // "aws"
	Title string // "AWS Service Connector"
	Icon  string // "🔶", for terminals
	Doc   string // paragraphs for describe-type

	Methods   []AuthMethod
	Resources []ResourceType

	// Detect finds what this machine already has to log in with. Hints are the
	// fields that a person gave to steer it; it refuses those it does not know.
	// Nil where the type has no auto-configuration.
	Detect func(ctx context.Context, host Host, hints map[string]string) ([]Detected, error)
	// MethodHint says that Detect takes the auth method that was asked for, as the hint
	// HintMethod: what it finds can serve several.
	MethodHint bool

	// Open makes a session of checked settings. Nothing remote happens here.
	Open func(host Host, settings Settings) (Session, error)
}

// HintMethod is the hint of Type.Detect that is an auth method's name.
const HintMethod = "auth_method"

// AuthMethod is a way in which a connector type proves who we are.
type AuthMethod struct {
	Name, Title, Doc string
	Fields           field.Set
	Temporary        bool      // mints credentials that expire, rather than handing out what is stored
	Lifetime         TTLBounds // what --expiration may ask for; zero where it may not ask
	// Ambient says that it takes the identity of the machine or of somebody's files,
	// rather than secrets that were given to the connector: it has to be allowed
	// (setting allow_implicit).
	Ambient bool
	// AmbientWith is Ambient for a method of which that depends on its fields, those that
	// are not secret. Nil is never.
	AmbientWith func(values field.Values) bool
	// Reads are the files of others that are read at every mint, from the fields alone:
	// what was minted before one of them changed may be of another identity, and is not
	// handed out any more. Nil is none.
	Reads func(host Host, values field.Values) []string
	// Renews tells of these fields whether secrets change by being used: sessions are
	// then Renewing, and one at a time is at work for a connector. Nil is never. It
	// decides by fields that are not secret.
	Renews func(values field.Values) bool
}

// RenewsSecrets reports whether secrets change by being used, with these fields.
func (m *AuthMethod) RenewsSecrets(values field.Values) bool {
	return m.Renews != nil && m.Renews(values)
}

// IsAmbient reports whether the method takes, with these fields, an identity that nobody
// gave to the connector.
func (m *AuthMethod) IsAmbient(values field.Values) bool {
	return m.Ambient || m.AmbientWith != nil && m.AmbientWith(values)
}

// TTLBounds are the bounds of a lifetime that can be asked for. The zero value
// means that the method takes none; Max 0 means that the service sets the bound.
type TTLBounds struct{ Min, Default, Max time.Duration }

// ResourceType is a class of resources. Several connector types may share its
// name (docker-registry); what is said here is how this connector type serves it.
type ResourceType struct {
	Name, Title, Icon, Doc string

	Instances   bool     // a connector reaches many of them, not just one
	Formats     []string // accepted forms of the name, for help and errors
	Permissions []string // what the credentials must be allowed to do

	// Parse checks a resource name against the connector's own fields and returns
	// the canonical one. Its errors say what is wrong; the caller adds Formats.
	Parse func(values field.Values, name string) (canonical string, err error)

	// Default is the name of the one resource of a type without instances, from
	// the fields alone; "" where only the service knows it.
	Default func(values field.Values) string

	// Serves reports whether a native tool's address (a registry host, an API
	// server URL) belongs to a resource of a connector with these settings, and
	// to which. No network, no disk: it runs on every docker pull. Anchored
	// comparison of normalised hosts, or a credential ends up elsewhere.
	Serves func(settings Settings, address string) (name string, ok bool)

	// Endpoint is, for clusters, how the API server is reached, from the fields alone;
	// ok is false where only the service knows. Nil for other resource types.
	Endpoint func(settings Settings) (endpoint KubernetesEndpoint, ok bool)

	// Username is, for registries, the user name that Mint will hand out, from
	// the fields alone. Nil for other resource types.
	Username func(values field.Values) string

	// Profile is, for resources that are reached with AWSKeys, what a profile in
	// ~/.aws/config says of a resource beside where its credentials come from, from the
	// fields alone. Nil for other resource types.
	Profile func(settings Settings, name string) AWSProfile

	// Gcloud is, for resources that are reached with an AccessToken of Google's, what a
	// configuration of gcloud says of a resource beside where its tokens come from, from
	// the fields alone. Nil for other resource types.
	Gcloud func(settings Settings, name string) GcloudProperties
}

// GcloudProperties is what a configuration of gcloud says, the source of its tokens
// aside. https://cloud.google.com/sdk/gcloud/reference/config
type GcloudProperties struct {
	Project      string
	QuotaProject string            // billing/quota_project; "" leaves it to gcloud
	Universe     string            // core/universe_domain; "" is Google's own
	Endpoints    map[string]string // api_endpoint_overrides by service: "storage", "container"
}

// AWSProfile is what a profile of the AWS SDKs says, credentials aside.
// https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html
type AWSProfile struct {
	Region    string
	Endpoint  string            // endpoint_url; "" is AWS's own
	Endpoints map[string]string // endpoint_url by service, as the SDKs name services: "s3", "sts"
	FIPS      bool
	DualStack bool
}

// Host is what a connector may touch of the machine it runs on.
type Host struct {
	Now    func() time.Time
	Getenv func(string) string // the environment of svcconn itself, already scrubbed
	Home   string
	HTTP   http.RoundTripper // honours proxies; nil is http.DefaultTransport

	// Run runs a program until it ends or ctx is done. The error is about a program that
	// could not be started, was stopped or wrote too much, not about one that failed by
	// itself. Nil where no program may be run.
	Run func(ctx context.Context, command Command) (Finished, error)
	// Person is who can be sent to a browser or told a code. Nil where nobody is there:
	// what needs a person then fails with fault.NeedsPerson, at once.
	Person Person
}

// Command is a program to be run.
type Command struct {
	Program string // a name that is found in PATH, or a path
	Args    []string
	Env     []string // NAME=value, beside svcconn's own environment; the last of several counts
	Dir     string   // the working folder; "" is svcconn's own
	Stdin   []byte   // all that it can read; there is no terminal
}

// Finished is what became of a program.
type Finished struct {
	Stdout  []byte // all that it wrote
	Stderr  []byte // the end of what it wrote
	Failure string // "exit status 3", "signal: killed"; "" where it succeeded
}

// Person is someone at a terminal.
type Person interface {
	// OpenBrowser opens a page in the person's browser; an error means that the person
	// has to be told the address instead.
	OpenBrowser(url string) error
	// Tell says something, a line.
	Tell(text string)
	// Ask asks for a secret, which is not shown while it is typed: a code of a device, a
	// password. An error of ctx or fault.Interrupted means that the person would not.
	Ask(ctx context.Context, question string) (secret.Text, error)
}

// Renewing is implemented by sessions whose secrets change by being used, such as
// refresh tokens that are good for one use.
type Renewing interface {
	Session
	// Renewed returns the secret fields that have changed since the session was opened;
	// whoever opened it stores them before a credential is handed out.
	Renewed() map[string]secret.Text
}

// Detected is one login that auto-configuration found.
type Detected struct {
	Spec   Spec
	Source Source
	Notes  []string // what the person should know, each a sentence
	// Temporary says that its secrets stop working at Expires. Where that is zero, the
	// source does not say when, and somebody has to.
	Temporary bool
	Expires   time.Time
}

// Source is where a detected login was found, so that a plain-text copy can be
// taken away once it is in the secret store.
type Source struct {
	Description string // "/home/me/.docker/config.json (auths)"
	File        string // the file that holds it; "" when it is not in a file
	Key         string // its key in the file
	PlainText   bool   // whether the secret can be read there by whoever reads the file
}

// Session is an opened connector. It is safe for concurrent use, honours ctx and
// does not outlive its settings.
type Session interface {
	// Verify asks the service who it says that we are. Wrong credentials are
	// fault.Denied, a silent service fault.Unavailable.
	Verify(ctx context.Context) (Identity, error)
	// List yields the resources of a type that the connector reaches, as the
	// service's pages arrive. It stops at the first error that yield returns.
	List(ctx context.Context, resourceType string, yield func(Resource) error) error
	// Mint gets a credential for one resource.
	Mint(ctx context.Context, request Request) (Credential, error)
}

// Identity is who a service says that we are.
type Identity struct {
	Name   string `json:"name"`             // a user name, an ARN, an e-mail address
	Detail string `json:"detail,omitempty"` // what else the service said, one line

	// Learned are fields that were left out and that the service told. Who registers
	// the connector stores them with those that were given. None is secret.
	Learned map[string]string `json:"-"`
}

// Resource is one resource of a listing.
type Resource struct {
	Type string
	Name string // canonical
}

// Request asks a session for a credential.
type Request struct {
	ResourceType string
	ResourceName string        // canonical
	Access       Access        // what the credential is for
	Lifetime     time.Duration // 0 is the method's default
	// KeyFile asks for the long-lived secret itself, as a KeyFile. Sessions of connectors
	// that were not told to hand it out refuse with fault.Denied; what types mint that have
	// none, the broker refuses.
	KeyFile bool
}

// Access is what a credential may do, where the service can tell.
type Access string

// The kinds of access.
const (
	ReadWrite Access = "write"
	ReadOnly  Access = "read"
)
