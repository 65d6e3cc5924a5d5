package aws

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/svcconn/svcconn/connectors/aws/awstest"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

// stored is what a session would have the secret store keep.
func stored(t *testing.T, s *session) string {
	t.Helper()
	renewed := s.Renewed()
	if len(renewed) > 1 || len(renewed) == 1 && renewed[mfaSessionField.Name].IsEmpty() {
		t.Fatalf("renewed: %d secrets", len(renewed))
	}
	return renewed[mfaSessionField.Name].Reveal()
}

func TestMFARole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	jane := w.Account(account1).User("jane")
	serial, code := w.Account(account1).MFADevice("jane")
	role := w.Account(account1).Role("guarded", awstest.Role{MFA: true})
	typist := &person{answer: func() string { return code()[:3] + " " + code()[3:] + "\n" }}
	w.host.Person = typist
	fields := with(jane, map[string]any{"role_arn": role, "mfa_serial": serial})

	s := w.opened(t, methodRole, fields)
	if !s.settings.Method.RenewsSecrets(s.values) {
		t.Error("the method does not say that it renews a secret")
	}
	if s.Renewed() != nil {
		t.Error("a session that did nothing renewed something")
	}
	if _, arn := got(t, s, purpose{}); !strings.HasSuffix(arn, "assumed-role/guarded/svcconn") {
		t.Errorf("%s", arn)
	}
	if len(typist.asked) != 1 || !strings.Contains(typist.asked[0], serial) || w.sent("GetSessionToken")[0].Get("DurationSeconds") != "43200" {
		t.Errorf("%q %v", typist.asked, w.sent("GetSessionToken"))
	}
	kept := stored(t, s)

	w.host.Person = nil
	fields[mfaSessionField.Name] = kept
	w.clock.advance(11 * time.Hour)
	s = w.opened(t, methodRole, fields)
	if got(t, s, purpose{}); s.Renewed() != nil || w.Count("sts", "GetSessionToken") != 1 {
		t.Error("a good session was not used again")
	}
	w.clock.advance(time.Hour - leastLeft)
	if err := refusal(t, w.opened(t, methodRole, fields), purpose{}); !fault.Is(err, fault.NeedsPerson) || !strings.Contains(err.Error(), serial) {
		t.Errorf("after the session: %v", err)
	}
	w.host.Person = typist
	s = w.opened(t, methodRole, fields)
	if got(t, s, purpose{}); typist.count() != 2 || stored(t, s) == kept {
		t.Error("a session that is over was not replaced")
	}
}

func TestMFASessionBelongsToDeviceAndKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	account := w.Account(account1)
	jane := account.User("jane")
	serial, code := account.MFADevice("jane")
	w.host.Person = &person{answer: code}
	s := w.opened(t, methodSessionToken, with(jane, map[string]any{"mfa_serial": serial}))
	got(t, s, purpose{})
	kept := stored(t, s)
	w.host.Person = nil

	other, _ := account.MFADevice("jane")
	again := account.User("jane")
	for name, fields := range map[string]map[string]any{
		"same":           with(jane, map[string]any{"mfa_serial": serial, mfaSessionField.Name: kept}),
		"another device": with(jane, map[string]any{"mfa_serial": other, mfaSessionField.Name: kept}),
		"another key":    with(again, map[string]any{"mfa_serial": serial, mfaSessionField.Name: kept}),
		"damaged":        with(jane, map[string]any{"mfa_serial": serial, mfaSessionField.Name: kept[:len(kept)/2]}),
		"none":           with(jane, map[string]any{"mfa_serial": serial}),
	} {
		_, err := w.opened(t, methodSessionToken, fields).keysFor(t.Context(), purpose{})
		if good := name == "same"; good != (err == nil) || !good && !fault.Is(err, fault.NeedsPerson) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMFAAsksOnceForAllWhoWait(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	jane := w.Account(account1).User("jane")
	serial, code := w.Account(account1).MFADevice("jane")
	role := w.Account(account1).Role("guarded", awstest.Role{MFA: true})
	var s *session
	waiting := make(chan struct{})
	typist := &person{answer: func() string { <-waiting; return code() }}
	w.host.Person = typist
	s = w.opened(t, methodRole, with(jane, map[string]any{"role_arn": role, "mfa_serial": serial}))
	purposes := []purpose{{}, {own: true}, {scope: onlyListS3}, {scope: onlyAssume}, {lifetime: 30 * time.Minute}}
	var all sync.WaitGroup
	for _, want := range purposes {
		all.Go(func() {
			if _, err := s.keysFor(t.Context(), want); err != nil {
				t.Errorf("%+v: %v", want, err)
			}
		})
	}
	close(waiting)
	all.Wait()
	if typist.count() != 1 || w.Count("sts", "GetSessionToken") != 1 || w.Count("sts", "AssumeRole") != len(purposes) {
		t.Errorf("asked %d times; %d sessions, %d roles", typist.count(), w.Count("sts", "GetSessionToken"), w.Count("sts", "AssumeRole"))
	}
}

func TestMFARefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	jane := w.Account(account1).User("jane")
	serial, code := w.Account(account1).MFADevice("jane")
	wrong := "000000"
	if code() == wrong {
		wrong = "999999"
	}
	for name, test := range map[string]struct {
		serial, answer string
		kind           fault.Kind
		words          string
	}{
		"wrong code":     {serial, wrong, fault.Denied, "MultiFactorAuthentication failed with invalid MFA one time pass code"},
		"wrong device":   {serial + "x", code(), fault.Denied, "verify your MFA serial number"},
		"no code":        {serial, "", fault.Invalid, "six digits"},
		"a word":         {serial, planted, fault.Invalid, "six digits"},
		"other numerals": {serial, "１２３４５６", fault.Invalid, "six digits"},
	} {
		w.host.Person = &person{answer: func() string { return test.answer }}
		s := w.opened(t, methodSessionToken, with(jane, map[string]any{"mfa_serial": test.serial}))
		err := refusal(t, s, purpose{})
		if !fault.Is(err, test.kind) || !strings.Contains(err.Error(), test.words) || fault.HintOf(err) == "" || s.Renewed() != nil {
			t.Errorf("%s: %v (%s)", name, err, fault.HintOf(err))
		}
		if len(test.answer) > 1 && strings.Contains(err.Error()+fault.HintOf(err), test.answer) {
			t.Errorf("%s: the error shows the code: %v", name, err)
		}
	}
}

func TestMFAWithoutAPerson(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	jane := w.Account(account1).User("jane")
	serial, _ := w.Account(account1).MFADevice("jane")
	s := w.opened(t, methodSessionToken, with(jane, map[string]any{"mfa_serial": serial}))
	if err := refusal(t, s, purpose{}); !fault.Is(err, fault.NeedsPerson) || len(w.Calls()) != 0 {
		t.Errorf("%v, %d calls", err, len(w.Calls()))
	}
}

func TestMFASessionsLifetime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	jane := w.Account(account1).User("jane")
	serial, code := w.Account(account1).MFADevice("jane")
	w.host.Person = &person{answer: code}
	s := w.opened(t, methodSessionToken, with(jane, map[string]any{"mfa_serial": serial, "mfa_lifetime": "20m"}))
	if err := refusal(t, s, purpose{lifetime: time.Hour}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a lifetime that cannot be had: %v", err)
	}
	k, arn := got(t, s, purpose{scope: onlyListS3})
	if !k.expires.Equal(noon.Add(20*time.Minute)) || arn != "arn:aws:iam::123456789012:user/jane" {
		t.Errorf("%s until %s", arn, k.expires)
	}
}

// TestCodeIsTakenOut: a code is taken out of an error, a longer number that has it is not.
func TestCodeIsTakenOut(t *testing.T) {
	t.Parallel()
	code := secret.New("123456")
	for text, want := range map[string]string{
		"code 123456 of it":        "code [redacted] of it",
		"account 123456789012":     "account 123456789012",
		"TokenCode=123456&x=1":     "TokenCode=[redacted]&x=1",
		"123456: user 91234567890": "[redacted]: user 91234567890",
	} {
		err := withoutCode(fault.New(fault.Denied, "%w", errors.New(text)).Hint("h"), code)
		if err.Error() != want || !fault.Is(err, fault.Denied) || fault.HintOf(err) != "h" {
			t.Errorf("%q became %q", text, err)
		}
	}
}
