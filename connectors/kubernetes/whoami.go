package kubernetes

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"strings"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/hop"
)

// anonymous is who an API server takes those for whom it cannot identify.
const anonymous = "system:anonymous"

const accessReviewPath = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"

// user is who an API server says that we are.
type user struct {
	Username string   `json:"username"`
	Groups   []string `json:"groups"`

	detail  string // what else there is to say
	claimed bool   // only the credentials say so
}

func (u user) identity() connector.Identity {
	detail := u.detail
	if len(u.Groups) > 0 {
		detail = strings.TrimPrefix(detail+"; groups "+strings.Join(u.Groups, ", "), "; ")
	}
	return connector.Identity{Name: hop.OneLine(u.Username), Detail: hop.OneLine(detail)}
}

// whoIs asks the API server who the bearer of a proof is, for showing.
func (c *client) whoIs(ctx context.Context, p proof) (connector.Identity, error) {
	a, err := c.as(p)
	if err != nil {
		return connector.Identity{}, err
	}
	defer a.close()
	u, err := a.whoAmI(ctx)
	if err != nil {
		return connector.Identity{}, err
	}
	return u.identity(), nil
}

// whoAmI asks the API server who we are, by whichever way it knows: a review of
// ourselves (since 1.26), which of its alpha, beta and final versions it may have; a
// review of our access, which old ones answer to everyone whom they know; and the
// version, which at least refuses wrong credentials.
func (a *api) whoAmI(ctx context.Context) (user, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, ask := range []func(context.Context) (user, error){
		a.reviewed("v1"), a.reviewed("v1beta1"), a.reviewed("v1alpha1"), a.accessReviewed, a.versioned,
	} {
		u, err := ask(ctx)
		switch {
		case statusOf(err) == http.StatusNotFound:
			continue
		case err == nil && u.Username == anonymous:
			return user{}, fault.New(fault.Denied, "%s does not know the credentials: it takes us for %s", a.hop(), anonymous).
				Hint(ofThisCluster)
		}
		return u, hinted(err)
	}
	return user{}, a.notAnAPIServer("/version", "404 Not Found")
}

const ofThisCluster = "check that the credentials are of this cluster and have neither expired nor been revoked"

// hinted adds what to do about credentials that are refused.
func hinted(err error) error {
	if statusOf(err) != http.StatusUnauthorized {
		return err
	}
	return fault.WithHint(err, ofThisCluster)
}

// reviewed asks by a SelfSubjectReview.
func (a *api) reviewed(version string) func(context.Context) (user, error) {
	return func(ctx context.Context) (user, error) {
		in := map[string]any{"apiVersion": "authentication.k8s.io/" + version, "kind": "SelfSubjectReview"}
		var out struct {
			Kind   string
			Status struct {
				UserInfo user `json:"userInfo"`
			}
		}
		path := "/apis/authentication.k8s.io/" + version + "/selfsubjectreviews"
		err := a.call(ctx, http.MethodPost, path, in, &out)
		switch {
		case statusOf(err) == http.StatusForbidden:
			return forbidden(err)
		case err == nil && (out.Kind != "SelfSubjectReview" || out.Status.UserInfo.Username == ""):
			return user{}, a.notAnAPIServer(path, "another object")
		}
		return out.Status.UserInfo, err
	}
}

var forbiddenUser = regexp.MustCompile(`User "([^"]+)" cannot`)

// forbidden reads who we are out of the words that refuse to tell.
func forbidden(err error) (user, error) {
	var r *refusal
	if !errors.As(err, &r) || r.reason != "Forbidden" {
		return user{}, err
	}
	match := forbiddenUser.FindStringSubmatch(r.words)
	if match == nil {
		return user{}, err
	}
	return user{Username: match[1], detail: "may not review itself"}, nil
}

// accessReviewed asks what we may do, for the sake of being refused if we are nobody.
func (a *api) accessReviewed(ctx context.Context) (user, error) {
	in := map[string]any{
		"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
		"spec": map[string]any{"nonResourceAttributes": map[string]any{"path": "/version", "verb": "get"}},
	}
	var out struct{ Kind string }
	err := a.call(ctx, http.MethodPost, accessReviewPath, in, &out)
	switch {
	case statusOf(err) == http.StatusForbidden:
		return forbidden(err)
	case err != nil:
		return user{}, err
	case out.Kind != "SelfSubjectAccessReview":
		return user{}, a.notAnAPIServer(accessReviewPath, "another object")
	}
	return a.claimed("the server is too old to tell who we are; it accepts the credentials"), nil
}

// versioned asks for the server's version.
func (a *api) versioned(ctx context.Context) (user, error) {
	var out struct {
		GitVersion string `json:"gitVersion"`
	}
	err := a.call(ctx, http.MethodGet, "/version", nil, &out)
	switch {
	case err != nil:
		return user{}, err
	case out.GitVersion == "":
		return user{}, a.notAnAPIServer("/version", "another object")
	}
	return a.claimed("the server, " + out.GitVersion + ", cannot tell who we are; it does not refuse the credentials"), nil
}

// claimed is who the credentials say that we are.
func (a *api) claimed(detail string) user {
	name := a.proof.claimant()
	if name == "" {
		name = "unknown"
	}
	return user{Username: name, detail: detail, claimed: true}
}
