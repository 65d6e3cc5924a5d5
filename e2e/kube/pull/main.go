// Command pull is the part of kubelet that finds the login for an image: kubelet's own
// code, with its configuration and its folder of credential providers. It prints the
// user name, then the password; nothing where kubelet would pull anonymously.
package main

import (
	"flag"
	"fmt"
	"os"

	"k8s.io/kubernetes/pkg/credentialprovider/plugin"
)

func main() {
	config := flag.String("config", "", "the CredentialProviderConfig")
	folder := flag.String("bin-dir", "", "the folder of providers")
	flag.Parse()
	if err := plugin.RegisterCredentialProviderPlugins(*config, *folder, nil, nil); err != nil {
		fmt.Fprintln(os.Stderr, "pull:", err)
		os.Exit(1)
	}
	logins, found := plugin.NewExternalCredentialProviderDockerKeyring("", "", "", "").Lookup(flag.Arg(0))
	if found {
		fmt.Println(logins[0].Username)
		fmt.Println(logins[0].Password)
	}
}
