package awstest_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecrpublic"

	"github.com/svcconn/svcconn/connectors/aws/awstest"
)

func TestECRAuthorization(t *testing.T) {
	t.Parallel()
	s := awstest.Start(t, awstest.Options{})
	keys := s.Account(ours).User("jane")
	client := ecr.NewFromConfig(config(s, keys, region))
	began := time.Now()
	out := must(client.GetAuthorizationToken(t.Context(), &ecr.GetAuthorizationTokenInput{}))(t)
	if len(out.AuthorizationData) != 1 {
		t.Fatalf("%d of them", len(out.AuthorizationData))
	}
	data := out.AuthorizationData[0]
	if want := "https://" + ours + ".dkr.ecr." + region + ".amazonaws.com"; aws.ToString(data.ProxyEndpoint) != want {
		t.Errorf("proxy endpoint %s", aws.ToString(data.ProxyEndpoint))
	}
	if life := data.ExpiresAt.Sub(began); life < 12*time.Hour-time.Second || life > 12*time.Hour+time.Minute {
		t.Errorf("it lasts %v", life)
	}
	user, password := decoded(t, aws.ToString(data.AuthorizationToken))
	login, ok := s.Login(user, password)
	if !ok || login.Account != ours || login.Principal != keys.ARN || login.Region != region || login.Public || !login.Expires.Equal(aws.ToTime(data.ExpiresAt)) {
		t.Errorf("login %v %+v", ok, login)
	}
	for what, ok := range map[string]bool{
		"a wrong password": known(s.Login(user, "wrong")), "a wrong user": known(s.Login("jane", password)),
	} {
		if ok {
			t.Errorf("%s is a login", what)
		}
	}
	s.Skew(12*time.Hour + time.Minute)
	if known(s.Login(user, password)) {
		t.Error("it is a login after its end")
	}
	s.Skew(0)
	s.Revoke(keys.AccessKeyID)
	if known(s.Login(user, password)) {
		t.Error("it is a login without the key")
	}
}

func known[T any](_ T, ok bool) bool { return ok }

// decoded takes an authorization token apart.
func decoded(t *testing.T, token string) (user, password string) {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(token)
	if err != nil {
		t.Fatal(err)
	}
	user, password, _ = strings.Cut(string(raw), ":")
	return user, password
}

// repositories pages through a listing with the SDK's paginator.
func repositories(t *testing.T, client *ecr.Client, registry *string) (names []string, pages int) {
	t.Helper()
	p := ecr.NewDescribeRepositoriesPaginator(client, &ecr.DescribeRepositoriesInput{RegistryId: registry})
	for ; p.HasMorePages(); pages++ {
		for _, one := range must(p.NextPage(t.Context()))(t).Repositories {
			names = append(names, aws.ToString(one.RepositoryUri))
		}
	}
	return names, pages
}

func TestECRRepositories(t *testing.T) {
	t.Parallel()
	s := awstest.Start(t, awstest.Options{})
	account := s.Account(ours)
	for i := range 5 {
		account.Repository(region, fmt.Sprintf("team/app-%d", i))
	}
	account.Repository("us-west-2", "elsewhere")
	client := ecr.NewFromConfig(config(s, account.User("jane"), region))
	names, pages := repositories(t, client, nil)
	if want := ours + ".dkr.ecr." + region + ".amazonaws.com/team/app-4"; len(names) != 5 || pages != 3 || names[4] != want {
		t.Errorf("%d pages: %q", pages, names)
	}
	if names, _ := repositories(t, ecr.NewFromConfig(config(s, account.User("jane"), "us-east-1")), nil); names != nil {
		t.Errorf("an empty registry has %q", names)
	}
	describe := func(change func(*ecr.DescribeRepositoriesInput)) error {
		in := &ecr.DescribeRepositoriesInput{}
		change(in)
		_, err := client.DescribeRepositories(t.Context(), in)
		return err
	}
	for what, change := range map[string]func(*ecr.DescribeRepositoriesInput){
		"an altered token": func(in *ecr.DescribeRepositoriesInput) { in.NextToken = aws.String("abcd") },
		"many of a page":   func(in *ecr.DescribeRepositoriesInput) { in.MaxResults = aws.Int32(1001) },
		"a short account":  func(in *ecr.DescribeRepositoriesInput) { in.RegistryId = aws.String("1234") },
		"a wrong name":     func(in *ecr.DescribeRepositoriesInput) { in.RepositoryNames = []string{"Team"} },
		"no name":          func(in *ecr.DescribeRepositoriesInput) { in.RepositoryNames = []string{} },
	} {
		refused(t, what, describe(change), "InvalidParameterException", "")
	}
	refused(t, "an unknown name", describe(func(in *ecr.DescribeRepositoriesInput) { in.RepositoryNames = []string{"team/app-0", "nope"} }),
		"RepositoryNotFoundException", "The repository with name 'nope' does not exist in the registry with id '"+ours+"'")
	_, err := client.ListImages(t.Context(), &ecr.ListImagesInput{RepositoryName: aws.String("team/app-0")})
	refused(t, "another operation", err, "UnknownOperationException", "")
}

