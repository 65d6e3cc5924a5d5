package awstest_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sso"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/svcconn/svcconn/connectors/aws/awstest"
)

const (
	startURL    = "https://example.awsapps.com/start"
	deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"
)

// login is a client of an Identity Center.
type login struct {
	*ssooidc.Client
	server *awstest.Server
	client *ssooidc.RegisterClientOutput
	now    time.Duration // ahead of the process's clock
}

func newLogin(t *testing.T, center awstest.SSO, scopes ...string) *login {
	t.Helper()
	s := awstest.Start(t, awstest.Options{})
	center.StartURL = startURL
	s.SSO(center)
	l := &login{Client: ssooidc.NewFromConfig(config(s, awstest.Keys{}, "us-east-1")), server: s}
	l.client = must(l.RegisterClient(t.Context(), &ssooidc.RegisterClientInput{
		ClientName: aws.String("test"), ClientType: aws.String("public"), Scopes: scopes,
	}))(t)
	return l
}

// wait lets time pass.
func (l *login) wait(d time.Duration) {
	l.now += d
	l.server.Skew(l.now)
}

func (l *login) start(t *testing.T) *ssooidc.StartDeviceAuthorizationOutput {
	t.Helper()
	return must(l.StartDeviceAuthorization(t.Context(), &ssooidc.StartDeviceAuthorizationInput{
		ClientId: l.client.ClientId, ClientSecret: l.client.ClientSecret, StartUrl: aws.String(startURL),
	}))(t)
}

func (l *login) create(t *testing.T, change func(*ssooidc.CreateTokenInput)) (*ssooidc.CreateTokenOutput, error) {
	in := &ssooidc.CreateTokenInput{ClientId: l.client.ClientId, ClientSecret: l.client.ClientSecret, GrantType: aws.String(deviceGrant)}
	change(in)
	return l.CreateToken(t.Context(), in)
}

func (l *login) poll(t *testing.T, device *ssooidc.StartDeviceAuthorizationOutput) (*ssooidc.CreateTokenOutput, error) {
	return l.create(t, func(in *ssooidc.CreateTokenInput) { in.DeviceCode = device.DeviceCode })
}

func (l *login) refresh(t *testing.T, token *string) (*ssooidc.CreateTokenOutput, error) {
	return l.create(t, func(in *ssooidc.CreateTokenInput) { in.GrantType, in.RefreshToken = aws.String("refresh_token"), token })
}

func (l *login) portal() *sso.Client {
	return sso.NewFromConfig(config(l.server, awstest.Keys{}, "us-east-1"))
}

func (l *login) roleKeys(t *testing.T, token *string, account, role string) (awstest.Keys, error) {
	out, err := l.portal().GetRoleCredentials(t.Context(), &sso.GetRoleCredentialsInput{AccessToken: token, AccountId: aws.String(account), RoleName: aws.String(role)})
	if err != nil {
		return awstest.Keys{}, err
	}
	k := out.RoleCredentials
	return awstest.Keys{
		AccessKeyID: aws.ToString(k.AccessKeyId), SecretAccessKey: aws.ToString(k.SecretAccessKey), SessionToken: aws.ToString(k.SessionToken),
		Expires: time.UnixMilli(k.Expiration),
	}, nil
}

