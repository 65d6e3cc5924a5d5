package aws

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/svcconn/svcconn/connectors/aws/awstest"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/connectortest"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
)

// TestDetect plays the stories in testdata/detect.
func TestDetect(t *testing.T) {
	t.Parallel()
	connectortest.Stories(t, func(t *testing.T, s connectortest.Story) string {
		host := connector.Host{Now: func() time.Time { return noon }, Home: s.Home, Getenv: func(name string) string { return s.Env[name] }}
		return rendered(detect(t.Context(), host, s.Hints))
	})
}

// rendered is what was found, in full.
func rendered(found []connector.Detected, err error) string {
	var out strings.Builder
	if err != nil {
		fmt.Fprintf(&out, "%s: %v\n", fault.KindOf(err), err)
		for line := range strings.Lines(fault.HintOf(err)) {
			fmt.Fprintf(&out, "  hint: %s\n", strings.TrimSpace(line))
		}
		return out.String()
	}
	for _, d := range found {
		fmt.Fprintf(&out, "%s, %s\n", d.Spec.Method, d.Source.Description)
		if d.Source.PlainText {
			fmt.Fprintf(&out, "plain text in %s, %s\n", d.Source.File, d.Source.Key)
		}
		switch {
		case d.Temporary && d.Expires.IsZero():
			fmt.Fprintln(&out, "temporary, until nobody knows when")
		case d.Temporary:
			fmt.Fprintf(&out, "temporary, until %s\n", d.Expires.UTC().Format(time.RFC3339))
		}
		if d.Spec.Expiration != 0 {
			fmt.Fprintf(&out, "expiration %s\n", d.Spec.Expiration)
		}
		showValues(&out, d.Spec.Values)
		for _, note := range d.Notes {
			fmt.Fprintln(&out, note)
		}
	}
	return out.String()
}

func showValues(out *strings.Builder, values field.Values) {
	plain, secrets := values.Plain(), values.Secrets()
	for _, name := range slices.Sorted(maps.Keys(plain)) {
		fmt.Fprintf(out, "  %s = %q\n", name, fmt.Sprint(plain[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(secrets)) {
		fmt.Fprintf(out, "  %s = %q, secret\n", name, secrets[name].Reveal())
	}
}

// TestDetectedConnectorsIgnoreTheEnvironment: what counts is in the fields; the environment of whoever
// starts svcconn later changes nothing.
func TestDetectedConnectorsIgnoreTheEnvironment(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	user := w.Account(account1).User("jane")
	w.write(t, ".aws/credentials", sectionOf("default", user))
	w.write(t, ".aws/config", "[default]\nregion = eu-central-1\nendpoint_url = "+w.URL()+"\n")
	found, err := detect(t.Context(), w.host, map[string]string{connector.HintMethod: methodImplicit})
	if err != nil {
		t.Fatal(err)
	}
	w.host.Getenv = func(name string) string {
		if strings.HasPrefix(name, "AWS_") {
			t.Errorf("it looks at %s", name)
		}
		return ""
	}
	if _, arn := got(t, w.open(t, found[0].Spec), purpose{}); !strings.HasSuffix(arn, ":user/jane") {
		t.Errorf("it is %s", arn)
	}
}

// TestDetectedRoleWorks: a chain of profiles becomes a connector that assumes its roles.
func TestDetectedRoleWorks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.Account(account1)
	gate, deployer := a.Role("gate", awstest.Role{}), w.Account(account2).Role("deployer", awstest.Role{ExternalID: "customer-1"})
	w.write(t, ".aws/credentials", sectionOf("base", a.User("jane")))
	w.write(t, ".aws/config", "[default]\nregion = eu-central-1\nendpoint_url = "+w.URL()+"\nrole_arn = "+deployer+"\nexternal_id = customer-1\nsource_profile = gate\n"+
		"[profile gate]\nrole_arn = "+gate+"\nsource_profile = base\n")
	found, err := detect(t.Context(), w.host, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, arn := got(t, w.open(t, found[0].Spec), purpose{}); !strings.Contains(arn, account2+":assumed-role/deployer/") {
		t.Errorf("it is %s", arn)
	}
}

// FuzzDetect: whatever the files and variables are, auto-configuration does not panic, its
// errors have no secret in them, and what it finds can be registered as it is.
func FuzzDetect(f *testing.F) {
	f.Add("[default]\nregion = eu-central-1\n", "AKIAIOSFODNN7EXAMPLE", "", "")
	f.Add("[default]\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = keys\nregion = x\n", "", "keys", "sts-token")
	f.Add("[profile a]\nsso_start_url = https://x/start\nsso_region = eu-west-1\nsso_account_id = 1\nsso_role_name = r\n", "", "a", "")
	f.Fuzz(func(t *testing.T, config, id, profile, method string) {
		home := written(t, &txtar.Archive{Files: []txtar.File{
			{Name: ".aws/config", Data: []byte(config)},
			{Name: ".aws/credentials", Data: []byte("[keys]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = " + planted + "\n")},
		}})
		env := map[string]string{"AWS_ACCESS_KEY_ID": id, "AWS_PROFILE": profile, "USER": "jane"}
		if id != "" {
			env["AWS_SECRET_ACCESS_KEY"], env["AWS_REGION"] = planted, "eu-central-1"
		}
		host := connector.Host{Now: func() time.Time { return noon }, Home: home, Getenv: func(name string) string { return env[name] }}
		found, err := detect(t.Context(), host, map[string]string{connector.HintMethod: method})
		noCanary(t, "detect", err)
		for _, d := range found {
			if _, err := (connector.Types{Type()}).Check(d.Spec); err != nil {
				t.Errorf("%s: %v", d.Source.Description, err)
			}
			if text := fmt.Sprintf("%+v %#v", d, d); strings.Contains(text, planted) {
				t.Errorf("it prints a secret: %s", text)
			}
		}
	})
}
