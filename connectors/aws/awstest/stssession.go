package awstest

import (
	"bytes"
	"compress/flate"
	"maps"
	"slices"
	"strings"
	"time"
)

// The bounds of sessions. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const (
	maxPolicyARNs    = 10
	maxTags          = 50
	maxTagKey        = 128
	maxTagValue      = 256
	defaultRole      = time.Hour
	maxRole          = 12 * time.Hour
	maxChained       = time.Hour
	maxRoot          = time.Hour
	defaultUserToken = 12 * time.Hour
	maxUserToken     = 36 * time.Hour
)

// limits are what narrows a session down, and describes it.
type limits struct {
	policies sessionPolicies // nil where none were given
	tags     map[string]string
	passedOn []string
	packed   int // percent of what they may take up together
}

// limits reads Policy, PolicyArns, Tags and TransitiveTagKeys.
func (r *request) limits(account *Account) (limits, error) {
	text, err := r.text(policyParameter)
	if err != nil {
		return limits{}, err
	}
	arns := r.members("PolicyArns", ".arn")
	out := limits{passedOn: r.members("TransitiveTagKeys", "")}
	if out.policies, err = sessionPoliciesOf(account, text, arns); err != nil {
		return limits{}, err
	}
	if out.tags, err = r.sessionTags(); err != nil {
		return limits{}, err
	}
	for _, key := range out.passedOn {
		if _, there := out.tags[key]; !there {
			return limits{}, invalid("InvalidParameterValue", "Transitive tag key %s is not among the session tags", key)
		}
	}
	out.packed = packedSize(text, arns, out.tags)
	if out.packed > 100 {
		return limits{}, invalid("PackedPolicyTooLarge", "Packed policy consumes %d%% of allotted space, please use smaller policy.", out.packed)
	}
	return out, nil
}

func sessionPoliciesOf(account *Account, text string, arns []string) (sessionPolicies, error) {
	var out sessionPolicies
	if text != "" {
		p := parsePolicy(text)
		if p.err != nil {
			return nil, invalid("MalformedPolicyDocument", "%s", p.err)
		}
		out = append(out, p)
	}
	if len(arns) > maxPolicyARNs {
		return nil, violated(strings.Join(arns, ", "), "policyArns", "Member must have length less than or equal to 10")
	}
	for _, arn := range arns {
		p := account.managed[arn]
		if p == nil && arn == "arn:"+account.partition+":iam::aws:policy/AdministratorAccess" {
			p = parsePolicy(AllowAll)
		}
		if p == nil {
			return nil, invalid("ValidationError", "Policy %s does not exist or is not attachable.", arn)
		}
		out = append(out, p)
	}
	return out, nil
}

func (r *request) sessionTags() (map[string]string, error) {
	keys, values := r.members("Tags", ".Key"), r.members("Tags", ".Value")
	if len(keys) != len(values) {
		return nil, invalid("ValidationError", "a tag has no key or no value")
	}
	if len(keys) > maxTags {
		return nil, violated("…", "tags", "Member must have length less than or equal to 50")
	}
	out := map[string]string{}
	for i, key := range keys {
		switch {
		case key == "" || len([]rune(key)) > maxTagKey:
			return nil, violated(key, "tags.member.key", "Member must have length between 1 and 128")
		case len([]rune(values[i])) > maxTagValue:
			return nil, violated(values[i], "tags.member.value", "Member must have length less than or equal to 256")
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			return nil, invalid("ValidationError", "Tag keys beginning with aws: are reserved: %s", key)
		case hasFold(out, key):
			return nil, invalid("InvalidParameterValue", "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		out[key] = values[i]
	}
	return out, nil
}

func hasFold(tags map[string]string, key string) bool {
	return slices.ContainsFunc(slices.Collect(maps.Keys(tags)), func(have string) bool { return strings.EqualFold(have, key) })
}

// packedSpace is how many bytes policies and tags may take up together, compressed. AWS
// does not say how it packs them; what is normal fits, and what is at all limits at once
// does not.
const packedSpace = 1800

// packedSize is the percentage of the space that policies and tags take up.
func packedSize(policy string, arns []string, tags map[string]string) int {
	var packed bytes.Buffer
	w, _ := flate.NewWriter(&packed, flate.BestCompression) // fails for other levels only
	_, _ = w.Write([]byte(policy + strings.Join(arns, "")))
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		_, _ = w.Write([]byte(key + tags[key]))
	}
	_ = w.Close()
	if policy == "" && len(arns) == 0 && len(tags) == 0 {
		return 0
	}
	return (packed.Len()*100 + packedSpace - 1) / packedSpace
}

// stsCredentials are keys as STS returns them.
type stsCredentials struct {
	AccessKeyId, SecretAccessKey, SessionToken, Expiration string
}

func (k *accessKey) stsCredentials() stsCredentials {
	return stsCredentials{k.id, k.secret, k.token, k.expires.UTC().Format(time.RFC3339)}
}

// getSessionToken gives a user's keys for a while, with MFA or without.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
func getSessionToken(r *request) (answer, error) {
	lifetime, err := r.userLifetime()
	if err != nil {
		return answer{}, err
	}
	mfa, err := r.mfa()
	if err != nil {
		return answer{}, err
	}
	session := *r.who
	session.mfa = mfa
	key := r.server.issue(&session, lifetime)
	return r.answerQuery(struct{ Credentials stsCredentials }{key.stsCredentials()})
}

// userLifetime is how long keys of GetSessionToken and GetFederationToken last: those of
// the root user an hour at most, whatever was asked for.
func (r *request) userLifetime() (time.Duration, error) {
	if r.key.temporary() {
		return 0, r.refuse(denied, "Cannot call "+r.action+" with session credentials")
	}
	lifetime, err := r.duration(defaultUserToken, maxUserToken)
	if r.who.kind == rootUser {
		lifetime = min(lifetime, maxRoot)
	}
	return lifetime, err
}

// getFederationToken gives keys for somebody whom the user vouches for. They may do what
// both the user's policies and those of the session allow: nothing without the latter.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html
func getFederationToken(r *request) (answer, error) {
	name, err := r.text(federationNameParameter)
	if err != nil {
		return answer{}, err
	}
	lifetime, err := r.userLifetime()
	if err != nil {
		return answer{}, err
	}
	limits, err := r.limits(r.who.account)
	if err != nil {
		return answer{}, err
	}
	arn := r.who.account.sts("federated-user/" + name)
	if err := r.allow("sts:GetFederationToken", arn); err != nil {
		return answer{}, err
	}
	session := *r.who
	session.kind, session.arn, session.userID = federatedUser, arn, r.who.account.id+":"+name
	session.tags, session.sessions = limits.tags, []sessionPolicies{limits.policies}
	key := r.server.issue(&session, lifetime)
	return r.answerQuery(struct {
		Credentials      stsCredentials
		FederatedUser    struct{ FederatedUserId, Arn string }
		PackedPolicySize int
	}{key.stsCredentials(), struct{ FederatedUserId, Arn string }{session.userID, arn}, limits.packed})
}
