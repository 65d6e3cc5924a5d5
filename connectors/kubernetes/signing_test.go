package kubernetes

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/kubetest"
	"github.com/svcconn/svcconn/pkg/secret"
)

// listener is a person who hears what is told.
type listener struct{ told []string }

func (*listener) OpenBrowser(string) error { return errors.New("no browser here") }
func (l *listener) Tell(text string)       { l.told = append(l.told, text) }

// waiting has a certificate asked for that the login may not approve itself. While it
// is waited for, meanwhile happens, instead of time passing; n counts from 1.
func waiting(t *testing.T, s *kubetest.Server, meanwhile func(n int, name string) error) (connector.KubernetesAuth, []string, []time.Duration, error) {
	t.Helper()
	host, person := emptyHost(t), &listener{}
	host.Person = person
	var pauses []time.Duration
	session, err := openWith(host, settingsOf(t, methodCertificateRequest, withToken(at(s))), func(_ context.Context, wait time.Duration) error {
		pauses = append(pauses, wait)
		return meanwhile(len(pauses), s.SigningRequests()[0])
	})
	if err != nil {
		t.Fatal(err)
	}
	auth, err := mint(t, session, 0)
	return auth, person.told, pauses, err
}

func unapproved() kubetest.Options {
	options := knowing()
	options.Forbidden = []string{"approve signers"}
	return options
}

func TestApprovalIsAwaited(t *testing.T) {
	t.Parallel()
	s := kubetest.Start(t, unapproved())
	auth, told, pauses, err := waiting(t, s, func(n int, name string) error {
		if n < 7 {
			return nil
		}
		return s.Approve(name)
	})
	want := []time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 5 * time.Second, 5 * time.Second}
	if err != nil || auth.ClientCertificate == "" || !slices.Equal(pauses, want) {
		t.Errorf("%v, paused %v", err, pauses)
	}
	if len(told) != 1 || !strings.Contains(told[0], "kubectl certificate approve svcconn-") {
		t.Errorf("told %v", told)
	}
	if left := s.SigningRequests(); len(left) != 0 {
		t.Errorf("requests are left behind: %v", left)
	}
}

func TestApprovalThatDoesNotCome(t *testing.T) {
	t.Parallel()
	for what, test := range map[string]struct {
		meanwhile  func(s *kubetest.Server, name string) error
		kind       fault.Kind
		text, hint string
	}{
		"denied":  {func(s *kubetest.Server, name string) error { return s.Deny(name, "NotYou", "ask\nin the chat") }, fault.Denied, "was denied: NotYou: ask in the chat", "approves such requests"},
		"failed":  {func(s *kubetest.Server, name string) error { return s.FailSigning(name, "Broken", "no key") }, fault.Failed, "could not sign the certificate signing request svcconn-", ""},
		"deleted": {func(s *kubetest.Server, name string) error { s.Drop(name); return nil }, fault.Failed, "someone deleted the certificate signing request svcconn-", "try again"},
		"gone":    {func(*kubetest.Server, string) error { return context.Canceled }, fault.Interrupted, "canceled", ""},
	} {
		s := kubetest.Start(t, unapproved())
		_, _, _, err := waiting(t, s, func(_ int, name string) error { return test.meanwhile(s, name) })
		refused(t, what, err, test.kind, test.text, test.hint)
		if left := s.SigningRequests(); len(left) != 0 {
			t.Errorf("%s: requests are left behind: %v", what, left)
		}
	}
}

// What the caller's deadline cuts off is said by what was waited for.
func TestApprovalThatTakesTooLong(t *testing.T) {
	t.Parallel()
	unsigned := knowing()
	unsigned.Unsigned = true
	for what, test := range map[string]struct {
		options    kubetest.Options
		kind       fault.Kind
		text, hint string
	}{
		"approval":  {unapproved(), fault.NeedsPerson, "nobody approved the certificate signing request svcconn-", "kubectl certificate approve NAME"},
		"signature": {unsigned, fault.Unavailable, "was approved but not signed in time", "kube-controller-manager"},
	} {
		s := kubetest.Start(t, test.options)
		session := sessionOf(t, methodCertificateRequest, withToken(at(s)))
		ctx, cancel := context.WithTimeout(t.Context(), 700*time.Millisecond)
		_, err := session.Mint(ctx, connector.Request{ResourceType: resourceName, ResourceName: cluster})
		cancel()
		refused(t, what, err, test.kind, test.text, test.hint)
		if left := s.SigningRequests(); len(left) != 0 {
			t.Errorf("%s: requests are left behind: %v", what, left)
		}
	}
}

// A request that somebody else decides at the same time is decided.
func TestApprovalByTwo(t *testing.T) {
	t.Parallel()
	s := kubetest.Start(t, knowing())
	s.Inject(kubetest.Fault{Path: signingPath + "/", Status: 409, Times: 1, Body: `{"kind":"Status","reason":"Conflict","message":"modified"}`})
	auth, told, _, err := waiting(t, s, func(_ int, name string) error { return s.Approve(name) })
	if err != nil || auth.ClientCertificate == "" || len(told) != 0 {
		t.Errorf("%v, told %v", err, told)
	}
}

func TestSignedKeyIsOurs(t *testing.T) {
	t.Parallel()
	s := kubetest.Start(t, unapproved())
	foreign, _, err := s.ClientCertificate(jane, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for what, test := range map[string]struct {
		certificate string
		kind        fault.Kind
		text        string
	}{
		"another's":      {foreign, fault.Failed, "signed another key than ours"},
		"no certificate": {"nonsense", fault.Invalid, "no certificate in it"},
	} {
		_, _, _, err = waiting(t, s, func(int, string) error {
			s.Inject(kubetest.Fault{Path: signingPath + "/", Status: 200, Times: 1, Body: `{"metadata":{"name":"svcconn-x"},"status":{"certificate":"` + b64(test.certificate) + `"}}`})
			return nil
		})
		refused(t, what, err, test.kind, test.text, "")
	}
}

func (*listener) Ask(context.Context, string) (secret.Text, error) {
	return secret.Text{}, errors.New("nothing to say")
}
