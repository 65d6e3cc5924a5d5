package awstest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	awssts "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
)

// assumption is an AssumeRole, and what comes of it.
type assumption struct {
	by        Keys
	role      Role
	change    func(*awssts.AssumeRoleInput) // of a request that has only what it needs
	code, say string                        // "" is success
}

const notAuthorized = "is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111111111111:role/"

// check makes the role of an assumption, and assumes it.
func (w *world) check(t *testing.T, name string, a assumption) {
	t.Helper()
	arn := w.Account(account).Role("role", a.role)
	in := &awssts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: awssdk.String("session")}
	if a.change != nil {
		a.change(in)
	}
	out, err := w.client(a.by).AssumeRole(ctx, in)
	if a.code != "" {
		t.Run(name, func(t *testing.T) { t.Helper(); refused(t, err, a.code, a.say) })
		return
	}
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	lifetime := time.Hour
	if in.DurationSeconds != nil {
		lifetime = time.Duration(*in.DurationSeconds) * time.Second
	}
	if got := out.Credentials.Expiration.Sub(w.now()); got != lifetime {
		t.Errorf("%s: good for %v, want %v", name, got, lifetime)
	}
}

func TestWhoMayAssumeRoles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	here := w.Account(account)
	jane := here.User("jane")
	powerless := here.User("powerless", statementJSON(`"Effect":"Allow","Action":"s3:*","Resource":"*"`))
	stranger := w.Account(other).User("stranger", statementJSON(`"Effect":"Allow","Action":"s3:*","Resource":"*"`))
	externalID := func(id string) func(*awssts.AssumeRoleInput) {
		return func(in *awssts.AssumeRoleInput) { in.ExternalId = &id }
	}
	for name, a := range map[string]assumption{
		"anybody":             {by: jane},
		"other account":       {by: w.Account(other).User("jane")},
		"other, by ARN":       {by: stranger, role: Role{Trust: []string{stranger.ARN}}, code: "AccessDenied", say: "no identity-based policy allows the sts:AssumeRole action"},
		"root":                {by: here.Root(), code: "AccessDenied", say: "may not be assumed by root"},
		"federated":           {by: w.federated(t, jane, AllowAll), code: "AccessDenied", say: notAuthorized},
		"not trusted":         {by: jane, role: Role{Trust: []string{other}}, code: "AccessDenied", say: notAuthorized},
		"trusted account":     {by: jane, role: Role{Trust: []string{account}}},
		"trusted by ARN":      {by: powerless, role: Role{Trust: []string{powerless.ARN}}},
		"trusted, no right":   {by: powerless, role: Role{Trust: []string{"arn:aws:iam::" + account + ":root"}}, code: "AccessDenied", say: "no identity-based policy allows the sts:AssumeRole action"},
		"external id":         {by: jane, role: Role{ExternalID: "abc"}, change: externalID("abc")},
		"other external id":   {by: jane, role: Role{ExternalID: "abc"}, change: externalID("abcd"), code: "AccessDenied", say: notAuthorized},
		"no external id":      {by: jane, role: Role{ExternalID: "abc"}, code: "AccessDenied", say: notAuthorized},
		"malformed id":        {by: jane, change: externalID("a b"), code: "ValidationError", say: "externalId"},
		"MFA wanted":          {by: jane, role: Role{MFA: true}, code: "AccessDenied", say: notAuthorized},
		"web identity's role": {by: jane, role: Role{WebIdentity: &WebIdentityTrust{}}, code: "AccessDenied", say: notAuthorized},
		"no role":             {by: jane, change: func(in *awssts.AssumeRoleInput) { *in.RoleArn += "s" }, code: "AccessDenied", say: notAuthorized + "roles"},
		"no ARN":              {by: jane, change: func(in *awssts.AssumeRoleInput) { *in.RoleArn = "no-arn-but-long-enough" }, code: "ValidationError", say: "is invalid"},
	} {
		w.check(t, name, a)
	}
}

func TestBoundsOfRoles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	jane := w.Account(account).User("jane")
	chained := w.session(t, jane, "first", Role{MaxSession: 12 * time.Hour})
	long := Role{MaxSession: 12 * time.Hour}
	lasting := func(d time.Duration) func(*awssts.AssumeRoleInput) {
		return func(in *awssts.AssumeRoleInput) { in.DurationSeconds = seconds(d) }
	}
	named := func(name string) func(*awssts.AssumeRoleInput) {
		return func(in *awssts.AssumeRoleInput) { in.RoleSessionName = &name }
	}
	for name, a := range map[string]assumption{
		"12 h":              {by: jane, role: long, change: lasting(12 * time.Hour)},
		"15 min":            {by: jane, role: long, change: lasting(15 * time.Minute)},
		"beyond the role's": {by: jane, change: lasting(2 * time.Hour), code: "ValidationError", say: "exceeds the MaxSessionDuration"},
		"too short":         {by: jane, change: lasting(899 * time.Second), code: "ValidationError", say: "greater than or equal to 900"},
		"too long":          {by: jane, role: long, change: lasting(12*time.Hour + time.Second), code: "ValidationError", say: "less than or equal to 43200"},
		"chained":           {by: chained, role: long},
		"chained too long":  {by: chained, role: long, change: lasting(2 * time.Hour), code: "ValidationError", say: "role chaining"},
		"longest name":      {by: jane, change: named(strings.Repeat("x", 64))},
		"name too short":    {by: jane, change: named("x"), code: "ValidationError", say: "greater than or equal to 2"},
		"name too long":     {by: jane, change: named(strings.Repeat("x", 65)), code: "ValidationError", say: "less than or equal to 64"},
		"malformed name":    {by: jane, change: named("a b"), code: "ValidationError", say: "regular expression"},
		"source identity":   {by: jane, change: func(in *awssts.AssumeRoleInput) { in.SourceIdentity = awssdk.String("x") }, code: "ValidationError", say: "sourceIdentity"},
	} {
		w.check(t, name, a)
	}
}

