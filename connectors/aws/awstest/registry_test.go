package awstest_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecrpublic"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/svcconn/svcconn/connectors/aws/awstest"
)

// images is a client of registries behind the proxy.
type images struct {
	t    *testing.T
	http http.RoundTripper
}

func newImages(t *testing.T, s *awstest.Server, hosts ...string) images {
	t.Helper()
	for _, host := range hosts {
		s.Route(host, s.Registry(host))
	}
	return images{t, throughProxy(t, s).Transport}
}

func (i images) push(repository string, as authn.Authenticator) error {
	i.t.Helper()
	image, err := random.Image(64, 2)
	if err != nil {
		i.t.Fatal(err)
	}
	return remote.Write(i.tag(repository), image, remote.WithAuth(as), remote.WithTransport(i.http))
}

func (i images) pull(repository string, as authn.Authenticator) error {
	i.t.Helper()
	image, err := remote.Image(i.tag(repository), remote.WithAuth(as), remote.WithTransport(i.http))
	if err != nil {
		return err
	}
	layers, err := image.Layers()
	if err != nil || len(layers) != 2 {
		i.t.Fatalf("%d layers, %v", len(layers), err)
	}
	content, err := layers[0].Compressed()
	if err != nil {
		return err
	}
	return content.Close()
}

func (i images) tag(repository string) name.Tag {
	tag, err := name.NewTag(repository + ":v1")
	if err != nil {
		i.t.Fatal(err)
	}
	return tag
}

// refusedAs fails the test unless a registry has refused something with a status, and in words.
func refusedAs(t *testing.T, what string, err error, status int, says string) {
	t.Helper()
	var problem *transport.Error
	if err == nil || !errors.As(err, &problem) || problem.StatusCode != status || !strings.Contains(err.Error(), says) {
		t.Errorf("%s: %v, want %d … %s", what, err, status, says)
	}
}

// ecrLogin is a login that keys get at ECR.
func ecrLogin(t *testing.T, s *awstest.Server, keys awstest.Keys, region string) authn.Authenticator {
	t.Helper()
	out := must(ecr.NewFromConfig(config(s, keys, region)).GetAuthorizationToken(t.Context(), &ecr.GetAuthorizationTokenInput{}))(t)
	user, password := decoded(t, aws.ToString(out.AuthorizationData[0].AuthorizationToken))
	return &authn.Basic{Username: user, Password: password}
}

const (
	ourHost   = ours + ".dkr.ecr." + region + ".amazonaws.com"
	theirHost = theirs + ".dkr.ecr." + region + ".amazonaws.com"
	readOnly  = "ecr:GetAuthorizationToken ecr:BatchGetImage ecr:GetDownloadUrlForLayer ecr:BatchCheckLayerAvailability"
)

func TestRegistryTakesLoginsOfECRAlone(t *testing.T) {
	t.Parallel()
	s := awstest.Start(t, awstest.Options{})
	account := s.Account(ours)
	account.Repository(region, "team/app")
	keys := account.User("jane")
	r := newImages(t, s, ourHost)
	login := ecrLogin(t, s, keys, region)
	if err := r.push(ourHost+"/team/app", login); err != nil {
		t.Fatal(err)
	}
	if err := r.pull(ourHost+"/team/app", login); err != nil {
		t.Fatal(err)
	}
	refusedAs(t, "nobody", r.pull(ourHost+"/team/app", authn.Anonymous), http.StatusUnauthorized, "")
	refusedAs(t, "a wrong password", r.pull(ourHost+"/team/app", &authn.Basic{Username: "AWS", Password: "wrong"}), http.StatusBadRequest, "")
	refusedAs(t, "a login of another region", r.pull(ourHost+"/team/app", ecrLogin(t, s, keys, "eu-west-1")), http.StatusBadRequest, "")
	const missing = "The repository with name 'team/other' does not exist in the registry with id '" + ours + "'"
	refusedAs(t, "pushing to no repository", r.push(ourHost+"/team/other", login), http.StatusNotFound, missing)
	refusedAs(t, "pulling from no repository", r.pull(ourHost+"/team/other", login), http.StatusNotFound, missing)
	s.Skew(12*time.Hour + time.Minute)
	refusedAs(t, "an expired login", r.pull(ourHost+"/team/app", login), http.StatusForbidden, "Your authorization token has expired. Reauthenticate and try again.")
	s.Skew(0)
	s.Revoke(keys.AccessKeyID)
	refusedAs(t, "a login of a revoked key", r.pull(ourHost+"/team/app", login), http.StatusForbidden, "")
	if s.Count("registry", "PutImage") != 1 || s.Count("registry", "InitiateLayerUpload") == 0 {
		t.Errorf("the journal has %v", s.Calls())
	}
	refusedAs(t, "a host that is none", newImages(t, s, "api.ecr."+region+".amazonaws.com").pull("api.ecr."+region+".amazonaws.com/app", login), http.StatusNotFound, "")
}

