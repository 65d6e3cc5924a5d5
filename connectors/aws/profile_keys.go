package aws

import (
	"strings"
	"time"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/hop"
	"github.com/svcconn/svcconn/pkg/secret"
)

// The keys of a profile that have its session token, and those in which tools that write
// temporary keys into a profile say until when they are good. AWS's own tools say nothing.
var (
	tokenKeys  = []string{"aws_session_token", "aws_security_token"}
	expiryKeys = []string{"aws_expiration", "x_security_token_expires", "aws_session_expiration", "aws_credential_expiration", "expiration"}
)

// temporaryPrefix is what the ids of temporary keys begin with.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
const temporaryPrefix = "ASIA"

// keys reads the keys of a profile. Temporary ones have no expiry where it says none.
func (p *profile) keys() (keys, error) {
	k, err := keysOf(func(key string) string { return p.values[key] }, "profile \""+p.name+"\"")
	k.account = p.values["aws_account_id"]
	return k, err
}

// keysOf makes keys of what they are called in profiles. where names the place in errors.
func keysOf(get func(key string) string, where string) (keys, error) {
	first := func(names []string) string {
		for _, name := range names {
			if text := get(name); text != "" {
				return text
			}
		}
		return ""
	}
	k := keys{id: get("aws_access_key_id"), secret: secret.New(get("aws_secret_access_key")), token: secret.New(first(tokenKeys))}
	switch {
	case k.id == "":
		return keys{}, fault.New(fault.Invalid, "%s has a secret access key without its id", where)
	case k.secret.IsEmpty():
		return keys{}, fault.New(fault.Invalid, "%s has an access key id without its secret", where)
	case k.token.IsEmpty() && strings.HasPrefix(k.id, temporaryPrefix):
		return keys{}, fault.New(fault.Invalid, "%s has temporary keys (%s…) without their session token", where, temporaryPrefix)
	case k.token.IsEmpty():
		return k, nil
	}
	if text := first(expiryKeys); text != "" {
		end, err := readExpiry(text)
		if err != nil {
			return keys{}, fault.Within(err, "%s", where)
		}
		k.expires = end
	}
	return k, nil
}

// expiryForms are how tools write when keys expire; where there is no zone it is UTC.
var expiryForms = []string{time.RFC3339Nano, "2006-01-02T15:04:05Z0700", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05Z0700", "2006-01-02 15:04:05"}

func readExpiry(text string) (time.Time, error) {
	for _, form := range expiryForms {
		if end, err := time.Parse(form, text); err == nil {
			return end, nil
		}
	}
	return time.Time{}, fault.New(fault.Invalid, "the expiry of the keys is not a time such as 2006-01-02T15:04:05Z")
}

// endless reports whether keys are temporary and nobody said until when.
func (k keys) endless() bool { return !k.token.IsEmpty() && k.expires.IsZero() }

// within says which profile an error is about.
func within(err error, p *profile, key string) error {
	return fault.Within(err, "profile %s: %s", hop.OneLine(p.name), key)
}
