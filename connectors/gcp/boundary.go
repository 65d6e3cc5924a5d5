package gcp

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

// accessBoundary bounds what a token may do, whatever its owner may.
// https://cloud.google.com/iam/docs/downscoping-short-lived-credentials
type accessBoundary struct {
	Rules []boundaryRule `json:"accessBoundaryRules"`
}

type boundaryRule struct {
	Resource    string   `json:"availableResource"`
	Permissions []string `json:"availablePermissions"`
}

// bucketRoles are the roles that hold what is left of a token's rights. The second of each
// is for clients that look at the bucket itself, as gcsfuse does. Whoever writes also reads.
var bucketRoles = map[connector.Access][]string{
	connector.ReadOnly:  {"inRole:roles/storage.objectViewer", "inRole:roles/storage.legacyBucketReader"},
	connector.ReadWrite: {"inRole:roles/storage.objectAdmin", "inRole:roles/storage.legacyBucketReader"},
}

// boundaryOf bounds a token to one bucket.
func boundaryOf(bucket string, access connector.Access) accessBoundary {
	if access != connector.ReadOnly {
		access = connector.ReadWrite
	}
	return accessBoundary{Rules: []boundaryRule{{
		Resource: "//storage.googleapis.com/projects/_/buckets/" + bucket, Permissions: bucketRoles[access],
	}}}
}

// What is exchanged for what. https://www.rfc-editor.org/rfc/rfc8693
const (
	grantExchange   = "urn:ietf:params:oauth:grant-type:token-exchange"
	typeAccessToken = "urn:ietf:params:oauth:token-type:access_token"
)

// bucketToken gets a token that is good for one bucket alone. One that cannot be bounded
// is an error: what is handed out is never good for more.
func (s *session) bucketToken(ctx context.Context, bucket string, access connector.Access, want purpose) (token, error) {
	wide, err := s.tokenFor(ctx, want)
	if err != nil {
		return token{}, err
	}
	t, err := s.bounded(ctx, wide, boundaryOf(bucket, access))
	return t, fault.Within(hinted(err, boundaryHint), "no token for bucket %s alone can be had", bucket)
}

// boundaryHint is about what keeps a token from being bounded.
func boundaryHint(a *answer) string {
	if a.status >= http.StatusInternalServerError || a.status == http.StatusTooManyRequests {
		return ""
	}
	return "the token has to have the scope cloud-platform and no boundary yet, and the universe has to have access boundaries; " +
		"for a token that is good for all that the identity may do: --resource-type " + genericType
}

// bounded exchanges a token for one with a boundary. It ends no later than the token that
// it was made of; where the service does not say when, which is so for people's, it ends
// with that.
func (s *session) bounded(ctx context.Context, wide token, boundary accessBoundary) (token, error) {
	options, err := json.Marshal(struct {
		Boundary accessBoundary `json:"accessBoundary"`
	}{boundary})
	if err != nil {
		return token{}, fault.New(fault.Failed, "%w", err)
	}
	var got struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int64  `json:"expires_in"`
	}
	asked := s.host.Now()
	err = s.post(ctx, form{
		api: stsAPI, address: s.address(stsAPI) + "/v1/token", secrets: []secret.Text{wide.text},
		values: url.Values{
			"grant_type": {grantExchange}, "requested_token_type": {typeAccessToken},
			"subject_token_type": {typeAccessToken}, "subject_token": {wide.text.Reveal()}, "options": {string(options)},
		},
	}, &got)
	if err != nil {
		return token{}, err
	}
	narrow := token{text: secret.New(got.AccessToken), expires: wide.expires, principal: wide.principal}
	if got.ExpiresIn > 0 {
		if at := asked.Add(time.Duration(got.ExpiresIn) * time.Second); wide.expires.IsZero() || at.Before(wide.expires) {
			narrow.expires = at
		}
	}
	if got.AccessToken == "" || narrow.expires.IsZero() {
		return token{}, fault.New(fault.Failed, "%s answered without a token, or without saying until when it is good", stsAPI.title)
	}
	return narrow, nil
}
