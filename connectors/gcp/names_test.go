package gcp

import (
	"net/url"
	"strings"
	"testing"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/registryname"
)

// signature is what must not be repeated of an address.
const signature = "canary5eb0a1c9d2e8f7"

// commonValues are values of the fields that all auth methods have, checked.
func commonValues(t testing.TB, pairs ...any) field.Values {
	t.Helper()
	var values field.Values
	for i := 0; i < len(pairs); i += 2 {
		f, ok := commonFields(true).Find(pairs[i].(string))
		if !ok {
			t.Fatalf("no field %s", pairs[i])
		}
		canonical, err := f.Accept(pairs[i+1])
		if err != nil {
			t.Fatalf("%s: %v", pairs[i], err)
		}
		values.Set(pairs[i].(string), canonical)
	}
	return values
}

// refusedName is an error of Invalid with some words, and some in its hint.
func refusedName(t testing.TB, what any, err error, text, hint string) {
	t.Helper()
	if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), text) || !strings.Contains(fault.HintOf(err), hint) {
		t.Errorf("%v: %s: %v (hint %q), want %q (hint %q)", what, fault.KindOf(err), err, fault.HintOf(err), text, hint)
		return
	}
	if strings.Contains(err.Error()+fault.HintOf(err), signature) {
		t.Errorf("%v: the error repeats a secret: %v", what, err)
	}
}

func TestFieldChecksAccept(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		check    func(string) (string, error)
		in, want string
	}{
		{checkProject, "my-project-123", "my-project-123"},
		{checkProject, "example.com:my-project", "example.com:my-project"},
		{checkProject, "eu0:my-project", "eu0:my-project"},
		{checkProject, "a23456", "a23456"},
		{checkProject, "a" + strings.Repeat("b", 29), "a" + strings.Repeat("b", 29)},
		{checkLocation, "Europe-West1", "europe-west1"},
		{checkLocation, "europe-west1-b", "europe-west1-b"},
		{checkLocation, "us", "us"},
		{checkLocation, "u-germany-northeast1", "u-germany-northeast1"},
		{checkDomain, "APIs-Berlin-build0.goog", "apis-berlin-build0.goog"},
		{checkDomain, "googleapis.com.", "googleapis.com"},
		{checkDomain, "localhost:5000", "localhost:5000"},
		{checkEndpoint, "https://Storage-psc.p.googleapis.com.:443/", "https://storage-psc.p.googleapis.com"},
		{checkEndpoint, "storage-psc.p.googleapis.com", "https://storage-psc.p.googleapis.com"},
		{checkEndpoint, "https://gate.example.com:8443/gcp/", "https://gate.example.com:8443/gcp"},
		{checkEndpoint, "http://localhost:4443", "http://localhost:4443"},
		{checkEndpoint, "HTTP://127.0.0.1:4443/storage/", "http://127.0.0.1:4443/storage"},
		{checkEndpoint, "http://[::1]", "http://[::1]"},
	} {
		if got, err := test.check(test.in); err != nil || got != test.want {
			t.Errorf("%q became %q, %v, not %q", test.in, got, err, test.want)
		}
		if again, err := test.check(test.want); err != nil || again != test.want {
			t.Errorf("%q, canonical, became %q, %v", test.want, again, err)
		}
	}
}

func TestFieldChecksRefuse(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		check      func(string) (string, error)
		in         string
		text, hint string
	}{
		{checkProject, "123456789012", "is the number of a project", "gcloud projects describe 123456789012"},
		{checkProject, "My Project", "not the id of a project", "gcloud projects list"},
		{checkProject, "My-Project", "not the id of a project", ""},
		{checkProject, "a2345", "not the id of a project", ""},
		{checkProject, "a" + strings.Repeat("b", 30), "not the id of a project", ""},
		{checkProject, "my-project-", "not the id of a project", ""},
		{checkProject, "1-project", "not the id of a project", ""},
		{checkProject, "projects/my-project", "not the id of a project", ""},
		{checkProject, "example.com/my-project", "not the id of a project", ""},
		{checkProject, "example.com:", "not the id of a project", ""},
		{checkProject, "a:b:c", "not the id of a project", ""},
		{checkProject, "../x:project", "not the id of a project", ""},
		{checkLocation, "-", "not the name of a location", "europe-west1"},
		{checkLocation, "europe west1", "not the name of a location", ""},
		{checkLocation, "europe-west1.evil.tld", "not the name of a location", ""},
		{checkLocation, "a/b", "not the name of a location", ""},
		{checkLocation, strings.Repeat("a", 64), "not the name of a location", ""},
		{checkDomain, "https://googleapis.com", "not a domain", "DOMAIN[:PORT]"},
		{checkDomain, "googleapis.com/x", "not a domain", ""},
		{checkDomain, "me@googleapis.com", "not a domain", ""},
		{checkDomain, "127.0.0.1", "not a domain", ""},
		{checkEndpoint, "ftp://storage.googleapis.com", "scheme other than https", "https://HOST"},
		{checkEndpoint, "https://me:" + signature + "@storage.googleapis.com", "user name or password", ""},
		{checkEndpoint, "https://storage.googleapis.com?key=" + signature, "query", ""},
		{checkEndpoint, "http://storage.googleapis.com", "plain HTTP", "http is for services on this machine"},
		{checkEndpoint, "http://127.0.0.1.evil.tld", "plain HTTP", ""},
		{checkEndpoint, "http://127.1", "plain HTTP", ""},
		{checkEndpoint, "http://127.0.0.1:443", "at the port of HTTPS", "https"},
		{checkEndpoint, "http://localhost/../x", "dots for folders", ""},
		{checkCertificates, "hello", "no certificate", "--set ca_bundle=@ca.pem"},
	} {
		_, err := test.check(test.in)
		refusedName(t, test.in, err, test.text, test.hint)
	}
}

// What the checks return is a fixed point, and of the form that they are for.
func FuzzFieldChecks(f *testing.F) {
	for _, seed := range []string{"my-project-123", "example.com:proj", "europe-west1-b", "googleapis.com", "localhost:5000", "https://a.example.com:443/x/", "http://[::1]:80", "http://127.0.0.1:443"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for name, check := range map[string]func(string) (string, error){
			"project": checkProject, "location": checkLocation, "domain": checkDomain, "endpoint": checkEndpoint,
		} {
			once, err := check(text)
			if err != nil {
				if !fault.Is(err, fault.Invalid) {
					t.Fatalf("%s %q: %v", name, text, err)
				}
				continue
			}
			if twice, err := check(once); err != nil || twice != once {
				t.Fatalf("%s %q is %q, which is %q, %v", name, text, once, twice, err)
			}
			if name != "endpoint" {
				if strings.ContainsAny(once, "/ @?#%") {
					t.Fatalf("%s %q became %q", name, text, once)
				}
				continue
			}
			u, err := url.Parse(once)
			if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && !registryname.Loopback(u.Hostname()) {
				t.Fatalf("%q became %q: %v", text, once, err)
			}
		}
	})
}

func TestRegionOf(t *testing.T) {
	t.Parallel()
	for location, want := range map[string]string{
		"europe-west1-b": "europe-west1", "us-central1-ai1a": "us-central1", "u-germany-northeast1-a": "u-germany-northeast1",
		"europe-west1": "", "europe": "", "us": "", "northamerica-northeast1": "", "": "",
	} {
		if got := regionOf(location); got != want {
			t.Errorf("%s is in %q, not %q", location, got, want)
		}
	}
}
