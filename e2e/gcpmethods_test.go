//go:build e2e && linux

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/svcconn/svcconn/connectors/gcp/gcptest"
)

// janeDoe is a person's Google account.
const janeDoe = "jane@example.com"

// person is a person who may do everything in the project, by what gcloud left of a login.
func (p *project) person() (adc string) {
	p.Grant("user:"+janeDoe, "*")
	return p.w.guardJSON(p.google.User(janeDoe).ADC())
}

// userAccount is a login that was made elsewhere.
func (p *project) userAccount() googleLogin {
	return googleLogin{method: "user-account", whoami: janeDoe, fields: map[string]string{"user_account_json": p.person(), "project_id": p.ID()}}
}

// impersonation is a service account that the robot may be, over another one.
func (p *project) impersonation() googleLogin {
	middle, target := p.ServiceAccount("middle", "none.none"), p.ServiceAccount("target")
	middle.LetImpersonate("serviceAccount:" + p.robot.Email())
	target.LetImpersonate("serviceAccount:" + middle.Email())
	return googleLogin{method: "impersonation", whoami: target.Email(), fields: map[string]string{
		"service_account_json": p.key(p.robot), "target_principal": target.Email(), "delegates": middle.Email(),
	}}
}

// federation is an identity of another issuer's, with a configuration as gcloud writes it.
func (p *project) federation(source object) googleLogin {
	return p.federated(gcptest.Provider{Issuer: p.google.Issuer()}, "urn:ietf:params:oauth:token-type:jwt", source)
}

func (p *project) federated(provider gcptest.Provider, kind string, source object) googleLogin {
	audience := p.WorkloadPool("e2e", "provider", provider)
	target := p.ServiceAccount("federated")
	target.LetImpersonate("principalSet:" + strings.TrimSuffix(audience, "/providers/provider") + "/*")
	config, _ := json.Marshal(object{
		"type": "external_account", "audience": audience, "subject_token_type": kind, "token_url": "https://sts.googleapis.com/v1/token", "credential_source": source,
		"service_account_impersonation_url": "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/" + target.Email() + ":generateAccessToken",
	})
	return googleLogin{method: "external-account", whoami: target.Email(), fields: map[string]string{"external_account_json": string(config), "project_id": p.ID()}}
}

// subjectToken is a token of the issuer for the pool, which is a secret of the world.
func (p *project) subjectToken() string {
	audience := p.WorkloadPool("e2e", "provider", gcptest.Provider{Issuer: p.google.Issuer()})
	token := p.google.Issuer().Token("ci", "https:"+audience)
	p.w.guard(token)
	return token
}

// outside is a file that is somebody else's to protect: it is not searched.
func (w *world) outside(content string, mode os.FileMode) string {
	w.t.Helper()
	path := filepath.Join(w.t.TempDir(), "file")
	must(w.t, os.WriteFile(path, []byte(content), mode))
	return path
}

func (p *project) fromFile() googleLogin {
	return p.federation(object{"file": p.w.outside(p.subjectToken()+"\n", 0o600)})
}

func (p *project) fromURL() googleLogin {
	token := p.subjectToken()
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) {
		if req.Header.Get("Metadata-Flavor") != "e2e" {
			http.Error(rw, "who are you?", http.StatusForbidden)
			return
		}
		json.NewEncoder(rw).Encode(object{"id": token})
	}))
	p.w.t.Cleanup(server.Close)
	return p.federation(object{"url": server.URL, "headers": object{"Metadata-Flavor": "e2e"}, "format": object{"type": "json", "subject_token_field_name": "id"}})
}

func (p *project) fromExecutable() googleLogin {
	answer := fmt.Sprintf(`{"version":1,"success":true,"token_type":"urn:ietf:params:oauth:token-type:jwt","id_token":%q,"expiration_time":4102444800}`, p.subjectToken())
	return p.federation(object{"executable": object{"command": p.w.outside("#!/bin/sh\ncat <<'EOF'\n"+answer+"\nEOF\n", 0o700), "timeout_millis": 5000}})
}

var arnOf = regexp.MustCompile(`<Arn>([^<]+)</Arn>`)

