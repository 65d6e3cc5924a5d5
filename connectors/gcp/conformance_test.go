package gcp

import (
	"maps"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/svcconn/svcconn/connectors/gcp/gcptest"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/connectortest"
	"github.com/svcconn/svcconn/pkg/proc"
	"github.com/svcconn/svcconn/pkg/secret"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, connectortest.Suite{
		Type:      Type(),
		Cases:     conformanceCases(),
		Names:     conformanceNames(),
		Addresses: conformanceAddresses(),
		Equipped: func(t *testing.T) connector.Host {
			host := connector.Host{Now: proc.Real().Now, Home: t.TempDir(), Getenv: func(string) string { return "" }}
			file := newStage(t).Project(ownProject).ServiceAccount("robot").Key()
			adc := filepath.Join(string(usualGcloudFolder(host.Home)), "application_default_credentials.json")
			if err := os.MkdirAll(filepath.Dir(adc), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(adc, []byte(file), 0o600); err != nil {
				t.Fatal(err)
			}
			return host
		},
	})
}

// stage is a Google with something of everything, of which a list has more than a page,
// and with the people that the suite logs in as.
type stage struct{ *gcptest.Server }

func newStage(t *testing.T) stage {
	t.Helper()
	s := stage{gcptest.Start(t, gcptest.Options{})}
	p := s.Project(ownProject)
	for _, name := range []string{"zenfiles", "zen.logs", "zen_models"} {
		p.Bucket(name, "EU").Put("a/b", "c")
	}
	for _, name := range []string{"production", "staging", "testing"} {
		p.Cluster("europe-west1", name, gcptest.Cluster{CertificateAuthority: s.CertificateAuthority()})
	}
	p.Cluster("us-central1-a", "remote", gcptest.Cluster{AllowExternalTraffic: true})
	p.Cluster("us-central1", "testing", gcptest.Cluster{CertificateAuthority: s.CertificateAuthority()})
	for _, name := range []string{"app", "tool", "test"} {
		p.Repository("europe-west1", name, gcptest.Repository{})
	}
	p.Repository("us", "gcr.io", gcptest.Repository{})
	p.Repository("europe", "maven", gcptest.Repository{Format: "MAVEN"})
	p.Grant("user:jane@example.com", "*")
	p.ServiceAccount("target").LetImpersonate("serviceAccount:"+p.ServiceAccount("robot").Email(), "user:jane@example.com")
	return s
}

// player is one way to log in: the fields of a login that the fake knows and whose parts
// are at an address, and what of them is different in one that it does not know.
type player struct {
	method string
	good   func(t *testing.T, s stage, at string) fields
	wrong  func(t *testing.T, s stage, good fields) fields
}

// aim is a resource that a case is about, one of its type that the connector does not
// reach, and how long what is minted lives.
type aim struct{ resourceType, name, outside string }

var (
	whole    = aim{genericType, ownProject, "other-project"}
	oneOf    = aim{bucketType, "gs://zen.logs", ""} // all buckets of the world have names that can be asked for
	clusters = aim{clusterType, "staging", "nowhere"}
	elseware = aim{clusterType, "us-central1/testing", "europe-north1/testing"}
	images   = aim{registryType, "europe-west1-docker.pkg.dev/" + ownProject + "/app", "europe-west1-docker.pkg.dev/other-project/app"}
	old      = aim{registryType, "gcr.io/" + ownProject, "gcr.io/other-project"}
)

// caseOf is a case that plays on the stage.
func (p player) caseOf(name string, a aim, lifetime time.Duration) connectortest.Case {
	spec := func(t *testing.T, s stage, at string, change func(fields) fields) connector.Spec {
		all := fields{projectField.Name: ownProject}
		for _, f := range endpoints {
			all[f.Name] = at
		}
		maps.Copy(all, change(p.good(t, s, at)))
		return specOf(t, p.method, all)
	}
	same := func(f fields) fields { return f }
	return connectortest.Case{
		Name: name, ResourceType: a.resourceType, ResourceName: a.name, Outside: a.outside, Lifetime: lifetime, Stored: p.method == methodToken,
		Good: func(t *testing.T) connector.Spec {
			s := newStage(t)
			return spec(t, s, s.URL(), same)
		},
		Wrong: func(t *testing.T) connector.Spec {
			s := newStage(t)
			return spec(t, s, s.URL(), func(f fields) fields { return p.wrong(t, s, f) })
		},
		Gone: func(t *testing.T) connector.Spec { return spec(t, newStage(t), "http://"+closedPort(t), same) },
		Hanging: func(t *testing.T) connector.Spec {
			s := newStage(t)
			out := spec(t, s, s.URL(), same)
			s.Delay(time.Hour)
			return out
		},
	}
}

// specOf is a connector of these fields, secret ones among them.
func specOf(t *testing.T, method string, f fields) connector.Spec {
	t.Helper()
	declared, err := Type().Method(method)
	if err != nil {
		t.Fatal(err)
	}
	spec := connector.Spec{Type: typeName, Method: method}
	for name, value := range f {
		if known, ok := declared.Fields.Find(name); ok && known.Info().Secret() {
			spec.Values.SetSecret(name, secret.New(value.(string)))
			continue
		}
		spec.Values.Set(name, value)
	}
	return spec
}

// closedPort is an address on this machine where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// after makes a login wrong by what happens to it, rather than by its fields.
func after(happens func(s stage)) func(*testing.T, stage, fields) fields {
	return func(_ *testing.T, s stage, good fields) fields {
		happens(s)
		return good
	}
}

