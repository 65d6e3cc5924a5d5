package main

import (
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/svcconn/svcconn/pkg/kubetest"
)

// apiserver starts an API server that knows the canary as a token. The file
// api-ca.pem has its certificate authority. With the file "applied" it tells by then
// what the secret default/regcred there says, for the story to compare.
func apiserver(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: apiserver")
	}
	var api *kubetest.Server
	api, err := kubetest.New(kubetest.Options{Authenticate: func(token string) (kubetest.User, bool) {
		if found, ok := api.Secret("default", "regcred"); ok {
			config := string(found.Data[".dockerconfigjson"])
			text := found.Type + "\n" + strings.ReplaceAll(config, canary, "[password]") + "\n"
			_ = os.WriteFile(ts.MkAbs("applied"), []byte(text), 0o600)
		}
		return kubetest.User{Name: "ci"}, token == canary
	}})
	ts.Check(err)
	ts.Defer(func() { _ = api.Close() })
	ts.Check(os.WriteFile(ts.MkAbs("api-ca.pem"), []byte(api.CertificateAuthority()), 0o600))
	ts.Setenv("API", api.URL())
}
