package main

import (
	"crypto/tls"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/svcconn/svcconn/pkg/kubetest"
	"github.com/svcconn/svcconn/pkg/oidctest"
)

// cluster starts an API server and the OpenID Connect issuer that it trusts, whose
// refresh tokens are good for one use. The file "revoke" ends all logins there.
func cluster(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: cluster")
	}
	issuer, err := oidctest.New(oidctest.Options{TLS: true, ES256: true, Behaviour: oidctest.Behaviour{Rotate: true}})
	ts.Check(err)
	ts.Defer(func() { _ = issuer.Close() })
	revoke := ts.MkAbs("revoke")
	api, err := kubetest.New(kubetest.Options{Authenticate: func(token string) (kubetest.User, bool) {
		claims, ok := issuer.Knows(token)
		subject, _ := claims["sub"].(string)
		if os.Remove(revoke) == nil {
			issuer.Revoke()
		}
		return kubetest.User{Name: subject}, ok
	}})
	ts.Check(err)
	ts.Defer(func() { _ = api.Close() })
	for name, text := range map[string]string{"api-ca.pem": api.CertificateAuthority(), "issuer-ca.pem": issuer.CertificateAuthority()} {
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o600))
	}
	ts.Setenv("API", api.URL())
	ts.Setenv("ISSUER", issuer.URL())
	ts.Setenv("VISITS", ts.MkAbs("visits"))
	ts.Setenv("BROWSER", "browser")
}

// browser is the program that opens a page and follows it where it leads. It notes
// that it was there.
func browser() {
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	visits, err := os.OpenFile(filepath.Clean(os.Getenv("VISITS")), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		os.Exit(1)
	}
	_, _ = io.WriteString(visits, "visit\n")
	_ = visits.Close()
	response, err := client.Get(os.Args[1])
	if err != nil || response.StatusCode != http.StatusOK {
		os.Exit(1)
	}
}