func (s stage) robot() *gcptest.ServiceAccount { return s.Project(ownProject).ServiceAccount("robot") }
func (s stage) jane() *gcptest.User            { return s.User("jane@example.com") }

func conformanceCases() []connectortest.Case {
	key := player{methodServiceAccount, func(_ *testing.T, s stage, at string) fields {
		return fields{"service_account_json": s.robot().KeyAt(at + "/token")}
	}, after(func(s stage) { s.robot().RevokeKeys() })}
	login := player{methodUserAccount, func(_ *testing.T, s stage, _ string) fields {
		return fields{"user_account_json": s.jane().ADC()}
	}, after(func(s stage) { s.jane().Revoke() })}
	ownLogin := player{methodUserAccount, func(_ *testing.T, s stage, _ string) fields {
		client := s.OAuthClient("desktop")
		return fields{"client_id": client.ID, "client_secret": client.Secret, "refresh_token": s.jane().RefreshToken(client)}
	}, func(_ *testing.T, s stage, good fields) fields {
		good["client_secret"] = planted
		return good
	}}
	given := player{methodToken, func(_ *testing.T, s stage, _ string) fields {
		return fields{"token": s.IssueToken("user:jane@example.com", "", 30*time.Minute)}
	}, func(_ *testing.T, s stage, good fields) fields {
		s.RevokeToken(good["token"].(string))
		return good
	}}
	target := func(f fields) fields {
		f["target_principal"] = "target@" + ownProject + ".iam.gserviceaccount.com"
		return f
	}
	byKey := player{methodImpersonation, func(t *testing.T, s stage, at string) fields { return target(key.good(t, s, at)) }, key.wrong}
	byLogin := player{methodImpersonation, func(t *testing.T, s stage, at string) fields { return target(login.good(t, s, at)) },
		func(_ *testing.T, s stage, good fields) fields {
			good["target_principal"] = s.Project(ownProject).ServiceAccount("closed").Email()
			return good
		}}
	return append([]connectortest.Case{
		key.caseOf("service account", whole, time.Hour),
		key.caseOf("service account, for a bucket", oneOf, time.Hour),
		login.caseOf("login of gcloud's", clusters, time.Hour),
		ownLogin.caseOf("login of our own", images, time.Hour),
		given.caseOf("access token", elseware, 30*time.Minute),
		given.caseOf("access token, for a bucket", oneOf, 30*time.Minute),
		byKey.caseOf("impersonation by a key", old, time.Hour),
		byLogin.caseOf("impersonation by a login", oneOf, time.Hour),
	}, ambientCases()...)
}

// ambientCases take the identity of other clouds, of files and machines.
func ambientCases() []connectortest.Case {
	federated := func(t *testing.T, s stage, at, impersonated string) fields {
		audience := s.Project(ownProject).WorkloadPool("ci", "builds", gcptest.Provider{Issuer: s.Issuer()})
		s.Project(ownProject).Grant(poolMember(audience, "main"), "*")
		s.Project(ownProject).ServiceAccount("target").LetImpersonate(poolMember(audience, "main"))
		more := map[string]any{}
		if impersonated != "" {
			more["service_account_impersonation_url"] = at + "/v1/projects/-/serviceAccounts/" + impersonated + ":generateAccessToken"
		}
		subject := inFolder(t, t.TempDir(), "token", s.Issuer().Token("main", audience))
		return fields{"external_account_json": configurationJSON(t, audience, map[string]any{"file": subject}, more)}
	}
	stranger := func(t *testing.T, s stage, _ fields) fields {
		audience := s.Project(ownProject).WorkloadPool("ci", "builds", gcptest.Provider{Issuer: s.Issuer()})
		subject := inFolder(t, t.TempDir(), "token", s.Issuer().Token("main", "https://elsewhere.example.com"))
		return fields{"external_account_json": configurationJSON(t, audience, map[string]any{"file": subject}, nil)}
	}
	workload := player{methodExternal, func(t *testing.T, s stage, at string) fields { return federated(t, s, at, "") }, stranger}
	account := player{methodExternal, func(t *testing.T, s stage, at string) fields {
		return federated(t, s, at, "target@"+ownProject+".iam.gserviceaccount.com")
	}, stranger}
	file := player{methodImplicit, func(t *testing.T, s stage, _ string) fields {
		return fields{"credentials_file": inFolder(t, t.TempDir(), "adc.json", s.jane().ADC())}
	}, after(func(s stage) { s.jane().Revoke() })}
	machine := player{methodImplicit, func(_ *testing.T, s stage, at string) fields {
		host := s.Metadata(s.robot())
		if at != s.URL() {
			host = at[len("http://"):]
		}
		return fields{"credential_source": sourceMetadata, "metadata_host": host}
	}, func(_ *testing.T, _ stage, good fields) fields {
		good["principal"] = "another@" + ownProject + ".iam.gserviceaccount.com"
		return good
	}}
	return []connectortest.Case{
		workload.caseOf("federation", images, time.Hour),
		workload.caseOf("federation, for a bucket", oneOf, time.Hour),
		account.caseOf("federation that becomes an account", clusters, time.Hour),
		file.caseOf("file of somebody's", whole, time.Hour),
		machine.caseOf("machine", images, time.Hour),
	}
}

// poolMember is a subject of a pool as grants name it.
func poolMember(audience, subject string) string {
	pool := filepath.ToSlash(filepath.Dir(filepath.Dir(audience[len("//"):])))
	return "principal://" + pool + "/subject/" + subject
}