func TestBoundsOfPoliciesAndTags(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	jane := w.Account(account).User("jane")
	inline := func(policy string) func(*awssts.AssumeRoleInput) {
		return func(in *awssts.AssumeRoleInput) { in.Policy = &policy }
	}
	managed := func(n int, arn string) func(*awssts.AssumeRoleInput) {
		return func(in *awssts.AssumeRoleInput) {
			for range n {
				in.PolicyArns = append(in.PolicyArns, types.PolicyDescriptorType{Arn: &arn})
			}
		}
	}
	tagged := func(tags ...types.Tag) func(*awssts.AssumeRoleInput) {
		return func(in *awssts.AssumeRoleInput) { in.Tags = tags }
	}
	const all = "arn:aws:iam::aws:policy/AdministratorAccess"
	for name, a := range map[string]assumption{
		"longest policy":       {by: jane, change: inline(AllowAll + strings.Repeat(" ", 2048-len(AllowAll)))},
		"policy too long":      {by: jane, change: inline(AllowAll + strings.Repeat(" ", 2049-len(AllowAll))), code: "ValidationError", say: "less than or equal to 2048"},
		"no policy":            {by: jane, change: inline("{}"), code: "MalformedPolicyDocument"},
		"10 managed policies":  {by: jane, change: managed(10, all)},
		"11 managed policies":  {by: jane, change: managed(11, all), code: "ValidationError", say: "less than or equal to 10"},
		"unknown policy":       {by: jane, change: managed(1, all+"s"), code: "ValidationError", say: "does not exist"},
		"50 tags":              {by: jane, change: tagged(manyTags(50, 8)...)},
		"51 tags":              {by: jane, change: tagged(manyTags(51, 8)...), code: "ValidationError", say: "less than or equal to 50"},
		"all too large":        {by: jane, change: tagged(manyTags(50, 150)...), code: "PackedPolicyTooLarge", say: "Packed policy consumes"},
		"long key":             {by: jane, change: tagged(tag(strings.Repeat("k", 129), "v")), code: "ValidationError", say: "128"},
		"long value":           {by: jane, change: tagged(tag("k", strings.Repeat("v", 257))), code: "ValidationError", say: "256"},
		"reserved":             {by: jane, change: tagged(tag("aws:k", "v")), code: "ValidationError", say: "reserved"},
		"twice":                {by: jane, change: tagged(tag("a", "b"), tag("A", "c")), code: "InvalidParameterValue", say: "Duplicate tag keys"},
		"nothing to pass on":   {by: jane, change: func(in *awssts.AssumeRoleInput) { in.TransitiveTagKeys = []string{"a"} }, code: "InvalidParameterValue", say: "Transitive"},
		"no right to tag":      {by: w.Account(account).User("joe", statementJSON(`"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"`)), change: tagged(tag("a", "b")), code: "AccessDenied", say: "sts:TagSession"},
		"no right to a source": {by: w.Account(account).User("joe", statementJSON(`"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"`)), change: func(in *awssts.AssumeRoleInput) { in.SourceIdentity = awssdk.String("joe") }, code: "AccessDenied", say: "sts:SetSourceIdentity"},
		"with tags and a source": {by: jane, change: func(in *awssts.AssumeRoleInput) {
			in.Tags, in.SourceIdentity = []types.Tag{tag("a", "")}, awssdk.String("jane")
		}},
	} {
		w.check(t, name, a)
	}
}

func tag(key, value string) types.Tag { return types.Tag{Key: &key, Value: &value} }

// manyTags are n tags, with values of so many random bytes.
func manyTags(n, bytes int) []types.Tag {
	var out []types.Tag
	for i := range n {
		out = append(out, tag(fmt.Sprintf("key%d", i), randomSecret(bytes)))
	}
	return out
}
func TestChainsPassOnTagsAndSource(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	here := w.Account(account)
	first, second := here.Role("first", Role{}), here.Role("second", Role{})
	one, err := w.client(here.User("jane")).AssumeRole(ctx, &awssts.AssumeRoleInput{
		RoleArn: &first, RoleSessionName: awssdk.String("session"), SourceIdentity: awssdk.String("jane"),
		Tags: []types.Tag{tag("team", "red"), tag("stays", "here")}, TransitiveTagKeys: []string{"team"},
	})
	if err != nil {
		t.Fatal(err)
	}
	client := w.client(keysOf(one.Credentials))
	in := &awssts.AssumeRoleInput{RoleArn: &second, RoleSessionName: awssdk.String("session")}
	two, err := client.AssumeRole(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	who := w.keys[*two.Credentials.AccessKeyId].who
	if *two.SourceIdentity != "jane" || len(who.tags) != 1 || who.tags["team"] != "red" {
		t.Errorf("%v %v", *two.SourceIdentity, who.tags)
	}
	in.Tags = []types.Tag{tag("Team", "blue")}
	_, err = client.AssumeRole(ctx, in)
	refused(t, err, "InvalidParameterValue", "transitive")
	in.Tags, in.SourceIdentity = nil, awssdk.String("joe")
	_, err = client.AssumeRole(ctx, in)
	refused(t, err, "AccessDenied", "sts:SetSourceIdentity")
}
