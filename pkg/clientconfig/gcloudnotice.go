package clientconfig

import (
	"fmt"
	"slices"
	"strings"
)

// allowExecutables has to be set to 1 where gcloud or a library of Google shall run what a
// credential file names.
const allowExecutables = "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES"

// gcloudNotices tells what has to be set, or must not be, where gcloud runs.
func (e Env) gcloudNotices(use bool) []string {
	var notices []string
	if e.Getenv(allowExecutables) != "1" {
		notices = append(notices, fmt.Sprintf("gcloud and the SDKs of Google run svcconn only where %s=1 is set: export it in the shell's start-up file", allowExecutables))
	}
	if e.Getenv("SVCCONN_AGENT") == "off" {
		notices = append(notices, "SVCCONN_AGENT=off is set: gcloud and the SDKs of Google get their tokens from the agent, and none without it")
	}
	if first := e.setOf("CLOUDSDK_AUTH_ACCESS_TOKEN", "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE", "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE"); len(first) > 0 {
		notices = append(notices, fmt.Sprintf("%s is set, which comes before what a configuration says", strings.Join(first, ", ")))
	}
	if name := e.Getenv("CLOUDSDK_ACTIVE_CONFIG_NAME"); name != "" && use {
		notices = append(notices, fmt.Sprintf("CLOUDSDK_ACTIVE_CONFIG_NAME is set: where it is, %s stays the active configuration", name))
	}
	if proxies := e.setOf("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"); len(proxies) > 0 && !e.bypassesLoopback() {
		notices = append(notices, fmt.Sprintf("%s is set: gcloud would go to the agent through that proxy, and it would see tokens, unless NO_PROXY has 127.0.0.1", strings.Join(proxies, ", ")))
	}
	return append(notices, e.setupNotices("a credential file")...)
}

// bypassesLoopback reports whether connections to the loopback interface use no proxy.
func (e Env) bypassesLoopback() bool {
	for _, name := range []string{"NO_PROXY", "no_proxy"} {
		for host := range strings.SplitSeq(e.Getenv(name), ",") {
			if slices.Contains([]string{"127.0.0.1", "*", "127.0.0.0/8"}, strings.TrimSpace(host)) {
				return true
			}
		}
	}
	return false
}
