package output

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// encode prints a value as JSON, or as YAML of the same shape and order.
func (p Printer) encode(value any) error {
	text, err := marshal(value)
	if err != nil {
		return err
	}
	if p.Format == YAML {
		text, err = yamlOf(text)
	} else {
		text = escapeHidden(text, escapedJSON)
	}
	if err != nil {
		return err
	}
	return p.write(text)
}

// marshal indents, and leaves <, > and & alone.
func marshal(value any) (string, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		return "", fmt.Errorf("encode as JSON: %w", err)
	}
	return out.String(), nil
}

// yamlOf turns JSON into YAML. JSON is YAML already, once the few characters that
// YAML does not want to see are escaped: it is read as such, which keeps its order,
// and written in the block style.
func yamlOf(jsonText string) (string, error) {
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(escapeHidden(jsonText, escapedYAML)), &document); err != nil {
		return "", fmt.Errorf("encode as YAML: %w", err)
	}
	restyle(&document)
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(&document); err != nil {
		return "", fmt.Errorf("encode as YAML: %w", err)
	}
	return escapeHidden(out.String(), escapedYAML), nil
}

func escapedJSON(r rune) string {
	if high, low := utf16.EncodeRune(r); high != utf8.RuneError {
		return fmt.Sprintf(`\u%04x\u%04x`, high, low)
	}
	return fmt.Sprintf(`\u%04x`, r)
}

func escapedYAML(r rune) string {
	if r < 0x10000 {
		return fmt.Sprintf(`\u%04x`, r)
	}
	return fmt.Sprintf(`\U%08x`, r)
}

// restyle gives a document the block style. Quotes stay around every string that
// some reader of YAML could take for something else.
func restyle(node *yaml.Node) {
	switch {
	case node.Kind == yaml.ScalarNode && (node.Tag != "!!str" || plainYAML(node.Value)):
		node.Style = 0
	case node.Kind == yaml.ScalarNode:
		node.Style = yaml.DoubleQuotedStyle
	case len(node.Content) > 0:
		node.Style = 0
	}
	for _, child := range node.Content {
		restyle(child)
	}
}

// plainYAML reports whether a string needs no quotes in any version of YAML.
func plainYAML(text string) bool {
	words := []string{"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
	return plainPattern.MatchString(text) && !slices.Contains(words, strings.ToLower(text))
}

// plainPattern is a letter and then letters, digits and some signs, with single
// spaces or colons inside.
var plainPattern = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_./@+-]*([ :][A-Za-z0-9_./@+-]+)*$`)

// escapeHidden replaces the hidden characters of a document but its own line
// breaks; they are inside quoted strings.
func escapeHidden(document string, escape func(rune) string) string {
	var out strings.Builder
	for _, r := range document {
		if r != '\n' && hidden(r) {
			out.WriteString(escape(r))
		} else {
			out.WriteRune(r)
		}
	}
	return out.String()
}
