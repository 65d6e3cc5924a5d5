package agent

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/pkg/broker"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

var (
	googleToken1 = connector.AccessToken{
		Token: secret.New("ya29." + canary), Principal: "ci@acme.iam.gserviceaccount.com", Project: "acme", QuotaProject: "it's quota",
		Universe: "googleapis.com", Expires: time.Date(2126, 11, 21, 12, 0, 0, 0, time.UTC),
	}
	bareToken = connector.AccessToken{Token: secret.New("ya29." + canary)}
	keyFile   = connector.KeyFile{JSON: secret.New(`{"type": "service_account", "private_key": "` + canary + `"}`)}
)

func googleGrant(c connector.Credential) broker.Grant {
	return broker.Grant{Credential: c, ResourceType: "gcp-generic", ResourceName: "acme"}
}

func TestFormatsOfAccessTokens(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, format string
		credential   connector.Credential
		want         string
	}{
		{"token", FormatToken, googleToken1, "ya29.CANARY\n"},
		{"json", FormatJSON, googleToken1, "{\n  \"access_token\": \"ya29.CANARY\",\n  \"principal\": \"ci@acme.iam.gserviceaccount.com\",\n  \"project\": \"acme\",\n" +
			"  \"quota_project\": \"it's quota\",\n  \"universe_domain\": \"googleapis.com\",\n  \"expires_at\": \"2126-11-21T12:00:00Z\"\n}\n"},
		{"json, bare", FormatJSON, bareToken, "{\n  \"access_token\": \"ya29.CANARY\",\n  \"expires_at\": null\n}\n"},
		{"redacted", FormatRedacted, googleToken1, `{"connector":"","resource_type":"gcp-generic","resource_name":"acme","credential":{"access_token":"[redacted]",` +
			`"expires_at":"2126-11-21T12:00:00Z","principal":"ci@acme.iam.gserviceaccount.com","project":"acme","quota_project":"it's quota","universe_domain":"googleapis.com"}}`},
		{"key file", FormatKeyFile, keyFile, `{"type": "service_account", "private_key": "CANARY"}`},
		{"key file, redacted", FormatRedacted, keyFile, `{"connector":"","resource_type":"gcp-generic","resource_name":"acme","credential":{"expires_at":null}}`},
	} {
		body, err := Render(googleGrant(tc.credential), tc.format, time.Now())
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
		}
		if diff := cmp.Diff(tc.want, strings.ReplaceAll(body.Reveal(), canary, "CANARY")); diff != "" {
			t.Errorf("%s: -want +got\n%s", tc.name, diff)
		}
	}
}

func TestAccessTokensAreRefusedInFormsThatTheyHaveNot(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		credential   connector.Credential
		format, want string
		kind         fault.Kind
	}{
		{googleToken1, FormatDocker, "cannot be shown as docker", fault.Invalid},
		{googleToken1, FormatProcess, "cannot be shown as credential-process", fault.Invalid},
		{googleToken1, FormatGoogle, "cannot be shown as google-executable", fault.Invalid},
		{googleToken1, FormatKeyFile, "cannot be shown as google-key-file", fault.Invalid},
		{keyFile, FormatJSON, "cannot be shown as json", fault.Invalid},
		{keyFile, FormatToken, "cannot be shown as token", fault.Invalid},
		{keyFile, FormatEnv, "cannot be shown as env", fault.Invalid},
		{temporary, FormatKeyFile, "cannot be shown as google-key-file", fault.Invalid},
		{connector.AccessToken{Project: "acme"}, FormatToken, "empty token", fault.Failed},
	} {
		body, err := Render(googleGrant(tc.credential), tc.format, time.Now())
		if !fault.Is(err, tc.kind) || !strings.Contains(err.Error(), tc.want) || !body.IsEmpty() {
			t.Errorf("%s: %v, want %q", tc.format, err, tc.want)
		}
	}
}

// What a shell makes of the variables is what gcloud, Terraform and the libraries read,
// whatever was set before.
func TestAccessTokensInAShell(t *testing.T) {
	t.Parallel()
	before := []string{
		"GCLOUD_PROJECT=old", "GOOGLE_PROJECT=old", "GOOGLE_IMPERSONATE_SERVICE_ACCOUNT=old", "CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT=old",
		"CLOUDSDK_BILLING_QUOTA_PROJECT=old", "GOOGLE_BILLING_PROJECT=old", "CLOUDSDK_CORE_UNIVERSE_DOMAIN=old",
	}
	for name, tc := range map[string]struct {
		token connector.AccessToken
		want  []string
	}{
		"whole": {googleToken1, []string{
			"CLOUDSDK_AUTH_ACCESS_TOKEN=ya29.CANARY", "CLOUDSDK_BILLING_QUOTA_PROJECT=it's quota", "CLOUDSDK_CORE_PROJECT=acme", "CLOUDSDK_CORE_UNIVERSE_DOMAIN=googleapis.com",
			"GOOGLE_BILLING_PROJECT=it's quota", "GOOGLE_CLOUD_PROJECT=acme", "GOOGLE_CLOUD_QUOTA_PROJECT=it's quota", "GOOGLE_CLOUD_UNIVERSE_DOMAIN=googleapis.com",
			"GOOGLE_OAUTH_ACCESS_TOKEN=ya29.CANARY", "GOOGLE_PROJECT=acme", "USER_PROJECT_OVERRIDE=true",
		}},
		"bare": {bareToken, []string{"CLOUDSDK_AUTH_ACCESS_TOKEN=ya29.CANARY", "GOOGLE_OAUTH_ACCESS_TOKEN=ya29.CANARY"}},
	} {
		body, err := Render(googleGrant(tc.token), FormatEnv, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "env")
		if err := os.WriteFile(file, []byte(body.Reveal()), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("sh", "-c", `. "$0"; env | grep -E '^(CLOUDSDK|GOOGLE|GCLOUD|USER_PROJECT)_' | sort`, file)
		cmd.Env = append(before, "PATH="+os.Getenv("PATH"), "LC_ALL=C")
		out, err := cmd.Output()
		got := strings.Split(strings.TrimSpace(strings.ReplaceAll(string(out), canary, "CANARY")), "\n")
		if diff := cmp.Diff(tc.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}
