package agent

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/pkg/broker"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/secret"
	"github.com/svcconn/svcconn/pkg/wire"
)

// keyService is a service that hands out keys, and the type that reaches it.
type keyService struct {
	keys  atomic.Pointer[connector.AWSKeys]
	mints atomic.Int64
	asked atomic.Pointer[connector.Request]
	hang  atomic.Bool
}

func (s *keyService) connectorType() *connector.Type {
	return &connector.Type{
		Name: "keys", Title: "k", Doc: "k",
		Methods: []connector.AuthMethod{{Name: "m", Title: "m", Doc: "m", Lifetime: connector.TTLBounds{Max: time.Hour}}},
		Resources: []connector.ResourceType{{
			Name: "generic", Title: "g", Doc: "g", Default: func(field.Values) string { return "eu-central-1" },
			Parse: func(_ field.Values, name string) (string, error) { return name, nil },
		}},
		Open: func(_ connector.Host, settings connector.Settings) (connector.Session, error) {
			return keySession{session{settings}, s}, nil
		},
	}
}

type keySession struct {
	session
	service *keyService
}

func (s keySession) Mint(ctx context.Context, r connector.Request) (connector.Credential, error) {
	s.service.mints.Add(1)
	s.service.asked.Store(&r)
	if s.service.hang.Load() {
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}
	return *s.service.keys.Load(), nil
}

// startKeys is an agent with a connector that hands out keys.
func startKeys(t *testing.T, keys connector.AWSKeys) (*agentWorld, *keyService) {
	t.Helper()
	service := &keyService{}
	service.keys.Store(&keys)
	w := startTypes(t, "1.0.0", connector.NewTypes(append(types(), service.connectorType())...))
	if _, err := w.broker.Register(t.Context(), broker.Draft{Name: "prod", Spec: connector.Spec{Type: "keys"}}, false); err != nil {
		t.Fatal(err)
	}
	return w, service
}

func (w *agentWorld) credential(op string, args wire.CredentialArgs) (string, error) {
	w.t.Helper()
	args.Connector = "prod"
	answer, err := w.client(nil).Call(w.t.Context(), op, args, secret.Text{})
	return answer.Body.Reveal(), err
}

var (
	temporary = connector.AWSKeys{
		AccessKeyID: "ASIAEXAMPLE", SecretAccessKey: secret.New("secret/+" + canary), SessionToken: secret.New("token-" + canary),
		Account: "123456789012", Region: "eu-central-1", Expires: time.Date(2126, 11, 21, 12, 0, 0, 999_000_000, time.UTC),
	}
	lasting = connector.AWSKeys{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: secret.New("it's " + canary)}
)

func grantOf(keys connector.AWSKeys) broker.Grant {
	return broker.Grant{Credential: keys, ResourceType: "generic", ResourceName: "eu-central-1"}
}

func TestFormatsOfKeys(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, format string
		keys         connector.AWSKeys
		want         string
	}{
		{"process", FormatProcess, temporary, `{"Version":1,"AccessKeyId":"ASIAEXAMPLE","SecretAccessKey":"secret/+CANARY","SessionToken":"token-CANARY",` +
			`"Expiration":"2126-11-21T12:00:00Z","AccountId":"123456789012"}` + "\n"},
		{"process, lasting", FormatProcess, lasting, `{"Version":1,"AccessKeyId":"AKIAEXAMPLE","SecretAccessKey":"it's CANARY"}` + "\n"},
		{"env", FormatEnv, temporary, "export AWS_ACCESS_KEY_ID='ASIAEXAMPLE'\nexport AWS_SECRET_ACCESS_KEY='secret/+CANARY'\n" +
			"export AWS_SESSION_TOKEN='token-CANARY'\nunset AWS_SECURITY_TOKEN\nexport AWS_CREDENTIAL_EXPIRATION='2126-11-21T12:00:00Z'\n" +
			"export AWS_REGION='eu-central-1'\nexport AWS_DEFAULT_REGION='eu-central-1'\n"},
		{"env, lasting", FormatEnv, lasting, "export AWS_ACCESS_KEY_ID='AKIAEXAMPLE'\nexport AWS_SECRET_ACCESS_KEY='it'\\''s CANARY'\n" +
			"unset AWS_SESSION_TOKEN\nunset AWS_SECURITY_TOKEN\nunset AWS_CREDENTIAL_EXPIRATION\n"},
		{"json", FormatJSON, temporary, "{\n  \"access_key_id\": \"ASIAEXAMPLE\",\n  \"secret_access_key\": \"secret/+CANARY\",\n  \"session_token\": \"token-CANARY\",\n" +
			"  \"account\": \"123456789012\",\n  \"region\": \"eu-central-1\",\n  \"expires_at\": \"2126-11-21T12:00:00.999Z\"\n}\n"},
		{"json, lasting", FormatJSON, lasting, "{\n  \"access_key_id\": \"AKIAEXAMPLE\",\n  \"secret_access_key\": \"it's CANARY\",\n  \"expires_at\": null\n}\n"},
		{"redacted", FormatRedacted, temporary, `{"connector":"","resource_type":"generic","resource_name":"eu-central-1","credential":{"access_key_id":"ASIAEXAMPLE",` +
			`"account":"123456789012","expires_at":"2126-11-21T12:00:00.999Z","region":"eu-central-1","secret_access_key":"[redacted]","session_token":"[redacted]"}}`},
	} {
		body, err := Render(grantOf(tc.keys), tc.format, time.Now())
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
		}
		if diff := cmp.Diff(tc.want, strings.ReplaceAll(body.Reveal(), canary, "CANARY")); diff != "" {
			t.Errorf("%s: -want +got\n%s", tc.name, diff)
		}
	}
}

