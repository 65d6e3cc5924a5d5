// Package faketest has what the fake services of the tests have in common: a test that
// starts and stops them, and a certificate authority.
//
// It refuses to know any service, and links no package testing: programs that are no
// tests start the fakes too.
package faketest

// TB is what starting a service needs of testing.TB.
type TB interface {
	Helper()
	Fatal(...any)
	Cleanup(func())
}

// Started starts a service for a test, which fails if it cannot start and stops it when it
// ends.
func Started[S interface{ Close() error }](t TB, start func() (S, error)) S {
	t.Helper()
	s, err := start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}
