package awstest

import (
	"strings"
	"testing"
	"time"

	awssts "github.com/aws/aws-sdk-go-v2/service/sts"
)

func TestWebIdentity(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	arn := w.Account(account).Role("web", Role{WebIdentity: &WebIdentityTrust{Subject: "pod"}})
	plain := w.Account(account).Role("plain", Role{})
	foreign, session := newWorld(t).WebIdentity("pod", ""), "session"
	ask := func(role, token string, lifetime *int32) (*awssts.AssumeRoleWithWebIdentityOutput, error) {
		return w.client(Keys{}).AssumeRoleWithWebIdentity(ctx, &awssts.AssumeRoleWithWebIdentityInput{
			RoleArn: &role, RoleSessionName: &session, WebIdentityToken: &token, DurationSeconds: lifetime,
		})
	}
	token := w.WebIdentity("pod", "")
	out, err := ask(arn, token, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := w.who(t, keysOf(out.Credentials)); !strings.HasPrefix(got, "arn:aws:sts::111111111111:assumed-role/web/session ") {
		t.Error(got)
	}
	if *out.SubjectFromWebIdentityToken != "pod" || *out.Audience != defaultAudience {
		t.Errorf("%s %s", *out.SubjectFromWebIdentityToken, *out.Audience)
	}
	for _, test := range []struct {
		name, role, token string
		lifetime          *int32
		code, say         string
	}{
		{"other subject", arn, w.WebIdentity("other", ""), nil, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity"},
		{"other audience", arn, w.WebIdentity("pod", "others"), nil, "InvalidIdentityToken", "audience"},
		{"other issuer's key", arn, foreign, nil, "InvalidIdentityToken", "Signature"},
		{"no token", arn, "none at all", nil, "InvalidIdentityToken", "not a valid JWT"},
		{"not its role", plain, token, nil, "AccessDenied", "Not authorized"},
		{"too long", arn, token, seconds(2 * time.Hour), "ValidationError", "MaxSessionDuration"},
	} {
		_, err := ask(test.role, test.token, test.lifetime)
		t.Run(test.name, func(t *testing.T) { refused(t, err, test.code, test.say) })
	}
	for i := range len(token) * 8 {
		changed := []byte(token)
		changed[i/8] ^= 1 << (i % 8)
		if _, err := w.issuer.verify(string(changed), w.now()); err == nil {
			t.Fatalf("%s is as good as %s", changed, token)
		}
	}
	w.advance(time.Hour)
	_, err = ask(arn, token, nil)
	refused(t, err, "ExpiredTokenException", "Token expired")
}