// fromAWS proves an identity of AWS's, whose keys a connector of svcconn's gives. Google
// asks AWS itself for whom the keys make us.
func (p *project) fromAWS() googleLogin {
	aws, err := newAWS(p.w.root)
	must(p.w.t, err)
	p.w.t.Cleanup(func() { aws.Close() })
	account := &account{Account: aws.Account(newAccountID()), w: p.w, aws: aws}
	ada := awsLogin{method: "session-token", fields: with(keyFields(account.newUser("ada")), "endpoint_url", aws.URL()), flags: []string{"--resource-type", "aws-generic"}}
	ada.register(p.w, "aws").exits(0)
	ask := func(req *http.Request) (string, error) {
		req.URL.Scheme, req.URL.Host, req.RequestURI = "http", strings.TrimPrefix(aws.URL(), "http://"), ""
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if match := arnOf.FindSubmatch(text); match != nil {
			return string(match[1]), nil
		}
		return "", fmt.Errorf("AWS says %s: %s (%v)", resp.Status, text, err)
	}
	l := p.federated(gcptest.Provider{AWS: ask}, "urn:ietf:params:aws:token-type:aws4_request", object{
		"environment_id": "aws1", "regional_cred_verification_url": "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15",
	})
	l.fields = with(l.fields, "aws_region", homeRegion, "aws_credential_process",
		filepath.Join(p.w.bin, "svcconn")+" credential --connector aws --resource-type aws-generic --format credential-process")
	return l
}

func (p *project) givenToken() googleLogin {
	token := p.google.IssueToken("serviceAccount:"+p.robot.Email(), "", time.Hour)
	p.w.guard(token)
	return googleLogin{method: "oauth2-token", whoami: p.robot.Email(), fields: map[string]string{"token": token, "project_id": p.ID()}}
}

// googleLogins are the auth methods that need nobody at a browser.
var googleLogins = map[string]func(p *project) googleLogin{
	"service-account":         (*project).serviceAccount,
	"user-account":            (*project).userAccount,
	"impersonation":           (*project).impersonation,
	"external-account/file":   (*project).fromFile,
	"external-account/url":    (*project).fromURL,
	"external-account/script": (*project).fromExecutable,
	"external-account/aws":    (*project).fromAWS,
	"oauth2-token":            (*project).givenToken,
}

// TestGCPMethods registers each auth method, and asks Google whose the tokens are.
func TestGCPMethods(t *testing.T) {
	t.Parallel()
	need(t, "gcloud")
	for name, prepare := range googleLogins {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "register and verify tell who Google says we are; a bucket and a registry get tokens of it; gcloud gets one that makes it the same")
			p := w.useGoogle()
			own, _ := p.bucketNames()
			l := prepare(p)
			l.register(w, "prod").exits(0)
			w.ok("svcconn", "verify", "prod").says(l.whoami)
			w.ok("svcconn", "describe", "prod", "-o", "json").says(p.ID(), `"auth_method": "`+l.method+`"`)
			gcloud := w.loginGcloud("all")
			token := strings.TrimSpace(printToken(gcloud).exits(0).stdout)
			w.guard(token)
			if email, ok := p.google.TokenInfo(token); !ok || email != l.whoami {
				t.Errorf("gcloud is %q, want %s", email, l.whoami)
			}
			if email, ok := p.google.TokenInfo(w.token("gcs-bucket", own)); !ok || email != l.whoami {
				t.Errorf("the bucket's token is of %q, want %s", email, l.whoami)
			}
			if email, ok := p.google.TokenInfo(w.registryLogin(registryHost(homeLocation) + "/" + p.ID() + "/team").Secret); !ok || email != l.whoami {
				t.Errorf("the registry's login is of %q, want %s", email, l.whoami)
			}
		})
	}
}

// TestGCPBrowser has a person log in through svcconn.
func TestGCPBrowser(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "user-account: nobody there is exit code 6 at once; a login in the browser is kept in the keyring, and refreshed without a person; a revoked one says how to get a new one")
	p := w.useGoogle()
	p.Grant("user:"+janeDoe, "*")
	client := p.google.OAuthClient("desktop")
	w.guard(client.Secret)
	l := googleLogin{method: "user-account", fields: map[string]string{"client_id": client.ID, "client_secret": client.Secret, "project_id": p.ID()}}
	defer w.removePasswords()
	l.register(w, "prod").exits(6).says("svcconn")
	w.wantConnectors()
	somebody := w.newPersonBy(p.google.browser())
	p.google.DenyConsent()
	w.cmd(l.registerArgs(w, "prod")...).onTerminal().exits(4).says("denied")
	w.wantConnectors()
	p.google.Consent(janeDoe)
	w.cmd(l.registerArgs(w, "prod")...).onTerminal().exits(0).says(janeDoe)
	opened := len(somebody.opened())
	for range 2 {
		w.ok("svcconn", "agent", "stop")
		if email, _ := p.google.TokenInfo(w.token("gcp-generic", "")); email != janeDoe {
			t.Errorf("the token is of %q", email)
		}
	}
	p.google.User(janeDoe).Revoke()
	w.ok("svcconn", "agent", "stop")
	w.askToken("gcp-generic", "").exits(6).says("svcconn verify prod")
	if n := len(somebody.opened()); n != opened {
		t.Errorf("the browser was opened %d times more, with nobody there", n-opened)
	}
	w.cmd("svcconn", "verify", "prod").onTerminal().exits(0).says(janeDoe)
	w.token("gcp-generic", "")
}

