package clientconfig

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/wire"
)

// credentials is a credential file of Google's, of the kind that runs an executable:
// https://google.aip.dev/auth/4117
type credentials struct {
	Type         string `json:"type"`
	Universe     string `json:"universe_domain,omitempty"`
	Audience     string `json:"audience"`
	SubjectType  string `json:"subject_token_type"`
	TokenURL     string `json:"token_url"`
	TokenInfoURL string `json:"token_info_url"`
	QuotaProject string `json:"quota_project_id,omitempty"`
	Source       struct {
		Executable struct {
			Command string `json:"command"`
			Timeout int    `json:"timeout_millis"`
		} `json:"executable"`
	} `json:"credential_source"`
}

// executableTimeout is the most that libraries grant, in milliseconds: svcconn says by
// itself, and sooner, what is slow.
const executableTimeout = 120_000

// audience is what libraries want a credential file to name, and the agent does not look
// at. It names no project: of one that is in there, those in Python and JavaScript ask the
// Resource Manager for the default project, which a token for a bucket may not, and those
// in JavaScript then fail.
func (l GcloudLogin) audience() string {
	return "//iam.googleapis.com/locations/global/workloadIdentityPools/" + program + "/providers/" + l.Configuration
}

// GcloudCommand is the absolute path by which gcloud and the SDKs of Google shall call
// svcconn, whose executable is self: like KubeCommand. They split the command at spaces,
// whatever quotes there are, so it must not have one.
func GcloudCommand(env Env, self string) (string, error) {
	path, err := programPath(env, self, program)
	if err != nil {
		return "", fault.WithHint(err, "install all three binaries into one folder that is in PATH")
	}
	path = withoutSpaces(path)
	if strings.ContainsFunc(path, unicode.IsSpace) {
		return "", fault.New(fault.Failed, "the path %s has a space, at which gcloud and the SDKs of Google would end the command", path).
			Hint("install svcconn in a folder without one; or link to it from such a folder that is in PATH, and log in again")
	}
	return path, nil
}

// command is what the executable is called with.
func (l GcloudLogin) command(exchange string) (string, error) {
	words := append(credentialWords(l.Command, l.Connector, l.ResourceType, l.ResourceName, l.ReadOnly), flagFormat, formatGoogle, flagExchange, exchange)
	for _, word := range words {
		if word == "" || !utf8.ValidString(word) || strings.ContainsFunc(word, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || r == '"' || r == '\'' }) {
			return "", fault.New(fault.Invalid, "%q cannot be part of the command in a credential file: not all tools would read it in the same way", word).
				Hint("use a path, and names, without spaces and quotes")
		}
	}
	return strings.Join(words, " "), nil
}

// credentials is the credential file for a login.
func (l GcloudLogin) credentials(exchange string) ([]byte, error) {
	command, err := l.command(exchange)
	if err != nil {
		return nil, err
	}
	c := credentials{
		Type: "external_account", Universe: l.Says.Universe, Audience: l.audience(), SubjectType: wire.SubjectTokenType,
		TokenURL: "http://" + exchange + wire.ExchangePath, TokenInfoURL: "http://" + exchange + wire.IntrospectPath, QuotaProject: l.Says.QuotaProject,
	}
	c.Source.Executable.Command, c.Source.Executable.Timeout = command, executableTimeout
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err = encoder.Encode(c)
	return out.Bytes(), err
}

// credentialFile is a credential file that runs svcconn.
type credentialFile struct {
	path  string
	words []string // of its command
}

// configuration is the one that it was made for.
func (f credentialFile) configuration() string {
	return strings.TrimSuffix(filepath.Base(f.path), credentialSuffix)
}

// executableWords are the words of the command in a credential file if it runs svcconn; nil
// if it does not.
func executableWords(text []byte) []string {
	var c credentials
	if json.Unmarshal(text, &c) != nil {
		return nil
	}
	words := strings.Fields(c.Source.Executable.Command)
	if !asksSvcconn(words) {
		return nil
	}
	return words
}

// credentialFiles are the credential files in our folder that run svcconn, by path.
func (e Env) credentialFiles() ([]credentialFile, error) {
	names, err := filesIn(e.credentialFolder())
	var out []credentialFile
	for _, name := range names {
		if !strings.HasSuffix(name, credentialSuffix) {
			continue
		}
		path := filepath.Join(e.credentialFolder(), name)
		found, err := read(path)
		if err != nil {
			return nil, err
		}
		if words := executableWords(found.text); words != nil {
			out = append(out, credentialFile{path, words})
		}
	}
	return out, err
}

// GcloudExchange is the loopback address that the credential files name for their exchange;
// "" where there are none.
func (e Env) GcloudExchange() (string, error) {
	files, err := e.credentialFiles()
	for _, file := range files {
		if exchange := wordAfter(file.words, flagExchange); exchange != "" {
			return exchange, nil
		}
	}
	return "", err
}

// leadCredentials writes the credential file of a configuration.
func leadCredentials(configuration string, wanted []byte) edit {
	return func(file string, text []byte, r *record) ([]byte, []Change, error) {
		words := executableWords(text)
		if text != nil && words == nil {
			return nil, nil, fault.New(fault.Failed, "there is a file %s already that svcconn did not write", file).
				Hint("move it away, or choose another name with --configuration")
		}
		if bytes.Equal(text, wanted) {
			return text, nil, nil
		}
		if text == nil {
			r.Replaced = nil // of one that somebody removed
			r.note(place{}, nil)
		}
		return wanted, []Change{{Tool: Gcloud, File: file, Key: configuration, Before: commandLeadsTo(words), After: commandLeadsTo(executableWords(wanted))}}, nil
	}
}

// movedCredentials brings a credential file from one exchange to another.
func movedCredentials(configuration, from, to string) edit {
	return func(file string, text []byte, _ *record) ([]byte, []Change, error) {
		if !slices.Contains(executableWords(text), from) {
			return text, nil, nil
		}
		change := Change{Tool: Gcloud, File: file, Key: configuration, Before: "exchange at " + from, After: "exchange at " + to}
		return bytes.ReplaceAll(text, []byte(from), []byte(to)), []Change{change}, nil
	}
}

// releaseCredentials removes a credential file that runs svcconn.
func releaseCredentials() edit {
	return func(file string, text []byte, r *record) ([]byte, []Change, error) {
		r.Replaced = nil
		words := executableWords(text)
		if words == nil {
			return text, nil, nil
		}
		return nil, []Change{{Tool: Gcloud, File: file, Key: credentialFile{path: file}.configuration(), Before: commandLeadsTo(words)}}, nil
	}
}
