package clientconfig

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/svcconn/svcconn/pkg/fault"
)

// The members of a kubeconfig that matter here.
const (
	memberClusters = "clusters"
	memberContexts = "contexts"
	memberUsers    = "users"
	memberCurrent  = "current-context"
)

// kubeLists are the members that a login adds entries to. They go in front of what is
// there, so the last of these comes to stand first.
var kubeLists = []string{memberUsers, memberContexts, memberClusters}

// kubeFile is a kubeconfig, in YAML or in JSON, whose every byte stays what it is
// unless it is edited. The nodes say where things are in the text; what they mean is
// for clientcmd to say, as kubectl reads it. A file that is absent, blank or has
// comments alone has no root.
type kubeFile struct {
	file   string
	text   []byte
	exists bool
	root   *yaml.Node
	lines  []int // where each line begins; the last is the text's length
	config *clientcmdapi.Config
}

// parseKube refuses what kubectl does not read, and what cannot be edited as text. Its
// errors name file and line and never quote the file, which may hold tokens and keys.
func parseKube(file string, text []byte) (*kubeFile, error) {
	k := &kubeFile{file: file, text: text, exists: text != nil}
	return k, k.parse()
}

// parse brings nodes and config in step with the text.
func (k *kubeFile) parse() error {
	k.lines, k.root = linesOf(k.text), nil
	if !utf8.Valid(k.text) {
		return k.invalid(1, "it is not in UTF-8")
	}
	decoder := yaml.NewDecoder(bytes.NewReader(k.text))
	var document, more yaml.Node
	err := decoder.Decode(&document)
	if err == nil {
		if next := decoder.Decode(&more); next == nil {
			return k.invalid(max(more.Line, 1), "a second document begins here, of which kubectl takes no notice")
		} else if !errors.Is(next, io.EOF) {
			err = next
		}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return k.invalid(lineOfError(err), "it is not valid YAML")
	}
	if err == nil {
		if err := k.setRoot(document.Content[0]); err != nil {
			return err
		}
	}
	if k.config, err = clientcmd.Load(k.text); err != nil { // its words quote the file
		return k.invalid(1, "kubectl does not read it: a member has the wrong type, a name is there twice, or it is no kubeconfig of version v1")
	}
	return nil
}

var errorLine = regexp.MustCompile(`line (\d+)`)

func lineOfError(err error) int {
	if found := errorLine.FindStringSubmatch(err.Error()); found != nil {
		if n, err := strconv.Atoi(found[1]); err == nil {
			return max(n, 1)
		}
	}
	return 1
}

func (k *kubeFile) setRoot(root *yaml.Node) error {
	if root.Kind != yaml.MappingNode {
		return k.invalid(max(root.Line, 1), "it is no kubeconfig: there are no members at its top")
	}
	seen := map[string]bool{}
	for i := 0; i < len(root.Content); i += 2 {
		key := root.Content[i]
		if seen[key.Value] || key.Kind != yaml.ScalarNode || key.Tag == "!!merge" {
			return k.invalid(key.Line, "a key is there twice, or is none")
		}
		seen[key.Value] = true
	}
	k.root = root
	return nil
}

func (k *kubeFile) invalid(line int, format string, args ...any) error {
	return (&document{file: k.file}).invalid(line, format, args...)
}

// odd is the error for a layout that is valid, but that nobody has; editing it as text
// would be a guess.
func (k *kubeFile) odd(at *yaml.Node) error {
	return fault.New(fault.Invalid, "%s, line %d: it is valid, but laid out in a way that svcconn does not edit", k.file, max(at.Line, 1)).
		Hint("`kubectl config view --raw` writes it in the usual layout; or change it by hand as --dry-run shows for an empty KUBECONFIG")
}

// member returns the key and the value of a member of the top, nil if there is none.
func (k *kubeFile) member(name string) (key, value *yaml.Node) {
	if k.root == nil {
		return nil, nil
	}
	for i := 0; i+1 < len(k.root.Content); i += 2 {
		if k.root.Content[i].Value == name {
			return k.root.Content[i], k.root.Content[i+1]
		}
	}
	return nil, nil
}

// named returns the entries of a list that have one of the names.
func (k *kubeFile) named(list string, names []string) []*yaml.Node {
	_, value := k.member(list)
	if value == nil || value.Kind != yaml.SequenceNode {
		return nil
	}
	var found []*yaml.Node
	for _, item := range value.Content {
		for i := 0; i+1 < len(item.Content); i += 2 {
			if item.Content[i].Value == "name" && slices.Contains(names, item.Content[i+1].Value) {
				found = append(found, item)
			}
		}
	}
	return found
}

// isFlow reports whether a node is written with brackets or braces, as all of JSON is.
func isFlow(n *yaml.Node) bool { return n.Style&yaml.FlowStyle != 0 }

// hollowList reports whether a list is absent or has nothing in it.
func (k *kubeFile) hollowList(name string) bool {
	_, value := k.member(name)
	return value == nil || value.Kind == yaml.ScalarNode || value.Kind == yaml.SequenceNode && len(value.Content) == 0
}

// newline is the line end that the file uses.
func (k *kubeFile) newline() string {
	if bytes.Contains(k.text, []byte("\r\n")) {
		return "\r\n"
	}
	return "\n"
}

const byteOrderMark = "\ufeff"

// linesOf finds where lines begin, by what YAML takes for a line break.
func linesOf(text []byte) []int {
	start := 0
	if bytes.HasPrefix(text, []byte(byteOrderMark)) {
		start = len(byteOrderMark)
	}
	lines := []int{start}
	for i := start; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		i += size
		if r == '\r' && i < len(text) && text[i] == '\n' {
			i++
		} else if r != '\n' && r != '\r' && r != '\u0085' && r != '\u2028' && r != '\u2029' {
			continue
		}
		lines = append(lines, i)
	}
	return append(lines, len(text))
}

// line returns where a line, counted from 1, begins; beyond the last it is the end.
func (k *kubeFile) line(n int) int { return k.lines[min(n-1, len(k.lines)-1)] }

// offset is where a node begins in the text; columns count characters.
func (k *kubeFile) offset(n *yaml.Node) int {
	at := k.line(n.Line)
	for range n.Column - 1 {
		_, size := utf8.DecodeRune(k.text[at:])
		at += size
	}
	return at
}

// splice replaces a part of the text.
func (k *kubeFile) splice(from, to int, by string) error {
	k.text = slices.Concat(k.text[:from], []byte(by), k.text[to:])
	return k.parse()
}

// blankOrComment reports whether a line has no content of its own.
func (k *kubeFile) blankOrComment(n int) bool {
	text := strings.TrimSpace(string(k.text[k.line(n):k.line(n+1)]))
	return text == "" || text[0] == '#'
}
