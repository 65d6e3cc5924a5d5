//go:build e2e && linux

package e2e

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/svcconn/svcconn/connectors/gcp/gcptest"
)

// changed is a file of Google's with a piece of it replaced, which has to be there.
func (w *world) changed(text, piece, by string) string {
	w.t.Helper()
	if !strings.Contains(text, piece) {
		w.t.Fatalf("the file has no %s", piece)
	}
	return strings.ReplaceAll(text, piece, by)
}

func withKey(text string) googleLogin {
	return googleLogin{method: "service-account", fields: map[string]string{"service_account_json": text}}
}

// TestGCPRefused has registrations that cannot work, each in its own way.
func TestGCPRefused(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string]struct {
		login func(p *project) googleLogin
		code  int
		says  []string
		calls bool // Google is asked at all
	}{
		"not JSON":    {func(p *project) googleLogin { return withKey("service account") }, 2, []string{"service_account_json", "JSON"}, false},
		"half a JSON": {func(p *project) googleLogin { key := p.key(p.robot); return withKey(key[:len(key)/2]) }, 2, []string{"service_account_json", "JSON"}, false},
		"base64 of no JSON": {func(p *project) googleLogin {
			return withKey(base64.StdEncoding.EncodeToString([]byte("service account")))
		}, 2, []string{"service_account_json", "JSON"}, false},
		"login of a person as a key": {func(p *project) googleLogin { return withKey(p.person()) }, 2, []string{"authorized_user", "user-account"}, false},
		"key as a login of a person": {func(p *project) googleLogin {
			return googleLogin{method: "user-account", fields: map[string]string{"user_account_json": p.key(p.robot), "project_id": p.ID()}}
		}, 2, []string{"service_account", "service-account"}, false},
		"unknown type": {func(p *project) googleLogin {
			return withKey(p.w.changed(p.key(p.robot), `"service_account"`, `"robot_account"`))
		}, 2, []string{"of a type that svcconn does not know"}, false},
		"client of an app": {func(p *project) googleLogin {
			return withKey(`{"installed": {"client_id": "x.apps.googleusercontent.com", "project_id": "x"}}`)
		}, 2, []string{"service_account_json", "OAuth client"}, false},
		"no private key": {func(p *project) googleLogin {
			return withKey(p.w.changed(p.key(p.robot), `"private_key":`, `"no_key":`))
		}, 2, []string{"private_key"}, false},
		"no address": {func(p *project) googleLogin {
			return withKey(p.w.changed(p.key(p.robot), `"client_email":`, `"no_email":`))
		}, 2, []string{"client_email"}, false},
		"private key that is none": {func(p *project) googleLogin {
			return withKey(p.w.changed(p.key(p.robot), `-----BEGIN`, `-----BEGAN`))
		}, 2, []string{"private_key"}, false},
		"revoked key": {func(p *project) googleLogin {
			l := p.serviceAccount()
			p.robot.RevokeKeys()
			return l
		}, 4, []string{"invalid_grant", "hint:"}, true},
		"disabled account": {func(p *project) googleLogin {
			l := p.serviceAccount()
			p.robot.Disable()
			return l
		}, 4, []string{"disabled", "robot@"}, true},
		"key at somebody else's address": {func(p *project) googleLogin {
			return withKey(p.w.guardJSON(p.robot.KeyAt("http://" + closedPort(p.w.t) + "/token")))
		}, 5, []string{"cannot be reached"}, false},
		"clock two hours behind": {func(p *project) googleLogin {
			p.google.Skew(2 * time.Hour)
			return p.serviceAccount()
		}, 4, []string{"behind", "clock"}, true},
		"clock a day ahead": {func(p *project) googleLogin {
			p.google.Skew(-24 * time.Hour)
			return p.serviceAccount()
		}, 4, []string{"ahead", "clock"}, true},
		"project number": {func(p *project) googleLogin {
			l := p.serviceAccount()
			l.fields["project_id"] = p.Number()
			return l
		}, 2, []string{"project_id", "number"}, false},
		"no project": {func(p *project) googleLogin {
			l := p.userAccount()
			delete(l.fields, "project_id")
			return l
		}, 2, []string{"project_id"}, false},
		"token that has expired": {func(p *project) googleLogin {
			token := p.google.IssueToken("serviceAccount:"+p.robot.Email(), "", -time.Minute)
			p.w.guard(token)
			return googleLogin{method: "oauth2-token", fields: map[string]string{"token": token, "project_id": p.ID()}}
		}, 4, []string{"expired", "print-access-token"}, true},
		"refresh token revoked": {func(p *project) googleLogin {
			l := p.userAccount()
			p.google.User(janeDoe).Revoke()
			return l
		}, 4, []string{"invalid_grant", "gcloud auth application-default login"}, true},
		"person who has to log in again": {func(p *project) googleLogin {
			l := p.userAccount()
			p.google.User(janeDoe).RequireReauth()
			return l
		}, -1, []string{"gcloud auth application-default login"}, true},
		"impersonation not granted": {func(p *project) googleLogin {
			l := p.impersonation()
			delete(l.fields, "delegates")
			return l
		}, 4, []string{"iam.serviceAccounts.getAccessToken", "target@", "roles/iam.serviceAccountTokenCreator"}, true},
		"impersonated for too long": {func(p *project) googleLogin {
			l := p.impersonation()
			l.flags = []string{"--expiration", "2h"}
			return l
		}, 2, []string{"constraints/iam.allowServiceAccountCredentialLifetimeExtension", "--expiration"}, true},
		"lifetime out of bounds": {func(p *project) googleLogin {
			l := p.impersonation()
			l.flags = []string{"--expiration", "13h"}
			return l
		}, 2, []string{"12h"}, false},
		"subject token of a stranger": {func(p *project) googleLogin {
			return p.federation(object{"file": p.w.outside("e30.e30.e30", 0o600)})
		}, 4, []string{"subject token"}, true},
		"subject token that is not there": {func(p *project) googleLogin {
			return p.federation(object{"file": "/nowhere/token"})
		}, -1, []string{"/nowhere/token"}, false},
		"executable that fails": {func(p *project) googleLogin {
			return p.federation(object{"executable": object{"command": p.w.outside("#!/bin/sh\necho 'no ticket' >&2\nexit 3\n", 0o700)}})
		}, -1, []string{"no ticket"}, false},
		"executable that says no": {func(p *project) googleLogin {
			return p.federation(object{"executable": object{"command": p.w.outside(`#!/bin/sh
echo '{"version":1,"success":false,"code":"401","message":"log in to the ticket office"}'
`, 0o700)}})
		}, -1, []string{"401", "log in to the ticket office"}, false},
		"executable that hangs": {func(p *project) googleLogin {
			return p.federation(object{"executable": object{"command": p.w.outside("#!/bin/sh\nexec sleep 60\n", 0o700), "timeout_millis": 5000}})
		}, 5, []string{"did not answer in time"}, false},
		"proxy that nobody listens at": {func(p *project) googleLogin {
			p.w.setenv("HTTPS_PROXY", "http://"+closedPort(p.w.t))
			return p.serviceAccount()
		}, 5, []string{"proxy"}, false},
		"certificate of an unknown authority": {func(p *project) googleLogin {
			p.w.setenv("SSL_CERT_FILE", p.w.file(newAuthority(p.w.t).certPEM(), "other-ca.pem"))
			return p.serviceAccount()
		}, -1, []string{"certificate", "ca_bundle"}, false},
		"throttled for good": {func(p *project) googleLogin {
			p.google.Throttle("oauth2", "token.jwt-bearer", 1000)
			return p.serviceAccount()
		}, 5, []string{"asked too often", "tries"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "register says what is wrong in Google's words and what to do, and leaves nothing behind, in files or keyring")
			p := w.useGoogle()
			l := bad.login(p)
			p.google.ResetCalls()
			res := l.register(w, "prod").fails().says(bad.says...)
			if bad.code >= 0 {
				res.exits(bad.code)
			}
			if asked := len(p.google.Calls()); asked > 0 != bad.calls {
				t.Errorf("Google was called %d times", asked)
			}
			w.wantConnectors()
			w.wantKeyring(0)
		})
	}
}

