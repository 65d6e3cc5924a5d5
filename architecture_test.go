// Package svcconn_test guards the shape of the whole module: who may import whom.
package svcconn_test

import (
	"bufio"
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/svcconn/svcconn/"

// imports is the import graph of this module's packages and all they depend on.
func imports(t *testing.T) map[string][]string {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-f", "{{.ImportPath}} {{join .Imports \" \"}}", "./cmd/...", "./pkg/...", "./connectors/...")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	graph := map[string][]string{}
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		graph[words[0]] = words[1:]
	}
	return graph
}

// path finds the shortest chain of imports from one package to one that matches.
func path(graph map[string][]string, from string, match func(string) bool) []string {
	type node struct {
		name string
		up   *node
	}
	seen := map[string]bool{from: true}
	for queue := []*node{{name: from}}; len(queue) > 0; queue = queue[1:] {
		n := queue[0]
		if n.up != nil && match(n.name) {
			var chain []string
			for ; n != nil; n = n.up {
				chain = append([]string{n.name}, chain...)
			}
			return chain
		}
		for _, next := range graph[n.name] {
			if !seen[next] {
				seen[next] = true
				queue = append(queue, &node{next, n})
			}
		}
	}
	return nil
}

func forbid(t *testing.T, graph map[string][]string, from, why string, match func(string) bool) {
	t.Helper()
	if _, ok := graph[module+from]; !ok {
		t.Fatalf("package %s does not exist: mend this test", from)
	}
	if chain := path(graph, module+from, match); chain != nil {
		t.Errorf("%s: %s", why, strings.Join(chain, "\n    imports "))
	}
}

func standardLibrary(name string) bool {
	first, _, _ := strings.Cut(name, "/")
	return !strings.Contains(first, ".")
}

// TestThinFrontEndsLinkTheStandardLibraryOnly keeps what docker and kubectl start
// thousands of times small.
func TestThinFrontEndsLinkTheStandardLibraryOnly(t *testing.T) {
	t.Parallel()
	graph := imports(t)
	thin := []string{"pkg/agentclient", "pkg/wire", "pkg/proc", "pkg/paths", "pkg/fault", "pkg/secret", "pkg/filelock", "pkg/atomicfile"}
	for _, from := range []string{"cmd/docker-credential-svcconn", "cmd/kubectl-svcconn", "pkg/agentclient", "pkg/wire"} {
		forbid(t, graph, from, "a thin front-end links more than it may", func(name string) bool {
			own, ok := strings.CutPrefix(name, module)
			switch {
			case ok:
				return strings.HasPrefix(own, "pkg/") && !slices.Contains(thin, own) && own != "pkg/dockerhelper" && own != "pkg/kubeplugin"
			case name == "github.com/docker/docker-credential-helpers/credentials":
				return false // the protocol's own words: 2 packages, no init
			}
			return !standardLibrary(name)
		})
		forbid(t, graph, from, "a thin front-end links package net: see agentclient/dial_unix.go", func(name string) bool {
			return runtime.GOOS != "windows" && (name == "net" || name == "net/http")
		})
	}
}

// TestDirectionOfImports: cmd → front-ends → agent → broker → its parts; connector
// types see the words alone; only cmd/svcconn links them.
func TestDirectionOfImports(t *testing.T) {
	t.Parallel()
	graph := imports(t)
	layers := [][]string{
		{"cmd/"},
		{"pkg/admin", "pkg/dockerhelper", "pkg/kubeplugin"},
		{"pkg/agent"},
		{"pkg/broker"},
	}
	for i, layer := range layers {
		for name := range graph {
			own, ok := strings.CutPrefix(name, module)
			if !ok || !(strings.HasPrefix(own, "pkg/") || strings.HasPrefix(own, "connectors/")) || inLayers(own, layers[:i+1]) {
				continue
			}
			forbid(t, graph, own, "an import against the direction", func(name string) bool {
				to, ok := strings.CutPrefix(name, module)
				return ok && inLayers(to, [][]string{layer})
			})
		}
	}
	for name := range graph {
		own, ok := strings.CutPrefix(name, module)
		if ok && own != "cmd/svcconn" && !strings.HasPrefix(own, "connectors") {
			forbid(t, graph, own, "only cmd/svcconn links the connector types", func(name string) bool {
				return strings.HasPrefix(name, module+"connectors")
			})
		}
	}
}

func inLayers(own string, layers [][]string) bool {
	for _, layer := range layers {
		for _, name := range layer {
			if own == name || strings.HasSuffix(name, "/") && strings.HasPrefix(own, name) {
				return true
			}
		}
	}
	return false
}

// TestConnectorTypesSeeTheWordsAlone keeps the engine out of the connector types. The
// fake services beside them are no part of them.
func TestConnectorTypesSeeTheWordsAlone(t *testing.T) {
	t.Parallel()
	graph := imports(t)
	allowed := []string{"pkg/connector", "pkg/field", "pkg/secret", "pkg/fault", "pkg/registryname", "pkg/hop", "pkg/callback"}
	for name := range graph {
		own, ok := strings.CutPrefix(name, module)
		if ok && strings.HasPrefix(own, "connectors/") && !strings.HasSuffix(own, "test") {
			forbid(t, graph, own, "a connector type sees more than the words", func(name string) bool {
				to, ok := strings.CutPrefix(name, module)
				return ok && strings.HasPrefix(to, "pkg/") && !slices.Contains(allowed, to)
			})
		}
	}
}

// homes are the packages that may import a third-party module.
var homes = map[string][]string{
	"k8s.io/apimachinery":                            {"pkg/agent"}, // the time in clientauthentication
	"k8s.io/client-go/pkg/apis/clientauthentication": {"pkg/agent"},
	"github.com/pelletier/go-toml/v2":                {"pkg/tomlfile"},
	"github.com/zalando/go-keyring":                  {"pkg/secrets"},
	"filippo.io/age":                                 {"pkg/secrets"},
	"github.com/godbus/dbus/v5":                      {"pkg/secrets"},
	"github.com/urfave/cli/v2":                       {"pkg/admin"},
	"github.com/rogpeppe/go-internal":                {"pkg/clientconfig", "pkg/connectortest"}, // its diff; its archives
	"github.com/tailscale/hujson":                    {"pkg/clientconfig"},
	"github.com/docker/docker-credential-helpers":    {"pkg/dockerhelper", "connectors/docker"},
	"github.com/google/go-containerregistry":         {"connectors/docker", "pkg/registrytest", "connectors/aws/awstest", "connectors/gcp/gcptest"},
	"github.com/aws/aws-sdk-go-v2":                   {"connectors/aws"},
	"github.com/aws/smithy-go":                       {"connectors/aws"},
	"github.com/google/uuid":                         {"pkg/registry"},
	"github.com/mattn/go-runewidth":                  {"pkg/output"},
	"go.yaml.in/yaml/v3":                             {"pkg/output", "pkg/clientconfig"},
	"golang.org/x/oauth2":                            {"connectors/kubernetes", "connectors/gcp"},
	"github.com/coreos/go-oidc/v3":                   {"connectors/kubernetes"},
	"golang.org/x/net":                               {"pkg/registryname", "pkg/admin"}, // idna; httpproxy
	"golang.org/x/term":                              {"pkg/prompt"},
	"golang.org/x/mod":                               {"pkg/agent"},
	"k8s.io/client-go/tools/clientcmd":               {"pkg/clientconfig", "connectors/kubernetes"},
	"golang.org/x/sys":                               {"pkg/agent", "pkg/registry", "pkg/prompt", "pkg/secrets", "pkg/clientconfig"},
}

// TestEveryModuleHasItsHome: a third-party module is imported in one place.
func TestEveryModuleHasItsHome(t *testing.T) {
	t.Parallel()
	for name, list := range imports(t) {
		own, ok := strings.CutPrefix(name, module)
		if !ok {
			continue
		}
		for _, to := range list {
			if standardLibrary(to) || strings.HasPrefix(to, module) {
				continue
			}
			if !hasHome(own, to) {
				t.Errorf("%s imports %s, whose home is elsewhere or not declared in homes", own, to)
			}
		}
	}
}

func hasHome(own, imported string) bool {
	for prefix, packages := range homes {
		if imported == prefix || strings.HasPrefix(imported, prefix+"/") {
			for _, home := range packages {
				if own == home || strings.HasPrefix(own, home+"/") {
					return true
				}
			}
		}
	}
	return false
}

// injected are the functions that only the border to the process may call, and who
// else may, with the reason.
var injected = map[string]map[string]string{
	"time.Now": {
		"pkg/proc/proc.go":                "the border",
		"pkg/agentclient/connect.go":      "deadlines of a connection are the kernel's clock",
		"pkg/agentclient/dial_windows.go": "deadlines of a connection are the kernel's clock",
	},
	"os.Getenv":          {},
	"os.Environ":         {"pkg/proc/proc.go": "the border"},
	"os.Stdout":          {"pkg/proc/proc.go": "the border"},
	"os.Stdin":           {"pkg/proc/proc.go": "the border"},
	"os.Stderr":          {"pkg/proc/proc.go": "the border"},
	"http.DefaultClient": {},
}

// TestTheProcessIsReachedThroughItsBorder: clock, environment and streams are
// injected everywhere else.
func TestTheProcessIsReachedThroughItsBorder(t *testing.T) {
	t.Parallel()
	for _, root := range []string{"pkg", "connectors", "cmd"} {
		err := filepath.WalkDir(root, func(file string, _ os.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") || strings.Contains(file, "test/") {
				return err
			}
			checkBorder(t, filepath.ToSlash(file))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func checkBorder(t *testing.T, file string) {
	t.Helper()
	fset := token.NewFileSet()
	parsed, err := parser.ParseFile(fset, file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		x, ok := selector.X.(*ast.Ident)
		if !ok {
			return true
		}
		name := x.Name + "." + selector.Sel.Name
		if allowed, ok := injected[name]; ok && allowed[file] == "" {
			t.Errorf("%s: %s is not injected", fset.Position(n.Pos()), name)
		}
		return true
	})
}
