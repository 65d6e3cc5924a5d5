package gcp

import (
	"path/filepath"
	"strings"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

// readCredentialFile reads a credential file of somebody's.
func readCredentialFile(path string) (secret.Text, error) {
	text, err := readSmall(path)
	if err != nil {
		return secret.Text{}, fault.WithHint(fault.Within(err, "the credential file cannot be read"),
			"`gcloud auth application-default login` writes one: name the file that there is")
	}
	return secret.New(text), nil
}

// checkOwnPath checks a path that is absolute, or begins with ~/ for the home folder.
func checkOwnPath(path string) (string, error) {
	if strings.HasPrefix(path, "~/") || filepath.IsAbs(path) {
		return filepath.Clean(path), nil
	}
	return "", fault.New(fault.Invalid, "the path %q is relative, and nobody knows to what", path).Hint("give the absolute path, or one that begins with ~/")
}

// ownPath is a path of checkOwnPath's on this machine.
func ownPath(host connector.Host, path string) string {
	if rest, ok := strings.CutPrefix(filepath.ToSlash(path), "~/"); ok {
		return filepath.Join(host.Home, filepath.FromSlash(rest))
	}
	return path
}