func TestPageTokensAreOfOneList(t *testing.T) {
	t.Parallel()
	s := awstest.Start(t, awstest.Options{})
	account := s.Account(ours)
	for _, where := range []string{region, "eu-west-1"} {
		for _, name := range []string{"aa", "bb", "cc"} {
			account.Repository(where, name)
		}
	}
	keys := account.User("jane")
	here, there := ecr.NewFromConfig(config(s, keys, region)), ecr.NewFromConfig(config(s, keys, "eu-west-1"))
	first := must(here.DescribeRepositories(t.Context(), &ecr.DescribeRepositoriesInput{MaxResults: aws.Int32(1)}))(t)
	if len(first.Repositories) != 1 || first.NextToken == nil || strings.Contains(*first.NextToken, "aa") {
		t.Fatalf("%d of them, token %v", len(first.Repositories), aws.ToString(first.NextToken))
	}
	next := &ecr.DescribeRepositoriesInput{NextToken: first.NextToken}
	rest := must(here.DescribeRepositories(t.Context(), next))(t)
	if len(rest.Repositories) != 2 || rest.NextToken != nil {
		t.Errorf("the rest is %d", len(rest.Repositories))
	}
	_, err := there.DescribeRepositories(t.Context(), next)
	refused(t, "a token of another region", err, "InvalidParameterException", "nextToken")
	_, err = ecr.NewFromConfig(config(s, s.Account(theirs).User("joe"), region)).DescribeRepositories(t.Context(), next)
	refused(t, "a token of another account", err, "InvalidParameterException", "nextToken")
}

func TestECROfAnotherAccount(t *testing.T) {
	t.Parallel()
	s := awstest.Start(t, awstest.Options{})
	keys := s.Account(ours).User("jane")
	other := s.Account(theirs)
	other.Repository(region, "shared", awstest.Grant{To: []string{"arn:aws:iam::" + ours + ":root"}, Actions: []string{"ecr:*"}})
	other.Repository(region, "private")
	client := ecr.NewFromConfig(config(s, keys, region))
	ask := func(names ...string) error {
		_, err := client.DescribeRepositories(t.Context(), &ecr.DescribeRepositoriesInput{RegistryId: aws.String(theirs), RepositoryNames: names})
		return err
	}
	if err := ask("shared"); err != nil {
		t.Error(err)
	}
	refused(t, "one that is not shared", ask("private"), "AccessDeniedException", "because no resource-based policy allows the ecr:DescribeRepositories action")
	refused(t, "all of them", ask(), "AccessDeniedException", "arn:aws:ecr:"+region+":"+theirs+":repository/*")
	other.RegistryPolicy(region, awstest.Grant{To: []string{keys.ARN}, Actions: []string{"ecr:DescribeRepositories"}})
	if names, _ := repositories(t, client, aws.String(theirs)); !slices.Equal(names, []string{
		theirs + ".dkr.ecr." + region + ".amazonaws.com/private", theirs + ".dkr.ecr." + region + ".amazonaws.com/shared",
	}) {
		t.Errorf("%q", names)
	}
	//lint:ignore SA1019 it is what clients did for years
	out := must(client.GetAuthorizationToken(t.Context(), &ecr.GetAuthorizationTokenInput{RegistryIds: []string{theirs}}))(t)
	if want := "https://" + theirs + ".dkr.ecr." + region + ".amazonaws.com"; aws.ToString(out.AuthorizationData[0].ProxyEndpoint) != want {
		t.Errorf("proxy endpoint %s", aws.ToString(out.AuthorizationData[0].ProxyEndpoint))
	}
}

