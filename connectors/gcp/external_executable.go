package gcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/hop"
)

// executable is a program that prints a subject token.
// https://google.aip.dev/auth/4117#determining-the-subject-token-in-executable-sourced-credentials
type executable struct {
	Command    string `json:"command"`
	Timeout    *int64 `json:"timeout_millis"`
	OutputFile string `json:"output_file"`
}

// How long an executable may take: as Google's libraries have it.
const (
	executableDefault = 30 * time.Second
	executableLeast   = 5 * time.Second
	executableMost    = 120 * time.Second
)

// words are the program and its arguments. Google's libraries split at white space, and
// know no quotes.
func (e *executable) words() []string { return strings.Fields(e.Command) }

func (e *executable) patience() time.Duration {
	if e.Timeout == nil {
		return executableDefault
	}
	return time.Duration(*e.Timeout) * time.Millisecond
}

// leadsHere reports whether the program is svcconn, as a login of gcloud's writes it.
func (e *executable) leadsHere() bool {
	words := e.words()
	if len(words) < 2 || words[1] != "credential" {
		return false
	}
	return strings.TrimSuffix(strings.ToLower(filepath.Base(words[0])), ".exe") == "svcconn"
}

func (e *executable) check() error {
	words := e.words()
	switch {
	case len(words) == 0:
		return fault.New(fault.Invalid, "its executable lacks command")
	case e.leadsHere():
		return fault.New(fault.Invalid, "it has its tokens from svcconn, which would ask itself for them").
			Hint("name the configuration that the login itself is in")
	case filepath.Base(words[0]) != words[0] && !filepath.IsAbs(words[0]):
		return fault.New(fault.Invalid, "its executable has a relative path in command").Hint("write the absolute path into it: nobody knows to what it is relative")
	case e.OutputFile != "" && !filepath.IsAbs(e.OutputFile):
		return fault.New(fault.Invalid, "its executable has a relative path in output_file").Hint("write the absolute path into it: nobody knows to what it is relative")
	case e.Timeout != nil && (*e.Timeout < executableLeast.Milliseconds() || *e.Timeout > executableMost.Milliseconds()):
		return fault.New(fault.Invalid, "its executable has %d milliseconds in timeout_millis", *e.Timeout).
			Hint("Google's libraries take %d to %d", executableLeast.Milliseconds(), executableMost.Milliseconds())
	}
	return nil
}

// prover is what runs the executable, unless what it printed last is still good.
func (e *executable) prover(c *clients, file externalFile) (prover, error) {
	if err := e.check(); err != nil {
		return nil, err
	}
	command := connector.Command{Program: e.words()[0], Args: e.words()[1:], Env: e.environment(file)}
	return func(ctx context.Context) (proof, error) {
		kept, err := e.kept(c)
		if kept != nil || err != nil {
			return kept, err
		}
		finished, err := hop.Answer(ctx, c.host, e.patience(), command)
		raw := finished.Stdout
		if err != nil {
			// What it says of its failure tells more than that it failed.
			if _, said := e.read(c, raw); fault.Is(said, fault.Denied) {
				err = said
			}
			return nil, err
		}
		if len(strings.TrimSpace(string(raw))) == 0 && e.OutputFile != "" {
			return e.inFile(c)
		}
		return e.read(c, raw)
	}, nil
}

// environment is what the executable learns of what is wanted, beside svcconn's own
// environment.
func (e *executable) environment(file externalFile) []string {
	out := []string{
		"GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE=" + file.Audience,
		"GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE=" + file.SubjectType,
		"GOOGLE_EXTERNAL_ACCOUNT_INTERACTIVE=0",
	}
	if file.target != "" {
		out = append(out, "GOOGLE_EXTERNAL_ACCOUNT_IMPERSONATED_EMAIL="+file.target)
	}
	if e.OutputFile != "" {
		out = append(out, "GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE="+e.OutputFile)
	}
	return out
}

// kept is what the executable left in its file, where that is still good; nil is where it
// has to be run. A file that is malformed is an error, as AIP-4117 wants it.
func (e *executable) kept(c *clients) (proof, error) {
	if e.OutputFile == "" {
		return nil, nil
	}
	out, err := e.inFile(c)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.As(err, new(stale)), fault.Is(err, fault.Denied):
		return nil, nil
	}
	return out, err
}

// stale is what is wrong with a token that was good, or a file that has none yet.
type stale string

