package aws

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/connectors/aws/awstest"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

const (
	onlyAssume = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}]}`
	onlyListS3 = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListAllMyBuckets","Resource":"*"}]}`
)

func TestRoleKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	jane := w.Account(account1).User("jane", onlyAssume)
	role := w.Account(account2).Role("deployer", awstest.Role{MaxSession: 4 * time.Hour})
	s := w.opened(t, methodRole, with(jane, map[string]any{"role_arn": role, "role_session_name": "${user}.${time}"}))
	for want, lasts := range map[purpose]time.Duration{
		{}:                        time.Hour,
		{lifetime: 4 * time.Hour}: 4 * time.Hour,
		{own: true}:               15 * time.Minute,
		{scope: onlyListS3, lifetime: 3 * time.Hour}: 3 * time.Hour,
	} {
		k, arn := got(t, s, want)
		if arn != "arn:aws:sts::210987654321:assumed-role/deployer/jane.20260102T120000Z" || !k.expires.Equal(noon.Add(lasts)) || k.account != account2 {
			t.Errorf("%+v: %s until %s of account %q", want, arn, k.expires, k.account)
		}
	}
}

func TestRoleIsAskedOnceForPurposesThatAreAlike(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	role := w.Account(account1).Role("deployer", awstest.Role{})
	jane := w.Account(account1).User("jane", onlyAssume)
	s := w.opened(t, methodRole, with(jane, map[string]any{"role_arn": role}))
	for _, want := range []purpose{{own: true}, {own: true, scope: onlyListS3}, {own: true, lifetime: time.Hour}} {
		got(t, s, want)
	}
	if n := w.Count("sts", "AssumeRole"); n != 1 {
		t.Errorf("%d calls for own questions", n)
	}
	s = w.opened(t, methodRole, with(jane, map[string]any{"role_arn": role, "policy": examplePolicy}))
	w.ResetCalls()
	for _, want := range []purpose{{}, {scope: onlyListS3}, {scope: onlyAssume}} {
		got(t, s, want)
	}
	if n := w.Count("sts", "AssumeRole"); n != 1 {
		t.Errorf("%d calls with a policy of the connector's own", n)
	}
}

// may reports whether keys may list buckets.
func may(t *testing.T, s *session, k keys) bool {
	t.Helper()
	_, err := s.s3(k, "eu-central-1").ListBuckets(t.Context(), nil)
	if err != nil && !strings.Contains(err.Error(), "AccessDenied") {
		t.Fatal(err)
	}
	return err == nil
}

func TestRoleKeysAreScoped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	jane := w.Account(account1).User("jane", onlyAssume)
	role := w.Account(account1).Role("deployer", awstest.Role{})
	readOnly := w.Account(account1).ManagedPolicy("list", onlyListS3)
	for name, test := range map[string]struct {
		fields map[string]any
		scope  string
		listed bool
	}{
		"no policy":            {nil, "", true},
		"scope":                {nil, onlyListS3, true},
		"other scope":          {nil, onlyAssume, false},
		"own policy":           {map[string]any{"policy": onlyAssume}, onlyListS3, false},
		"own policy, no scope": {map[string]any{"policy": onlyAssume}, "", false},
		"managed policy":       {map[string]any{"policy_arns": []string{readOnly}}, onlyAssume, true},
		"managed and own":      {map[string]any{"policy_arns": []string{readOnly}, "policy": onlyAssume}, onlyAssume, true},
		"AWS's managed policy": {map[string]any{"policy_arns": []string{"arn:aws:iam::aws:policy/AdministratorAccess"}}, onlyAssume, true},
		"own policy as a list": {map[string]any{"policy": examplePolicy}, onlyAssume, true},
	} {
		fields := with(jane, test.fields)
		fields["role_arn"] = role
		s := w.opened(t, methodRole, fields)
		if k, _ := got(t, s, purpose{scope: test.scope}); may(t, s, k) != test.listed {
			t.Errorf("%s: listing is %v", name, !test.listed)
		}
	}
}

