package secrets

import (
	"context"
	"path/filepath"
	"time"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

// DefaultTimeout is how long a call of the OS keyring may take: the default of the
// setting secrets.timeout.
const DefaultTimeout = 3 * time.Second

// Config is what a Manager works with. Only StateDir and Getenv are needed.
type Config struct {
	StateDir     string              // the secrets are in the folder "secrets" in it
	Backend      string              // the setting secrets.backend: "auto" or "", KeyringName, FileName
	IdentityFile string              // the setting secrets.identity_file: an age identity to use; "" is one of our own making
	Timeout      time.Duration       // the setting secrets.timeout: for each call of the OS keyring; 0 is DefaultTimeout
	Getenv       func(string) string // for SVCCONN_SECRETS and SVCCONN_PASSPHRASE_FILE
	Ask          Ask                 // nil where nobody can be asked: a locked store is then fault.NeedsPerson
	Keyring      Keyring             // nil is the OS's own; tests give another
	WorkFactor   int                 // logarithm of the cost of the passphrase, 1 to 20; 0 is 17; tests give less
}

// Manager has the secret stores of one set-up, one of each. It is safe for concurrent
// use.
type Manager struct {
	config  Config
	dir     string
	keyring *keyringStore
	file    *fileStore
}

// Open returns a Manager. It reads and writes nothing yet.
func Open(config Config) *Manager {
	dir := filepath.Join(config.StateDir, "secrets")
	return &Manager{config: config, dir: dir, keyring: openKeyring(config, dir, entryLimit), file: openFile(config, dir)}
}

func openKeyring(config Config, dir string, limit int) *keyringStore {
	timeout := config.Timeout
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	keyring := config.Keyring
	if keyring == nil {
		keyring = osKeyring{ourService}
	}
	return &keyringStore{
		entries: newGuard(keyring, timeout),
		limit:   limit,
		lock: func(ctx context.Context) (func(), error) {
			return lockFile(ctx, dir, "keyring.lock")
		},
	}
}

func openFile(config Config, dir string) *fileStore {
	v := &vault{
		dir:        dir,
		path:       config.IdentityFile,
		workFactor: config.WorkFactor,
		passphrase: passphrase{file: config.Getenv(passphraseVariable), ask: config.Ask},
		turn:       make(chan struct{}, 1),
	}
	if v.path == "" {
		v.own, v.path = true, filepath.Join(dir, "identity.age")
	}
	if v.workFactor < 1 || v.workFactor > maxWorkFactor {
		v.workFactor = defaultWorkFactor
	}
	return &fileStore{dir: dir, vault: v}
}

// Default returns the store for new secrets; Choose says how it is chosen.
func (m *Manager) Default(ctx context.Context) (Store, error) {
	choice, err := m.Choose(ctx)
	if err != nil {
		return nil, err
	}
	return m.Named(choice.Store)
}

// Named returns the store that a connector recorded. Another name than KeyringName
// and FileName is fault.Invalid.
func (m *Manager) Named(name string) (Store, error) {
	switch name {
	case KeyringName:
		return m.keyring, nil
	case FileName:
		return m.file, nil
	}
	return nil, fault.New(fault.Invalid, "there is no secret store %q", name).
		Hint("the secret stores are: %s, %s", KeyringName, FileName)
}

// Unlock brings the key of the file store into memory, for the life of the process. A
// wrong passphrase is fault.Denied, and may be followed by another; a store that was
// never used is fault.NotFound. The keyring is unlocked by its own application.
func (m *Manager) Unlock(passphrase secret.Text) error { return m.file.vault.unlock(passphrase) }

// Unlocked reports whether the key of the file store is in memory.
func (m *Manager) Unlocked() bool { return m.file.vault.unlocked() }
