package keyringtest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/svcconn/svcconn/pkg/secrets/keyringtest"
)

func TestStartKeyring(t *testing.T) {
	t.Parallel()
	k := keyringtest.StartKeyring(t)
	if !slices.ContainsFunc(k.Env, func(kv string) bool { return strings.HasPrefix(kv, "DBUS_SESSION_BUS_ADDRESS=unix:") }) {
		t.Errorf("environment %v has no bus", k.Env)
	}
	if accounts := k.Accounts("svcconn"); len(accounts) != 0 {
		t.Errorf("a new keyring has %v", accounts)
	}
	for range 2 { // what is locked can be locked again
		k.Lock()
	}
	k.Unlock()
	if accounts := k.Accounts("svcconn"); len(accounts) != 0 {
		t.Errorf("unlocking brought %v", accounts)
	}
}
