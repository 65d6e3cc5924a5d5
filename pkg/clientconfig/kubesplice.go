package clientconfig

import (
	"bytes"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// This file edits a kubeconfig as text: nothing is encoded anew but what is added.
// Every function leaves the nodes in step with the text. What comes out is compared
// with what was wanted, as clientcmd reads both (kubeFile.confirm).

// insert puts entries at the head of a list; the list is there, and not hollow unless
// it is written in brackets.
func (k *kubeFile) insert(list string, entries []kubeItem) error {
	key, value := k.member(list)
	if isFlow(value) {
		at := k.offset(value)
		if k.text[at] != '[' {
			return k.odd(value)
		}
		text := inFlow(entries)
		if len(value.Content) > 0 {
			text += ","
		}
		return k.splice(at+1, at+1, text)
	}
	if value.Line <= key.Line {
		return k.odd(value)
	}
	at := k.line(key.Line + 1)
	return k.splice(at, at, inBlock(entries, value.Column-1, k.newline()))
}

// fill gives a hollow list its first entries, and returns what the list was: the text
// between its colon and the end of its value, nil where it was not there at all.
func (k *kubeFile) fill(list string, entries []kubeItem) (was *string, err error) {
	key, value := k.member(list)
	if value == nil {
		return nil, k.addMember(list, entries)
	}
	from, to, err := k.valueText(key, value)
	if err != nil {
		return nil, err
	}
	text := string(k.text[from:to])
	if isFlow(k.root) {
		return &text, k.splice(from, to, "["+inFlow(entries)+"]")
	}
	rest := k.line(key.Line + 1)
	if to > rest {
		return nil, k.odd(value)
	}
	below := inBlock(entries, k.root.Column-1, k.newline())
	if rest == len(k.text) && !endsLine(k.text) {
		below = k.newline() + strings.TrimSuffix(below, k.newline())
	}
	behind := string(k.text[to:rest])
	return &text, k.splice(from, rest, behind+below)
}

func endsLine(text []byte) bool {
	return bytes.HasSuffix(text, []byte("\n")) || bytes.HasSuffix(text, []byte("\r"))
}

// addMember puts a new list in front of the members of the top.
func (k *kubeFile) addMember(list string, entries []kubeItem) error {
	if k.root != nil && isFlow(k.root) {
		return k.addInFlow(list, "["+inFlow(entries)+"]")
	}
	at, indent, err := k.head()
	if err != nil {
		return err
	}
	return k.splice(at, at, spaces(indent)+list+":"+k.newline()+inBlock(entries, indent, k.newline()))
}

// addScalar puts a new member with a plain value in front of the members of the top.
func (k *kubeFile) addScalar(name, value string) error {
	if k.root != nil && isFlow(k.root) {
		return k.addInFlow(name, jsonText(value))
	}
	at, indent, err := k.head()
	if err != nil {
		return err
	}
	return k.splice(at, at, spaces(indent)+name+": "+yamlText(value)+k.newline())
}

func (k *kubeFile) addInFlow(name, value string) error {
	at := k.offset(k.root)
	if k.text[at] != '{' {
		return k.odd(k.root)
	}
	text := jsonText(name) + ":" + value
	if len(k.root.Content) > 0 {
		text += ","
	}
	return k.splice(at+1, at+1, text)
}

// head is where a new first line of the top begins, and its indentation. A file
// without content gets it above its comments.
func (k *kubeFile) head() (at, indent int, err error) {
	if k.root == nil {
		if bytes.Contains(k.text, []byte("---")) {
			return 0, 0, k.odd(&yaml.Node{})
		}
		return k.line(1), 0, nil
	}
	first := k.root.Content[0]
	at, indent = k.line(first.Line), k.root.Column-1
	if k.offset(first) != at+indent || strings.TrimLeft(string(k.text[at:at+indent]), " ") != "" {
		return 0, 0, k.odd(first)
	}
	return at, indent, nil
}

// valueText returns the text between a member's colon and the end of its value, which
// is a scalar on the same line or an empty list.
func (k *kubeFile) valueText(key, value *yaml.Node) (from, to int, err error) {
	at, err := k.scalarEnd(key)
	if err != nil {
		return 0, 0, err
	}
	rest := k.text[at:]
	from = at + len(rest) - len(bytes.TrimLeft(rest, " \t")) + 1
	if from > len(k.text) || k.text[from-1] != ':' {
		return 0, 0, k.odd(key)
	}
	switch {
	case value.Kind == yaml.ScalarNode && value.Value == "" && value.Style == 0:
		return from, from, nil
	case isFlow(value) && len(value.Content) == 0:
		to, err = k.flowEnd(value)
		if err == nil && strings.TrimSpace(string(k.text[k.offset(value)+1:to-1])) != "" {
			err = k.odd(value) // a comment
		}
	case value.Kind == yaml.ScalarNode:
		to, err = k.scalarEnd(value)
	default:
		err = k.odd(value)
	}
	if err == nil && strings.TrimSpace(string(k.text[from:k.offset(value)])) != "" {
		err = k.odd(value) // a tag or an anchor
	}
	return from, to, err
}

// scalarEnd is where a plain or quoted scalar ends that has no escapes and one line.
func (k *kubeFile) scalarEnd(n *yaml.Node) (int, error) {
	at := k.offset(n)
	for _, form := range []string{n.Value, `"` + n.Value + `"`, `'` + n.Value + `'`, jsonText(n.Value)} {
		quoted := n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0
		if quoted == (form != n.Value) && bytes.HasPrefix(k.text[at:], []byte(form)) && n.Anchor == "" {
			return at + len(form), nil
		}
	}
	return 0, k.odd(n)
}

// flowEnd is where a node ends that is written in brackets or braces.
func (k *kubeFile) flowEnd(n *yaml.Node) (int, error) {
	depth := 0
	var quote byte
	for i := k.offset(n); i < len(k.text); i++ {
		switch c := k.text[i]; {
		case quote == '"' && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			if depth--; depth == 0 {
				return i + 1, nil
			}
		}
		if depth == 0 {
			break
		}
	}
	return 0, k.odd(n)
}

// remove deletes the entries of a list with the names. From the last to the first,
// what is in front stays where the nodes say that it is.
func (k *kubeFile) remove(list string, names []string) error {
	found := k.named(list, names)
	text, limit := k.text, len(k.text)
	for _, item := range slices.Backward(found) {
		from, to, err := k.extent(list, item)
		if err != nil {
			return err
		}
		text, limit = slices.Concat(text[:from], text[min(to, limit):]), from
	}
	if !endsLine(k.text) && endsLine(text) { // what was in front of the last entry did not end its line
		text = bytes.TrimSuffix(bytes.TrimSuffix(text, []byte("\n")), []byte("\r"))
	}
	k.text = text
	return k.parse()
}

// extent is the text of an entry of a list, with what separates it from the others.
func (k *kubeFile) extent(list string, item *yaml.Node) (from, to int, err error) {
	key, value := k.member(list)
	if isFlow(value) {
		return k.flowExtent(item, k.offset(item))
	}
	at := 0
	for value.Content[at] != item {
		at++
	}
	first, end := k.dash(value, item), k.after(key)
	if at+1 < len(value.Content) {
		end = k.dash(value, value.Content[at+1])
	}
	if first <= key.Line || end <= first {
		return 0, 0, k.odd(item)
	}
	from, to = k.wholeLines(first, end)
	return from, to, nil
}

// dash is the line on which the hyphen of an entry stands.
func (k *kubeFile) dash(value, item *yaml.Node) int {
	for n := item.Line; n > 0; n-- {
		if at := k.line(n) + value.Column - 1; at < k.line(n+1) && k.text[at] == '-' {
			return n
		}
	}
	return 0
}

// after is the first line behind a member of the top: where the next one begins.
func (k *kubeFile) after(key *yaml.Node) int {
	for i := 0; i < len(k.root.Content); i += 2 {
		if k.root.Content[i].Line > key.Line {
			return k.root.Content[i].Line
		}
	}
	for n := len(k.lines) - 1; n > key.Line; n-- { // the mark of a document's end, if any
		if text := string(k.text[k.line(n):k.line(n+1)]); strings.TrimSpace(text) == "..." {
			return n
		}
	}
	return len(k.lines)
}

// wholeLines is the text of the lines from first to before end, less the comments and
// blank lines in front of what follows.
func (k *kubeFile) wholeLines(first, end int) (from, to int) {
	for end-1 > first && k.blankOrComment(end-1) {
		end--
	}
	return k.line(first), k.line(end)
}

// flowExtent adds the comma to a node that is written in brackets or braces and
// begins, with its name if it has one, at from.
func (k *kubeFile) flowExtent(n *yaml.Node, from int) (_, to int, err error) {
	if to, err = k.flowEnd(n); err != nil {
		return 0, 0, err
	}
	behind := to + len(k.text[to:]) - len(bytes.TrimLeft(k.text[to:], " \t\r\n"))
	if k.text[behind] == ',' {
		return from, behind + 1, nil
	}
	if before := bytes.TrimRight(k.text[:from], " \t\r\n"); before[len(before)-1] == ',' {
		from = len(before) - 1
	}
	return from, to, nil
}

// restoreMember puts back what fill or setScalar found: nil is no member.
func (k *kubeFile) restoreMember(name string, was *string) error {
	key, value := k.member(name)
	if key == nil {
		return nil
	}
	if was != nil {
		return k.setText(key, value, *was)
	}
	if isFlow(k.root) {
		return k.removeInFlow(key, value)
	}
	_, end, err := k.valueText(key, value)
	if err != nil {
		return err
	}
	from, to := k.wholeLines(key.Line, key.Line+1)
	if end > to {
		return k.odd(value)
	}
	return k.splice(from, to, "")
}

func (k *kubeFile) removeInFlow(key, value *yaml.Node) error {
	from := k.offset(key)
	var to int
	var err error
	if value.Kind == yaml.ScalarNode {
		if to, err = k.scalarEnd(value); err == nil && to < len(k.text) && k.text[to] == ',' {
			to++
		}
	} else {
		from, to, err = k.flowExtent(value, from)
	}
	if err != nil {
		return err
	}
	return k.splice(from, to, "")
}

// setText replaces the text behind a member's colon. A text from JSON may want a space
// since kubectl has made YAML of the file.
func (k *kubeFile) setText(key, value *yaml.Node, text string) error {
	from, to, err := k.valueText(key, value)
	if err != nil {
		return err
	}
	if !isFlow(k.root) && text != "" && strings.TrimLeft(text, " \t") == text {
		text = " " + text
	}
	return k.splice(from, to, text)
}
