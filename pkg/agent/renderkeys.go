package agent

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

// renderKeys renders keys of AWS. Whatever is not whole is an error, not an answer: the
// SDKs show what they cannot read, secrets included.
func renderKeys(keys connector.AWSKeys, format string) (secret.Text, error) {
	if keys.AccessKeyID == "" || keys.SecretAccessKey.IsEmpty() {
		return secret.Text{}, fault.New(fault.Failed, "the service handed out keys without an id or without a secret")
	}
	switch format {
	case FormatToken:
		return secret.Text{}, fault.New(fault.Invalid, "keys of AWS are no token: they are two or three values").
			Hint("--format json, env or credential-process shows them")
	case FormatEnv:
		return secret.New(keysEnv(keys)), nil
	case FormatProcess:
		text, err := json.Marshal(processJSON(keys))
		return secret.New(string(text) + "\n"), err
	}
	text, err := json.MarshalIndent(keysJSON{
		AccessKeyID: keys.AccessKeyID, SecretAccessKey: keys.SecretAccessKey.Reveal(), SessionToken: keys.SessionToken.Reveal(),
		Account: keys.Account, Region: keys.Region, Expires: expiresAt(keys),
	}, "", "  ")
	return secret.New(string(text) + "\n"), err
}

// keysJSON is the JSON of keys. What is not there is left out.
type keysJSON struct {
	AccessKeyID     string     `json:"access_key_id"`
	SecretAccessKey string     `json:"secret_access_key"`
	SessionToken    string     `json:"session_token,omitempty"`
	Account         string     `json:"account,omitempty"`
	Region          string     `json:"region,omitempty"`
	Expires         *time.Time `json:"expires_at"`
}

// processCredential is what a credential_process answers:
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
type processCredential struct {
	Version         int
	AccessKeyID     string `json:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string `json:",omitempty"`
	Expiration      string `json:",omitempty"` // none: the SDKs never ask again
	AccountID       string `json:"AccountId,omitempty"`
}

func processJSON(keys connector.AWSKeys) processCredential {
	out := processCredential{
		Version: 1, AccessKeyID: keys.AccessKeyID, SecretAccessKey: keys.SecretAccessKey.Reveal(),
		SessionToken: keys.SessionToken.Reveal(), AccountID: keys.Account,
	}
	if !keys.Expires.IsZero() { // whole seconds: not every SDK reads more
		out.Expiration = keys.Expires.UTC().Truncate(time.Second).Format(time.RFC3339)
	}
	return out
}

// keysEnv is the variables that every SDK of AWS reads before its files. Of those that
// have to do with the keys, what is not set is taken away: an earlier token, under its
// former name too, or an earlier expiry makes good keys bad ones (botocore heeds both).
func keysEnv(keys connector.AWSKeys) string {
	expiration := processJSON(keys).Expiration
	var out strings.Builder
	for _, variable := range []struct{ name, value string }{
		{"AWS_ACCESS_KEY_ID", keys.AccessKeyID},
		{"AWS_SECRET_ACCESS_KEY", keys.SecretAccessKey.Reveal()},
		{"AWS_SESSION_TOKEN", keys.SessionToken.Reveal()},
		{"AWS_SECURITY_TOKEN", ""},
		{"AWS_CREDENTIAL_EXPIRATION", expiration},
	} {
		if variable.value == "" {
			out.WriteString("unset " + variable.name + "\n")
			continue
		}
		out.WriteString("export " + variable.name + "=" + shellQuote(variable.value) + "\n")
	}
	if keys.Region != "" { // the SDKs read the one, the CLI the other
		out.WriteString("export AWS_REGION=" + shellQuote(keys.Region) + "\nexport AWS_DEFAULT_REGION=" + shellQuote(keys.Region) + "\n")
	}
	return out.String()
}

// describeKeys describes keys, their secrets redacted. The id is none: it is in every
// audit log of AWS.
func describeKeys(out map[string]any, keys connector.AWSKeys) {
	out["access_key_id"], out["secret_access_key"] = keys.AccessKeyID, keys.SecretAccessKey
	if !keys.SessionToken.IsEmpty() {
		out["session_token"] = keys.SessionToken
	}
	for name, text := range map[string]string{"account": keys.Account, "region": keys.Region} {
		if text != "" {
			out[name] = text
		}
	}
}