// TestGCPRefusedLater has what worked be taken away.
func TestGCPRefusedLater(t *testing.T) {
	t.Parallel()
	w, p := registeredGoogle(t, "a key that is revoked later on is said so to docker, kubectl and gcloud alike; update with a new key puts it right")
	p.Cluster(homeLocation, "demo", gcptest.Cluster{})
	repository := registryHost(homeLocation) + "/" + p.ID() + "/team"
	p.Repository(homeLocation, "team", gcptest.Repository{})
	gcloud := w.loginGcloud("all")
	p.robot.RevokeKeys()
	w.ok("svcconn", "agent", "forget")
	w.get(repository).run().exits(1).says("invalid_grant")
	w.execCredential("", "--connector", "prod", "--cluster", "demo").run().exits(4).says("invalid_grant", "svcconn update")
	printToken(gcloud).fails().says("invalid_grant")
	w.ok(append([]string{"svcconn", "update", "prod"}, w.setArgs(p.serviceAccount().fields, secretGoogleFields)...)...)
	w.removePasswords()
	w.get(repository).run().exits(0)
}

// TestGCPNames gives commands names that are none, or of something else.
func TestGCPNames(t *testing.T) {
	t.Parallel()
	w, p := registeredGoogle(t, "a malformed name, or one of another project, is an error that says which, before Google is asked")
	for _, bad := range []struct{ kind, name, says string }{
		{"kubernetes-cluster", "-bad", "-bad"},
		{"kubernetes-cluster", "Upper", "Upper"},
		{"kubernetes-cluster", "projects/another-project/locations/europe-west1/clusters/demo", "another-project"},
		{"docker-registry", registryHost(homeLocation) + "/another-project/team", "another-project"},
		{"docker-registry", registryHost(homeLocation) + ".evil.example.com/" + p.ID() + "/team", "evil.example.com"},
		{"docker-registry", "k8s.gcr.io/" + p.ID(), "k8s.gcr.io"},
		{"gcp-generic", "another-project", "another-project"},
	} {
		res := w.askToken(bad.kind, bad.name).fails().says(bad.says)
		if res.code != 2 && res.code != 3 {
			t.Errorf("%s %s: exit code %d, want 2 or 3\n%s", bad.kind, bad.name, res.code, res.output())
		}
	}
	p.wantCalls("malformed names")
}

