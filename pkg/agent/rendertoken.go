package agent

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

// renderToken renders an access token of Google's.
func renderToken(token connector.AccessToken, format string) (secret.Text, error) {
	if token.Token.IsEmpty() {
		return secret.Text{}, fault.New(fault.Failed, "the service handed out an empty token")
	}
	switch format {
	case FormatToken:
		return secret.New(token.Token.Reveal() + "\n"), nil
	case FormatEnv:
		return secret.New(tokenEnv(token)), nil
	}
	text, err := json.MarshalIndent(tokenJSON{
		Token: token.Token.Reveal(), Principal: token.Principal, Project: token.Project, QuotaProject: token.QuotaProject,
		Universe: token.Universe, Expires: expiresAt(token),
	}, "", "  ")
	return secret.New(string(text) + "\n"), err
}

// tokenJSON is the JSON of an access token. What is not there is left out.
type tokenJSON struct {
	Token        string     `json:"access_token"`
	Principal    string     `json:"principal,omitempty"`
	Project      string     `json:"project,omitempty"`
	QuotaProject string     `json:"quota_project,omitempty"`
	Universe     string     `json:"universe_domain,omitempty"`
	Expires      *time.Time `json:"expires_at"`
}

// tokenEnv is the variables by which gcloud and Terraform take a token, and all know its
// project. (No library takes a token from a variable: they want a file, see login gcloud.)
// What would have others used in its stead, or on top of it, is taken away.
// https://cloud.google.com/sdk/docs/properties, googlecloudsdk/core/credentials/store.py and
// https://registry.terraform.io/providers/hashicorp/google/latest/docs/guides/provider_reference
func tokenEnv(token connector.AccessToken) string {
	var out strings.Builder
	assign := func(value string, names ...string) {
		for _, name := range names {
			if value == "" {
				out.WriteString("unset " + name + "\n")
			} else {
				out.WriteString("export " + name + "=" + shellQuote(value) + "\n")
			}
		}
	}
	assign(token.Token.Reveal(), "CLOUDSDK_AUTH_ACCESS_TOKEN", "GOOGLE_OAUTH_ACCESS_TOKEN")
	assign("", "CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT", "GOOGLE_IMPERSONATE_SERVICE_ACCOUNT", "GCLOUD_PROJECT")
	assign(token.Project, "CLOUDSDK_CORE_PROJECT", "GOOGLE_CLOUD_PROJECT", "GOOGLE_PROJECT")
	assign(token.QuotaProject, "CLOUDSDK_BILLING_QUOTA_PROJECT", "GOOGLE_CLOUD_QUOTA_PROJECT", "GOOGLE_BILLING_PROJECT")
	if token.QuotaProject != "" { // without it, Terraform ignores its billing project
		assign("true", "USER_PROJECT_OVERRIDE")
	}
	assign(token.Universe, "CLOUDSDK_CORE_UNIVERSE_DOMAIN", "GOOGLE_CLOUD_UNIVERSE_DOMAIN")
	return out.String()
}

// describeToken describes an access token, itself redacted.
func describeToken(out map[string]any, token connector.AccessToken) {
	out["access_token"] = token.Token
	for name, text := range map[string]string{
		"principal": token.Principal, "project": token.Project, "quota_project": token.QuotaProject, "universe_domain": token.Universe,
	} {
		if text != "" {
			out[name] = text
		}
	}
}
