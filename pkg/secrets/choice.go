package secrets

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/svcconn/svcconn/pkg/atomicfile"
	"github.com/svcconn/svcconn/pkg/fault"
)

// Auto is the setting secrets.backend that lets svcconn choose the store.
const Auto = "auto"

// storeVariable names the environment variable that overrides secrets.backend.
const storeVariable = "SVCCONN_SECRETS"

// Choice is the store for new secrets, and why it is that one.
type Choice struct {
	Store  string // KeyringName or FileName
	Reason string // continues "because": "SVCCONN_SECRETS says so"
}

// Choose chooses the store for new secrets. What SVCCONN_SECRETS or else
// secrets.backend says, holds. Otherwise it is chosen at first use, and recorded so
// that a keyring that is away tomorrow is an error and not a switch:
//
//   - the file store where a passphrase file or an identity file is configured, which
//     is explicit enough, as neither has any other use;
//   - the OS keyring where it answers;
//   - nothing where it does not: the error names the file store, which only its user
//     can choose.
func (m *Manager) Choose(ctx context.Context) (Choice, error) {
	if choice, err := m.explicit(); err != nil || choice.Store != "" {
		return choice, err
	}
	if choice, err := m.recorded(); err != nil || choice.Store != "" {
		return choice, err
	}
	release, err := lockFile(ctx, m.dir, "default.lock")
	if err != nil {
		return Choice{}, err
	}
	defer release()
	if choice, err := m.recorded(); err != nil || choice.Store != "" {
		return choice, err
	}
	choice, err := m.detect(ctx)
	if err != nil {
		return Choice{}, err
	}
	return choice, atomicfile.Write(m.recordPath(), []byte(choice.Store+"\n"), atomicfile.FileMode)
}

func (m *Manager) explicit() (Choice, error) {
	for _, said := range []struct{ by, value string }{
		{storeVariable, m.config.Getenv(storeVariable)},
		{"secrets.backend", m.config.Backend},
	} {
		switch said.value {
		case "":
			continue
		case Auto:
			return Choice{}, nil
		case KeyringName, FileName:
			return Choice{said.value, said.by + " says so"}, nil
		}
		return Choice{}, fault.New(fault.Invalid, "%s is %q, which is no secret store", said.by, said.value).
			Hint("it can be %s, %s or %s", KeyringName, FileName, Auto)
	}
	return Choice{}, nil
}

// recordPath is of the file with the name of the store chosen at first use.
func (m *Manager) recordPath() string { return filepath.Join(m.dir, "default") }

func (m *Manager) recorded() (Choice, error) {
	content, err := os.ReadFile(m.recordPath())
	if errors.Is(err, fs.ErrNotExist) {
		return Choice{}, nil
	}
	if err != nil {
		return Choice{}, fault.New(fault.Failed, "cannot read %s: %w", m.recordPath(), reason(err))
	}
	name := strings.TrimSpace(string(content))
	if name != KeyringName && name != FileName {
		return Choice{}, fault.New(fault.Failed, "%s is damaged: it names no secret store", m.recordPath()).
			Hint("write %s or %s into it, or remove it to choose anew", KeyringName, FileName)
	}
	return Choice{name, "it was chosen at first use (" + m.recordPath() + ")"}, nil
}

func (m *Manager) detect(ctx context.Context) (Choice, error) {
	if m.config.Getenv(passphraseVariable) != "" {
		return Choice{FileName, passphraseVariable + " is set"}, nil
	}
	if m.config.IdentityFile != "" {
		return Choice{FileName, "secrets.identity_file is set"}, nil
	}
	// '.' is in no key, so that this is never there: only an answer is wanted.
	_, err := m.keyring.entries.Get(ctx, "svcconn.probe")
	if err != nil && !fault.Is(err, fault.NotFound) {
		return Choice{}, fault.Within(err, "there is no place for secrets yet")
	}
	return Choice{KeyringName, "the OS keyring answers"}, nil
}
