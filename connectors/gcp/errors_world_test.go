package gcp

import (
	"context"
	"testing"
	"time"

	"github.com/svcconn/svcconn/connectors/gcp/gcptest"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
)

// mishaps are what can go wrong: what a connector is given, what happens then, what it is
// asked, and what a person hears of it.
var mishaps = map[string]struct {
	method string
	given  func(w *authWorld) fields
	wrong  func(w *authWorld)
	ask    func(context.Context, *session) error
	kind   fault.Kind
	says   string
	hint   string
}{
	"key revoked": {methodServiceAccount, robotKey, func(w *authWorld) { w.project.ServiceAccount("robot").RevokeKeys() }, verify, fault.Denied,
		"Google's authorization server does not accept the key: it was deleted or disabled, or is another account's: invalid_grant: Invalid JWT Signature.",
		" of robot@acme-prod.iam.gserviceaccount.com; make another and give it to the connector: gcloud iam service-accounts keys create key.json --iam-account=robot@acme-prod.iam.gserviceaccount.com"},
	"account disabled": {methodServiceAccount, robotKey, func(w *authWorld) { w.project.ServiceAccount("robot").Disable() }, verify, fault.Denied,
		"knows no such account, or one that is disabled: invalid_grant", "gcloud iam service-accounts describe robot@acme-prod.iam.gserviceaccount.com"},
	"clock behind": {methodServiceAccount, robotKey, func(w *authWorld) { w.Skew(2 * time.Hour) }, verify, fault.Denied,
		"does not accept the time that was signed, and this machine's clock is 2h0m behind Google's: invalid_grant", "set this machine's clock"},
	"clock ahead": {methodServiceAccount, robotKey, func(w *authWorld) { w.Skew(-12 * time.Minute) }, verify, fault.Denied,
		"and this machine's clock is 12m ahead of Google's: invalid_grant", "set this machine's clock"},
	"project unknown": {methodServiceAccount, of(robotKey, projectField.Name, "acme-pord"), nil, list(clusterType), fault.Denied,
		"acme-pord", ""},
	"project of others": {methodServiceAccount, of(robotKey, projectField.Name, "other-project"), func(w *authWorld) { w.Project("other-project") }, list(clusterType), fault.Denied,
		"Kubernetes Engine refuses robot@acme-prod.iam.gserviceaccount.com container.clusters.list on projects/other-project",
		"gcloud projects add-iam-policy-binding other-project --member=serviceAccount:robot@acme-prod.iam.gserviceaccount.com --role=roles/container.clusterViewer"},
	"API not enabled": {methodServiceAccount, robotKey, func(w *authWorld) { w.project.Disable("container.googleapis.com") }, list(clusterType), fault.Denied,
		"Kubernetes Engine says that container.googleapis.com is not enabled in project ", "gcloud services enable container.googleapis.com --project "},
	"registry not enabled": {methodServiceAccount, robotKey, func(w *authWorld) { w.project.Disable("artifactregistry.googleapis.com") }, list(registryType), fault.Denied,
		"artifactregistry.googleapis.com is not enabled in project ", "gcloud services enable artifactregistry.googleapis.com --project "},
	"no right to list buckets": {methodServiceAccount, limited("container.*"), nil, list(bucketType), fault.Denied,
		"Cloud Storage refuses limited@acme-prod.iam.gserviceaccount.com storage.buckets.list on the Google Cloud project",
		"gcloud projects add-iam-policy-binding acme-prod --member=serviceAccount:limited@acme-prod.iam.gserviceaccount.com --role=roles/storage.bucketViewer"},
	"no right to list clusters": {methodServiceAccount, limited("storage.*"), nil, list(clusterType), fault.Denied,
		"Kubernetes Engine refuses limited@acme-prod.iam.gserviceaccount.com container.clusters.list on projects/acme-prod", "--role=roles/container.clusterViewer"},
	"no right to list repositories": {methodServiceAccount, limited("storage.*"), nil, list(registryType), fault.Denied,
		"Artifact Registry refuses limited@acme-prod.iam.gserviceaccount.com artifactregistry.", "--role=roles/artifactregistry.reader"},
	"no right to become another": {methodImpersonation, of(robotKey, "target_principal", "closed@acme-prod.iam.gserviceaccount.com"), nil, verify, fault.Denied,
		"IAM refuses robot@acme-prod.iam.gserviceaccount.com", "gcloud iam service-accounts add-iam-policy-binding closed@acme-prod.iam.gserviceaccount.com --member=serviceAccount:robot@acme-prod.iam.gserviceaccount.com --role=roles/iam.serviceAccountTokenCreator"},
	"quota project of others": {methodServiceAccount, of(limited("storage.*"), quotaProjectField.Name, "bills-elsewhere"), func(w *authWorld) { w.Project("bills-elsewhere") }, list(bucketType), fault.Denied,
		"Cloud Storage does not let limited@acme-prod.iam.gserviceaccount.com use project bills-elsewhere for quota and billing: USER_PROJECT_DENIED", "--set quota_project_id="},
	"cluster ambiguous": {methodServiceAccount, robotKey, nil, mintOf(clusterType, "twin"), fault.Ambiguous, "europe-west1/twin", ""},
	"no such cluster":   {methodServiceAccount, robotKey, nil, mintOf(clusterType, "europe-west1/nowhere"), fault.NotFound, "nowhere", ""},
	"token expired": {methodToken, func(w *authWorld) fields {
		return fields{"token": w.IssueToken("user:jane@example.com", "", -time.Minute), projectField.Name: ownProject}
	}, nil, verify, fault.Denied, "the token has expired, was revoked", "gcloud auth print-access-token | svcconn update NAME --set token=-"},
	"too few scopes": {methodToken, func(w *authWorld) fields {
		return fields{"token": w.IssueToken("user:jane@example.com", "https://www.googleapis.com/auth/userinfo.email", time.Hour), projectField.Name: ownProject}
	}, nil, list(clusterType), fault.Denied, "Kubernetes Engine finds too few scopes in the token: ACCESS_TOKEN_SCOPE_INSUFFICIENT", "https://www.googleapis.com/auth/cloud-platform"},
	"login revoked": {methodUserAccount, janesLogin, func(w *authWorld) { w.User("jane@example.com").Revoke() }, verify, fault.Denied,
		"does not accept the login: it has expired or was revoked, or is another client's: invalid_grant: Token has been expired or revoked.", "gcloud auth application-default login"},
	"session over": {methodUserAccount, janesLogin, func(w *authWorld) { w.User("jane@example.com").RequireReauth() }, verify, fault.NeedsPerson,
		"wants the person to log in again", "gcloud auth application-default login"},
	"throttled":               {methodServiceAccount, robotKey, func(w *authWorld) { w.Throttle("container", "", 99) }, list(clusterType), fault.Unavailable, "Kubernetes Engine is being asked too often, after 4 tries: RATE_LIMIT_EXCEEDED", "try again later"},
	"throttled, for a moment": {methodServiceAccount, robotKey, func(w *authWorld) { w.Throttle("container", "", maxTries-1) }, list(clusterType), "", "", ""},
	"token throttled":         {methodServiceAccount, robotKey, func(w *authWorld) { w.Throttle("oauth2", "", maxTries-1) }, verify, "", "", ""},
}

