package awstest

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	awssts "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
)

var ctx = context.Background()

// who asks GetCallerIdentity.
func (w *world) who(t *testing.T, keys Keys) string {
	t.Helper()
	out, err := w.client(keys).GetCallerIdentity(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	return *out.Arn + " " + *out.Account + " " + *out.UserId
}

func keysOf(c *types.Credentials) Keys {
	return Keys{AccessKeyID: *c.AccessKeyId, SecretAccessKey: *c.SecretAccessKey, SessionToken: *c.SessionToken, Expires: *c.Expiration}
}

func seconds(d time.Duration) *int32 { return awssdk.Int32(int32(d.Seconds())) }

func TestGetCallerIdentity(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	user := w.Account(account).User("jane", statementJSON(`"Effect":"Deny","Action":"*","Resource":"*"`))
	for _, test := range []struct {
		keys Keys
		want string
	}{
		{user, "arn:aws:iam::111111111111:user/jane 111111111111 AIDA"},
		{w.Account(account).Root(), "arn:aws:iam::111111111111:root 111111111111 111111111111"},
		{w.session(t, w.Account(account).User("joe"), "role", Role{}), "arn:aws:sts::111111111111:assumed-role/role/session 111111111111 AROA"},
	} {
		if got := w.who(t, test.keys); !strings.HasPrefix(got, test.want) {
			t.Errorf("%s, want %s…", got, test.want)
		}
	}
}

func TestGetCallerIdentityAsJSON(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	keys := w.Account(account).User("jane")
	r := presigned(t, keys, w.now())
	r.RequestURI, r.URL.Scheme = "", "http"
	r.URL.Host = strings.TrimPrefix(w.URL(), "http://")
	r.Header.Set("Accept", "application/json")
	got, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	body, _ := io.ReadAll(got.Body)
	var out struct {
		GetCallerIdentityResponse struct {
			GetCallerIdentityResult struct{ Account, Arn, UserId string }
		}
	}
	if err := json.Unmarshal(body, &out); err != nil || out.GetCallerIdentityResponse.GetCallerIdentityResult.Arn != keys.ARN {
		t.Errorf("%v: %s", err, body)
	}
	if date := got.Header.Get("Date"); date != w.now().Format(http.TimeFormat) {
		t.Errorf("the date is %s", date)
	}
}

// federated makes keys by GetFederationToken; "" is no policy.
func (w *world) federated(t *testing.T, by Keys, policy string) Keys {
	t.Helper()
	in := &awssts.GetFederationTokenInput{Name: awssdk.String("someone")}
	if policy != "" {
		in.Policy = &policy
	}
	out, err := w.client(by).GetFederationToken(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	return keysOf(out.Credentials)
}

func TestTokensOfUsers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	here := w.Account(account)
	jane, root := here.User("jane"), here.Root()
	session := w.session(t, jane, "role", Role{})
	lifetime := func(by Keys, d *int32) time.Duration {
		out, err := w.client(by).GetSessionToken(ctx, &awssts.GetSessionTokenInput{DurationSeconds: d})
		if err != nil {
			t.Fatal(err)
		}
		if got := w.who(t, keysOf(out.Credentials)); got != w.who(t, by) {
			t.Errorf("the keys are of %s", got)
		}
		return out.Credentials.Expiration.Sub(w.now())
	}
	for _, test := range []struct {
		by   Keys
		ask  *int32
		want time.Duration
	}{
		{jane, nil, 12 * time.Hour},
		{jane, seconds(36 * time.Hour), 36 * time.Hour},
		{root, nil, time.Hour},
		{root, seconds(2 * time.Hour), time.Hour},
		{root, seconds(20 * time.Minute), 20 * time.Minute},
	} {
		if got := lifetime(test.by, test.ask); got != test.want {
			t.Errorf("%v, want %v", got, test.want)
		}
	}
	_, err := w.client(session).GetSessionToken(ctx, nil)
	refused(t, err, "AccessDenied", "Cannot call GetSessionToken with session credentials")
	_, err = w.client(session).GetFederationToken(ctx, &awssts.GetFederationTokenInput{Name: awssdk.String("someone")})
	refused(t, err, "AccessDenied", "Cannot call GetFederationToken with session credentials")
	_, err = w.client(jane).GetSessionToken(ctx, &awssts.GetSessionTokenInput{DurationSeconds: seconds(37 * time.Hour)})
	refused(t, err, "ValidationError", "129600")
	_, err = w.client(jane).GetFederationToken(ctx, &awssts.GetFederationTokenInput{Name: awssdk.String(strings.Repeat("x", 33))})
	refused(t, err, "ValidationError", "less than or equal to 32")
	_, err = w.client(here.User("joe", statementJSON(`"Effect":"Allow","Action":"s3:*","Resource":"*"`))).GetFederationToken(ctx, &awssts.GetFederationTokenInput{Name: awssdk.String("someone")})
	refused(t, err, "AccessDenied", "sts:GetFederationToken on resource: arn:aws:sts::111111111111:federated-user/someone")
}

func TestRegionsAndPartitions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	keys := w.Account(account).User("jane")
	w.Account(account).DisableRegion(region)
	_, err := w.client(keys).GetCallerIdentity(ctx, nil)
	refused(t, err, "RegionDisabledException", "not activated in this region")
	china := w.AccountIn("aws-cn", other).User("jane")
	_, err = w.client(china).GetCallerIdentity(ctx, nil)
	refused(t, err, "InvalidClientTokenId", "invalid")
	out, err := w.client(china).GetCallerIdentity(ctx, nil, func(o *awssts.Options) { o.Region = "cn-north-1" })
	if err != nil || *out.Arn != "arn:aws-cn:iam::222222222222:user/jane" {
		t.Errorf("%v", err)
	}
}