// TestGCPDevice has a person log in on another machine.
func TestGCPDevice(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "user-account with login_flow=device: a code is told, and good for the few scopes that Google lets such clients have")
	p := w.useGoogle()
	p.Grant("user:"+janeDoe, "*")
	client := p.google.OAuthClient("tv")
	w.guard(client.Secret)
	p.google.Consent(janeDoe)
	l := googleLogin{method: "user-account", fields: map[string]string{
		"client_id": client.ID, "client_secret": client.Secret, "project_id": p.ID(), "login_flow": "device", "login_scopes": "openid,email",
	}, flags: []string{"--resource-type", "gcp-generic"}}
	defer w.removePasswords()
	w.cmd(l.registerArgs(w, "prod")...).onTerminal().exits(0).says("code", janeDoe)
	wide := googleLogin{method: l.method, fields: with(l.fields, "login_scopes", "openid,https://www.googleapis.com/auth/cloud-platform")}
	w.cmd(wide.registerArgs(w, "wide")...).onTerminal().fails().says("scope")
}

// TestGCPImplicit borrows identities of the machine, which has to be allowed.
func TestGCPImplicit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "auth method implicit is refused until allow_implicit is set, follows its file at every mint, not the environment of whoever starts the agent, and never to another account")
	p := w.useGoogle()
	file := w.outside(p.key(p.robot), 0o600)
	l := googleLogin{method: "implicit", fields: map[string]string{"credentials_file": file, "project_id": p.ID()}, whoami: p.robot.Email()}
	l.register(w, "prod").exits(4).says("allow_implicit = true")
	w.file("[connectors]\nallow_implicit = true\n", "svcconn", "config.toml")
	l.register(w, "prod").exits(0).says(p.robot.Email())
	w.ok("svcconn", "agent", "stop")
	stranger := w.outside(p.key(p.ServiceAccount("mallory")), 0o600)
	token := strings.TrimSpace(w.cmd("svcconn", "credential", "--connector", "prod", "-r", "gcp-generic", "--format", "token").setenv("GOOGLE_APPLICATION_CREDENTIALS=" + stranger).revealing().run().exits(0).stdout)
	w.guard(token)
	if email, _ := p.google.TokenInfo(token); email != p.robot.Email() {
		t.Errorf("the token is of %q, want %s", email, p.robot.Email())
	}
	must(t, os.WriteFile(file, []byte(p.key(p.ServiceAccount("eve"))), 0o600))
	w.askToken("gcp-generic", "").exits(4).says("eve@", "robot@")
	w.file("", "svcconn", "config.toml")
	w.ok("svcconn", "agent", "stop")
	w.askToken("gcp-generic", "").exits(4).says("allow_implicit")
}

// TestGCPMetadata borrows the identity of a virtual machine.
func TestGCPMetadata(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "auth method implicit takes the identity of the machine that it runs on, from the metadata server that the connector names")
	p := w.useGoogle()
	w.file("[connectors]\nallow_implicit = true\n", "svcconn", "config.toml")
	l := googleLogin{method: "implicit", fields: map[string]string{"credential_source": "metadata", "metadata_host": p.google.Metadata(p.robot), "project_id": p.ID()}, whoami: p.robot.Email()}
	l.register(w, "prod").exits(0)
	w.ok("svcconn", "verify", "prod").says(l.whoami)
	if email, _ := p.google.TokenInfo(w.token("gcp-generic", "")); email != p.robot.Email() {
		t.Errorf("the token is of %q", email)
	}
	w.ok("svcconn", "describe", "prod", "-o", "json").says(p.ID())
}
