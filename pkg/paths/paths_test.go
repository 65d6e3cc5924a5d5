package paths

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestResolve(t *testing.T) {
	t.Parallel()
	run := t.TempDir()
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, goos string
		env        map[string]string
		want       Dirs
	}{
		{"plain Linux", "linux", map[string]string{"HOME": "/h"},
			Dirs{"/h/.config/svcconn", "/h/.local/state/svcconn", "/h/.local/state/svcconn/run"}},
		{"XDG", "linux", map[string]string{"HOME": "/h", "XDG_CONFIG_HOME": "/c", "XDG_STATE_HOME": "/s", "XDG_RUNTIME_DIR": run},
			Dirs{"/c/svcconn", "/s/svcconn", run + "/svcconn"}},
		{"XDG relative and gone", "linux", map[string]string{"HOME": "/h", "XDG_CONFIG_HOME": "c", "XDG_RUNTIME_DIR": run + "/gone"},
			Dirs{"/h/.config/svcconn", "/h/.local/state/svcconn", "/h/.local/state/svcconn/run"}},
		{"macOS", "darwin", map[string]string{"HOME": "/h"},
			Dirs{"/h/Library/Application Support/svcconn", "/h/Library/Application Support/svcconn/state", "/h/Library/Caches/svcconn/run"}},
		{"one variable moves all", "linux", map[string]string{"HOME": "/h", "XDG_RUNTIME_DIR": run, "SVCCONN_CONFIG_DIR": "/x"},
			Dirs{"/x", "/x/state", "/x/run"}},
		{"without a home", "linux", map[string]string{"SVCCONN_CONFIG_DIR": "/x"}, Dirs{"/x", "/x/state", "/x/run"}},
		{"each has its own", "linux", map[string]string{"HOME": "/h", "SVCCONN_STATE_DIR": "/s", "SVCCONN_RUNTIME_DIR": "/r"},
			Dirs{"/h/.config/svcconn", "/s", "/r"}},
		{"relative", "linux", map[string]string{"SVCCONN_CONFIG_DIR": "x"},
			Dirs{here + "/x", here + "/x/state", here + "/x/run"}},
		{"Windows", "windows", map[string]string{"AppData": "/a", "LocalAppData": "/l"},
			Dirs{"/a/svcconn", "/l/svcconn/state", "/l/svcconn/run"}},
	} {
		got, err := resolve(func(name string) string { return tc.env[name] }, tc.goos)
		if diff := cmp.Diff(tc.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v -want +got\n%s", tc.name, err, diff)
		}
	}
	for _, goos := range []string{"linux", "darwin", "windows"} {
		if got, err := resolve(func(string) string { return "" }, goos); err == nil {
			t.Errorf("%s without any variable: %+v", goos, got)
		}
	}
}
