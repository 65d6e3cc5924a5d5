package secrets

import (
	"context"
	"errors"
	"os/exec"
	"slices"
)

// entryLimit is the most bytes that we put into one entry. go-keyring hands the
// keychain a command of at most 4,096 bytes in which the entry is encoded in Base64,
// beside its names: this leaves more than 500 bytes for them.
const entryLimit = 2560

const (
	provideKeyring = ""
	unlockKeyring  = "unlock the login keychain: in Keychain Access, or with security unlock-keychain; or " + chooseFile
)

// keyringReady lets every call through: macOS has no way to ask without asking.
func keyringReady(context.Context) error { return nil }

// waitsForPerson recognises the exit codes of /usr/bin/security, the low bytes of the
// system's errors: 29 and 36 interaction is required or not allowed, 51
// authentication failed, 128 cancelled by the person.
func waitsForPerson(err error) bool {
	var exit *exec.ExitError
	return errors.As(err, &exit) && slices.Contains([]int{29, 36, 51, 128}, exit.ExitCode())
}
