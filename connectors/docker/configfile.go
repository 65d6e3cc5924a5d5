package docker

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

// configFile is docker's config.json, or podman's auth.json, which has the same shape.
type configFile struct {
	path        string
	Auths       map[string]authEntry `json:"auths"`
	CredsStore  string               `json:"credsStore"`
	CredHelpers map[string]string    `json:"credHelpers"`
}

// authEntry is a login in the file itself.
type authEntry struct {
	Auth          string `json:"auth"` // base64 of USER:PASSWORD
	Username      string `json:"username"`
	Password      string `json:"password"`
	IdentityToken string `json:"identitytoken"`
}

func (e authEntry) empty() bool { return e == authEntry{} }

// login returns the user name and password of an entry as docker reads them.
func (e authEntry) login() (string, secret.Text, error) {
	username, password := e.Username, e.Password
	if e.Auth != "" {
		raw, err := base64.StdEncoding.DecodeString(e.Auth)
		user, rest, found := strings.Cut(string(raw), ":")
		if err != nil || !found {
			return "", secret.Text{}, fault.New(fault.Invalid, "its auth is not the base64 of a user name and a password")
		}
		username, password = user, strings.Trim(rest, "\x00") // old dockers padded
	}
	if e.IdentityToken != "" {
		return connector.IdentityTokenUser, secret.New(e.IdentityToken), nil
	}
	return username, secret.New(password), nil
}

func readConfig(path string) (*configFile, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.New(fault.Failed, "%w", err).Hint("make it readable, or name another file with --set config=PATH")
	}
	file := &configFile{path: path}
	if len(bytes.TrimSpace(raw)) == 0 {
		return file, nil
	}
	if err := json.Unmarshal(raw, file); err != nil {
		return nil, fault.New(fault.Invalid, "%s: %s", path, where(raw, err)).Hint("mend the file, or name another with --set config=PATH")
	}
	return file, nil
}

// where says what is wrong in which line. It repeats nothing of the file, which may
// be a password.
func where(raw []byte, err error) string {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Sprintf("line %d: it is not valid JSON", lineOf(raw, syntax.Offset))
	case errors.As(err, &kind):
		return fmt.Sprintf("line %d: %s is not what docker has there", lineOf(raw, kind.Offset), cmp.Or(kind.Field, "the whole"))
	}
	return "it is not a configuration of docker"
}

func lineOf(raw []byte, offset int64) int {
	return 1 + bytes.Count(raw[:min(offset, int64(len(raw)))], []byte("\n"))
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
