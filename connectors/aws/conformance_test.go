package aws

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	awssts "github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/svcconn/svcconn/connectors/aws/awstest"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/connectortest"
	"github.com/svcconn/svcconn/pkg/proc"
	"github.com/svcconn/svcconn/pkg/secret"
)

const (
	home     = "eu-central-1" // the region of the connectors of the suite
	away     = "us-east-1"
	portal   = "https://example.awsapps.com/start"
	foreign1 = "999999999999" // an account that nobody has anything to do with
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
			writeFile(t, filepath.Join(host.Home, ".aws", "credentials"), "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = "+planted+"\n")
			writeFile(t, filepath.Join(host.Home, ".aws", "config"), "[default]\nregion = "+home+"\n")
			return host
		},
	})
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// stage is an AWS with something of everything, of which a list has more than a page.
func stage(t *testing.T) *awstest.Server {
	t.Helper()
	s := awstest.Start(t, awstest.Options{})
	a := s.Account(account1)
	for _, name := range []string{"zenfiles", "zenlogs", "zenmodels"} {
		a.Bucket(name, away)
	}
	for _, name := range []string{"production", "staging", "testing"} {
		a.Cluster(home, name, awstest.Cluster{CertificateAuthority: s.CertificateAuthority()})
	}
	a.Cluster(away, "remote", awstest.Cluster{CertificateAuthority: s.CertificateAuthority()})
	for _, name := range []string{"app", "team/app", "team/tool"} {
		a.Repository(home, name)
	}
	a.PublicRegistry("zen")
	a.Role("deployer", awstest.Role{MaxSession: 2 * time.Hour})
	a.Role("pod", awstest.Role{Trust: []string{}, WebIdentity: &awstest.WebIdentityTrust{Subject: "system:serviceaccount:ci:deployer"}})
	a.Role("machine", awstest.Role{})
	s.SSO(awstest.SSO{StartURL: portal, Region: home, Assignments: map[string][]string{account1: {"admin"}}, AutoApprove: true})
	return s
}

// player is one way to log in: the fields of a login that the fake knows, and what of
// them is different in one that it does not know.
type player struct {
	method string
	good   func(t *testing.T, s *awstest.Server) map[string]any
	wrong  func(t *testing.T, s *awstest.Server) map[string]any
}

// aim is a resource that a case is about, one of its type that the connector does not
// reach, and how long what is minted lives.
type aim struct {
	resourceType, name, outside string
	lifetime                    time.Duration
}

var (
	generic  = aim{genericType, home, away, 0}
	bucket   = aim{bucketType, "s3://zenfiles", "s3://elsewhere", 0}
	clusters = aim{clusterType, "staging", away + "2/staging", 15 * time.Minute}
	further  = aim{clusterType, away + "/remote", "nowhere", 15 * time.Minute}
	images   = aim{registryType, account1 + ".dkr.ecr." + home + ".amazonaws.com/team/app", foreign1 + ".dkr.ecr." + home + ".amazonaws.com", 12 * time.Hour}
)

// lasting is an aim whose credentials last as long as the keys, if they do not end before.
func (a aim) lasting(keys time.Duration) aim {
	if a.lifetime == 0 || keys < a.lifetime {
		a.lifetime = keys
	}
	return a
}

// caseOf is a case that plays on the stage.
func (p player) caseOf(name string, a aim) connectortest.Case {
	spec := func(t *testing.T, s *awstest.Server, change map[string]any) connector.Spec {
		fields := map[string]any{"endpoint_url": s.URL(), "region": home, "regions": []string{away}, "account_id": account1}
		for _, more := range []map[string]any{p.good(t, s), change} {
			for name, value := range more {
				fields[name] = value
			}
		}
		return specOf(t, p.method, fields)
	}
	return connectortest.Case{
		Name: name, ResourceType: a.resourceType, ResourceName: a.name, Outside: a.outside, Lifetime: a.lifetime,
		Good: func(t *testing.T) connector.Spec { return spec(t, stage(t), nil) },
		Wrong: func(t *testing.T) connector.Spec {
			s := stage(t)
			return spec(t, s, p.wrong(t, s))
		},
		Gone: func(t *testing.T) connector.Spec {
			return spec(t, stage(t), map[string]any{"endpoint_url": "http://" + closedPort(t)})
		},
		Hanging: func(t *testing.T) connector.Spec {
			s := stage(t)
			out := spec(t, s, nil)
			s.Delay(time.Hour)
			return out
		},
	}
}

