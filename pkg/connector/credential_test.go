package connector

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/svcconn/svcconn/pkg/secret"
)

const canary = "canary-61b0f2"

var text = secret.New(canary) // texts are equal where they are the same one

// credentials are all there are, that end at a time.
func credentials(at time.Time) []Credential {
	return []Credential{
		RegistryLogin{Registry: "r", Username: "u", Secret: text, Expires: at},
		KubernetesAuth{Endpoint: KubernetesEndpoint{Cluster: "c"}, Token: text, ClientKey: text, Expires: at},
		AWSKeys{AccessKeyID: "id", SecretAccessKey: text, SessionToken: text, Expires: at},
		AccessToken{Token: text, Principal: "me@example.com", Project: "p", Universe: "googleapis.com", Expires: at},
		KeyFile{JSON: text, Principal: "me@example.com", Project: "p", Expires: at},
	}
}

// A bound shortens lives and lengthens none; it changes nothing else.
func TestBounded(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct{ own, limit, want time.Time }{
		{noon, time.Time{}, noon},
		{noon, noon.Add(time.Hour), noon},
		{noon, noon, noon},
		{noon, noon.Add(-time.Hour), noon.Add(-time.Hour)},
		{time.Time{}, noon, noon},
		{time.Time{}, time.Time{}, time.Time{}},
	} {
		for i, c := range credentials(test.own) {
			want := credentials(test.want)[i]
			if got := Bounded(c, test.limit); got != want || !got.Expiry().Equal(test.want) {
				t.Errorf("%T until %s, with the limit %s, became %+v", c, test.own, test.limit, got)
			}
		}
	}
}

func TestCredentialsHideTheirSecrets(t *testing.T) {
	t.Parallel()
	for _, c := range credentials(time.Time{}) {
		if shown := fmt.Sprintf("%v %+v %#v %s", c, c, c, c); strings.Contains(shown, canary) {
			t.Errorf("%T shows its secret: %s", c, shown)
		}
	}
}
