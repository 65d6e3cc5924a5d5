package gcp

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/hop"
)

// gcloudFolder is the folder in which gcloud keeps what is one person's. It is only ever
// read here. https://cloud.google.com/sdk/docs/configurations
type gcloudFolder string

// defaultConfiguration is the configuration that is active where nobody activated another.
const defaultConfiguration = "default"

// windows reports whether gcloud has its files where Windows wants them, not where all
// other systems do.
const windows = runtime.GOOS == "windows"

// usualGcloudFolder is where gcloud has its folder in a home folder.
func usualGcloudFolder(home string) gcloudFolder {
	if windows {
		return gcloudFolder(filepath.Join(home, "AppData", "Roaming", "gcloud"))
	}
	return gcloudFolder(filepath.Join(home, ".config", "gcloud"))
}

// adc is the file with the application default credentials.
func (g gcloudFolder) adc() string {
	return filepath.Join(string(g), "application_default_credentials.json")
}

// activator is the file that says which configuration is active.
func (g gcloudFolder) activator() string { return filepath.Join(string(g), "active_config") }

// configurationFile is the file of a configuration, whose name has been checked.
func (g gcloudFolder) configurationFile(name string) string {
	return filepath.Join(string(g), "configurations", "config_"+name)
}

// legacy is the file of application default credentials that gcloud leaves for an
// account that it is logged in as.
func (g gcloudFolder) legacy(account string) string {
	account = strings.ReplaceAll(account, ":", "")
	if windows && slices.Contains([]string{"CON.", "PRN.", "AUX.", "NUL."}, strings.ToUpper(account[:min(4, len(account))])) {
		account = "." + account
	}
	return filepath.Join(string(g), "legacy_credentials", account, "adc.json")
}

// active is the name of the active configuration.
func (g gcloudFolder) active() (string, error) {
	text, err := readSmall(g.activator())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if text = strings.TrimSpace(text); text == "" { // an editor may have added a line break
		return defaultConfiguration, nil
	}
	name, err := checkConfiguration(text)
	return name, fault.Within(err, "%s", g.activator())
}

// files are those that tell whose identity a configuration has; "" is the active one.
func (g gcloudFolder) files(name string) []string {
	out := []string{filepath.Join(string(g), "properties")}
	if name == "" {
		out = append(out, g.activator())
		active, err := g.active()
		if err != nil {
			return out // gcloud will say what is wrong
		}
		name = active
	}
	out = append(out, g.configurationFile(name))
	if c, err := g.read(name); err == nil {
		for _, key := range []string{"credential_file_override", "access_token_file"} {
			if path := c.get("auth", key); path != "" {
				out = append(out, withSubject(path)...)
			}
		}
	}
	return out
}

// names are the configurations that there are.
func (g gcloudFolder) names() []string {
	var out []string
	found, _ := os.ReadDir(filepath.Join(string(g), "configurations")) // an error is none
	for _, entry := range found {
		if name, ok := strings.CutPrefix(entry.Name(), "config_"); ok && configurationName.MatchString(name) {
			out = append(out, name)
		}
	}
	return out
}

// configuration is what a configuration of gcloud's says.
type configuration struct {
	name, path string
	properties
}

// get is a property: "core", "account". A configuration that is not there has none.
func (c configuration) get(section, key string) string {
	return strings.TrimSpace(c.properties[section][key])
}

// read reads a configuration.
func (g gcloudFolder) read(name string) (configuration, error) {
	c := configuration{name: name, path: g.configurationFile(name)}
	text, err := readSmall(c.path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, g.missing(name)
	}
	if err == nil {
		c.properties, err = parseProperties(text)
		err = fault.WithHint(fault.Within(err, "%s", c.path), "gcloud cannot read it either: mend the line, or make the configuration anew")
	}
	return c, err
}

// missing is the error for a configuration that is not there.
func (g gcloudFolder) missing(name string) error {
	err := fault.New(fault.NotFound, "gcloud has no configuration %q in %s", name, string(g))
	names := g.names()
	if near := field.Nearest(name, names); near != "" {
		return err.Hint("did you mean %q?", near)
	}
	if len(names) == 0 {
		return err.Hint("`gcloud init` makes one; if gcloud's folder is elsewhere, say where: --set %s=FOLDER", gcloudFolderField.Name)
	}
	return err.Hint("there are: %s", hop.OneLine(strings.Join(names, ", ")))
}

// configurationName is what gcloud lets a configuration be called.
var configurationName = field.Lazily(`^[a-z][-a-z0-9]*$`)

func checkConfiguration(text string) (string, error) {
	if !configurationName.MatchString(text) {
		return "", fault.New(fault.Invalid, "%q is not the name of a configuration of gcloud's", hop.OneLine(text)).
			Hint("it has lower-case letters, digits and hyphens: `gcloud config configurations list` shows them")
	}
	return text, nil
}

// maxSmall is more than any file of credentials, properties or tokens has, in bytes.
const maxSmall = 1 << 20

// readSmall reads a file; what is no file, or far too large for one of these, is refused.
func readSmall(path string) (string, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "", fault.New(fault.Failed, "%w", err)
	case !info.Mode().IsRegular():
		return "", fault.New(fault.Invalid, "%s is not a file", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return "", fault.New(fault.Failed, "%w", err)
	}
	defer func() { _ = file.Close() }()
	raw, err := io.ReadAll(io.LimitReader(file, maxSmall+1))
	switch {
	case err != nil:
		return "", fault.New(fault.Failed, "%w", err)
	case len(raw) > maxSmall:
		return "", fault.New(fault.Invalid, "%s is larger than %d KiB", path, maxSmall>>10)
	}
	return string(raw), nil
}