// given are the fields of a login.
type given = func(*authWorld) fields

func robotKey(w *authWorld) fields {
	return fields{"service_account_json": w.project.ServiceAccount("robot").Key()}
}

func janesLogin(w *authWorld) fields {
	return fields{"user_account_json": w.User("jane@example.com").ADC(), projectField.Name: ownProject}
}

// limited is a service account that has some permissions alone.
func limited(permissions ...string) given {
	return func(w *authWorld) fields {
		return fields{"service_account_json": w.project.ServiceAccount("limited", permissions...).Key()}
	}
}

// of is a login with one field more.
func of(inner given, name string, value any) given {
	return func(w *authWorld) fields {
		out := inner(w)
		out[name] = value
		return out
	}
}

func verify(ctx context.Context, s *session) error {
	_, err := s.Verify(ctx)
	return err
}

func list(resourceType string) func(context.Context, *session) error {
	return func(ctx context.Context, s *session) error {
		return s.List(ctx, resourceType, func(connector.Resource) error { return nil })
	}
}

func mintOf(resourceType, name string) func(context.Context, *session) error {
	return func(ctx context.Context, s *session) error {
		_, err := s.Mint(ctx, connector.Request{ResourceType: resourceType, ResourceName: name, Access: connector.ReadOnly})
		return err
	}
}

// What goes wrong with the strict fake, in Google's words, is told as what it is.
func TestWhatGoesWrong(t *testing.T) {
	t.Parallel()
	for what, test := range mishaps {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			w := newAuthWorld(t)
			w.project.ServiceAccount("robot")
			w.project.ServiceAccount("closed")
			for _, location := range []string{"europe-west1", "us-central1"} {
				w.project.Cluster(location, "twin", gcptest.Cluster{})
			}
			s := w.session(test.method, test.given(w))
			hasty(s.clients)
			if test.wrong != nil {
				test.wrong(w)
			}
			err := test.ask(t.Context(), s)
			if test.kind == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			says(t, what, err, test.kind, test.says, test.hint)
			if fault.HintOf(err) == "" {
				t.Errorf("nobody says what to do: %v", err)
			}
		})
	}
}
