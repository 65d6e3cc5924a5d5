package connector

import (
	"strings"
	"testing"

	"github.com/svcconn/svcconn/pkg/fault"
)

func TestServerURL(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"https://kube.example.com":                      "https://kube.example.com",
		"HTTPS://Kube.Example.COM.:443/":                "https://kube.example.com",
		"kube.example.com":                              "https://kube.example.com",
		"kube.example.com:6443":                         "https://kube.example.com:6443",
		" https://kube.example.com:6443/ ":              "https://kube.example.com:6443",
		"https://127.0.0.1:34567":                       "https://127.0.0.1:34567",
		"https://[::1]:6443/":                           "https://[::1]:6443",
		"https://[0:0:0:0:0:0:0:1]":                     "https://[::1]",
		"https://rancher.example.com/k8s/clusters/C-1/": "https://rancher.example.com/k8s/clusters/C-1",
		"https://localhost:6443//":                      "https://localhost:6443",
	} {
		got, err := ServerURL(text)
		if err != nil || got != want {
			t.Errorf("ServerURL(%q) = %q, %v, want %q", text, got, err, want)
		}
	}
}

func TestServerURLRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", " ", "http://kube.example.com", "ftp://kube.example.com", "https://", "https:///path", "https://me:hunter2@kube.example.com",
		"https://kube.example.com?token=hunter2", "https://kube.example.com#hunter2", "https://kube.example.com#", "https://a b", "https://kube\x00.example.com",
		"https://kube.example.com:https", "https://.example.com", "https://a..b", "https://[::1", "https://[fe80::1%25eth0]", "https://a/../b",
		"https://" + strings.Repeat("a", maxServerURL),
	} {
		got, err := ServerURL(text)
		if !fault.Is(err, fault.Invalid) || fault.HintOf(err) == "" {
			t.Errorf("ServerURL(%q) = %q, %v, want invalid with a hint", text, got, err)
		} else if strings.Contains(err.Error()+fault.HintOf(err), "hunter2") {
			t.Errorf("ServerURL(%q) repeats it: %v", text, err)
		}
	}
}

// What is canonical stays as it is, and a spelling never leads to another host.
func FuzzServerURL(f *testing.F) {
	for _, seed := range []string{"https://Kube.Example.com.:443/a/", "kube:6443", "https://[::1]:443/", "https://a%2fb", "https://a/%2e%2e/b", "0..", "https://a:0443", "https://a:70000"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		once, err := ServerURL(text)
		if err != nil {
			return
		}
		twice, err := ServerURL(once)
		if err != nil || twice != once {
			t.Fatalf("%q is %q, which is %q, %v", text, once, twice, err)
		}
	})
}
