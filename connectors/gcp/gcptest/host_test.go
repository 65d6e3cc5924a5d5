package gcptest

import "testing"

func TestHosts(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	s.Universe("apis-berlin-build0.goog", "pkg-berlin-build0.goog")
	s.Universe("bare.goog", "")
	for host, want := range map[string]string{ // a service that is there, "registry", or "" for nobody
		"storage.googleapis.com":                             "storage",
		"STORAGE.googleapis.com:443":                         "storage",
		"data.storage.googleapis.com":                        "storage",
		"storage-mine.p.googleapis.com":                      "storage",
		"container.europe-west1.rep.googleapis.com":          "container",
		"sts.apis-berlin-build0.goog":                        "sts",
		"accounts.apis-berlin-build0.goog":                   "accounts",
		"accounts.google.com":                                "accounts",
		"metadata.google.internal":                           "metadata",
		"169.254.169.254":                                    "metadata",
		"europe-west1-docker.pkg.dev":                        "registry",
		"eu-docker.pkg.dev:443":                              "registry",
		"gcr.io":                                             "registry",
		"asia.gcr.io":                                        "registry",
		"u-germany-northeast1-docker.pkg-berlin-build0.goog": "registry",
		"africa.gcr.io":                                      "",
		"a.b-docker.pkg.dev":                                 "",
		"docker.pkg.dev":                                     "",
		"europe-docker.bare.goog.example.com":                "",
		"googleapis.com":                                     "",
		"storage.googleapis.com.example.com":                 "",
		"evilgoogleapis.com":                                 "",
		"127.0.0.1:80":                                       "",
	} {
		h, google := s.parseHost(host)
		var got bool
		switch want {
		case "":
			got = s.atHost(host) == nil
		case "registry":
			got = s.isRegistry(host) && s.atHost(host) != nil
		default:
			for _, service := range s.services {
				got = got || service.name == want && google && service.serves(h)
			}
		}
		if !got {
			t.Errorf("%s is not %q", host, want)
		}
	}
}
