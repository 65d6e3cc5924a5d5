package awstest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecrpublic"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-containerregistry/pkg/authn"

	"github.com/svcconn/svcconn/connectors/aws/awstest"
	"github.com/svcconn/svcconn/pkg/registrytest"
)

func newImages(t *testing.T, s *awstest.Server, hosts ...string) registrytest.Images {
	t.Helper()
	for _, host := range hosts {
		s.Route(host, s.Registry(host))
	}
	return registrytest.Images{T: t, HTTP: throughProxy(t, s).Transport}
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
	if err := r.Push(ourHost+"/team/app", login); err != nil {
		t.Fatal(err)
	}
	if err := r.Pull(ourHost+"/team/app", login); err != nil {
		t.Fatal(err)
	}
	registrytest.RefusedAs(t, "nobody", r.Pull(ourHost+"/team/app", authn.Anonymous), http.StatusUnauthorized, "")
	registrytest.RefusedAs(t, "a wrong password", r.Pull(ourHost+"/team/app", &authn.Basic{Username: "AWS", Password: "wrong"}), http.StatusBadRequest, "")
	registrytest.RefusedAs(t, "a login of another region", r.Pull(ourHost+"/team/app", ecrLogin(t, s, keys, "eu-west-1")), http.StatusBadRequest, "")
	const missing = "The repository with name 'team/other' does not exist in the registry with id '" + ours + "'"
	registrytest.RefusedAs(t, "pushing to no repository", r.Push(ourHost+"/team/other", login), http.StatusNotFound, missing)
	registrytest.RefusedAs(t, "pulling from no repository", r.Pull(ourHost+"/team/other", login), http.StatusNotFound, missing)
	s.Skew(12*time.Hour + time.Minute)
	registrytest.RefusedAs(t, "an expired login", r.Pull(ourHost+"/team/app", login), http.StatusForbidden, "Your authorization token has expired. Reauthenticate and try again.")
	s.Skew(0)
	s.Revoke(keys.AccessKeyID)
	registrytest.RefusedAs(t, "a login of a revoked key", r.Pull(ourHost+"/team/app", login), http.StatusForbidden, "")
	if s.Count("registry", "PutImage") != 1 || s.Count("registry", "InitiateLayerUpload") == 0 {
		t.Errorf("the journal has %v", s.Calls())
	}
	registrytest.RefusedAs(t, "a host that is none", newImages(t, s, "api.ecr."+region+".amazonaws.com").Pull("api.ecr."+region+".amazonaws.com/app", login), http.StatusNotFound, "")
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
		if err := r.Push(ourHost+"/"+repository, all); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Push(theirHost+"/shared", ecrLogin(t, s, s.Account(theirs).User("joe"), region)); err != nil {
		t.Fatal(err)
	}

	reader := ecrLogin(t, s, account.User("reader", allow(readOnly, "*")), region)
	if err := r.Pull(ourHost+"/app", reader); err != nil {
		t.Error(err)
	}
	registrytest.RefusedAs(t, "a reader who pushes", r.Push(ourHost+"/app", reader), http.StatusForbidden,
		"is not authorized to perform: ecr:InitiateLayerUpload on resource: arn:aws:ecr:"+region+":"+ours+":repository/app")
	if err := r.Pull(theirHost+"/shared", reader); err != nil {
		t.Error(err)
	}
	registrytest.RefusedAs(t, "writing what is shared for reading", r.Push(theirHost+"/shared", all), http.StatusForbidden, "no resource-based policy")
	registrytest.RefusedAs(t, "what is not shared", r.Pull(theirHost+"/app", all), http.StatusForbidden, "no resource-based policy")

	scoped := assumed(t, s, account, allow(readOnly, "arn:aws:ecr:"+region+":"+ours+":repository/app"))
	login := ecrLogin(t, s, scoped, region)
	if err := r.Pull(ourHost+"/app", login); err != nil {
		t.Error(err)
	}
	registrytest.RefusedAs(t, "a repository beyond the session's policy", r.Pull(ourHost+"/other", login), http.StatusForbidden, "no session policy allows the ecr:BatchGetImage action")
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
	if err := r.Push("public.ecr.aws/acme/app", owner); err != nil {
		t.Fatal(err)
	}
	for what, as := range map[string]authn.Authenticator{"the owner": owner, "nobody": authn.Anonymous, "another account": login(s.Account(theirs).User("joe"))} {
		if err := r.Pull("public.ecr.aws/acme/app", as); err != nil {
			t.Errorf("%s pulls: %v", what, err)
		}
		if what != "the owner" {
			registrytest.RefusedAs(t, what+" pushes", r.Push("public.ecr.aws/acme/app", as), http.StatusForbidden, "")
		}
	}
	reader := login(account.User("reader", allow("ecr-public:GetAuthorizationToken sts:GetServiceBearerToken", "*")))
	registrytest.RefusedAs(t, "a reader pushes", r.Push("public.ecr.aws/acme/app", reader), http.StatusForbidden, "ecr-public:InitiateLayerUpload")
	registrytest.RefusedAs(t, "no repository", r.Pull("public.ecr.aws/acme/nope", owner), http.StatusNotFound, "'acme/nope'")
	registrytest.RefusedAs(t, "a login of ECR", r.Pull("public.ecr.aws/acme/app", ecrLogin(t, s, account.User("jane"), "us-east-1")), http.StatusBadRequest, "")
}
