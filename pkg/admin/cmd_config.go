package admin

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"

	"github.com/svcconn/svcconn/pkg/output"
	"github.com/svcconn/svcconn/pkg/paths"
	"github.com/svcconn/svcconn/pkg/settings"
)

// configFile is the file of the settings in the configuration folder.
const configFile = "config.toml"

func configCommand() command {
	return command{
		name:    "config",
		group:   groupAbout,
		summary: "show the settings and where they are",
		doc:     "The settings are in config.toml. It is written by hand; config.example.toml shows every setting with its default.",
		commands: []command{
			{
				name:     "show",
				summary:  "show the settings in force and the folders in use",
				doc:      "Shows every setting with the value that is in force: that of the environment, else of config.toml, else the default. And the folders that svcconn keeps its things in.",
				flags:    printing(),
				examples: []example{{"one setting, for a script", "svcconn config show -o json | jq -r .settings.secrets.backend"}},
				run:      showConfig,
			},
			{
				name:     "path",
				summary:  "print the path of config.toml",
				doc:      "Prints where config.toml is, or would be if there were one.",
				examples: []example{{"change the settings", `"$EDITOR" "$(svcconn config path)"`}},
				run:      configPath,
			},
		},
	}
}

func configPath(_ context.Context, in invocation) error {
	dirs, err := in.dirs()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(in.stdout, filepath.Join(dirs.Config, configFile))
	return err
}

// configDoc is the JSON of `config show`.
type configDoc struct {
	File     string                    `json:"file"`
	Config   string                    `json:"config_dir"`
	State    string                    `json:"state_dir"`
	Runtime  string                    `json:"runtime_dir"`
	Settings map[string]map[string]any `json:"settings"`
}

func showConfig(_ context.Context, in invocation) error {
	dirs, err := in.dirs()
	if err != nil {
		return err
	}
	s, err := in.settings()
	if err != nil {
		return err
	}
	p, err := in.printer()
	if err != nil {
		return err
	}
	doc := newConfigDoc(dirs, s)
	return p.Describe(output.Description{Name: doc.File, Value: doc, View: output.Sheets{settingsSheet(s), foldersSheet(doc)}})
}

func newConfigDoc(dirs paths.Dirs, s settings.Settings) configDoc {
	doc := configDoc{
		File: filepath.Join(dirs.Config, configFile), Config: dirs.Config, State: dirs.State, Runtime: dirs.Runtime,
		Settings: map[string]map[string]any{},
	}
	for _, entry := range entries(s) {
		if doc.Settings[entry.section] == nil {
			doc.Settings[entry.section] = map[string]any{}
		}
		doc.Settings[entry.section][entry.name] = entry.value
	}
	return doc
}

// entry is one setting.
type entry struct {
	section, name string
	value         any // string or bool
}

// entries are all settings, in the order of config.example.toml; a test compares
// them with it.
func entries(s settings.Settings) []entry {
	return []entry{
		{"output", "format", s.Output.Format},
		{"secrets", "backend", s.Secrets.Backend},
		{"secrets", "identity_file", s.Secrets.IdentityFile},
		{"secrets", "timeout", s.Secrets.Timeout.String()},
		{"docker", "timeout", s.Docker.Timeout.String()},
		{"docker", "anonymous_fallback", s.Docker.AnonymousFallback},
		{"kubectl", "timeout", s.Kubectl.Timeout.String()},
		{"kubelet", "timeout", s.Kubelet.Timeout.String()},
		{"aws", "timeout", s.AWS.Timeout.String()},
		{"gcloud", "timeout", s.Gcloud.Timeout.String()},
		{"agent", "keep", s.Agent.Keep.String()},
		{"agent", "idle", s.Agent.Idle.String()},
		{"network", "timeout", s.Network.Timeout.String()},
		{"connectors", "allow_implicit", s.Connectors.AllowImplicit},
	}
}

func settingsSheet(s settings.Settings) output.Sheet {
	sheet := output.Sheet{Title: "settings"}
	for _, e := range entries(s) {
		text, ok := e.value.(string)
		if !ok {
			text = strconv.FormatBool(e.value.(bool))
		}
		sheet.Properties = append(sheet.Properties, output.Property{Name: e.section + "." + e.name, Value: output.Line(text)})
	}
	return sheet
}

func foldersSheet(doc configDoc) output.Sheet {
	return output.Sheet{Title: "files and folders", Properties: []output.Property{
		{Name: "CONFIG FILE", Value: output.Line(doc.File)},
		{Name: "CONFIG FOLDER", Value: output.Line(doc.Config)},
		{Name: "STATE FOLDER", Value: output.Line(doc.State)},
		{Name: "RUNTIME FOLDER", Value: output.Line(doc.Runtime)},
	}}
}