// specOf is a connector of these fields, secret ones among them.
func specOf(t *testing.T, method string, fields map[string]any) connector.Spec {
	t.Helper()
	declared, err := Type().Method(method)
	if err != nil {
		t.Fatal(err)
	}
	out := connector.Spec{Type: typeName, Method: method}
	for name, value := range fields {
		if f, ok := declared.Fields.Find(name); ok && f.Info().Secret() {
			out.Values.SetSecret(name, secret.New(value.(string)))
		} else {
			out.Values.Set(name, value)
		}
	}
	return out
}

// closedPort is an address where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func conformanceCases() []connectortest.Case {
	return slices.Concat(keyCases(), tokenCases(), ambientCases())
}

// ofUser are the fields of an access key, and more.
func ofUser(more map[string]any) func(*testing.T, *awstest.Server) map[string]any {
	return func(_ *testing.T, s *awstest.Server) map[string]any {
		return with(s.Account(account1).User("jane"), more)
	}
}

func roleOf(name string) string { return "arn:aws:iam::" + account1 + ":role/" + name }

// but is what is different in a wrong login.
func but(name string, value any) func(*testing.T, *awstest.Server) map[string]any {
	return func(*testing.T, *awstest.Server) map[string]any { return map[string]any{name: value} }
}

// otherSecret is the secret of another key.
func otherSecret() func(*testing.T, *awstest.Server) map[string]any {
	return but("aws_secret_access_key", planted)
}

// keyCases log in with access keys.
func keyCases() []connectortest.Case {
	role := player{methodRole, ofUser(map[string]any{"role_arn": roleOf("deployer")}), otherSecret()}
	chain := player{methodRole, ofUser(map[string]any{"role_arn": roleOf("machine"), "role_chain": []string{roleOf("deployer")}}), otherSecret()}
	session := player{methodSessionToken, ofUser(nil), otherSecret()}
	federated := player{methodFederationToken, ofUser(nil), otherSecret()}
	temporary := player{methodSTSToken, func(t *testing.T, s *awstest.Server) map[string]any {
		return with(temporaryKeys(t, s), nil)
	}, but("aws_session_token", planted)}
	scopedAlone := federated.caseOf("federation token", bucket.lasting(12*time.Hour))
	scopedAlone.Without = []string{genericType}
	return []connectortest.Case{
		role.caseOf("role, generic", generic.lasting(time.Hour)),
		role.caseOf("role, bucket", bucket.lasting(time.Hour)),
		role.caseOf("role, cluster", clusters.lasting(time.Hour)),
		role.caseOf("role, cluster in a further region", further.lasting(time.Hour)),
		role.caseOf("role, repository", images.lasting(time.Hour)),
		chain.caseOf("role behind a role", bucket.lasting(time.Hour)),
		session.caseOf("session token", images.lasting(12*time.Hour)),
		scopedAlone,
		temporary.caseOf("temporary keys", bucket),
		player{methodSecretKey, ofUser(nil), otherSecret()}.caseOf("access key", generic),
	}
}

// temporaryKeys are keys that somebody got elsewhere.
func temporaryKeys(t *testing.T, s *awstest.Server) awstest.Keys {
	t.Helper()
	user := s.Account(account1).User("jane")
	c := wire(t, s.URL())
	k, err := c.sessionToken(t.Context(), keys{id: user.AccessKeyID, secret: secret.New(user.SecretAccessKey)}, awssts.GetSessionTokenInput{})
	if err != nil {
		t.Fatal(err)
	}
	return awstest.Keys{AccessKeyID: k.id, SecretAccessKey: k.secret.Reveal(), SessionToken: k.token.Reveal()}
}

