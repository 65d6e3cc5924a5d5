package aws

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/secret"
)

const examplePolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`

func TestChecksOfOneValue(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 300)
	for name, test := range map[string]struct {
		check     func(string) (string, error)
		good, bad []string
	}{
		"role": {checkRoleARN,
			[]string{"arn:aws:iam::123456789012:role/deployer", "arn:aws-cn:iam::123456789012:role/a/b/c", "arn:aws-us-gov:iam::123456789012:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_x_1", "arn:aws:iam::123456789012:role/" + strings.Repeat("n", 64)},
			[]string{"deployer", "arn:aws:iam::123456789012:user/jane", "arn:aws:iam::12345678901:role/x", "arn:aws:iam:eu-west-1:123456789012:role/x", "arn:aws:iam::123456789012:role/", "arn:aws:iam::123456789012:role//", "arn:aws:iam::123456789012:role/a b",
				"arn:aws:iam::aws:role/x", "arn:aws:iam:::role/x", "arn:mars:iam::123456789012:role/x", "arn:aws:sts::123456789012:assumed-role/x/y", "arn:aws:iam::123456789012:role/" + strings.Repeat("p/", 1010) + "x", "arn:aws:s3:::role/x", "arn:aws:iam::123456789012:role"}},
		"policy ARN": {checkPolicyARN,
			[]string{"arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess", "arn:aws:iam::aws:policy/job-function/Billing", "arn:aws:iam::123456789012:policy/own", "arn:aws-cn:iam::aws:policy/ReadOnlyAccess"},
			[]string{"AmazonS3ReadOnlyAccess", "arn:aws:iam::123456789012:role/x", "arn:aws:iam::aws:policy/", "arn:aws:iam::aws:user/x", "arn:aws:iam:::policy/x"}},
		"external id": {checkExternalID,
			[]string{"ab", "a_1+=,.@:/-", long}, []string{"a", "a b", strings.Repeat("x", 1225), "ä-ö", "a\nb"}},
		"source identity": {checkSourceIdentity,
			[]string{"jane", "jane.doe@example.com"}, []string{"j", "aws:x", strings.Repeat("x", 65), "a/b", "a b"}},
		"session name": {checkSessionName,
			[]string{"svcconn", "${user}", "${user}@${time}", "ab", strings.Repeat("x", 64), strings.Repeat("x", 48) + "${time}"},
			[]string{"a", "a b", "ä", "${connector}", "$user", "${user", "a/b", strings.Repeat("x", 65), strings.Repeat("x", 49) + "${time}"}},
		"federated user": {checkUserName,
			[]string{"svcconn", "${user}", strings.Repeat("x", 32)}, []string{"a", strings.Repeat("x", 33), "${time}" + strings.Repeat("x", 17), "a:b"}},
		"tag": {checkTag,
			[]string{"team=data", "empty=", "a b=c d", "ünïcode=wert", "k=v=w", strings.Repeat("k", 128) + "=" + strings.Repeat("v", 256)},
			[]string{"team", "=x", "aws:x=y", "AWS:x=y", strings.Repeat("k", 129) + "=v", "k=" + strings.Repeat("v", 257), "k=a;b", "k*=v", "k=a\x01"}},
		"transitive key": {checkTagKey, []string{"team", "a b"}, []string{"", "aws:team", "a*"}},
		"MFA device": {checkSerial,
			[]string{"arn:aws:iam::123456789012:mfa/jane", "arn:aws-us-gov:iam::123456789012:mfa/a/jane", "GAHT12345678"},
			[]string{"short", "arn:aws:iam::123456789012:user/jane", "arn:aws:iam::123456789012:u2f/user/jane/key", "GAHT 1234 5678", strings.Repeat("x", 257)}},
		"token file":    {checkAbsolute, []string{"/run/token"}, []string{"token", "~/token", "./t"}},
		"token command": {checkCommand, []string{"gcloud x", "'my program' x"}, []string{"'x", `''`}},
	} {
		for _, text := range test.good {
			if got, err := test.check(text); err != nil || got != text {
				t.Errorf("%s %q: %q, %v", name, text, got, err)
			}
		}
		for _, text := range test.bad {
			if _, err := test.check(text); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s %q: %v", name, text, err)
			}
		}
	}
	if _, err := checkRoleARN("arn:aws:sts::123456789012:assumed-role/gate/jane"); err == nil || !strings.Contains(err.Error(), "arn:aws:iam::123456789012:role/gate") {
		t.Errorf("the role of a session is not named: %v", err)
	}
}

func TestPolicies(t *testing.T) {
	t.Parallel()
	statement := func(more string) string { return `{"Statement":{"Effect":"Allow",` + more + `}}` }
	ofLength := func(n int) string {
		frame := statement(`"Action":"","Resource":"*"`)
		return statement(`"Action":"` + strings.Repeat("x", n-len(frame)) + `","Resource":"*"`)
	}
	for text, want := range map[string]string{
		" { \"Version\" : \"2012-10-17\",\n \"Statement\" : [ {\"Effect\":\"Allow\",\t\"Action\":\"s3:*\",\"Resource\":\"*\"} ] } ": examplePolicy,
		statement(`"NotAction":["a","b"],"NotResource":"x"`):                                                                        statement(`"NotAction":["a","b"],"NotResource":"x"`),
		statement(`"Action":"a","Resource":"<&>"`):                                                                                  statement(`"Action":"a","Resource":"<&>"`),
		ofLength(2048): ofLength(2048),
	} {
		got, err := checkPolicy(text)
		if err != nil || got != want {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
	for text, words := range map[string]string{
		ofLength(2049):              "2049 characters",
		"policy.json":               "not JSON",
		"[]":                        "not a policy",
		"{}":                        "no Statement",
		`{"Statement":[]}`:          "no Statement",
		`{"Statement":"x"}`:         "not a policy",
		`{"Statement":[{}]}`:        "statement 1 has the Effect",
		statement(`"Action":"a"`):   "either Resource or NotResource",
		statement(`"Resource":"a"`): "either Action or NotAction",
		statement(`"Action":"a","NotAction":"a","Resource":"*"`):                                   "either Action or NotAction",
		statement(`"Action":"a","Resource":"*","Principal":"*"`):                                   "Principal",
		statement(`"Action":"a","Resource":"ł"`):                                                   "U+00FF",
		`{"Version":"2024-01-01","Statement":{"Effect":"Allow","Action":"a","Resource":"*"}}`:      "should be 2012-10-17",
		`{"Statement":[{"Effect":"Allow","Action":"a","Resource":"*"},{"Effect":"Grant"}]}`:        "statement 2 has the Effect",
		`{"Statement":{"Effect":"Allow","Action":"a","Resource":"*"}} {"Statement":"and another"}`: "not JSON",
	} {
		if _, err := checkPolicy(text); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %v, want %q", text, err, words)
		}
	}
}

// given are the fields of a connector that never talks to anyone.
func given(t *testing.T, plain map[string]any) field.Values {
	t.Helper()
	var v field.Values
	v.Set("region", "eu-central-1")
	for name, value := range plain {
		v.Set(name, value)
	}
	return v
}

// listOf is a list of n items that a format makes of their numbers.
func listOf(n int, format string) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf(format, i))
	}
	return out
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	const role, other = "arn:aws:iam::123456789012:role/r", "arn:aws:iam::210987654321:role/o"
	roled := func(more map[string]any) map[string]any {
		fields := map[string]any{"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "role_arn": role}
		for name, value := range more {
			fields[name] = value
		}
		return fields
	}
	for name, test := range map[string]struct {
		method     string
		fields     map[string]any
		secrets    []string
		expiration time.Duration
		scope      string
		words      string
	}{
		"role of another partition":     {methodRole, roled(map[string]any{"role_arn": "arn:aws-cn:iam::123456789012:role/r"}), nil, 0, "", "is in partition aws-cn"},
		"chain of another partition":    {methodRole, roled(map[string]any{"role_chain": []string{"arn:aws-us-gov:iam::123456789012:role/r"}}), nil, 0, "", "is in partition aws-us-gov"},
		"policy of another partition":   {methodRole, roled(map[string]any{"policy_arns": []string{"arn:aws-cn:iam::aws:policy/ReadOnlyAccess"}}), nil, 0, "", "is in partition aws-cn"},
		"role of another account":       {methodRole, roled(map[string]any{"role_arn": other, "account_id": "123456789012"}), nil, 0, "", "is of account 210987654321"},
		"policy of another account":     {methodRole, roled(map[string]any{"policy_arns": []string{"arn:aws:iam::210987654321:policy/p"}}), nil, 0, "", "is of account 210987654321"},
		"too many policies":             {methodRole, roled(map[string]any{"policy_arns": listOf(11, "arn:aws:iam::aws:policy/p%d")}), nil, 0, "", "11 policies"},
		"too many tags":                 {methodRole, roled(map[string]any{"session_tags": listOf(51, "k%d=v")}), nil, 0, "", "51 tags"},
		"a tag twice":                   {methodRole, roled(map[string]any{"session_tags": []string{"a=1", "A=2"}}), nil, 0, "", "twice"},
		"transitive without tag":        {methodRole, roled(map[string]any{"session_tags": []string{"a=1"}, "transitive_tag_keys": []string{"b"}}), nil, 0, "", "no key of session_tags"},
		"chain for hours":               {methodRole, roled(map[string]any{"role_chain": []string{other}}), nil, 2 * time.Hour, "", "above the most that AWS grants"},
		"name without user":             {methodRole, roled(map[string]any{"role_session_name": "${user}"}), nil, 0, "", "nobody says who the user is"},
		"temporary key without token":   {methodRole, roled(map[string]any{"aws_access_key_id": "ASIAIOSFODNN7EXAMPLE"}), nil, 0, "", "without its session token"},
		"temporary key as secret-key":   {methodSecretKey, map[string]any{"aws_access_key_id": "ASIAIOSFODNN7EXAMPLE"}, nil, 0, "", "without its session token"},
		"long-lived key with token":     {methodSTSToken, map[string]any{"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE"}, []string{"aws_session_token"}, 0, "", "is a long-lived one"},
		"MFA with temporary keys":       {methodRole, roled(map[string]any{"aws_access_key_id": "ASIAIOSFODNN7EXAMPLE", "mfa_serial": "GAHT12345678"}), []string{"aws_session_token"}, 0, "", "cannot open a session with a code"},
		"MFA of another partition":      {methodRole, roled(map[string]any{"mfa_serial": "arn:aws-cn:iam::123456789012:mfa/jane"}), nil, 0, "", "is in partition aws-cn"},
		"MFA lifetime alone":            {methodSessionToken, map[string]any{"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "mfa_lifetime": "1h"}, nil, 0, "", "none is named"},
		"MFA session and expiration":    {methodSessionToken, map[string]any{"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "mfa_serial": "GAHT12345678"}, nil, time.Hour, "", "live as long as it"},
		"federation without rights":     {methodFederationToken, map[string]any{"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE"}, nil, 0, genericType, "no rights without a policy"},
		"federation's policy":           {methodFederationToken, map[string]any{"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "account_id": "123456789012", "policy_arns": []string{"arn:aws:iam::210987654321:policy/p"}}, nil, 0, "", "is of account 210987654321"},
		"no token":                      {methodWebIdentity, map[string]any{"role_arn": role}, nil, 0, "", "has no token"},
		"two tokens":                    {methodWebIdentity, map[string]any{"role_arn": role, "web_identity_token_file": "/t", "web_identity_token_command": "x"}, nil, 0, "", "several of the fields"},
		"web identity with tags":        {methodWebIdentity, map[string]any{"role_arn": role, "web_identity_token_file": "/t", "session_tags": []string{"a=b"}}, nil, 0, "", "cannot be sent with a web identity"},
		"web identity, external id":     {methodWebIdentity, map[string]any{"role_arn": role, "web_identity_token_file": "/t", "external_id": "abc"}, nil, 0, "", "cannot be sent with a web identity"},
		"web identity, who is behind":   {methodWebIdentity, map[string]any{"role_arn": role, "web_identity_token_file": "/t", "source_identity": "jane"}, nil, 0, "", "cannot be sent with a web identity"},
		"web identity behind, for long": {methodWebIdentity, map[string]any{"role_arn": role, "role_chain": []string{other}, "web_identity_token_file": "/t"}, nil, 2 * time.Hour, "", "above the most that AWS grants"},
	} {
		spec := connector.Spec{Type: typeName, Method: test.method, ResourceType: test.scope, Values: given(t, test.fields), Expiration: test.expiration}
		if test.method != methodWebIdentity {
			test.secrets = append(test.secrets, "aws_secret_access_key")
		}
		plantSecrets(&spec.Values, test.secrets)
		settings, err := connector.Types{Type()}.Check(spec)
		if err != nil {
			t.Errorf("%s: the fields alone are refused: %v", name, err)
			continue
		}
		_, err = open(connector.Host{Now: func() time.Time { return noon }, Getenv: func(string) string { return "" }}, settings)
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), test.words) || fault.HintOf(err) == "" && !strings.Contains(test.words, "twice") && !strings.Contains(name, "too many") && !strings.Contains(name, "transitive") {
			t.Errorf("%s: %v (%s), want %q", name, err, fault.HintOf(err), test.words)
		}
		noCanary(t, name, err)
	}
}

func TestDamagedSecrets(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]field.Secret{"secret key": secretKeyField, "session token": sessionTokenField, "base token": baseTokenField, "web token": tokenField} {
		if err := f.Check(secret.New(planted)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, text := range []string{planted + " " + planted, planted + "\n", planted + "\x00" + planted} {
			err := f.Check(secret.New(text))
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v", name, err)
			}
			noCanary(t, name, err)
		}
	}
}

func TestSessionNames(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 70)
	for name, test := range map[string]struct{ template, user, want string }{
		"plain":          {"svcconn", "", "svcconn"},
		"user":           {"${user}", "jane", "jane"},
		"both":           {"${user}-${time}", "jane", "jane-20260102T120000Z"},
		"domain":         {"${user}", `CORP\jane doe`, "CORP-jane-doe"},
		"other alphabet": {"u-${user}", "jürgen", "u-j-rgen"},
		"too long":       {"${user}", long, ""},
		"too short":      {"${user}", "j", ""},
		"nobody":         {"${user}", "", ""},
	} {
		v := given(t, map[string]any{"role_session_name": test.template})
		host := connector.Host{Now: func() time.Time { return noon }, Getenv: func(name string) string { return map[string]string{"LOGNAME": test.user}[name] }}
		got, err := sessionName(host, sessionNameField, v, longestSessionName)
		if got != test.want || (test.want == "") != fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// FuzzSessionNames: what is accepted as a template makes names that AWS accepts, whoever
// the user is, or is refused.
func FuzzSessionNames(f *testing.F) {
	for _, template := range []string{"svcconn", "${user}", "${user}@${time}", "${time}${time}", "$", "ä", "${user}${"} {
		f.Add(template, "jane")
		f.Add(template, "j ü\x00/\xff")
	}
	f.Fuzz(func(t *testing.T, template, user string) {
		if _, err := checkSessionName(template); err != nil {
			return
		}
		v := given(t, map[string]any{"role_session_name": template})
		host := connector.Host{Now: func() time.Time { return noon }, Getenv: func(string) string { return user }}
		name, err := sessionName(host, sessionNameField, v, longestSessionName)
		if err == nil && !identityForm.MatchString(name) {
			t.Errorf("%q makes %q", template, name)
		}
	})
}

// FuzzTags: what is accepted as a tag is within AWS's bounds, and is read as it is written.
func FuzzTags(f *testing.F) {
	for _, text := range []string{"a=b", "a=", "=", "a", "aws:a=b", "a=b=c", "ä=ö", "a b=c", "\xff=x"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := checkTag(text)
		if err != nil {
			return
		}
		tags, err := tagsOf(given(t, map[string]any{"session_tags": []string{got}}))
		if err != nil || len(tags) != 1 || tags[0].key+"="+tags[0].value != text {
			t.Fatalf("%q: %+v, %v", text, tags, err)
		}
		if tag := tags[0]; tag.key == "" || len([]rune(tag.key)) > 128 || len([]rune(tag.value)) > 256 || strings.ContainsAny(text, "\x00\n*;") {
			t.Errorf("%q is accepted", text)
		}
	})
}

// FuzzPolicies: what is accepted is accepted again and unchanged, and is within the bound.
func FuzzPolicies(f *testing.F) {
	for _, text := range []string{examplePolicy, "{}", `{"Statement":[]}`, " ", "\xff", `{"statement":{"effect":"Deny","action":"*","resource":"*"}}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := checkPolicy(text)
		if err != nil {
			return
		}
		if again, err := checkPolicy(got); err != nil || again != got || len([]rune(got)) > 2048 {
			t.Errorf("%q: %q, then %q, %v", text, got, again, err)
		}
	})
}

// FuzzRoleARNs: what is accepted has an account of twelve digits.
func FuzzRoleARNs(f *testing.F) {
	for _, text := range []string{roleExample, policyExample, "arn:aws:sts::123456789012:assumed-role/a/b", "arn:::::", "arn:aws:iam::123456789012:role/a//b", "arn:aws:sts::123456789012:assumed-role/"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := checkRoleARN(text); err == nil && (!isAccount(accountOf(text)) || strings.ContainsAny(text, " \n")) {
			t.Errorf("%q is accepted", text)
		}
	})
}
