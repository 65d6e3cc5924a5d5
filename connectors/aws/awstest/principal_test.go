package awstest

import (
	"strings"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	awssts "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
)

// may asks directly what somebody's policies say.
func (w *world) may(keys Keys, action, resource string) error {
	w.Server.mu.Lock()
	defer w.Server.mu.Unlock()
	r := &request{server: w.Server, service: w.service["sts"], who: w.keys[keys.AccessKeyID].who, region: region}
	return r.allow(action, resource)
}

func TestSessionPoliciesIntersect(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	here := w.Account(account)
	reader := statementJSON(`"Effect":"Allow","Action":"s3:Get*","Resource":"*"`)
	limited := here.User("limited", statementJSON(`"Effect":"Allow","Action":["s3:*","sts:*"],"Resource":"*"`))
	arn := here.Role("role", Role{Policies: []string{statementJSON(`"Effect":"Allow","Action":["s3:*"],"Resource":"*"`)}})
	managed := here.ManagedPolicy("writer", statementJSON(`"Effect":"Allow","Action":"s3:Put*","Resource":"*"`))
	assumed := func(policy string, arns ...string) Keys {
		in := &awssts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: awssdk.String("session")}
		if policy != "" {
			in.Policy = &policy
		}
		for _, arn := range arns {
			in.PolicyArns = append(in.PolicyArns, types.PolicyDescriptorType{Arn: &arn})
		}
		out, err := w.client(limited).AssumeRole(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		return keysOf(out.Credentials)
	}
	deny := statementJSON(`"Effect":"Deny","Action":"*","Resource":"*"`)
	for name, test := range map[string]struct {
		keys   Keys
		action string
		want   string // "" allows
	}{
		"the role's":            {assumed(""), "s3:PutObject", ""},
		"not the role's":        {assumed(""), "eks:ListClusters", "because no identity-based policy allows the eks:ListClusters action"},
		"the session's":         {assumed(reader), "s3:GetObject", ""},
		"not the session's":     {assumed(reader), "s3:PutObject", "because no session policy allows the s3:PutObject action"},
		"more than the role":    {assumed(AllowAll), "eks:ListClusters", "because no identity-based policy allows the eks:ListClusters action"},
		"managed":               {assumed("", managed), "s3:PutObject", ""},
		"not managed":           {assumed("", managed), "s3:GetObject", "because no session policy allows"},
		"either of both":        {assumed(reader, managed), "s3:GetObject", ""},
		"denied":                {assumed(deny, managed), "s3:PutObject", "with an explicit deny in a session policy"},
		"federated":             {w.federated(t, limited, reader), "s3:GetObject", ""},
		"federated, not theirs": {w.federated(t, limited, reader), "s3:PutObject", "because no session policy allows"},
		"federated, no policy":  {w.federated(t, limited, ""), "s3:GetObject", "because no session policy allows"},
		"federated, more":       {w.federated(t, limited, AllowAll), "eks:ListClusters", "because no identity-based policy allows"},
		"user":                  {limited, "s3:GetObject", ""},
		"denied user":           {here.User("denied", AllowAll, deny), "s3:GetObject", "with an explicit deny in an identity-based policy"},
	} {
		err := w.may(test.keys, test.action, "arn:aws:s3:::bucket/key")
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}