// TestGCPPartly has registrations that work, and resources that are not reached.
func TestGCPPartly(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string]struct {
		login func(p *project) googleLogin
		kind  string
		code  int
		says  []string
	}{
		"project of another": {func(p *project) googleLogin {
			l := p.serviceAccount()
			l.fields["project_id"] = p.w.newProject(p.google).ID()
			return l
		}, "kubernetes-cluster", 4, []string{"container.clusters.list", "robot@"}},
		"API that is not enabled": {func(p *project) googleLogin {
			p.Disable("container.googleapis.com")
			return p.serviceAccount()
		}, "kubernetes-cluster", 4, []string{"container.googleapis.com", "not enabled", "gcloud services enable container.googleapis.com"}},
		"permission denied": {func(p *project) googleLogin {
			return withKey(p.key(p.ServiceAccount("poor", "storage.*")))
		}, "kubernetes-cluster", 4, []string{"container.clusters.list", "poor@"}},
		"endpoint that nobody listens at": {func(p *project) googleLogin {
			l := p.serviceAccount()
			l.fields["api_endpoint_storage"] = "http://" + closedPort(p.w.t)
			return l
		}, "gcs-bucket", 5, []string{"refused", "api_endpoint_"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "what is not reached is said with the permission, or the API and how to enable it; the rest is listed all the same")
			p := w.useGoogle()
			bad.login(p).register(w, "prod").exits(0).says(bad.says[0])
			w.ok("svcconn", "verify", "prod", "--resource-type", "gcp-generic")
			own, _ := p.bucketNames()
			name := map[string]string{"gcs-bucket": own, "kubernetes-cluster": "demo"}[bad.kind]
			w.cmd("svcconn", "verify", "prod", "--resource-type", bad.kind, "--resource-name", name).run().exits(bad.code).says(bad.says...)
		})
	}
}
