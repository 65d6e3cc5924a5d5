package awstest

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awssts "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

const (
	account = "111111111111"
	other   = "222222222222"
	region  = "eu-central-1"
)

// world is a server with a clock that a test moves.
type world struct {
	*Server
	mu    sync.Mutex
	clock time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{clock: time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)}
	w.Server = Start(t, Options{Now: w.time})
	return w
}

func (w *world) time() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.clock
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clock = w.clock.Add(d)
}

// client is the SDK's client, with keys, or without any.
func (w *world) client(keys Keys) *awssts.Client {
	config := awssdk.Config{
		Region: region, BaseEndpoint: awssdk.String(w.URL()), Credentials: awssdk.AnonymousCredentials{},
		Retryer: func() awssdk.Retryer { return retry.AddWithMaxAttempts(retry.NewStandard(), 1) },
	}
	if keys.AccessKeyID != "" {
		config.Credentials = awssdk.CredentialsProviderFunc(func(context.Context) (awssdk.Credentials, error) { return keys.sdk(), nil })
	}
	return awssts.NewFromConfig(config, func(o *awssts.Options) { o.HTTPSignerV4 = clocked{o.HTTPSignerV4, w.now} })
}

// session makes a role of the account, and a session of it.
func (w *world) session(t *testing.T, by Keys, name string, role Role) Keys {
	t.Helper()
	arn := w.Account(account).Role(name, role)
	out, err := w.client(by).AssumeRole(context.Background(), &awssts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: awssdk.String("session")})
	if err != nil {
		t.Fatal(err)
	}
	return Keys{
		AccessKeyID: *out.Credentials.AccessKeyId, SecretAccessKey: *out.Credentials.SecretAccessKey,
		SessionToken: *out.Credentials.SessionToken, Expires: *out.Credentials.Expiration, ARN: *out.AssumedRoleUser.Arn,
	}
}

// refused checks that an error is one of AWS's with that code, and that its message has the
// text.
func refused(t *testing.T, err error, code, text string) {
	t.Helper()
	var known smithy.APIError
	if !errors.As(err, &known) || known.ErrorCode() != code || !strings.Contains(known.ErrorMessage(), text) {
		t.Errorf("%v, want %s: %s", err, code, text)
	}
}

func TestMalformedPoliciesDenyEverythingAndSaySo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	keys := w.Account(account).User("jane", `{"Version":"2012-10-17"}`)
	_, err := w.client(keys).GetFederationToken(context.Background(), &awssts.GetFederationTokenInput{Name: awssdk.String("someone")})
	refused(t, err, "InternalFailure", "it has no statement")
}

func TestThrottling(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := w.client(w.Account(account).User("jane"))
	w.Throttle("sts", "GetCallerIdentity", 2)
	for range 2 {
		_, err := client.GetCallerIdentity(context.Background(), nil)
		refused(t, err, "Throttling", "Rate exceeded")
	}
	if _, err := client.GetSessionToken(context.Background(), nil); err != nil {
		t.Error(err)
	}
	if _, err := client.GetCallerIdentity(context.Background(), nil); err != nil {
		t.Error(err)
	}
	if got := w.Count("sts", "GetCallerIdentity"); got != 3 {
		t.Errorf("%d calls, want 3", got)
	}
}

func TestJournal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	keys := w.Account(account).User("jane")
	if _, err := w.client(keys).GetCallerIdentity(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	w.Revoke(keys.AccessKeyID)
	_, err := w.client(keys).GetCallerIdentity(context.Background(), nil)
	refused(t, err, "InvalidClientTokenId", "invalid")
	calls := w.Calls()
	want := []Call{
		{"sts", "GetCallerIdentity", region, account, "arn:aws:iam::111111111111:user/jane", "", w.now()},
		{"sts", "GetCallerIdentity", region, "", "", "InvalidClientTokenId", w.now()},
	}
	if len(calls) != 2 || calls[0] != want[0] || calls[1] != want[1] {
		t.Errorf("%+v, want %+v", calls, want)
	}
	w.ResetCalls()
	if w.Count("", "") != 0 {
		t.Error("calls are left")
	}
}

func TestDelayEndsWithTheClientsPatience(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Delay(time.Hour)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	_, err := w.client(w.Account(account).User("jane")).GetCallerIdentity(ctx, nil)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

func TestSkew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	keys := w.Account(account).User("jane")
	w.Skew(17 * time.Minute)
	r := post(t, keys, w.time(), nil)
	if _, code, _ := w.answered(r); code != "SignatureDoesNotMatch" {
		t.Errorf("%q", code)
	}
	_, err := w.client(keys).GetCallerIdentity(context.Background(), nil) // signs by AWS's clock
	if err != nil {
		t.Error(err)
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	arn := w.Account(account).Role("role", Role{})
	keys := w.Account(account).User("jane")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 4 {
				_, err := w.client(keys).AssumeRole(context.Background(), &awssts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: awssdk.String("session")})
				if err != nil {
					t.Error(err)
				}
				w.Account(account).User("other")
				w.Count("", "")
			}
		})
	}
	all.Wait()
}

// clocked is a signer with the clock of AWS.
type clocked struct {
	awssts.HTTPSignerV4
	now func() time.Time
}

func (c clocked) SignHTTP(ctx context.Context, keys awssdk.Credentials, r *http.Request, hash, service, region string, _ time.Time, options ...func(*v4.SignerOptions)) error {
	return c.HTTPSignerV4.SignHTTP(ctx, keys, r, hash, service, region, c.now(), options...)
}
