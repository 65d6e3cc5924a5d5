package gcp

import (
	"cmp"
	"path"
	"strings"

	"github.com/svcconn/svcconn/pkg/field"
)

// facts are what an answer tells, as the sentences about refusals name it in braces. What
// may become a part of a command has the form of what it is: it comes from afar.
func (c *clients) facts(a *answer) *strings.Replacer {
	permission, resource := a.permission()
	who := a.principal()
	wants := ""
	if permission != "" {
		wants = " " + permission
		if resource != "" {
			wants += " on " + resource
		}
	}
	return strings.NewReplacer(
		"{who}", cmp.Or(who, "us"), "{wants}", wants,
		"{project}", cmp.Or(a.project(), projectIn(resource), c.project(), "PROJECT"), "{service}", cmp.Or(a.service(), a.api.service+"."+c.universe()),
		"{member}", member(who), "{role}", roleOf(permission), "{account}", cmp.Or(accountIn(resource), accountIn(a.asked), "ACCOUNT"),
		"{uid}", cmp.Or(a.metadata["uid"], "the message has it"), "{setting}", a.api.setting(),
	)
}

var (
	projectForm = field.Lazily(`^[a-z0-9][a-z0-9.:-]{0,99}$`)
	serviceForm = field.Lazily(`^[a-z0-9-]+(\.[a-z0-9-]+)+$`)
	emailForm   = field.Lazily(`^[\w.+%-]+@[\w.-]+\.[a-z]+$`)
	accountForm = field.Lazily(`/serviceAccounts/([\w.+%-]+@[\w.-]+)`)
	consoleForm = field.Lazily(`/apis/api/([a-z0-9.-]+)/overview\?project=([a-z0-9.:-]+)`)
	billedForm  = field.Lazily(`(?i:\bproject)[ =#]+'?((?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]|[0-9]{6,})`)
	memberForm  = field.Lazily(`^principal(Set)?://[\w./:@%+=~*-]+$`)
	// https://cloud.google.com/iam/docs/permissions-reference
	permissionForm = field.Lazily(`^[a-z][A-Za-z0-9]*(\.[A-Za-z0-9]+){2,}$`)
	// "Permission 'a.b.c' denied on resource 'x' (or it may not exist)."
	deniedForm = field.Lazily(`Permission '([A-Za-z0-9.]+)' denied on resource(?: '([^']+)')?`)
	// `Required "a.b.c" permission(s) for "x".`
	requiredForm = field.Lazily(`Required "([A-Za-z0-9.]+)" permission(?:\(s\))? for "([^"]+)"`)
	// "x@y does not have a.b.c access to the Google Cloud Storage bucket."
	accessForm = field.Lazily(`([^\s,:]+@[^\s,:]+)? ?does not have ([A-Za-z0-9.]+) access to the ([A-Za-z ]+)`)
)

// permission is which permission is missing, and on what; "" where nobody said.
func (a *answer) permission() (permission, resource string) {
	permission, resource = a.metadata["permission"], a.metadata["resource"]
	for _, form := range []field.Pattern{deniedForm, requiredForm} {
		if m := form.FindStringSubmatch(a.message); m != nil {
			permission, resource = cmp.Or(permission, m[1]), cmp.Or(resource, m[2])
		}
	}
	if m := accessForm.FindStringSubmatch(a.message); m != nil {
		permission, resource = cmp.Or(permission, m[2]), cmp.Or(resource, "the "+strings.TrimSpace(m[3]))
	}
	if !permissionForm.MatchString(permission) {
		return "", ""
	}
	if rest, ok := strings.CutPrefix(resource, "//"); ok { // a full name: //container.googleapis.com/projects/p
		_, resource, _ = strings.Cut(rest, "/")
	}
	if resource == "" && strings.HasPrefix(permission, "iam.serviceAccounts.") {
		resource = accountIn(a.asked)
	}
	return permission, resource
}

// principal is who was refused: as the service says, or as the asker knew.
func (a *answer) principal() string {
	if m := accessForm.FindStringSubmatch(a.message); m != nil && emailForm.MatchString(m[1]) {
		return m[1]
	}
	return cmp.Or(a.metadata["email"], a.who)
}

// project is the project that the refusal is about, by id or number; "" where nobody said.
func (a *answer) project() string {
	candidates := []string{a.metadata["containerInfo"], strings.TrimPrefix(a.metadata["consumer"], "projects/")}
	if m := consoleForm.FindStringSubmatch(a.message); m != nil {
		candidates = append(candidates, m[2])
	}
	if m := billedForm.FindStringSubmatch(a.message); m != nil {
		candidates = append(candidates, m[1])
	}
	return firstOf(projectForm, candidates...)
}

// service is the API that the refusal is about; "" where nobody said.
func (a *answer) service() string {
	candidates := []string{a.metadata["service"]}
	if m := consoleForm.FindStringSubmatch(a.message); m != nil {
		candidates = append(candidates, m[1])
	}
	return firstOf(serviceForm, candidates...)
}

// firstOf is the first text that has a form; "" is none.
func firstOf(form field.Pattern, texts ...string) string {
	for _, text := range texts {
		if form.MatchString(text) {
			return text
		}
	}
	return ""
}

func projectIn(resource string) string {
	if rest, ok := strings.CutPrefix(resource, "projects/"); ok {
		id, _, _ := strings.Cut(rest, "/")
		return firstOf(projectForm, id)
	}
	return ""
}

func accountIn(text string) string {
	if m := accountForm.FindStringSubmatch("/" + text); m != nil {
		return m[1]
	}
	return firstOf(emailForm, text)
}

// member is a principal as IAM's policies name it.
// https://cloud.google.com/iam/docs/principal-identifiers
func member(who string) string {
	switch {
	case memberForm.MatchString(who):
		return who
	case !emailForm.MatchString(who):
		return "MEMBER"
	case strings.HasSuffix(who, ".gserviceaccount.com"):
		return "serviceAccount:" + who
	}
	return "user:" + who
}

// roles are the least of the predefined roles that have the permissions that are asked
// for. https://cloud.google.com/iam/docs/roles-permissions
var roles = []struct{ permissions, role string }{
	{"storage.buckets.*", "roles/storage.bucketViewer"},
	{"storage.objects.*", "roles/storage.objectViewer"},
	{"container.*", "roles/container.clusterViewer"},
	{"artifactregistry.*", "roles/artifactregistry.reader"},
	{"iam.serviceAccounts.*", "roles/iam.serviceAccountTokenCreator"},
	{"serviceusage.*", "roles/serviceusage.serviceUsageConsumer"},
	{"resourcemanager.*", "roles/browser"},
}

// roleOf is a role that has a permission; "ROLE" where nobody here knows one.
func roleOf(permission string) string {
	for _, r := range roles {
		if ok, _ := path.Match(r.permissions, permission); ok {
			return r.role
		}
	}
	return "ROLE"
}
