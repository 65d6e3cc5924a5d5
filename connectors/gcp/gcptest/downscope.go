package gcptest

import (
	"encoding/json"
	"slices"
)

// boundaryOptions are the options of an exchange for a token with a credential access
// boundary. https://cloud.google.com/iam/docs/downscoping-short-lived-credentials#exchange-credential-auto
type boundaryOptions struct {
	AccessBoundary struct {
		Rules []struct {
			Resource    string   `json:"availableResource"`
			Permissions []string `json:"availablePermissions"`
			Condition   *struct {
				Expression string `json:"expression"`
			} `json:"availabilityCondition"`
		} `json:"accessBoundaryRules"`
	} `json:"accessBoundary"`
}

// maxRules is how many rules a boundary may have.
const maxRules = 10

// downscope gives an access token that can less than the one it is given for, and ends with
// it.
func downscope(r *request) (answer, error) {
	from := r.server.live(r.form.Get("subject_token"))
	if from == nil {
		return answer{}, oauthError("invalid_grant", "Invalid or expired subject token.")
	}
	r.subject = from.who
	switch {
	case from.boundary != nil:
		return answer{}, oauthError("invalid_grant", "The subject token already has an access boundary.")
	case !slices.Contains(from.scopes, scopeCloudPlatform):
		return answer{}, oauthError("invalid_grant", "The subject token does not have the scope %s.", scopeCloudPlatform)
	}
	b, err := readBoundary(r.form.Get("options"))
	if err != nil {
		return answer{}, err
	}
	t := r.server.issue(boundPrefix, from.expires.Sub(r.now), accessToken{who: from.who, scopes: from.scopes, boundary: b, parent: from, sts: true})
	return r.answerExchange(t, 0)
}

// readBoundary reads a boundary, JSON.
func readBoundary(text string) (*boundary, error) {
	var in boundaryOptions
	if json.Unmarshal([]byte(text), &in) != nil {
		return nil, oauthError("invalid_request", "Invalid value for \"options\".")
	}
	rules := in.AccessBoundary.Rules
	if len(rules) == 0 || len(rules) > maxRules {
		return nil, oauthError("invalid_request", "The access boundary must have between 1 and %d rules.", maxRules)
	}
	b := &boundary{}
	for _, rule := range rules {
		bucket, err := boundaryBucket(rule.Resource)
		if err != nil {
			return nil, err
		}
		permissions, err := rolePermissions(rule.Permissions)
		if err != nil {
			return nil, err
		}
		out := boundaryRule{bucket: bucket, permissions: permissions}
		if rule.Condition != nil {
			if out.condition, err = readCondition(rule.Condition.Expression); err != nil {
				return nil, err
			}
		}
		b.rules = append(b.rules, out)
	}
	return b, nil
}
