package clientconfig

import (
	"bytes"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/svcconn/svcconn/pkg/secret"
)

// shownInKube are the members of other people's entries that a diff shows: names, and
// what they refer to.
var shownInKube = []string{"name", "cluster", "user", memberCurrent, "kind", "apiVersion"}

// redactedKube is a kubeconfig for a diff: in one layout whatever the file's, without
// comments, and without the values of entries that are not ours.
func (s snapshotText) redactedKube() []byte {
	k, err := parseKube(s.path, s.text)
	if err != nil || k.root == nil {
		return nil
	}
	own := ownNames(k.config)
	for i := 0; i+1 < len(k.root.Content); i += 2 {
		name, value := k.root.Content[i].Value, k.root.Content[i+1]
		if value.Kind == yaml.SequenceNode && slices.Contains(kubeLists, name) {
			ours := k.named(name, own)
			for _, item := range value.Content {
				if !slices.Contains(ours, item) {
					hideKube(item, "")
				}
			}
			continue
		}
		hideKube(value, name)
	}
	plain(k.root)
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	encoder.CompactSeqIndent()
	_ = encoder.Encode(k.root) // it came from a file
	return out.Bytes()
}

// hideKube redacts the values below a member.
func hideKube(n *yaml.Node, member string) {
	switch n.Kind {
	case yaml.ScalarNode:
		if !slices.Contains(shownInKube, member) && n.Tag != "!!null" {
			n.Value, n.Tag = secret.Redacted, "!!str"
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			hideKube(n.Content[i+1], n.Content[i].Value)
		}
	default:
		for _, item := range n.Content {
			hideKube(item, "")
		}
	}
}

// plain gives everything one layout and drops comments.
func plain(n *yaml.Node) {
	n.Style, n.HeadComment, n.LineComment, n.FootComment = 0, "", "", ""
	for _, child := range n.Content {
		plain(child)
	}
}