// tokenCases log in with tokens of others.
func tokenCases() []connectortest.Case {
	token := func(s *awstest.Server) string { return s.WebIdentity("system:serviceaccount:ci:deployer", "") }
	given := player{methodWebIdentity, func(_ *testing.T, s *awstest.Server) map[string]any {
		return map[string]any{"role_arn": roleOf("pod"), "web_identity_token": token(s)}
	}, but("web_identity_token", planted)}
	file := player{methodWebIdentity, func(t *testing.T, s *awstest.Server) map[string]any {
		path := filepath.Join(t.TempDir(), "token")
		writeFile(t, path, token(s))
		return map[string]any{"role_arn": roleOf("pod"), "web_identity_token_file": path}
	}, but("role_arn", roleOf("machine"))}
	center := player{methodSSO, loggedIn, but("sso_role_name", "nobody")}
	centerRole := player{methodSSO, func(t *testing.T, s *awstest.Server) map[string]any {
		out := loggedIn(t, s)
		out["role_arn"] = roleOf("deployer")
		return out
	}, but("sso_role_name", "nobody")}
	return []connectortest.Case{
		given.caseOf("web identity, token given", bucket.lasting(time.Hour)),
		file.caseOf("web identity, token in a file", images.lasting(time.Hour)),
		center.caseOf("IAM Identity Center", clusters.lasting(time.Hour)),
		centerRole.caseOf("IAM Identity Center, further role", bucket.lasting(time.Hour)),
	}
}

// loggedIn are the fields of a connector whose person has logged in to IAM Identity
// Center.
func loggedIn(t *testing.T, s *awstest.Server) map[string]any {
	t.Helper()
	out := map[string]any{
		"sso_start_url": portal, "sso_region": home, "sso_account_id": account1, "sso_role_name": "admin",
		"endpoint_url": s.URL(), "region": home,
	}
	settings, err := connector.Types{Type()}.Check(specOf(t, methodSSO, out))
	if err != nil {
		t.Fatal(err)
	}
	c := wire(t, s.URL())
	c.values, c.host.Person = settings.Values, &person{}
	login, err := openWith(c, settings)
	if err != nil {
		t.Fatal(err)
	}
	login.source.(*ssoSource).pause = func(context.Context, time.Duration) error { return nil }
	if _, err := login.Verify(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, text := range login.Renewed() {
		out[name] = text.Reveal()
	}
	return out
}

// ambientCases take the identity of files and machines.
func ambientCases() []connectortest.Case {
	profile := player{
		methodImplicit,
		func(t *testing.T, s *awstest.Server) map[string]any {
			k := s.Account(account1).User("jane")
			return profileFiles(t, k.AccessKeyID, k.SecretAccessKey)
		},
		func(t *testing.T, s *awstest.Server) map[string]any {
			return profileFiles(t, s.Account(account1).User("jane").AccessKeyID, planted)
		},
	}
	container := player{methodImplicit, func(t *testing.T, s *awstest.Server) map[string]any {
		uri, authorization, err := s.Container(roleOf("machine"))
		if err != nil {
			t.Fatal(err)
		}
		return map[string]any{"credential_source": sourceContainer, "container_credentials_uri": uri, "container_authorization_token": authorization}
	}, but("container_authorization_token", planted)}
	instance := player{methodImplicit, func(t *testing.T, s *awstest.Server) map[string]any {
		endpoint, err := s.Instance(roleOf("machine"))
		if err != nil {
			t.Fatal(err)
		}
		return map[string]any{"credential_source": sourceInstance, "ec2_metadata_service_endpoint": endpoint, "role_arn": roleOf("deployer")}
	}, but("role_arn", roleOf("pod"))}
	return []connectortest.Case{
		profile.caseOf("profile with a role", bucket.lasting(time.Hour)),
		container.caseOf("container", images.lasting(6*time.Hour)),
		instance.caseOf("instance, further role", clusters.lasting(time.Hour)),
	}
}

// profileFiles are the fields of a profile that assumes a role with the keys of another.
func profileFiles(t *testing.T, keyID, secretKey string) map[string]any {
	t.Helper()
	dir := t.TempDir()
	out := map[string]any{"profile_name": "dev", "config_file": filepath.Join(dir, "config"), "shared_credentials_file": filepath.Join(dir, "credentials")}
	writeFile(t, filepath.Join(dir, "config"), "[profile dev]\nrole_arn = "+roleOf("deployer")+"\nsource_profile = base\nregion = "+home+"\n")
	writeFile(t, filepath.Join(dir, "credentials"), "[base]\naws_access_key_id = "+keyID+"\naws_secret_access_key = "+secretKey+"\n")
	return out
}
