package aws

import (
	"strings"
	"testing"
	"time"

	"github.com/svcconn/svcconn/connectors/aws/awstest"
	"github.com/svcconn/svcconn/pkg/fault"
)

func TestStaticKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	jane := w.Account(account1).User("jane")
	temporary, _ := got(t, w.opened(t, methodSessionToken, with(jane, nil)), purpose{})
	for method, given := range map[string]awstest.Keys{
		methodSecretKey: jane,
		methodSTSToken:  {AccessKeyID: temporary.id, SecretAccessKey: temporary.secret.Reveal(), SessionToken: temporary.token.Reveal()},
	} {
		w.ResetCalls()
		s := w.opened(t, method, with(given, nil))
		for _, want := range []purpose{{}, {scope: onlyListS3}, {own: true}} {
			k, arn := got(t, s, want)
			if k.id != given.AccessKeyID || k.secret.Reveal() != given.SecretAccessKey || k.token.Reveal() != given.SessionToken || !k.expires.IsZero() || arn != jane.ARN {
				t.Errorf("%s: %+v", method, k)
			}
		}
		if n := len(w.Calls()); n != 3 || len(s.kept) != 1 {
			t.Errorf("%s: %d calls, keys kept for %d purposes", method, n, len(s.kept))
		}
	}
}

func TestSessionToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.opened(t, methodSessionToken, with(w.Account(account1).User("jane"), nil))
	for want, lasts := range map[purpose]time.Duration{
		{}: 12 * time.Hour, {scope: onlyListS3}: 12 * time.Hour, {own: true}: 12 * time.Hour, {lifetime: 15 * time.Minute}: 15 * time.Minute, {lifetime: 36 * time.Hour}: 36 * time.Hour,
	} {
		if k, _ := got(t, s, want); !k.expires.Equal(noon.Add(lasts)) || k.token.IsEmpty() {
			t.Errorf("%+v: until %s", want, k.expires)
		}
	}
	if n := w.Count("sts", "GetSessionToken"); n != 3 {
		t.Errorf("%d calls for three lifetimes", n)
	}
}

// TestRootUser: what AWS gives the root user ends after an hour, whatever was asked for.
func TestRootUser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	root := w.Account(account1).Root()
	for method, fields := range map[string]map[string]any{methodSessionToken: nil, methodFederationToken: {"policy": examplePolicy}} {
		if k, _ := got(t, w.opened(t, method, with(root, fields)), purpose{}); !k.expires.Equal(noon.Add(time.Hour)) {
			t.Errorf("%s: until %s", method, k.expires)
		}
	}
}

func TestSessionTokenRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	err := refusal(t, w.opened(t, methodSessionToken, with(awstest.Keys{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: planted}, nil)), purpose{})
	if !fault.Is(err, fault.Denied) {
		t.Errorf("%v", err)
	}
	noCanary(t, "unknown key", err)
}

func TestFederationToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	jane := w.Account(account1).User("jane")
	s := w.opened(t, methodFederationToken, with(jane, map[string]any{"federated_user": "${user}-2", "session_tags": "team=data"}))
	k, arn := got(t, s, purpose{scope: onlyListS3})
	if arn != "arn:aws:sts::123456789012:federated-user/jane-2" || !k.expires.Equal(noon.Add(12*time.Hour)) || k.account != account1 || !may(t, s, k) {
		t.Errorf("%s until %s", arn, k.expires)
	}
	if k, _ := got(t, s, purpose{scope: onlyAssume, lifetime: 36 * time.Hour}); may(t, s, k) || !k.expires.Equal(noon.Add(36*time.Hour)) {
		t.Errorf("the scope is not enforced, or until %s", k.expires)
	}
	if k, _ := got(t, s, purpose{own: true, scope: onlyListS3}); !may(t, s, k) || !k.expires.Equal(noon.Add(15*time.Minute)) {
		t.Errorf("own questions: until %s", k.expires)
	}
	if k, _ := got(t, s, purpose{own: true}); may(t, s, k) {
		t.Error("who are we was asked with rights")
	}
	if form := w.sent("GetFederationToken")[0]; form.Get("Tags.member.1.Key") != "team" {
		t.Errorf("%v", form)
	}
}

func TestFederationTokenNeverWithoutRights(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	jane := w.Account(account1).User("jane")
	err := refusal(t, w.opened(t, methodFederationToken, with(jane, nil)), purpose{})
	if !fault.Is(err, fault.Invalid) || !strings.Contains(fault.HintOf(err), "--set policy") || len(w.Calls()) != 0 {
		t.Errorf("%v (%s), %d calls", err, fault.HintOf(err), len(w.Calls()))
	}
	for name, fields := range map[string]map[string]any{
		"policy": {"policy": onlyListS3}, "managed policy": {"policy_arns": []string{"arn:aws:iam::aws:policy/AdministratorAccess"}},
	} {
		s := w.opened(t, methodFederationToken, with(jane, fields))
		w.ResetCalls()
		for _, want := range []purpose{{}, {scope: onlyAssume}} {
			if k, _ := got(t, s, want); !may(t, s, k) {
				t.Errorf("%s: its policy does not count for %+v", name, want)
			}
		}
		if n := w.Count("sts", "GetFederationToken"); n != 1 {
			t.Errorf("%s: %d calls", name, n)
		}
	}
}

func TestFederationTokenDenied(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	jane := w.Account(account1).User("jane", onlyListS3)
	err := refusal(t, w.opened(t, methodFederationToken, with(jane, nil)), purpose{scope: onlyListS3})
	if !fault.Is(err, fault.Denied) || !strings.Contains(err.Error(), "sts:GetFederationToken") {
		t.Errorf("%v", err)
	}
}