func TestKeysAreRefusedInFormsThatTheyHaveNot(t *testing.T) {
	t.Parallel()
	login := broker.Grant{Credential: connector.RegistryLogin{Registry: "r"}, ResourceType: broker.DockerRegistry}
	cluster := broker.Grant{Credential: connector.KubernetesAuth{Token: secret.New(canary)}, ResourceType: broker.KubernetesCluster}
	half := lasting
	half.SecretAccessKey = secret.Text{}
	for _, tc := range []struct {
		grant        broker.Grant
		format, want string
		kind         fault.Kind
	}{
		{grantOf(temporary), FormatToken, "no token", fault.Invalid},
		{grantOf(temporary), FormatDocker, "resource type generic cannot be shown as docker", fault.Invalid},
		{grantOf(temporary), FormatExec, "resource type generic cannot be shown as exec-credential", fault.Invalid},
		{login, FormatProcess, "resource type docker-registry cannot be shown as credential-process", fault.Invalid},
		{cluster, FormatProcess, "resource type kubernetes-cluster cannot be shown as credential-process", fault.Invalid},
		{grantOf(half), FormatProcess, "without a secret", fault.Failed},
		{grantOf(half), FormatEnv, "without a secret", fault.Failed},
	} {
		body, err := Render(tc.grant, tc.format, time.Now())
		if !fault.Is(err, tc.kind) || !strings.Contains(err.Error(), tc.want) || !body.IsEmpty() {
			t.Errorf("%s: %v, want %q", tc.format, err, tc.want)
		}
	}
}

// What a shell makes of the variables is what the keys are, whatever was set before.
func TestKeysInAShell(t *testing.T) {
	t.Parallel()
	body, err := Render(grantOf(lasting), FormatEnv, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "env")
	if err := os.WriteFile(file, []byte(body.Reveal()), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", `. "$0"; printf '%s|%s|%s|%s' "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" "${AWS_SESSION_TOKEN-none}" "${AWS_CREDENTIAL_EXPIRATION-none}"`, file)
	cmd.Env = []string{"AWS_SESSION_TOKEN=old", "AWS_CREDENTIAL_EXPIRATION=2001-01-01T00:00:00Z"}
	out, err := cmd.Output()
	if want := "AKIAEXAMPLE|it's " + canary + "|none|none"; err != nil || string(out) != want {
		t.Errorf("%v, got %d bytes, want %d", err, len(out), len(want))
	}
}

// SDKs ask so early that 15 minutes are left; others are content with what there is.
func TestKeysHaveLifeLeftForThoseWhoWantIt(t *testing.T) {
	t.Parallel()
	early := temporary
	early.Expires = time.Now().Add(time.Hour)
	w, service := startKeys(t, early)
	process := wire.CredentialArgs{Format: FormatProcess, Left: 15 * time.Minute, ReadOnly: true}
	for range 3 {
		if _, err := w.credential(wire.AWSProcess, process); err != nil {
			t.Fatal(err)
		}
	}
	if service.mints.Load() != 1 {
		t.Errorf("%d mints, want 1", service.mints.Load())
	}
	if asked := service.asked.Load(); asked.Access != connector.ReadOnly {
		t.Errorf("asked for %+v", asked)
	}
	process.ReadOnly = false
	if _, err := w.credential(wire.AWSProcess, process); err != nil || service.asked.Load().Access != connector.ReadWrite {
		t.Errorf("%v, asked for %+v", err, service.asked.Load())
	}
}

func TestAnSDKIsToldInTimeWhatIsSlow(t *testing.T) {
	t.Parallel()
	w, service := startKeys(t, temporary)
	service.hang.Store(true)
	if err := os.WriteFile(filepath.Join(w.dirs.Config, "config.toml"), []byte("[aws]\ntimeout = '50ms'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	body, err := w.credential(wire.AWSProcess, wire.CredentialArgs{Format: FormatProcess})
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "still waiting for eu-central-1") || body != "" {
		t.Errorf("%v: the slow hop is not named", err)
	}
}

func TestDescribedKeysAreWholeJSON(t *testing.T) {
	t.Parallel()
	w, _ := startKeys(t, temporary)
	body, err := w.credential(wire.GetCredential, wire.CredentialArgs{Format: FormatRedacted})
	var got Description
	if err == nil {
		err = json.Unmarshal([]byte(body), &got)
	}
	if err != nil || got.Connector != "prod" || got.Credential["secret_access_key"] != secret.Redacted || strings.Contains(body, canary) {
		t.Errorf("%v: %+v", err, got)
	}
}
