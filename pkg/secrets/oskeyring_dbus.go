//go:build !darwin && !windows

package secrets

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/godbus/dbus/v5"
)

// entryLimit is the most bytes that we put into one entry. The Secret Service has no
// limit, but slows down with large ones.
const entryLimit = 64 << 10

const (
	provideKeyring = "start a keyring in this session (gnome-keyring, KWallet, or KeePassXC with its Secret Service on), or "
	unlockKeyring  = "unlock the keyring: in its application (GNOME: Passwords and Keys; KWalletManager; KeePassXC), or without a desktop by starting it with gnome-keyring-daemon --unlock, which reads the password from stdin; or " + chooseFile
)

// The parts of the Secret Service API that decide whether go-keyring can work:
// https://specifications.freedesktop.org/secret-service/latest/
const (
	secretService   = "org.freedesktop.secrets"
	servicePath     = dbus.ObjectPath("/org/freedesktop/secrets")
	loginCollection = dbus.ObjectPath("/org/freedesktop/secrets/collection/login")
	defaultAlias    = "default"
)

// keyringReady reports whether go-keyring can work without a person. Left to itself
// it would start a bus with dbus-launch where there is none, and pop up a prompt,
// for which it waits without end, where the collection is locked.
func keyringReady(ctx context.Context) error {
	conn, err := sessionBus(ctx)
	if err != nil {
		return unlessLate(ctx, fmt.Errorf("no D-Bus session bus: %w", err))
	}
	defer func() { _ = conn.Close() }()
	path, err := collection(ctx, conn)
	if err != nil {
		return unlessLate(ctx, fmt.Errorf("nothing on the D-Bus session bus answers as Secret Service: %w", err))
	}
	if path == "/" {
		return errKeyringLocked(errors.New("it has no default collection yet"))
	}
	locked, err := property[bool](ctx, conn, path, "org.freedesktop.Secret.Collection", "Locked")
	if err != nil {
		return unlessLate(ctx, err)
	}
	if locked {
		return errKeyringLocked(fmt.Errorf("its collection %s", path[strings.LastIndexByte(string(path), '/')+1:]))
	}
	return nil
}

// unlessLate leaves time-outs to the guard, who knows whose they are.
func unlessLate(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return errNoKeyring(err)
}

func sessionBus(ctx context.Context) (*dbus.Conn, error) {
	conn, err := dbus.SessionBusPrivateNoAutoStartup(dbus.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	if err = conn.Auth(nil); err == nil {
		err = conn.Hello()
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

// collection finds the collection that go-keyring uses: login, else the default one.
func collection(ctx context.Context, conn *dbus.Conn) (dbus.ObjectPath, error) {
	all, err := property[[]dbus.ObjectPath](ctx, conn, servicePath, "org.freedesktop.Secret.Service", "Collections")
	if err != nil {
		return "", err
	}
	if slices.Contains(all, loginCollection) {
		return loginCollection, nil
	}
	path := dbus.ObjectPath("/")
	err = conn.Object(secretService, servicePath).
		CallWithContext(ctx, "org.freedesktop.Secret.Service.ReadAlias", 0, defaultAlias).Store(&path)
	return path, err
}

func property[T any](ctx context.Context, conn *dbus.Conn, path dbus.ObjectPath, iface, name string) (T, error) {
	var variant dbus.Variant
	err := conn.Object(secretService, path).
		CallWithContext(ctx, "org.freedesktop.DBus.Properties.Get", 0, iface, name).Store(&variant)
	value, ok := variant.Value().(T)
	if err == nil && !ok {
		err = fmt.Errorf("its property %s is of an unexpected type", name)
	}
	return value, err
}

// waitsForPerson recognises the errors of a locked collection and of a prompt that
// was dismissed or could not be shown. go-keyring has plain text for the latter.
func waitsForPerson(err error) bool {
	var failure dbus.Error
	if errors.As(err, &failure) && failure.Name == "org.freedesktop.Secret.Error.IsLocked" {
		return true
	}
	return strings.HasPrefix(err.Error(), "failed to unlock")
}
