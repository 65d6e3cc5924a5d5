package clientconfig

import (
	"path/filepath"
	"strings"
)

// program is what the profiles of AWS and the credential files of Google run.
const program = "svcconn"

// The words of the commands that they run.
const (
	verbCredential   = "credential"
	flagConnector    = "--connector"
	flagResourceType = "--resource-type"
	flagResourceName = "--resource-name"
	flagAccess       = "--access"
	flagFormat       = "--format"
	flagExchange     = "--exchange"

	formatProcess = "credential-process"
	formatGoogle  = "google-executable"
)

// credentialWords are a command that asks for a credential, but for its format. command is
// the absolute path of svcconn.
func credentialWords(command, connector, resourceType, resourceName string, readOnly bool) []string {
	words := []string{command, verbCredential, flagConnector, connector, flagResourceType, resourceType}
	if resourceName != "" {
		words = append(words, flagResourceName, resourceName)
	}
	if readOnly {
		words = append(words, flagAccess, "read")
	}
	return words
}

// asksSvcconn reports whether a command asks svcconn, wherever that is, for a credential.
func asksSvcconn(words []string) bool {
	if len(words) < 2 || words[1] != verbCredential {
		return false
	}
	name := strings.ToLower(filepath.Base(strings.ReplaceAll(words[0], `\`, "/")))
	return strings.TrimSuffix(name, ".exe") == program
}

// wordAfter is the value of a flag.
func wordAfter(words []string, flag string) string {
	for i, word := range words {
		if value, joined := strings.CutPrefix(word, flag+"="); joined {
			return value
		}
		if word == flag && i+1 < len(words) {
			return words[i+1]
		}
	}
	return ""
}

// commandLeadsTo says what such a command leads to: "connector prod (s3://zenfiles to read)";
// "" for every other command.
func commandLeadsTo(words []string) string {
	if !asksSvcconn(words) {
		return ""
	}
	what := wordAfter(words, flagResourceName)
	if access := wordAfter(words, flagAccess); access != "" {
		what = strings.TrimSpace(what + " to " + access)
	}
	if what != "" {
		what = " (" + what + ")"
	}
	return "connector " + wordAfter(words, flagConnector) + what
}
