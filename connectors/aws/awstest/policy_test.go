package awstest

import (
	"strings"
	"testing"
)

func statementJSON(body string) string {
	return `{"Version":"2012-10-17","Statement":[{` + body + `}]}`
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	const object = "arn:aws:s3:::bucket/key"
	for name, test := range map[string]struct {
		policies []string
		want     outcome
	}{
		"nothing":           {nil, implicitDeny},
		"all":               {[]string{AllowAll}, allowed},
		"exact":             {[]string{statementJSON(`"Effect":"Allow","Action":"s3:GetObject","Resource":"` + object + `"`)}, allowed},
		"case of actions":   {[]string{statementJSON(`"Effect":"Allow","Action":"s3:getobject","Resource":"*"`)}, allowed},
		"case of resources": {[]string{statementJSON(`"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::Bucket/key"`)}, implicitDeny},
		"wildcard":          {[]string{statementJSON(`"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::bucket/*"`)}, allowed},
		"one character":     {[]string{statementJSON(`"Effect":"Allow","Action":"s3:GetObjec?","Resource":"arn:aws:s3:::b?cket/*"`)}, allowed},
		"other action":      {[]string{statementJSON(`"Effect":"Allow","Action":"s3:Put*","Resource":"*"`)}, implicitDeny},
		"bucket alone":      {[]string{statementJSON(`"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::bucket"`)}, implicitDeny},
		"deny wins":         {[]string{AllowAll, statementJSON(`"Effect":"Deny","Action":"s3:*","Resource":"*"`)}, explicitDeny},
		"not action":        {[]string{statementJSON(`"Effect":"Allow","NotAction":"iam:*","Resource":"*"`)}, allowed},
		"not this action":   {[]string{statementJSON(`"Effect":"Allow","NotAction":["s3:*"],"Resource":"*"`)}, implicitDeny},
		"not resource":      {[]string{statementJSON(`"Effect":"Allow","Action":"*","NotResource":"` + object + `"`)}, implicitDeny},
		"condition":         {[]string{statementJSON(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":["eu-west-1","eu-central-1"]}}`)}, allowed},
		"condition fails":   {[]string{statementJSON(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"eu-*"}}`)}, implicitDeny},
		"like":              {[]string{statementJSON(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringLike":{"aws:RequestedRegion":"eu-*"}}`)}, allowed},
		"two conditions":    {[]string{statementJSON(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringLike":{"aws:RequestedRegion":"eu-*","s3:prefix":"*"}}`)}, implicitDeny},
		"one statement":     {[]string{`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`}, allowed},
	} {
		var policies []*policy
		for _, text := range test.policies {
			p := parsePolicy(text)
			if p.err != nil {
				t.Errorf("%s: %v", name, p.err)
			}
			policies = append(policies, p)
		}
		got := verdict(policies, evaluation{action: "s3:GetObject", resource: object, values: map[string]string{"aws:requestedregion": region}})
		if got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

func TestWildcardsStayInTheirPartOfAnARN(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:ecr:eu-central-1:111111111111:repository/a:b"
	for pattern, want := range map[string]bool{
		"*":                                    true,
		"arn:aws:*:*:*:*":                      true,
		"arn:aws:ecr:*:111111111111:*":         true,
		"arn:aws:ecr:*:repository/a:b":         false, // five parts, and the last has a colon
		"arn:aws:*:111111111111:*:*":           false,
		"arn:aws:*:111111111111:repo*:b":       false, // as one text it would match
		"arn:aws:ecr:*:*:repository/a*":        true,
		"arn:aws-cn:*:*:*:*":                   false,
		"arn:aws:ecr:eu-central-1:*:cluster/*": false,
	} {
		if got := matchARN(pattern, arn); got != want {
			t.Errorf("%s: %v, want %v", pattern, got, want)
		}
	}
}

func TestMalformedPolicies(t *testing.T) {
	t.Parallel()
	for want, text := range map[string]string{
		"syntax errors":      `{`,
		"no statement":       `{"Version":"2012-10-17","Statement":[]}`,
		"version":            `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`,
		"unknown field":      statementJSON(`"Effect":"Allow","Action":"*","Resource":"*","Colour":"red"`),
		"invalid effect":     statementJSON(`"Effect":"allow","Action":"*","Resource":"*"`),
		"either Action":      statementJSON(`"Effect":"Allow","Resource":"*"`),
		"resources":          statementJSON(`"Effect":"Allow","Action":"*"`),
		"ARN format":         statementJSON(`"Effect":"Allow","Action":"*","Resource":"bucket"`),
		"vendor":             statementJSON(`"Effect":"Allow","Action":"GetObject","Resource":"*"`),
		"alpha-numeric":      statementJSON(`"Sid":"a b","Effect":"Allow","Action":"*","Resource":"*"`),
		"unique":             `{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"a","Effect":"Allow","Action":"*","Resource":"*"}]}`,
		"no policy variable": statementJSON(`"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${aws:username}"`),
		"operator":           statementJSON(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}`),
		"condition key":      statementJSON(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:SourceIp":"x"}}`),
		"more than one":      AllowAll + AllowAll,
	} {
		p := parsePolicy(text)
		if p.err == nil || !strings.Contains(p.err.Error(), want) {
			t.Errorf("%s: %v", want, p.err)
		}
		if got := verdict([]*policy{parsePolicy(AllowAll), p}, evaluation{action: "s3:GetObject", resource: "*"}); got != explicitDeny {
			t.Errorf("%s: %v", want, got)
		}
	}
}

// FuzzGlob compares with a matcher that tries everything.
func FuzzGlob(f *testing.F) {
	f.Add("a*b?c", "aXXbYc")
	f.Add("**", "")
	f.Add("*a*a*", "banana")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if len(pattern) > 12 || len(text) > 24 {
			t.Skip()
		}
		if got, want := glob(pattern, text), slowGlob(pattern, text); got != want {
			t.Errorf("%q, %q: %v, want %v", pattern, text, got, want)
		}
	})
}

func slowGlob(pattern, text string) bool {
	switch {
	case pattern == "":
		return text == ""
	case pattern[0] == '*':
		return slowGlob(pattern[1:], text) || text != "" && slowGlob(pattern, text[1:])
	}
	return text != "" && (pattern[0] == '?' || pattern[0] == text[0]) && slowGlob(pattern[1:], text[1:])
}

// FuzzPolicy reads whatever: what is read without an error can be evaluated.
func FuzzPolicy(f *testing.F) {
	f.Add(AllowAll)
	f.Add(statementJSON(`"Effect":"Deny","NotAction":["s3:*"],"NotResource":"arn:aws:s3:::a","Condition":{"StringLike":{"s3:prefix":["a","b"]}}`))
	f.Fuzz(func(t *testing.T, text string) {
		p := parsePolicy(text)
		got := verdict([]*policy{p}, evaluation{action: "s3:GetObject", resource: "*", values: map[string]string{}})
		if p.err != nil && got != explicitDeny || p.err == nil && len(p.statements) == 0 {
			t.Errorf("%v: %v", p.err, got)
		}
	})
}