func TestRoleChain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	jane := w.Account(account1).User("jane")
	first := w.Account(account1).Role("first", awstest.Role{MaxSession: 12 * time.Hour})
	second := w.Account(account2).Role("second", awstest.Role{Trust: []string{first}})
	third := w.Account(account2).Role("third", awstest.Role{Trust: []string{second}, ExternalID: "customer/4711", MaxSession: 12 * time.Hour})
	s := w.opened(t, methodRole, with(jane, map[string]any{
		"role_arn": third, "role_chain": []string{first, second}, "external_id": "customer/4711",
		"session_tags": []string{"Team=data", "stage=prod", "empty="}, "transitive_tag_keys": []string{"team"}, "source_identity": "jane",
	}))
	k, arn := got(t, s, purpose{scope: onlyListS3})
	if arn != "arn:aws:sts::210987654321:assumed-role/third/svcconn" || !k.expires.Equal(noon.Add(time.Hour)) {
		t.Errorf("%s until %s", arn, k.expires)
	}
	var forms []url.Values
	for _, form := range w.sent("AssumeRole") {
		form.Del("Action")
		form.Del("Version")
		forms = append(forms, form)
	}
	want := []url.Values{
		{"RoleArn": {first}, "RoleSessionName": {"svcconn"}, "DurationSeconds": {"900"}, "SourceIdentity": {"jane"},
			"Tags.member.1.Key": {"Team"}, "Tags.member.1.Value": {"data"}, "TransitiveTagKeys.member.1": {"Team"}},
		{"RoleArn": {second}, "RoleSessionName": {"svcconn"}, "DurationSeconds": {"900"}},
		{"RoleArn": {third}, "RoleSessionName": {"svcconn"}, "DurationSeconds": {"3600"}, "ExternalId": {"customer/4711"}, "Policy": {onlyListS3},
			"Tags.member.1.Key": {"stage"}, "Tags.member.1.Value": {"prod"}, "Tags.member.2.Key": {"empty"}, "Tags.member.2.Value": {""}},
	}
	if diff := cmp.Diff(want, forms); diff != "" {
		t.Error(diff)
	}
	if err := refusal(t, s, purpose{lifetime: 2 * time.Hour}); !fault.Is(err, fault.Invalid) || w.Count("sts", "AssumeRole") != 3 {
		t.Errorf("two hours behind a chain: %v", err)
	}
}

func TestRoleWithTagsAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	jane := w.Account(account1).User("jane")
	role := w.Account(account1).Role("r", awstest.Role{})
	s := w.opened(t, methodRole, with(jane, map[string]any{"role_arn": role, "session_tags": "a=1,b=2", "transitive_tag_keys": "b", "source_identity": "jane", "external_id": "abc"}))
	got(t, s, purpose{})
	form := w.sent("AssumeRole")[0]
	for name, want := range map[string]string{
		"Tags.member.1.Key": "b", "Tags.member.2.Key": "a", "TransitiveTagKeys.member.1": "b", "SourceIdentity": "jane", "ExternalId": "abc", "DurationSeconds": "3600",
	} {
		if form.Get(name) != want {
			t.Errorf("%s is %q, not %q", name, form.Get(name), want)
		}
	}
}

func TestRoleRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	jane := w.Account(account1).User("jane", onlyAssume)
	role := w.Account(account1).Role("deployer", awstest.Role{ExternalID: "right"})
	for name, test := range map[string]struct {
		keys   awstest.Keys
		fields map[string]any
		want   purpose
		kind   fault.Kind
		words  string
	}{
		"no external id":  {jane, map[string]any{"role_arn": role}, purpose{}, fault.Denied, "sts:AssumeRole"},
		"no such role":    {jane, map[string]any{"role_arn": role + "s", "external_id": "right"}, purpose{}, fault.Denied, "role " + role + "s: STS"},
		"for too long":    {jane, map[string]any{"role_arn": role, "external_id": "right"}, purpose{lifetime: 2 * time.Hour}, fault.Invalid, "MaxSessionDuration"},
		"root user":       {w.Account(account1).Root(), map[string]any{"role_arn": role, "external_id": "right"}, purpose{}, fault.Denied, "root accounts"},
		"wrong secret":    {awstest.Keys{AccessKeyID: jane.AccessKeyID, SecretAccessKey: planted}, map[string]any{"role_arn": role}, purpose{}, fault.Denied, "Signature"},
		"unknown key":     {awstest.Keys{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: planted}, map[string]any{"role_arn": role}, purpose{}, fault.Denied, "InvalidClientTokenId"},
		"scope too large": {jane, map[string]any{"role_arn": role, "external_id": "right"}, purpose{scope: strings.Repeat("x", 2049)}, fault.Invalid, "2049 characters"},
	} {
		s := w.opened(t, methodRole, with(test.keys, test.fields))
		err := refusal(t, s, test.want)
		if !fault.Is(err, test.kind) || !strings.Contains(err.Error(), test.words) || fault.HintOf(err) == "" {
			t.Errorf("%s: %q %v (%s)", name, fault.KindOf(err), err, fault.HintOf(err))
		}
		noCanary(t, name, err)
	}
}

func TestVerifyingAsksForTheConnectorsLifetime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	jane := w.Account(account1).User("jane", onlyAssume)
	role := w.Account(account1).Role("short", awstest.Role{})
	spec := w.spec(t, methodRole, with(jane, map[string]any{"role_arn": role}))
	spec.Expiration = 2 * time.Hour
	if _, err := w.open(t, spec).Verify(t.Context()); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "MaxSessionDuration") {
		t.Errorf("a role that grants one hour was verified for two: %v", err)
	}
	spec.Expiration = time.Hour
	if identity, err := w.open(t, spec).Verify(t.Context()); err != nil || identity.Learned["account_id"] != account1 {
		t.Errorf("%+v, %v", identity, err)
	}
}

func TestRoleWithTemporaryKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	jane := w.Account(account1).User("jane")
	first := w.opened(t, methodSessionToken, with(jane, nil))
	k, _ := got(t, first, purpose{})
	role := w.Account(account1).Role("r", awstest.Role{})
	temporary := awstest.Keys{AccessKeyID: k.id, SecretAccessKey: k.secret.Reveal(), SessionToken: k.token.Reveal()}
	s := w.opened(t, methodRole, with(temporary, map[string]any{"role_arn": role}))
	if _, arn := got(t, s, purpose{}); !strings.HasSuffix(arn, "assumed-role/r/svcconn") {
		t.Errorf("%s", arn)
	}
}

// fakeSource is a source that renews a secret.
type fakeSource struct {
	staticKeys
	asked []purpose
}

func (f *fakeSource) keys(ctx context.Context, want purpose) (keys, error) {
	f.asked = append(f.asked, want)
	return f.staticKeys.keys(ctx, want)
}

func (*fakeSource) relevant(want purpose) purpose { return purpose{own: want.own} }

func (*fakeSource) renewed() map[string]secret.Text {
	return map[string]secret.Text{"x": secret.New("new")}
}

func TestAssumedOnTopOfASource(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	jane := w.Account(account1).User("jane")
	role := w.Account(account1).Role("r", awstest.Role{})
	settings := func(fields map[string]any) connector.Settings {
		v := given(t, map[string]any{"endpoint_url": w.URL(), "role_session_name": "svcconn"})
		for name, value := range fields {
			v.Set(name, value)
		}
		return connector.Settings{Values: v}
	}
	base := &fakeSource{staticKeys: staticKeys{id: jane.AccessKeyID, secret: secret.New(jane.SecretAccessKey)}}
	alone := settings(nil)
	c, err := newClients(w.host, alone.Values)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := assumed(c, base, alone); s != source(base) || err != nil {
		t.Errorf("without a role: %v, %v", s, err)
	}
	for name, value := range map[string]any{"role_chain": []string{role}, "external_id": "abc", "policy": examplePolicy, "role_session_name": "other"} {
		if s, err := assumed(c, base, settings(map[string]any{name: value})); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s without a role: %v, %v", name, s, err)
		}
	}
	with := settings(map[string]any{"role_arn": role})
	if c, err = newClients(w.host, with.Values); err != nil {
		t.Fatal(err)
	}
	s, err := assumed(c, base, with)
	if err != nil {
		t.Fatal(err)
	}
	k, err := s.keys(t.Context(), purpose{scope: onlyListS3, lifetime: time.Hour})
	if err != nil || k.account != account1 || len(base.asked) != 1 || base.asked[0] != (purpose{own: true}) {
		t.Errorf("%v; the base was asked for %+v", err, base.asked)
	}
	if r, ok := s.(renewing); !ok || r.renewed()["x"].Reveal() != "new" {
		t.Error("what the base renewed is lost")
	}
}

// answering is a service that answers everything with the same.
type answering string

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/xml"}}, Body: io.NopCloser(strings.NewReader(string(a))), Request: r}, nil
}

func TestAnswersWithoutKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const half = `<Credentials><AccessKeyId>ASIAIOSFODNN7EXAMPLE</AccessKeyId><SecretAccessKey>x</SecretAccessKey><SessionToken>y</SessionToken></Credentials>`
	for _, result := range []string{"", "<Credentials/>", half} {
		w.host.HTTP = answering(`<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>` + result + `</AssumeRoleResult></AssumeRoleResponse>`)
		s := w.opened(t, methodRole, with(awstest.Keys{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: planted}, map[string]any{"role_arn": roleExample}))
		if err := refusal(t, s, purpose{}); !fault.Is(err, fault.Failed) || !strings.Contains(err.Error(), "without keys") || fault.HintOf(err) == "" {
			t.Errorf("%q: %v", result, err)
		}
	}
}

// evil is a service that refuses everything, and repeats what it was sent, so many
// characters into its words.
type evil int

func (e evil) RoundTrip(r *http.Request) (*http.Response, error) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(raw))
	if err != nil {
		return nil, err
	}
	words := strings.Repeat(".", int(e)) + form.Get("WebIdentityToken") + form.Get("TokenCode") + " " + string(raw)
	for name, values := range form {
		words += " (" + name + ") " + values[0] + "."
	}
	for name, values := range r.Header {
		words += " [" + name + "] " + values[0]
	}
	text := `<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>` +
		strings.NewReplacer("&", "&amp;", "<", "&lt;").Replace(words) + `</Message></Error><RequestId>x</RequestId></ErrorResponse>`
	return &http.Response{StatusCode: http.StatusForbidden, Header: http.Header{"Content-Type": {"text/xml"}}, Body: io.NopCloser(strings.NewReader(text)), Request: r}, nil
}
