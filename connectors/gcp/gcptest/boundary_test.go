package gcptest

import (
	"strings"
	"testing"
)

func TestBoundaries(t *testing.T) {
	t.Parallel()
	const get, list, create, bucket = "storage.objects.get", "storage.objects.list", "storage.objects.create", "storage.buckets.get"
	rule := func(bucket, condition string, roles ...string) string {
		out := `{"availableResource":"//storage.googleapis.com/projects/_/buckets/` + bucket + `","availablePermissions":["inRole:roles/storage.` + strings.Join(roles, `","inRole:roles/storage.`) + `"]`
		if condition != "" {
			out += `,"availabilityCondition":{"expression":"` + condition + `"}`
		}
		return out + "}"
	}
	const below = `resource.name.startsWith('projects/_/buckets/data/objects/in/') || api.getAttribute('storage.googleapis.com/objectListPrefix', '').startsWith('in/')`
	for what, test := range map[string]struct {
		rules      string
		permission string
		on         resource
		want       bool
	}{
		"a reader reads":                      {rule("data", "", "objectViewer"), get, resource{bucket: "data", object: "a"}, true},
		"a reader writes":                     {rule("data", "", "objectViewer"), create, resource{bucket: "data", object: "a"}, false},
		"a reader reads another bucket":       {rule("data", "", "objectViewer"), get, resource{bucket: "dat", object: "a"}, false},
		"a reader sees the bucket":            {rule("data", "", "objectViewer"), bucket, resource{bucket: "data"}, false},
		"a bucket's reader sees it":           {rule("data", "", "objectViewer", "legacyBucketReader"), bucket, resource{bucket: "data"}, true},
		"a bucket's reader lists":             {rule("data", "", "legacyBucketReader"), list, resource{bucket: "data"}, true},
		"an admin writes":                     {rule("data", "", "objectAdmin"), create, resource{bucket: "data", object: "a"}, true},
		"an admin of objects lists buckets":   {rule("data", "", "objectAdmin"), "storage.buckets.list", resource{}, false},
		"an admin asks for other services":    {rule("data", "", "admin"), "container.clusters.list", resource{}, false},
		"the second of two rules":             {rule("one", "", "objectViewer") + "," + rule("two", "", "objectAdmin"), create, resource{bucket: "two", object: "a"}, true},
		"the first of two rules":              {rule("one", "", "objectViewer") + "," + rule("two", "", "objectAdmin"), create, resource{bucket: "one", object: "a"}, false},
		"an object below what is open":        {rule("data", below, "objectViewer"), get, resource{bucket: "data", object: "in/a"}, true},
		"an object beside what is open":       {rule("data", below, "objectViewer"), get, resource{bucket: "data", object: "out/a"}, false},
		"a list below what is open":           {rule("data", below, "objectViewer"), list, resource{bucket: "data", object: "in/"}, true},
		"a list of everything":                {rule("data", below, "objectViewer"), list, resource{bucket: "data"}, false},
		"the bucket, which is not below":      {rule("data", below, "legacyBucketReader"), bucket, resource{bucket: "data"}, false},
		"by type, an object":                  {rule("data", `resource.type == 'storage.googleapis.com/Object'`, "objectViewer"), get, resource{bucket: "data", object: "a"}, true},
		"by type, not the bucket":             {rule("data", `resource.type != \"storage.googleapis.com/Bucket\"`, "legacyBucketReader"), bucket, resource{bucket: "data"}, false},
		"by ending, and not by another":       {rule("data", `(resource.name.endsWith('.txt') && !resource.name.endsWith('x.txt'))`, "objectViewer"), get, resource{bucket: "data", object: "a.txt"}, true},
		"by ending, and by the other":         {rule("data", `(resource.name.endsWith('.txt') && !resource.name.endsWith('x.txt'))`, "objectViewer"), get, resource{bucket: "data", object: "x.txt"}, false},
		"an attribute's stand-in":             {rule("data", `api.getAttribute('none', 'x') == 'x'`, "objectViewer"), get, resource{bucket: "data", object: "a"}, true},
		"&& binds stronger than ||, to begin": {rule("data", `resource.name != '' || resource.name == '' && resource.name == ''`, "objectViewer"), get, resource{bucket: "data", object: "a"}, true},
	} {
		b, err := readBoundary(`{"accessBoundary":{"accessBoundaryRules":[` + test.rules + `]}}`)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if got := b.allows(test.permission, test.on); got != test.want {
			t.Errorf("%s: %v", what, got)
		}
	}
}

func TestBoundariesThatAreNone(t *testing.T) {
	t.Parallel()
	const good = `{"availableResource":"//storage.googleapis.com/projects/_/buckets/data","availablePermissions":["inRole:roles/storage.objectViewer"]}`
	whole := func(rules string) string { return `{"accessBoundary":{"accessBoundaryRules":[` + rules + `]}}` }
	if _, err := readBoundary(whole(strings.Repeat(good+",", 9) + good)); err != nil {
		t.Error(err)
	}
	for what, text := range map[string]string{
		"nothing": "", "no rules": "{}", "eleven rules": whole(strings.Repeat(good+",", 10) + good),
		"another service":          whole(strings.Replace(good, "storage.google", "container.google", 1)),
		"an object":                whole(strings.Replace(good, "/data", "/data/objects/a", 1)),
		"no bucket":                whole(strings.Replace(good, "/data", "/", 1)),
		"a project":                whole(strings.Replace(good, "_/buckets/data", "one", 1)),
		"no permissions":           whole(strings.Replace(good, `"inRole:roles/storage.objectViewer"`, "", 1)),
		"a permission itself":      whole(strings.Replace(good, "inRole:roles/storage.objectViewer", "storage.objects.get", 1)),
		"a role of nobody":         whole(strings.Replace(good, "objectViewer", "everything", 1)),
		"a role without front":     whole(strings.Replace(good, "inRole:", "", 1)),
		"a condition that is none": whole(strings.TrimSuffix(good, "}") + `,"availabilityCondition":{"expression":"true"}}`),
	} {
		if _, err := readBoundary(text); errorCode(err) != "invalid_request" {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestConditionsThatAreNone(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "resource.name", "resource.name == ", "resource.name == 'a' &&", "resource.name == 'a' || ", "(resource.name == 'a'", "resource.name == 'a')",
		"resource.name.contains('a')", "resource.labels == 'a'", "api.getAttribute('a').startsWith('b')", "!", strings.Repeat("(", 40) + "resource.name == 'a'" + strings.Repeat(")", 40),
		`resource.name == 'a\'`,
	} {
		if _, err := readCondition(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

// FuzzConditions: what can be read has one meaning, and its negation the other.
func FuzzConditions(f *testing.F) {
	for _, text := range []string{
		"resource.name == 'a'", "!(resource.type != 'b' || resource.name.endsWith('c'))", "api.getAttribute('x', 'y').startsWith(\"z\") && resource.service == ''", "((((", "!!!",
	} {
		f.Add(text, "a/b")
	}
	f.Fuzz(func(t *testing.T, text, object string) {
		plain, err := readCondition(text)
		if err != nil {
			return
		}
		negated, err := readCondition("!(" + text + ")")
		if err != nil {
			return // too deep
		}
		facts := facts("storage.objects.get", resource{bucket: "data", object: object})
		if plain(facts) == negated(facts) {
			t.Errorf("%q is what its negation is", text)
		}
	})
}
