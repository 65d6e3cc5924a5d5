package gcp

import (
	"github.com/svcconn/svcconn/pkg/secret"
)

// The kinds of JSON files that Google's libraries log in with ("type").
// https://cloud.google.com/docs/authentication/application-default-credentials
const (
	fileUser         = "authorized_user"
	fileService      = "service_account"
	fileExternal     = "external_account"
	fileExternalUser = "external_account_authorized_user"
	fileImpersonated = "impersonated_service_account"
)

// openFile opens a credential file of any kind: what lies in a connector's secret, or in
// a file of somebody's. where names it in errors: "field service_account_json",
// "/home/me/adc.json". kinds are those that are taken.
func openFile(c *clients, where string, text secret.Text, kinds ...string) (source, error) {
	return nil, nil
}
