package gcptest

import (
	"strings"
	"testing"
)

func TestPaths(t *testing.T) {
	t.Parallel()
	for what, test := range map[string]struct{ pattern, path, want string }{
		"no names":                {"/token", "/token", "[]"},
		"another path":            {"/token", "/tokens", ""},
		"more":                    {"/token", "/token/x", ""},
		"less":                    {"/v1/token", "/v1", ""},
		"a segment":               {"/b/{bucket}", "/b/data", "[bucket=data]"},
		"an escaped segment":      {"/b/{bucket}/o/{object}", "/b/data/o/a%2Fb%20c", "[bucket=data object=a/b c]"},
		"an empty segment":        {"/b/{bucket}", "/b/", ""},
		"a verb":                  {"/a/{account}:get", "/a/x@y:get", "[account=x@y]"},
		"another verb":            {"/a/{account}:get", "/a/x@y:set", ""},
		"a verb alone":            {"/a/{account}:get", "/a/:get", ""},
		"a wrong escape":          {"/b/{bucket}", "/b/%zz", ""},
		"the rest":                {"/m/{path...}", "/m/a/b/", "[path=a/b/]"},
		"no rest":                 {"/m/{path...}", "/m/", ""},
		"before the rest":         {"/m/{path...}", "/m", ""},
		"the rest, badly escaped": {"/m/{path...}", "/m/%", ""},
	} {
		vars, ok := match(test.pattern, test.path)
		var got string
		if ok {
			var pairs []string
			for _, name := range []string{"bucket", "object", "account", "path"} {
				if value, there := vars[name]; there {
					pairs = append(pairs, name+"="+value)
				}
			}
			got = "[" + strings.Join(pairs, " ") + "]"
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", what, got, test.want)
		}
	}
}