func TestSSODeviceFlow(t *testing.T) {
	t.Parallel()
	l := newLogin(t, awstest.SSO{Assignments: map[string][]string{ours: {"Reader", "Admin"}}}, "sso:account:access")
	l.server.Account(ours).Role("Reader", awstest.Role{Policies: []string{allow("s3:ListAllMyBuckets", "*")}})
	device := l.start(t)
	if device.Interval != 1 || device.ExpiresIn != 600 || aws.ToString(device.VerificationUriComplete) != aws.ToString(device.VerificationUri)+"?user_code="+aws.ToString(device.UserCode) {
		t.Errorf("%+v", device)
	}
	_, err := l.poll(t, device)
	refused(t, "before an answer", err, "AuthorizationPendingException", "")
	_, err = l.poll(t, device)
	refused(t, "too early", err, "SlowDownException", "")
	l.wait(2 * time.Second)
	_, err = l.poll(t, device)
	refused(t, "sooner than slow_down asks for", err, "SlowDownException", "")
	if codes := l.server.UserCodes(); !slices.Equal(codes, []string{aws.ToString(device.UserCode)}) {
		t.Errorf("%q wait", codes)
	}
	if l.server.ApproveDevice("NOPE-NOPE") || !l.server.ApproveDevice(aws.ToString(device.UserCode)) || l.server.ApproveDevice(aws.ToString(device.UserCode)) {
		t.Error("a wrong code was approved, or the right one not, or twice")
	}
	l.wait(12 * time.Second)
	token := must(l.poll(t, device))(t)
	if aws.ToString(token.TokenType) != "Bearer" || token.ExpiresIn != 3600 || token.RefreshToken == nil {
		t.Errorf("%s, %d s, refresh token %v", aws.ToString(token.TokenType), token.ExpiresIn, token.RefreshToken != nil)
	}
	l.wait(12 * time.Second)
	_, err = l.poll(t, device)
	refused(t, "a code that was used", err, "InvalidGrantException", "")

	keys := must(l.roleKeys(t, token.AccessToken, ours, "Reader"))(t)
	l.server.Skew(0) // the SDK signs with the process's clock
	who := must(sts.NewFromConfig(config(l.server, keys, region)).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}))(t)
	if arn := aws.ToString(who.Arn); !strings.HasPrefix(arn, "arn:aws:sts::"+ours+":assumed-role/AWSReservedSSO_Reader_") || !strings.HasSuffix(arn, "/jane") {
		t.Errorf("we are %s", arn)
	}
	l.server.Account(ours).Bucket("data", region)
	client := bucketClient(l.server, keys, region)
	must(client.ListBuckets(t.Context(), &s3.ListBucketsInput{}))(t)
	_, err = client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("data")})
	refused(t, "what the role may not", err, "AccessDenied", "s3:ListBucket")
}

func TestSSOTokensEnd(t *testing.T) {
	t.Parallel()
	l := newLogin(t, awstest.SSO{AutoApprove: true, TokenLifetime: 20 * time.Minute, KeyLifetime: 30 * time.Minute, Assignments: map[string][]string{ours: {"Admin"}}}, "sso:account:access")
	token := must(l.poll(t, l.start(t)))(t)
	keys := must(l.roleKeys(t, token.AccessToken, ours, "Admin"))(t)
	if life := time.Until(keys.Expires); life < 29*time.Minute || life > 30*time.Minute {
		t.Errorf("the keys last %v", life)
	}
	for what, err := range map[string]error{
		"another account": problem(l.roleKeys(t, token.AccessToken, theirs, "Admin")), "another role": problem(l.roleKeys(t, token.AccessToken, ours, "Root")),
	} {
		refused(t, what, err, "ForbiddenException", "No access")
	}
	_, err := l.roleKeys(t, aws.String("wrong"), ours, "Admin")
	refused(t, "a wrong token", err, "UnauthorizedException", "Session token not found or invalid")
	l.wait(20 * time.Minute)
	_, err = l.roleKeys(t, token.AccessToken, ours, "Admin")
	refused(t, "a token that has ended", err, "UnauthorizedException", "")
	renewed := must(l.refresh(t, token.RefreshToken))(t)
	must(l.roleKeys(t, renewed.AccessToken, ours, "Admin"))(t)
	_, err = l.refresh(t, token.RefreshToken)
	refused(t, "a refresh token that was used", err, "InvalidGrantException", "")
	must(l.portal().Logout(t.Context(), &sso.LogoutInput{AccessToken: renewed.AccessToken}))(t)
	_, err = l.roleKeys(t, renewed.AccessToken, ours, "Admin")
	refused(t, "a token that was logged out", err, "UnauthorizedException", "")
	l.server.SignOut(startURL)
	_, err = l.refresh(t, renewed.RefreshToken)
	refused(t, "a login that was ended", err, "InvalidGrantException", "")
	l.wait(91 * 24 * time.Hour)
	_, err = l.refresh(t, renewed.RefreshToken)
	refused(t, "a client that has ended", err, "InvalidClientException", "")
}

func problem[T any](_ T, err error) error { return err }

