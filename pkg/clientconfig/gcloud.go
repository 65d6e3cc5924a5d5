package clientconfig

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
)

// Gcloud is gcloud, and with it all that reads a credential file of Google's.
const Gcloud = "gcloud"

// GcloudLogin is one configuration by which gcloud shall be led to svcconn, and the
// credential file that it names.
type GcloudLogin struct {
	Configuration string // its name
	Connector     string // that has the tokens
	ResourceType  string
	ResourceName  string // "" is the one that there is
	ReadOnly      bool
	Command       string                     // the absolute path of svcconn: see GcloudCommand
	Says          connector.GcloudProperties // what else the configuration says
}

// GcloudFolder is where gcloud keeps its files: $CLOUDSDK_CONFIG, else ~/.config/gcloud, or
// %APPDATA%\gcloud. It need not exist.
func (e Env) GcloudFolder() string {
	if dir := e.Getenv("CLOUDSDK_CONFIG"); dir != "" {
		return dir
	}
	if data := e.Getenv("APPDATA"); data != "" && e.GOOS == "windows" {
		return filepath.Join(data, "gcloud")
	}
	return filepath.Join(e.Home, ".config", "gcloud")
}

// The names of gcloud's files.
const (
	gcloudActive         = "active_config"
	gcloudConfigurations = "configurations"
	gcloudPrefix         = "config_"
)

func (e Env) gcloudFile(configuration string) string {
	return filepath.Join(e.GcloudFolder(), gcloudConfigurations, gcloudPrefix+configuration)
}

// credentialFolder is where the credential files are that a login writes. It is ours alone.
func (e Env) credentialFolder() string { return filepath.Join(e.Config, Gcloud) }

const credentialSuffix = ".json"

// GcloudCredentials is the credential file of a configuration. It serves the SDKs of Google
// too (GOOGLE_APPLICATION_CREDENTIALS). There is no secret in it.
func (e Env) GcloudCredentials(configuration string) string {
	return filepath.Join(e.credentialFolder(), configuration+credentialSuffix)
}

// configurationPattern is what gcloud takes for a configuration's name.
var configurationPattern = regexp.MustCompile(`^[a-z][-a-z0-9]*$`)

// GcloudConfiguration makes a name that gcloud takes of another one.
func GcloudConfiguration(name string) string {
	legal := strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(name)), "-")
	if !configurationPattern.MatchString(legal) {
		legal = strings.TrimSuffix(program+"-"+legal, "-")
	}
	return legal
}

// PlanGcloudLogin plans to lead gcloud to svcconn by the configurations, whose tokens are
// exchanged at the loopback address exchange. One of ours is changed where it is; one with
// a login's name that is not ours is an error. Credential files that name another address
// for the exchange are brought to this one. With use, the first login's configuration
// becomes the active one.
func PlanGcloudLogin(env Env, logins []GcloudLogin, exchange string, use bool) (*Plan, error) {
	var steps []step
	var written []string
	for i, l := range logins {
		if slices.ContainsFunc(logins[:i], func(other GcloudLogin) bool { return other.Configuration == l.Configuration }) {
			return nil, fault.New(fault.Ambiguous, "two resources would both have the configuration %s", l.Configuration).
				Hint("log in to one of them under another name: svcconn login gcloud %s --connector %s --configuration NAME", l.ResourceName, l.Connector)
		}
		if !configurationPattern.MatchString(l.Configuration) {
			return nil, fault.New(fault.Invalid, "%q cannot be the name of a configuration", l.Configuration).
				Hint("a configuration's name begins with a small letter and is of small letters, digits and hyphens")
		}
		credentials, err := l.credentials(exchange)
		if err != nil {
			return nil, err
		}
		wanted, err := l.configuration(env)
		if err != nil {
			return nil, err
		}
		path := env.GcloudCredentials(l.Configuration)
		written = append(written, path)
		steps = append(steps, gcloudStep(path, false, leadCredentials(l.Configuration, credentials), snapshotText.plain),
			gcloudStep(env.gcloudFile(l.Configuration), false, leadGcloud(wanted), snapshotText.redactedGcloud))
	}
	moved, err := env.moveExchange(exchange, written)
	if err != nil {
		return nil, err
	}
	steps = append(steps, moved...)
	if use && len(logins) > 0 {
		steps = append(steps, gcloudStep(filepath.Join(env.GcloudFolder(), gcloudActive), false, useGcloud(logins[0].Configuration), snapshotText.plain))
	}
	p, err := newPlan(env, steps...)
	if err == nil {
		p.notices = env.gcloudNotices(use)
	}
	return p, err
}

func gcloudStep(path string, undo bool, edit edit, redacted func(snapshotText) []byte) step {
	return step{tool: Gcloud, path: path, undo: undo, edit: edit, redacted: redacted}
}

// plain is a file for a diff that has nothing in it but what a login writes.
func (s snapshotText) plain() []byte { return s.text }

// moveExchange are the steps that bring the other credential files to an exchange.
func (e Env) moveExchange(exchange string, written []string) ([]step, error) {
	all, err := e.credentialFiles()
	if err != nil {
		return nil, err
	}
	var steps []step
	for _, file := range all {
		if from := wordAfter(file.words, flagExchange); from != "" && from != exchange && !slices.Contains(written, file.path) {
			steps = append(steps, gcloudStep(file.path, false, movedCredentials(file.configuration(), from, exchange), snapshotText.plain))
		}
	}
	return steps, nil
}

// PlanGcloudLogout plans to remove the configurations that lead to svcconn and have one of
// the names, be it the configuration's or the resource's, with their credential files; all
// of them if no name is given. It looks in gcloud's folder and in those that a login
// changed.
func PlanGcloudLogout(env Env, names []string) (*Plan, error) {
	pointers, err := GcloudPointers(env)
	if err != nil {
		return nil, err
	}
	selected, left := divide(pointers, names)
	var gone []string
	files := map[string]bool{}
	for _, p := range selected {
		gone = append(gone, p.Configuration)
		if p.Configuration != "" {
			files[p.File] = true
		}
	}
	if len(names) == 0 { // what a login began
		for _, path := range env.journal().files(Gcloud) {
			files[path] = true
		}
	}
	var steps []step
	for _, path := range env.activeFiles(files) {
		steps = append(steps, gcloudStep(path, true, releaseActive(gone), snapshotText.plain))
	}
	for _, path := range configurationsAmong(files) {
		steps = append(steps, gcloudStep(path, true, releaseGcloud(env.credentialFolder()), snapshotText.redactedGcloud))
	}
	for _, path := range doomedCredentials(files, selected, left) {
		steps = append(steps, gcloudStep(path, true, releaseCredentials(), snapshotText.plain))
	}
	p, err := newPlan(env, steps...)
	if err == nil {
		p.notices = danglingConfigurations(p, gone)
	}
	return p, err
}