func TestRegistryAsksPolicies(t *testing.T) {
	t.Parallel()
	s := awstest.Start(t, awstest.Options{})
	account := s.Account(ours)
	account.Repository(region, "app")
	account.Repository(region, "other")
	s.Account(theirs).Repository(region, "app")
	s.Account(theirs).Repository(region, "shared", awstest.Grant{To: []string{ours}, Actions: strings.Fields(readOnly)})
	r := newImages(t, s, ourHost, theirHost)
	all := ecrLogin(t, s, account.User("jane"), region)
	for _, repository := range []string{"app", "other"} {
		if err := r.push(ourHost+"/"+repository, all); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.push(theirHost+"/shared", ecrLogin(t, s, s.Account(theirs).User("joe"), region)); err != nil {
		t.Fatal(err)
	}

	reader := ecrLogin(t, s, account.User("reader", allow(readOnly, "*")), region)
	if err := r.pull(ourHost+"/app", reader); err != nil {
		t.Error(err)
	}
	refusedAs(t, "a reader who pushes", r.push(ourHost+"/app", reader), http.StatusForbidden,
		"is not authorized to perform: ecr:InitiateLayerUpload on resource: arn:aws:ecr:"+region+":"+ours+":repository/app")
	if err := r.pull(theirHost+"/shared", reader); err != nil {
		t.Error(err)
	}
	refusedAs(t, "writing what is shared for reading", r.push(theirHost+"/shared", all), http.StatusForbidden, "no resource-based policy")
	refusedAs(t, "what is not shared", r.pull(theirHost+"/app", all), http.StatusForbidden, "no resource-based policy")

	scoped := assumed(t, s, account, allow(readOnly, "arn:aws:ecr:"+region+":"+ours+":repository/app"))
	login := ecrLogin(t, s, scoped, region)
	if err := r.pull(ourHost+"/app", login); err != nil {
		t.Error(err)
	}
	refusedAs(t, "a repository beyond the session's policy", r.pull(ourHost+"/other", login), http.StatusForbidden, "no session policy allows the ecr:BatchGetImage action")
	user, password := basic(t, login)
	if l, ok := s.Login(user, password); !ok || !l.Allowed("ecr:BatchGetImage", ours, "app") || l.Allowed("ecr:PutImage", ours, "app") || l.Allowed("ecr:BatchGetImage", ours, "other") {
		t.Error("Login.Allowed differs from the registry")
	}
}

func basic(t *testing.T, a authn.Authenticator) (user, password string) {
	t.Helper()
	c := must(a.Authorization())(t)
	return c.Username, c.Password
}

// assumed are keys of a role with all rights, narrowed down by a session policy, and by the
// right to log in.
func assumed(t *testing.T, s *awstest.Server, account *awstest.Account, policy string) awstest.Keys {
	t.Helper()
	arn := account.Role("deploy", awstest.Role{})
	policy = strings.TrimSuffix(policy, "]}") + `,` + strings.TrimPrefix(allow("ecr:GetAuthorizationToken", "*"), `{"Version":"2012-10-17","Statement":[`)
	out := must(sts.NewFromConfig(config(s, account.User("base"), region)).AssumeRole(t.Context(), &sts.AssumeRoleInput{
		RoleArn: aws.String(arn), RoleSessionName: aws.String("test"), Policy: aws.String(policy),
	}))(t)
	k := out.Credentials
	return awstest.Keys{AccessKeyID: aws.ToString(k.AccessKeyId), SecretAccessKey: aws.ToString(k.SecretAccessKey), SessionToken: aws.ToString(k.SessionToken)}
}

func TestPublicRegistry(t *testing.T) {
	t.Parallel()
	s := awstest.Start(t, awstest.Options{})
	account := s.Account(ours)
	account.PublicRegistry("acme", "app")
	r := newImages(t, s, "public.ecr.aws")
	login := func(keys awstest.Keys) authn.Authenticator {
		out := must(ecrpublic.NewFromConfig(config(s, keys, "us-east-1")).GetAuthorizationToken(t.Context(), &ecrpublic.GetAuthorizationTokenInput{}))(t)
		user, password := decoded(t, aws.ToString(out.AuthorizationData.AuthorizationToken))
		return &authn.Basic{Username: user, Password: password}
	}
	owner := login(account.User("jane"))
	if err := r.push("public.ecr.aws/acme/app", owner); err != nil {
		t.Fatal(err)
	}
	for what, as := range map[string]authn.Authenticator{"the owner": owner, "nobody": authn.Anonymous, "another account": login(s.Account(theirs).User("joe"))} {
		if err := r.pull("public.ecr.aws/acme/app", as); err != nil {
			t.Errorf("%s pulls: %v", what, err)
		}
		if what != "the owner" {
			refusedAs(t, what+" pushes", r.push("public.ecr.aws/acme/app", as), http.StatusForbidden, "")
		}
	}
	reader := login(account.User("reader", allow("ecr-public:GetAuthorizationToken sts:GetServiceBearerToken", "*")))
	refusedAs(t, "a reader pushes", r.push("public.ecr.aws/acme/app", reader), http.StatusForbidden, "ecr-public:InitiateLayerUpload")
	refusedAs(t, "no repository", r.pull("public.ecr.aws/acme/nope", owner), http.StatusNotFound, "'acme/nope'")
	refusedAs(t, "a login of ECR", r.pull("public.ecr.aws/acme/app", ecrLogin(t, s, account.User("jane"), "us-east-1")), http.StatusBadRequest, "")
}