func TestSSORefusals(t *testing.T) {
	t.Parallel()
	l := newLogin(t, awstest.SSO{})
	device := l.start(t)
	if !l.server.DenyDevice(aws.ToString(device.UserCode)) {
		t.Fatal("nobody waits")
	}
	_, err := l.poll(t, device)
	refused(t, "a login that was denied", err, "AccessDeniedException", "")
	late := l.start(t)
	l.wait(10*time.Minute + time.Second)
	if l.server.ApproveDevice(aws.ToString(late.UserCode)) {
		t.Error("a login was approved too late")
	}
	_, err = l.poll(t, late)
	refused(t, "a login that took too long", err, "ExpiredTokenException", "")
	_, err = l.create(t, func(in *ssooidc.CreateTokenInput) { in.GrantType = aws.String("password") })
	refused(t, "another grant", err, "UnsupportedGrantTypeException", "")
	_, err = l.create(t, func(in *ssooidc.CreateTokenInput) { in.ClientSecret = aws.String("wrong") })
	refused(t, "a wrong client", err, "InvalidClientException", "")
	_, err = l.StartDeviceAuthorization(t.Context(), &ssooidc.StartDeviceAuthorizationInput{
		ClientId: l.client.ClientId, ClientSecret: l.client.ClientSecret, StartUrl: aws.String("https://other.awsapps.com/start"),
	})
	refused(t, "another start URL", err, "InvalidRequestException", "")
	for what, in := range map[string]*ssooidc.RegisterClientInput{
		"InvalidClientMetadataException": {ClientName: aws.String("test"), ClientType: aws.String("confidential")},
		"InvalidScopeException":          {ClientName: aws.String("test"), ClientType: aws.String("public"), Scopes: []string{"everything"}},
	} {
		_, err := l.RegisterClient(t.Context(), in)
		refused(t, what, err, what, "")
	}
	plain := newLogin(t, awstest.SSO{AutoApprove: true})
	if token := must(plain.poll(t, plain.start(t)))(t); token.RefreshToken != nil {
		t.Error("there is a refresh token without a scope that asks for it")
	}
}

func TestSSOLists(t *testing.T) {
	t.Parallel()
	assignments := map[string][]string{ours: {"Admin", "Reader", "Writer"}}
	for i := range 4 {
		assignments[fmt.Sprintf("%012d", i+1)] = []string{"Reader"}
	}
	l := newLogin(t, awstest.SSO{AutoApprove: true, Assignments: assignments})
	token := must(l.poll(t, l.start(t)))(t).AccessToken
	var accounts, roles []string
	for p := sso.NewListAccountsPaginator(l.portal(), &sso.ListAccountsInput{AccessToken: token}); p.HasMorePages(); {
		for _, one := range must(p.NextPage(t.Context()))(t).AccountList {
			accounts = append(accounts, aws.ToString(one.AccountId))
		}
	}
	for p := sso.NewListAccountRolesPaginator(l.portal(), &sso.ListAccountRolesInput{AccessToken: token, AccountId: aws.String(ours)}); p.HasMorePages(); {
		for _, one := range must(p.NextPage(t.Context()))(t).RoleList {
			roles = append(roles, aws.ToString(one.RoleName))
		}
	}
	if len(accounts) != 5 || !slices.Equal(roles, []string{"Admin", "Reader", "Writer"}) || l.server.Count("sso", "ListAccounts") != 3 {
		t.Errorf("%q, %q, in %d calls", accounts, roles, l.server.Count("sso", "ListAccounts"))
	}
	_, err := l.portal().ListAccounts(t.Context(), &sso.ListAccountsInput{AccessToken: token, NextToken: aws.String("wrong")})
	refused(t, "a wrong token of a page", err, "InvalidRequestException", "")
	_, err = l.portal().ListAccountRoles(t.Context(), &sso.ListAccountRolesInput{AccessToken: token, AccountId: aws.String(theirs)})
	refused(t, "another account", err, "ForbiddenException", "")
}

// TestSSOIsInOneRegion: the hosts of another region know nothing of it.
func TestSSOIsInOneRegion(t *testing.T) {
	t.Parallel()
	l := newLogin(t, awstest.SSO{Region: "eu-west-1", AutoApprove: true})
	for where, good := range map[string]bool{"eu-west-1": true, "us-east-1": false} {
		c := config(l.server, awstest.Keys{}, where)
		c.BaseEndpoint, c.HTTPClient = nil, throughProxy(t, l.server)
		there := &login{Client: ssooidc.NewFromConfig(c), server: l.server, client: l.client}
		_, err := there.StartDeviceAuthorization(t.Context(), &ssooidc.StartDeviceAuthorizationInput{
			ClientId: l.client.ClientId, ClientSecret: l.client.ClientSecret, StartUrl: aws.String(startURL),
		})
		if good && err != nil {
			t.Error(err)
		} else if !good {
			refused(t, where, err, "InvalidRequestException", "")
		}
	}
	status, _ := get(t, http.MethodGet, l.server.URL()+"/federation/credentials", http.Header{})
	if status != http.StatusUnauthorized {
		t.Errorf("without a token: %d", status)
	}
}