func TestECRPolicies(t *testing.T) {
	t.Parallel()
	s := awstest.Start(t, awstest.Options{})
	account := s.Account(ours)
	account.Repository(region, "app")
	account.Repository(region, "granted", awstest.Grant{To: []string{"arn:aws:iam::" + ours + ":user/jane"}, Actions: []string{"ecr:Describe*"}})
	arn := "arn:aws:ecr:" + region + ":" + ours + ":repository/"
	client := ecr.NewFromConfig(config(s, account.User("jane", allow("ecr:DescribeRepositories", arn+"app")), region))
	ask := func(names ...string) error {
		_, err := client.DescribeRepositories(t.Context(), &ecr.DescribeRepositoriesInput{RepositoryNames: names})
		return err
	}
	if err := ask("app", "granted"); err != nil {
		t.Error(err)
	}
	refused(t, "another repository", ask("other"), "AccessDeniedException", "is not authorized to perform: ecr:DescribeRepositories on resource: "+arn+"other")
	refused(t, "all repositories", ask(), "AccessDeniedException", arn+"*")
	_, err := client.GetAuthorizationToken(t.Context(), &ecr.GetAuthorizationTokenInput{})
	refused(t, "a token", err, "AccessDeniedException", "ecr:GetAuthorizationToken on resource: *")
}

func TestECRPublic(t *testing.T) {
	t.Parallel()
	s := awstest.Start(t, awstest.Options{})
	account := s.Account(ours)
	keys := account.User("jane")
	client := ecrpublic.NewFromConfig(config(s, keys, "us-east-1"))
	describe := func() *ecrpublic.DescribeRegistriesOutput {
		return must(client.DescribeRegistries(t.Context(), &ecrpublic.DescribeRegistriesInput{}))(t)
	}
	if out := describe(); len(out.Registries) != 0 {
		t.Errorf("without a registry: %v", out.Registries)
	}
	account.PublicRegistry("acme", "aa", "bb", "cc")
	if out := describe(); len(out.Registries) != 1 || aws.ToString(out.Registries[0].RegistryUri) != "public.ecr.aws/acme" || aws.ToString(out.Registries[0].Aliases[0].Name) != "acme" {
		t.Errorf("%+v", out.Registries)
	}
	var names []string
	p := ecrpublic.NewDescribeRepositoriesPaginator(client, &ecrpublic.DescribeRepositoriesInput{})
	for p.HasMorePages() {
		for _, one := range must(p.NextPage(t.Context()))(t).Repositories {
			names = append(names, aws.ToString(one.RepositoryUri))
		}
	}
	if !slices.Equal(names, []string{"public.ecr.aws/acme/aa", "public.ecr.aws/acme/bb", "public.ecr.aws/acme/cc"}) {
		t.Errorf("%q", names)
	}
	out := must(client.GetAuthorizationToken(t.Context(), &ecrpublic.GetAuthorizationTokenInput{}))(t)
	user, password := decoded(t, aws.ToString(out.AuthorizationData.AuthorizationToken))
	if login, ok := s.Login(user, password); !ok || !login.Public {
		t.Errorf("%v %+v", ok, login)
	}
	_, err := ecrpublic.NewFromConfig(config(s, keys, region)).DescribeRegistries(t.Context(), &ecrpublic.DescribeRegistriesInput{})
	refused(t, "another region", err, "UnknownOperationException", "")
	limited := ecrpublic.NewFromConfig(config(s, account.User("joe", allow("ecr-public:*", "*")), "us-east-1"))
	_, err = limited.GetAuthorizationToken(t.Context(), &ecrpublic.GetAuthorizationTokenInput{})
	refused(t, "a token without sts:GetServiceBearerToken", err, "AccessDeniedException", "sts:GetServiceBearerToken")
	_, err = client.DescribeRepositories(t.Context(), &ecrpublic.DescribeRepositoriesInput{RegistryId: aws.String(theirs)})
	refused(t, "another account", err, "AccessDeniedException", theirs)
	_, err = client.DescribeRepositories(t.Context(), &ecrpublic.DescribeRepositoriesInput{RepositoryNames: []string{"nope"}})
	refused(t, "an unknown name", err, "RepositoryNotFoundException", "'nope'")
}