// Error implements error.
func (s stale) Error() string { return string(s) }

// inFile is what is in the executable's file.
func (e *executable) inFile(c *clients) (proof, error) {
	text, err := readSmall(e.OutputFile)
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(text) == "" {
		return nil, fault.New(fault.Failed, "%s %w", e.OutputFile, stale("is empty")).Hint("the program has to print its answer, or write it there")
	}
	out, err := e.read(c, []byte(text))
	return out, fault.Within(err, "%s", e.OutputFile)
}

// executableAnswer is what an executable prints.
type executableAnswer struct {
	Version   int             `json:"version"`
	Success   *bool           `json:"success"`
	TokenType string          `json:"token_type"`
	IDToken   hidden          `json:"id_token"`
	SAML      hidden          `json:"saml_response"`
	Expires   int64           `json:"expiration_time"`
	Code      json.RawMessage `json:"code"` // text as a rule
	Message   string          `json:"message"`
}

// read takes the token out of an answer. That the executable says no is fault.Denied, and
// nothing else is.
func (e *executable) read(c *clients, raw []byte) (proof, error) {
	name := "what the program " + hop.OneLine(filepath.Base(e.words()[0])) + " prints"
	var a executableAnswer
	if err := decode(raw, &a); err != nil {
		return nil, fault.New(fault.Failed, "%s is no answer: %w", name, err).Hint("it has to be one object of JSON, as https://google.aip.dev/auth/4117 describes it, and nothing else")
	}
	if err := a.check(name, e.OutputFile != "", c); err != nil {
		return nil, err
	}
	token := a.IDToken
	if a.TokenType == typeSAML {
		token = a.SAML
	}
	return newSubject(token.Reveal(), name)
}

// The types of tokens that executables print.
const (
	typeJWT  = "urn:ietf:params:oauth:token-type:jwt"
	typeID   = "urn:ietf:params:oauth:token-type:id_token"
	typeSAML = "urn:ietf:params:oauth:token-type:saml2"
)

const aip = "https://google.aip.dev/auth/4117 describes what it has to have"

// check says what is wrong with an answer.
func (a executableAnswer) check(name string, kept bool, c *clients) error {
	wrong := func(format string, args ...any) *fault.Error {
		return fault.New(fault.Failed, "%s is no answer: it %s", name, fmt.Sprintf(format, args...)).Hint("%s", aip)
	}
	switch now := c.host.Now(); {
	case a.Version == 0 || a.Success == nil:
		return wrong("lacks version or success")
	case a.Version != 1:
		return wrong("is of version %d, and only 1 is known", a.Version)
	case !*a.Success && (len(a.Code) == 0 || a.Message == ""):
		return wrong("says that there is no token, without code and message")
	case !*a.Success:
		return fault.New(fault.Denied, "%s: no token: %s", strings.TrimSuffix(name, " prints"), c.printable(strings.Trim(string(a.Code), `"`)+": "+a.Message)).
			Hint("it is the program that the configuration names; log in to what it asks, or see its documentation")
	case kept && a.Expires == 0:
		return fault.New(fault.Failed, "%s %w", name, stale("lacks expiration_time, which it needs where there is an output_file")).Hint("%s", aip)
	case a.Expires != 0 && a.Expires <= now.Unix():
		return fault.New(fault.Failed, "%s %w", name, stale("has expired: it was good until "+time.Unix(a.Expires, 0).UTC().Format(time.RFC3339))).
			Hint("have the program print a token of now, and compare this machine's clock")
	case a.TokenType != typeJWT && a.TokenType != typeID && a.TokenType != typeSAML:
		return wrong("has a token_type other than %s, %s and %s", typeJWT, typeID, typeSAML)
	case a.TokenType == typeSAML && a.SAML.IsEmpty(), a.TokenType != typeSAML && a.IDToken.IsEmpty():
		return wrong("lacks id_token, or for SAML saml_response")
	}
	return nil
}

// splitCommand reads the words of a command of a field, which may have quotes.
func splitCommand(text string) ([]string, error) {
	if windows { // where they separate folders
		text = strings.ReplaceAll(text, `\`, `\\`)
	}
	return hop.SplitWords(text)
}

func checkCommand(text string) (string, error) {
	words, err := splitCommand(text)
	if err == nil && (len(words) == 0 || words[0] == "") {
		err = fault.New(fault.Invalid, "the command names no program")
	}
	return text, err
}
