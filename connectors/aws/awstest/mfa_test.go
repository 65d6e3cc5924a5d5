package awstest

import (
	"testing"
	"time"

	awssts "github.com/aws/aws-sdk-go-v2/service/sts"
)

func TestMFA(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	here := w.Account(account)
	serial, code := here.MFADevice("jane")
	jane := here.User("jane")
	with := func(by Keys, serial, code string) (*awssts.GetSessionTokenOutput, error) {
		return w.client(by).GetSessionToken(ctx, &awssts.GetSessionTokenInput{SerialNumber: &serial, TokenCode: &code})
	}
	now := code()
	wrong := "000000"
	if wrong == now {
		wrong = "000001"
	}
	_, err := with(jane, serial, wrong)
	refused(t, err, "AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code.")
	_, err = with(here.User("joe"), serial, now)
	refused(t, err, "AccessDenied", "unable to validate MFA code")
	_, err = with(jane, serial, "12345")
	refused(t, err, "ValidationError", "tokenCode")
	_, err = w.client(jane).GetSessionToken(ctx, &awssts.GetSessionTokenInput{SerialNumber: &serial})
	refused(t, err, "AccessDenied", "must provide both")
	out, err := with(jane, serial, now)
	if err != nil {
		t.Fatal(err)
	}
	_, err = with(jane, serial, now)
	refused(t, err, "AccessDenied", "invalid MFA one time pass code")
	w.session(t, keysOf(out.Credentials), "guarded", Role{MFA: true})
	w.advance(time.Minute)
	if code() == now {
		t.Error("the code is the same a minute later")
	}
	if _, err := with(jane, serial, code()); err != nil {
		t.Error(err)
	}
}

// TestTOTP is the test vector of RFC 6238, appendix B, with six digits.
func TestTOTP(t *testing.T) {
	t.Parallel()
	d := &mfaDevice{seed: []byte("12345678901234567890")}
	for at, want := range map[int64]string{59: "287082", 1111111109: "081804", 20000000000: "353130"} {
		if got := d.code(step(time.Unix(at, 0))); got != want {
			t.Errorf("%d: %s, want %s", at, got, want)
		}
	}
}
