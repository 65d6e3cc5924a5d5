package gcp

import (
	"cmp"
	"errors"
	"io/fs"
	"strings"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/hop"
)

// gcloudLogin takes the login of a configuration of gcloud: the one that is named, or the
// active one.
func (d *detection) gcloudLogin() (*candidate, error) {
	configuration, err := d.activeConfiguration()
	if err != nil {
		return nil, err
	}
	account := cmp.Or(d.host.Getenv(envGcloudAccount), configuration.get("core", "account"))
	c := &candidate{d: d, configuration: &configuration, source: connector.Source{
		Description: configuration.path + " (configuration " + configuration.name + " of gcloud)",
	}}
	file := d.gcloudFile(configuration, account)
	if file == "" {
		return nil, fault.New(fault.NotFound, "configuration %q of gcloud has no account", configuration.name).
			Hint("gcloud auth login --configuration=%s", configuration.name)
	}
	if d.asked == methodImplicit || configuration.get("auth", "access_token_file") != "" {
		return c, c.gcloud(account)
	}
	f, err := takenFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c.note("gcloud keeps the login of %s to itself, so it is asked for every token.", account)
		return c, c.gcloud(account)
	case err != nil:
		return nil, err
	}
	c.source.Description = file + " (configuration " + configuration.name + " of gcloud)"
	if err := c.takeFile(file, f); err != nil {
		return nil, err
	}
	c.impersonatedByGcloud()
	return c, nil
}

// activeConfiguration reads the configuration that counts.
func (d *detection) activeConfiguration() (configuration, error) {
	name := cmp.Or(d.configuration, d.host.Getenv(envConfiguration))
	if name == "" {
		active, err := d.folder.active()
		if err != nil {
			return configuration{}, err
		}
		name = active
	}
	name, err := checkConfiguration(name)
	if err != nil {
		return configuration{}, err
	}
	return d.folder.read(name)
}

// gcloudFile is the file that gcloud logs in with, or the one that it leaves for others;
// "" is where it is not logged in.
func (d *detection) gcloudFile(configuration configuration, account string) string {
	switch file := configuration.get("auth", "credential_file_override"); {
	case file != "":
		return file
	case account == "":
		return configuration.get("auth", "access_token_file")
	}
	return d.folder.legacy(account)
}

// gcloud makes a connector that asks gcloud for tokens.
func (c *candidate) gcloud(account string) error {
	if err := c.choose("a login of gcloud's own", methodImplicit); err != nil {
		return err
	}
	c.ambient(sourceGcloud)
	c.set(configurationField, c.configuration.name)
	if c.d.folder != usualGcloudFolder(c.d.host.Home) {
		c.set(gcloudFolderField, string(c.d.folder))
	}
	if c.configuration.get("auth", "credential_file_override")+c.configuration.get("auth", "access_token_file") == "" {
		target := c.configuration.get("auth", "impersonate_service_account")
		c.set(principalField, cmp.Or(target[strings.LastIndex(target, ",")+1:], account))
	}
	return nil
}

// impersonatedByGcloud has the login impersonate whom the configuration says, the last of
// several being the target.
func (c *candidate) impersonatedByGcloud() {
	text := c.configuration.get("auth", "impersonate_service_account")
	if text == "" || c.method == methodImpersonation {
		return
	}
	chain := strings.Split(strings.ReplaceAll(text, " ", ""), ",")
	c.values.Unset(subjectFileField.Name)
	c.impersonate(chain[len(chain)-1], chain[:len(chain)-1])
}

// gcloudSettings takes over what a configuration of gcloud says beside its login.
func (c *candidate) gcloudSettings() {
	if universe := c.configuration.get("core", "universe_domain"); universe != defaultUniverse {
		c.set(universeField, universe)
	}
	// Others of its values say which project it is by a word of gcloud's own.
	if quota := c.configuration.get("billing", "quota_project"); quota == strings.ToLower(quota) {
		c.set(quotaProjectField, quota)
	}
	if len(c.configuration.properties["api_endpoint_overrides"]) > 0 {
		c.note("Configuration %q of gcloud has endpoints of its own (api_endpoint_overrides), which are not taken over: set the fields api_endpoint_* where they are wanted.", hop.OneLine(c.configuration.name))
	}
}
