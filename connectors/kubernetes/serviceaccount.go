package kubernetes

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/hop"
	"github.com/svcconn/svcconn/pkg/secret"
)

// lifetimes are what API servers grant at least, and what is asked for if nobody says.
// The most is each server's own.
var lifetimes = connector.TTLBounds{Min: 10 * time.Minute, Default: time.Hour}

// The fields of auth method service-account.
var (
	serviceAccount = field.String{
		Name: "service_account", Title: "service account", Required: true, Example: "deployer",
		Help: "The name of the service account that tokens are asked for. It has to exist.", Check: checkObject,
	}
	namespace = field.String{
		Name: "namespace", Title: "namespace", Default: "default", Example: "ci",
		Help: "The namespace that the service account is in.", Check: checkObject,
	}
	audiences = field.List{
		Name: "audiences", Title: "audiences", Example: "https://kubernetes.default.svc",
		Help: "Whom the tokens are meant for. Left out, it is the API server; with others alone, the API server itself refuses the tokens.",
	}
)

var objectName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$`)

// checkObject accepts the names that Kubernetes gives to its objects.
func checkObject(name string) (string, error) {
	if len(name) > 253 || !objectName.MatchString(name) {
		return "", fault.New(fault.Invalid, "it is not the name of an object: those have lower-case letters, digits, dashes and dots")
	}
	return name, nil
}

// tokenRequest makes tokens of a service account with a stored login, which never
// leaves.
type tokenRequest struct {
	stored             proof
	namespace, account string
	audiences          []string
}

func tokenRequestLogin(_ connector.Host, settings connector.Settings) (authenticator, error) {
	p, err := storedProof(settings.Values)
	if err != nil {
		return nil, err
	}
	return tokenRequest{
		stored:    p,
		namespace: namespace.Get(settings.Values),
		account:   serviceAccount.Get(settings.Values),
		audiences: audiences.Get(settings.Values),
	}, nil
}

// prove implements authenticator. The server may give another lifetime than what it
// was asked for, and says so.
func (t tokenRequest) prove(ctx context.Context, c *client, lifetime time.Duration) (proof, error) {
	a, err := c.asStored(t.stored)
	if err != nil {
		return proof{}, err
	}
	defer a.close()
	spec := map[string]any{"expirationSeconds": int64(orDefault(lifetime).Seconds())}
	if len(t.audiences) > 0 {
		spec["audiences"] = t.audiences
	}
	in := map[string]any{"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
	var out struct {
		Status struct {
			Token               string    `json:"token"`
			ExpirationTimestamp time.Time `json:"expirationTimestamp"`
		} `json:"status"`
	}
	path := "/api/v1/namespaces/" + t.namespace + "/serviceaccounts/" + t.account + "/token"
	if err := a.call(ctx, http.MethodPost, path, in, &out); err != nil {
		return proof{}, t.refused(a.hop(), err)
	}
	if out.Status.Token == "" || out.Status.ExpirationTimestamp.IsZero() {
		return proof{}, a.notAnAPIServer(path, "no token, or one without an end")
	}
	return proof{token: secret.New(out.Status.Token), expires: out.Status.ExpirationTimestamp}, nil
}

// refused says what to do about a token request that the server refuses.
func (t tokenRequest) refused(h hop.Hop, err error) error {
	var r *refusal
	switch statusOf(err) {
	case http.StatusForbidden:
		return fault.WithHint(err, "let the stored login create serviceaccounts/token: kubectl create role svcconn-token --namespace %[1]s --verb=create "+
			"--resource=serviceaccounts/token --resource-name=%[2]s, and bind it", t.namespace, t.account)
	case http.StatusNotFound:
		errors.As(err, &r)
		return fault.New(fault.NotFound, "%s has no service account %s in namespace %s: %w", h, t.account, t.namespace, r).
			Hint("create it with `kubectl create serviceaccount %s --namespace %s`, or name another", t.account, t.namespace)
	}
	return hinted(err)
}

// verify implements verifying: it has a token made, and asks whose that is.
func (t tokenRequest) verify(ctx context.Context, c *client) (connector.Identity, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	p, err := t.prove(ctx, c, lifetimes.Min)
	if err != nil {
		return connector.Identity{}, err
	}
	if p, err = c.unexpired(p); err != nil {
		return connector.Identity{}, err
	}
	if len(t.audiences) > 0 { // the API server need not be among them
		return connector.Identity{
			Name:   "system:serviceaccount:" + t.namespace + ":" + t.account,
			Detail: "tokens are made for " + strings.Join(t.audiences, ", "),
		}, nil
	}
	return c.whoIs(ctx, p)
}

func serviceAccountMethod() method {
	return method{open: tokenRequestLogin, AuthMethod: connector.AuthMethod{
		Name:      methodServiceAccount,
		Title:     "Short-lived tokens of a service account",
		Fields:    slices.Concat(field.Set{serviceAccount, namespace, audiences}, storedFields()),
		Temporary: true,
		Lifetime:  lifetimes,
		Doc: `Asks the API server for short-lived tokens of a service account (TokenRequest) with a stored token or client certificate. Clients get the short-lived ones; the stored login never leaves svcconn. It needs no other right than to create serviceaccounts/token of that one account, so that whoever steals it gets nothing that lasts.

The expiration is what --expiration asks for, 10 minutes or more; the server may give less, and what it says is what counts.`,
	}}
}

// asStored logs in with a stored login, unless that is known to be over.
func (c *client) asStored(p proof) (*api, error) {
	p, err := c.unexpired(p)
	if err != nil {
		return nil, fault.Within(err, "the stored login")
	}
	return c.as(p)
}

func orDefault(lifetime time.Duration) time.Duration {
	if lifetime == 0 {
		return lifetimes.Default
	}
	return lifetime
}
