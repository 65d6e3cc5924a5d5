package gcp

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/hop"
)

// The variables that say where a login is, and what it is for.
// https://cloud.google.com/docs/authentication/application-default-credentials
const (
	envCredentials   = "GOOGLE_APPLICATION_CREDENTIALS"
	envProject       = "GOOGLE_CLOUD_PROJECT"
	envQuotaProject  = "GOOGLE_CLOUD_QUOTA_PROJECT"
	envUniverse      = "GOOGLE_CLOUD_UNIVERSE_DOMAIN"
	envMetadataHost  = "GCE_METADATA_HOST"
	envFolder        = "CLOUDSDK_CONFIG"
	envConfiguration = "CLOUDSDK_ACTIVE_CONFIG_NAME"
	envGcloudProject = "CLOUDSDK_CORE_PROJECT"
	envGcloudAccount = "CLOUDSDK_CORE_ACCOUNT"
)

// productFile says, on Linux, what machine this is: no network has to be asked.
const productFile = "/sys/class/dmi/id/product_name"

// detection is one run of auto-configuration. The environment is the person's own here,
// and never looked at again.
type detection struct {
	host    connector.Host
	product string            // the file that says what machine this is
	hints   map[string]string // those that are fields of the connector
	folder  gcloudFolder

	asked         string // the auth method; "" is the one that suits
	source        string // of credential_source; "" is whatever there is
	file          string // "" is what the environment says, or the usual one
	configuration string // of gcloud; "" is the active one
	metadata      string // the host of the metadata server
}

// detect finds the login that Google's libraries, or else gcloud, would use on this
// machine, and stores it as the auth method that it is. The hints credentials_file,
// gcloud_configuration, gcloud_folder, credential_source and metadata_host say where to
// look; all others are fields of the connector.
func detect(ctx context.Context, host connector.Host, hints map[string]string) ([]connector.Detected, error) {
	return detectOn(ctx, host, hints, productFile)
}

func detectOn(ctx context.Context, host connector.Host, hints map[string]string, product string) ([]connector.Detected, error) {
	d := &detection{host: host, product: product, hints: maps.Clone(hints)}
	if err := d.take(); err != nil {
		return nil, err
	}
	c, err := d.login(ctx)
	if err != nil {
		return nil, err
	}
	found, err := c.detected(ctx)
	if err != nil {
		return nil, err
	}
	return []connector.Detected{found}, nil
}

// steering are the fields that say where to look.
var steering = field.Set{implicitSource, implicitFileField, configurationField, gcloudFolderField, metadataHostField}

// take takes the hints that say where to look.
func (d *detection) take() error {
	d.asked = d.hint(connector.HintMethod)
	env := d.host.Getenv
	folder, host := env(envFolder), env(envMetadataHost)
	if roaming := env("APPDATA"); windows && folder == "" && roaming != "" {
		folder = filepath.Join(roaming, "gcloud")
	}
	for into, f := range map[*string]field.String{
		&d.source: implicitSource, &d.configuration: configurationField, &d.file: implicitFileField, &folder: gcloudFolderField, &host: metadataHostField,
	} {
		text := cmp.Or(d.hint(f.Name), *into)
		if text == "" {
			continue
		}
		if f.Name == implicitFileField.Name || f.Name == gcloudFolderField.Name {
			absolute, err := d.absolute(text)
			if err != nil {
				return err
			}
			text = absolute
		}
		value, err := f.Parse(text)
		if err != nil {
			return fault.Within(err, "field %s", f.Name)
		}
		*into, _ = value.(string)
	}
	d.metadata = host
	d.folder = cmp.Or(gcloudFolder(folder), usualGcloudFolder(d.host.Home))
	return d.contradiction()
}

// contradiction refuses hints of which one says something else than another.
func (d *detection) contradiction() error {
	other := func(own string) bool { return d.source != "" && d.source != own }
	if d.file != "" && (d.configuration != "" || other(sourceFile)) || d.configuration != "" && other(sourceGcloud) {
		return fault.New(fault.Invalid, "the hints name several logins").
			Hint("give one of: %s, %s, %s", implicitFileField.Name, configurationField.Name, implicitSource.Name)
	}
	return nil
}

// hint takes a hint away.
func (d *detection) hint(name string) string {
	text := strings.TrimSpace(d.hints[name])
	delete(d.hints, name)
	return text
}

// absolute is a path as the agent can use it, wherever that runs.
func (d *detection) absolute(path string) (string, error) {
	absolute, err := filepath.Abs(ownPath(d.host, path))
	if err != nil {
		return "", fault.New(fault.Failed, "%w", err)
	}
	return absolute, nil
}

// login finds the login: where the person says, or else in the order in which Google's
// libraries look for it, with that of gcloud before that of the machine.
func (d *detection) login(ctx context.Context) (*candidate, error) {
	environment := d.host.Getenv(envCredentials)
	switch {
	case d.source == sourceMetadata:
		return d.machine(ctx)
	case d.file != "":
		return d.fileLogin(d.file, "")
	case d.source == sourceGcloud || d.configuration != "":
		return d.gcloudLogin()
	case environment != "":
		path, err := d.absolute(environment)
		if err != nil {
			return nil, err
		}
		c, err := d.fileLogin(path, envCredentials)
		return c, fault.Within(err, "%s", envCredentials)
	}
	c, err := d.fileLogin(d.folder.adc(), "")
	if !errors.Is(err, fs.ErrNotExist) || d.source == sourceFile {
		return c, err
	}
	c, err = d.gcloudLogin()
	if !fault.Is(err, fault.NotFound) || d.host.Getenv(envConfiguration) != "" {
		return c, err
	}
	if d.isGoogles() {
		return d.machine(ctx)
	}
	return nil, d.nothing()
}

// isGoogles reports whether this machine says that it is one of Google's.
func (d *detection) isGoogles() bool {
	name, err := os.ReadFile(d.product)
	return err == nil && slices.Contains([]string{"Google", "Google Compute Engine"}, strings.TrimSpace(string(name)))
}

// nothing is the error where nothing was found.
func (d *detection) nothing() error {
	err := fault.New(fault.NotFound, "no login to Google Cloud was found: %s is not set, there is no %s, and gcloud has no account", envCredentials, d.folder.adc())
	hint := "log in with `gcloud auth application-default login`"
	if names := d.folder.names(); len(names) > 0 && d.configuration == "" {
		hint += ", or name a configuration of gcloud with --set " + configurationField.Name + "=NAME; there are: " + hop.OneLine(strings.Join(names, ", "))
	}
	return err.Hint("%s\nwithout --auto-configure: the fields that `svcconn describe-type %s` lists; on a machine of Google's, --set %s=%s",
		hint, typeName, implicitSource.Name, sourceMetadata)
}
