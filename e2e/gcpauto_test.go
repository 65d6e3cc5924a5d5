//go:build e2e && linux

package e2e

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// found is what this machine has of a login to Google.
type found struct {
	env     string // for the registration; "" is none
	flags   []string
	method  string
	whoami  string
	implies bool // it is borrowed, so that it has to be allowed
}

// adc writes application default credentials where gcloud leaves them.
func (w *world) adc(content string) { w.file(content, "home", ".config", "gcloud", adcName) }

const adcName = "application_default_credentials.json"

// impersonatedADC is what `gcloud auth application-default login --impersonate-service-account` leaves.
func (p *project) impersonatedADC() (text, email string) {
	target := p.ServiceAccount("target")
	target.LetImpersonate("user:" + janeDoe)
	source := json.RawMessage(p.person())
	config, _ := json.Marshal(object{
		"type": "impersonated_service_account", "source_credentials": source, "delegates": []string{},
		"service_account_impersonation_url": "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/" + target.Email() + ":generateAccessToken",
	})
	return string(config), target.Email()
}

// googleOnDisk are the kinds of logins that a machine can have.
var googleOnDisk = map[string]func(w *world, p *project) found{
	"login of a person": func(w *world, p *project) found {
		w.adc(p.person())
		return found{method: "user-account", whoami: janeDoe, flags: []string{"--set", "project_id=" + p.ID()}}
	},
	"key of a service account": func(w *world, p *project) found {
		w.adc(p.key(p.robot))
		return found{method: "service-account", whoami: p.robot.Email()}
	},
	"GOOGLE_APPLICATION_CREDENTIALS": func(w *world, p *project) found {
		w.adc(p.key(p.ServiceAccount("mallory")))
		return found{method: "service-account", whoami: p.robot.Email(), env: "GOOGLE_APPLICATION_CREDENTIALS=" + w.outside(p.key(p.robot), 0o600)}
	},
	"federation": func(w *world, p *project) found {
		l := p.fromFile()
		w.adc(l.fields["external_account_json"])
		return found{method: "external-account", whoami: l.whoami, flags: []string{"--set", "project_id=" + p.ID()}}
	},
	"impersonation": func(w *world, p *project) found {
		text, email := p.impersonatedADC()
		w.adc(text)
		return found{method: "impersonation", whoami: email}
	},
	"metadata server": func(w *world, p *project) found {
		return found{method: "implicit", whoami: p.robot.Email(), implies: true, flags: []string{"--set", "credential_source=metadata", "--set", "metadata_host=" + p.google.Metadata(p.robot)}}
	},
	"gcloud's active configuration": func(w *world, p *project) found {
		need(w.t, "gcloud")
		w.ok("gcloud", "auth", "activate-service-account", "--key-file", w.outside(p.key(p.robot), 0o600), "--project", p.ID())
		return found{method: "service-account", whoami: p.robot.Email()}
	},
}

// TestGCPAutoConfigure is the seeds' main example for Google: what gcloud has on this
// machine becomes a connector, and the keys go to the keyring.
func TestGCPAutoConfigure(t *testing.T) {
	t.Parallel()
	for name, prepare := range googleOnDisk {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "register --auto-configure recognises the login for what it is; the connector works without the files, unless it is one that borrows")
			p := w.useGoogle()
			have := prepare(w, p)
			auto := w.cmd(append([]string{"svcconn", "register", "gcp-auto", "--type", "gcp", "--auto-configure"}, have.flags...)...).setenv(have.env)
			if have.implies {
				auto.run().exits(4).says("allow_implicit = true")
				w.file("[connectors]\nallow_implicit = true\n", "svcconn", "config.toml")
			}
			auto.run().exits(0).says("gcp-auto")
			must(t, os.RemoveAll(w.gcloudConfig()))
			w.ok("svcconn", "verify", "gcp-auto").says(have.whoami)
			w.ok("svcconn", "describe", "gcp-auto", "-o", "json").says(`"auth_method": "`+have.method+`"`, p.ID())
			if email, _ := p.google.TokenInfo(w.token("gcp-generic", "", "--connector", "gcp-auto")); email != have.whoami {
				t.Errorf("the token is of %q, want %s", email, have.whoami)
			}
		})
	}
}

// TestGCPAutoNothing auto-configures where there is nothing, or nothing good.
func TestGCPAutoNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "no login at all says how to get one; a file that is none, or of an unknown type, is named")
	p := w.useGoogle()
	auto := func(more ...string) *call {
		return w.cmd(append([]string{"svcconn", "register", "prod", "--type", "gcp", "--auto-configure"}, more...)...)
	}
	auto().run().fails().says("gcloud auth application-default login")
	w.adc("{")
	auto().run().fails().says(adcName)
	w.adc(`{"type": "gdch_service_account"}`)
	auto().run().fails().says("gdch_service_account")
	must(t, os.RemoveAll(w.gcloudConfig()))
	auto().setenv("GOOGLE_APPLICATION_CREDENTIALS=" + w.path("nowhere.json")).run().fails().says("nowhere.json")
	w.wantConnectors()
	w.wantKeyring(0)
	if len(p.google.Calls()) > 0 {
		t.Errorf("Google was asked: %v", strings.Join(p.allCalls(), " "))
	}
}
