package aws

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
)

// What STS takes. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const (
	longestSessionName = 64
	longestUserName    = 32 // of a federated user
	longestExternalID  = 1224
	longestPolicy      = 2048
	longestTagKey      = 128
	longestTagValue    = 256
	longestARN         = 2048
	mostPolicyARNs     = 10
	mostTags           = 50
)

var (
	wordForm       = field.Lazily(`^[A-Za-z0-9_+=,.@-]+$`)
	externalIDForm = field.Lazily(`^[A-Za-z0-9_+=,.@:/-]+$`)
	identityForm   = field.Lazily(`^[A-Za-z0-9_+=,.@-]{2,64}$`)
	serialForm     = field.Lazily(`^[A-Za-z0-9_+=/:,.@-]{9,256}$`)
	tagForm        = field.Lazily(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)
	pathForm       = field.Lazily(`^(/|/[!-~]+/)?$`)
	nameForm       = field.Lazily(`^[A-Za-z0-9_+=,.@-]{1,128}$`)
)

// parseIAM reads the ARN of a role or a policy. example is one that is right.
func parseIAM(text, kind, example string) (arn.ARN, error) {
	malformed := func(err error) (arn.ARN, error) {
		return arn.ARN{}, fault.New(fault.Invalid, "%q is not the ARN of a %s: %w", text, kind, err).Hint("it looks like %s", example)
	}
	if session, err := parseARN(text, "sts"); err == nil && strings.HasPrefix(session.Resource, "assumed-role/") {
		role := strings.Split(session.Resource, "/")[1]
		return malformed(fmt.Errorf("it is that of a session, of the role arn:%s:iam::%s:role/%s", session.Partition, session.AccountID, role))
	}
	// AWS's own policies have aws for an account.
	owned := strings.Replace(text, ":iam::aws:policy/", ":iam::"+awsAccount+":policy/", 1)
	a, err := parseARN(owned, "iam")
	what, path, _ := strings.Cut(a.Resource, "/")
	name := path[strings.LastIndex(path, "/")+1:]
	switch {
	case err != nil:
		return malformed(err)
	case len(text) > longestARN:
		return malformed(fmt.Errorf("it is longer than %d characters", longestARN))
	case what != kind:
		return malformed(fmt.Errorf("it names a thing of the kind %q", what))
	case a.Region != "":
		return malformed(errors.New("IAM has no regions"))
	case a.AccountID == "":
		return malformed(errors.New("it has no account"))
	case !nameForm.MatchString(name) || !pathForm.MatchString("/"+strings.TrimSuffix(path, name)):
		return malformed(fmt.Errorf("%q is not a name", path))
	}
	if owned != text {
		a.AccountID = "aws"
	}
	return a, nil
}

// awsAccount stands in for AWS, which has no number.
const awsAccount = "000000000000"

// accountOf is the account of an ARN that AWS made; "" where it names none.
func accountOf(text string) string {
	if parts := strings.SplitN(text, ":", 6); len(parts) == 6 {
		return parts[4]
	}
	return ""
}

// partitionOfARN is the partition of an ARN that was checked.
func partitionOfARN(text string) string { return strings.SplitN(text, ":", 3)[1] }

func checkRoleARN(text string) (string, error) {
	_, err := parseIAM(text, "role", roleExample)
	return text, err
}

func checkPolicyARN(text string) (string, error) {
	_, err := parseIAM(text, "policy", policyExample)
	return text, err
}

const (
	roleExample   = "arn:aws:iam::123456789012:role/deployer"
	policyExample = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
)

func checkExternalID(text string) (string, error) {
	if len(text) < 2 || len(text) > longestExternalID || !externalIDForm.MatchString(text) {
		return "", fault.New(fault.Invalid, "an external id has 2 to 1,224 letters, digits and _+=,.@:/-")
	}
	return text, nil
}

func checkSourceIdentity(text string) (string, error) {
	if !identityForm.MatchString(text) {
		return "", fault.New(fault.Invalid, "%q is no source identity: those have 2 to 64 letters, digits and _+=,.@-", text)
	}
	return text, nil
}

// tag is a session tag.
type tag struct{ key, value string }

// hasKey reports whether a key is the tag's; case does not count.
func (t tag) hasKey(key string) bool { return strings.EqualFold(t.key, key) }

func checkTag(text string) (string, error) {
	key, value, found := strings.Cut(text, "=")
	if !found {
		return "", fault.New(fault.Invalid, "the tag %q is not written as KEY=VALUE", text).Hint("separate several by commas: --set session_tags=team=data,stage=prod")
	}
	if _, err := checkTagKey(key); err != nil {
		return "", err
	}
	if utf8.RuneCountInString(value) > longestTagValue || !tagForm.MatchString(value) {
		return "", fault.New(fault.Invalid, "the value of the tag %q is not one of at most %d letters, digits, spaces and _.:/=+-@", key, longestTagValue)
	}
	return text, nil
}

func checkTagKey(key string) (string, error) {
	switch {
	case key == "" || utf8.RuneCountInString(key) > longestTagKey || !tagForm.MatchString(key):
		return "", fault.New(fault.Invalid, "%q is no key of a tag: those have 1 to %d letters, digits, spaces and _.:/=+-@", key, longestTagKey)
	case strings.HasPrefix(strings.ToLower(key), "aws:"):
		return "", fault.New(fault.Invalid, "the tag %q begins with aws:, which is AWS's own", key)
	}
	return key, nil
}

// tagsOf reads the session tags.
func tagsOf(values field.Values) ([]tag, error) {
	var tags []tag
	for _, text := range sessionTagsField.Get(values) {
		key, value, _ := strings.Cut(text, "=")
		if slices.ContainsFunc(tags, func(t tag) bool { return t.hasKey(key) }) {
			return nil, fault.New(fault.Invalid, "field %s has the key %q twice; case does not count", sessionTagsField.Name, key)
		}
		tags = append(tags, tag{key, value})
	}
	if len(tags) > mostTags {
		return nil, fault.New(fault.Invalid, "field %s has %d tags, and AWS takes %d", sessionTagsField.Name, len(tags), mostTags)
	}
	for _, key := range transitiveTagsField.Get(values) {
		if !slices.ContainsFunc(tags, func(t tag) bool { return t.hasKey(key) }) {
			return nil, fault.New(fault.Invalid, "field %s has %q, which is no key of %s", transitiveTagsField.Name, key, sessionTagsField.Name)
		}
	}
	return tags, nil
}
