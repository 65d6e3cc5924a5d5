package admin

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/svcconn/svcconn/pkg/agent"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/output"
	"github.com/svcconn/svcconn/pkg/registry"
)

// completion is what a shell may offer for the word at the cursor.
type completion struct {
	words   []candidate
	files   bool // the names of files too, behind an "@" if the word has one
	noSpace bool // the word goes on
}

// candidate is a word and what it means.
type candidate struct{ word, meaning string }

// complete finds what could stand in the place of current, the last word of a
// command line. What the words before it have wrong is passed over.
func (a *app) complete(ctx context.Context, before []string, current string) completion {
	r := newReader(tree())
	for _, word := range before {
		_ = r.read(word)
	}
	name, value, joined := strings.Cut(current, "=")
	switch {
	case r.waiting != nil:
		return a.values(ctx, r.line, r.waiting.flag.value, current)
	case !r.words && joined && strings.HasPrefix(name, "--"):
		f, _ := r.findLong(strings.ReplaceAll(name[2:], "_", "-"))
		return a.values(ctx, r.line, f.value, value).behind(name + "=")
	case !r.words && strings.HasPrefix(current, "-"):
		return flagNames(r.command()).startingWith(current)
	case len(r.command().commands) > 0:
		return commandNames(r.command()).startingWith(current)
	}
	return a.values(ctx, r.line, argumentAt(r.command(), len(r.args)), current)
}

// behind puts a prefix in front of every word.
func (c completion) behind(prefix string) completion {
	for i := range c.words {
		c.words[i].word = prefix + c.words[i].word
	}
	return c
}

func (c completion) startingWith(prefix string) completion {
	var words []candidate
	for _, w := range c.words {
		if strings.HasPrefix(w.word, prefix) {
			words = append(words, w)
		}
	}
	c.words = words
	return c
}

func flagNames(c *command) completion {
	var out completion
	for _, f := range c.allFlags() {
		out.words = append(out.words, candidate{"--" + f.name, f.usage})
	}
	return out
}

func commandNames(c *command) completion {
	var out completion
	for _, sub := range c.visible() {
		out.words = append(out.words, candidate{sub.name, sub.summary})
	}
	return out
}

// argumentAt is what the nth argument of a command is.
func argumentAt(c *command, n int) string {
	for i, arg := range c.args {
		if i == n || arg.many {
			return arg.name
		}
	}
	return ""
}

// values are the values of a flag or an argument, by the word that stands for them.
func (a *app) values(ctx context.Context, l line, word, current string) completion {
	var out completion
	switch word {
	case typeWord:
		for _, t := range a.types {
			out.words = append(out.words, candidate{t.Name, t.Title})
		}
	case methodWord:
		out.words = methodCandidates(a.typesOf(ctx, l))
	case resourceTypeWord:
		out.words = resourceCandidates(a.typesOf(ctx, l))
	case connectorWord:
		for _, c := range a.connectors(ctx) {
			out.words = append(out.words, candidate{c.Name, c.Description})
		}
	case fieldWord:
		for _, f := range a.fieldsOf(ctx, l) {
			out.words = append(out.words, candidate{f.Info().Name, f.Info().Title})
		}
	case settingWord:
		out = settingCandidates(a.fieldsOf(ctx, l), current)
	case formatWord:
		out.words = plainCandidates(output.Formats())
	case credentialFormatWord:
		out.words = plainCandidates(agent.Formats())
	case accessWord:
		out.words = plainCandidates([]string{accessRead, accessWrite})
	case shellWord:
		out.words = plainCandidates(shells())
	case fileWord:
		out.files = true
	}
	return out.startingWith(current)
}

func plainCandidates(words []string) []candidate {
	out := make([]candidate, len(words))
	for i, word := range words {
		out[i].word = word
	}
	return out
}

func methodCandidates(types connector.Types) []candidate {
	var out []candidate
	for _, t := range types {
		for _, m := range t.Methods {
			out = append(out, candidate{m.Name, m.Title})
		}
	}
	return out
}

func resourceCandidates(types connector.Types) []candidate {
	var out []candidate
	for _, name := range types.ResourceTypes() {
		out = append(out, candidate{word: name})
	}
	return out
}

// settingCandidates are the fields with their equals sign; behind that, what a
// value may look like.
func settingCandidates(fields field.Set, current string) completion {
	name, value, chosen := strings.Cut(current, "=")
	if !chosen {
		out := completion{noSpace: true}
		for _, f := range fields {
			out.words = append(out.words, candidate{f.Info().Name + "=", f.Info().Title})
		}
		return out
	}
	f, ok := fields.Find(name)
	if !ok {
		return completion{}
	}
	out := completion{words: plainCandidates(f.Info().Choices), files: strings.HasPrefix(value, "@")}
	if f.Info().Secret() && !out.files {
		out.noSpace = true
		out.words = []candidate{{"@", "a file"}, {"-", "standard input"}, {"env:", "an environment variable"}, {"cmd:", "the output of a command"}}
	}
	return out.behind(name + "=")
}

// connectors are the registered ones; none where they can not be read.
func (a *app) connectors(ctx context.Context) []registry.Connector {
	dirs, err := a.dirs()
	if err != nil {
		return nil
	}
	dir := registry.Open(filepath.Join(dirs.Config, "connectors"), a.world.Now)
	defer dir.Close()
	snapshot, err := dir.Snapshot(ctx)
	if err != nil {
		return nil
	}
	return snapshot.All()
}

// typesOf are the connector types that a line can be about: the one that it names,
// that of the connector that it names, else all.
func (a *app) typesOf(ctx context.Context, l line) connector.Types {
	name, _ := a.subject(ctx, l)
	if t, err := a.types.Find(name); err == nil {
		return connector.Types{t}
	}
	return a.types
}

// fieldsOf are the fields that --set may set on a line, each once.
func (a *app) fieldsOf(ctx context.Context, l line) field.Set {
	var out field.Set
	_, wanted := a.subject(ctx, l)
	for _, t := range a.typesOf(ctx, l) {
		for _, m := range t.Methods {
			if wanted != "" && m.Name != wanted {
				continue
			}
			for _, f := range m.Fields {
				if _, twice := out.Find(f.Info().Name); !twice {
					out = append(out, f)
				}
			}
		}
	}
	return out
}

// subject is the connector type and the auth method that a line is about, "" where
// it does not say.
func (a *app) subject(ctx context.Context, l line) (typeName, method string) {
	var name string
	note := func(word, value string) {
		switch word {
		case typeWord:
			typeName = value
		case methodWord:
			method = value
		case connectorWord:
			name = value
		}
	}
	for i, value := range l.args {
		note(argumentAt(l.command(), i), value)
	}
	for _, g := range l.flags {
		note(g.flag.value, g.value)
	}
	if name == "" {
		return typeName, method
	}
	for _, c := range a.connectors(ctx) {
		if c.Name == name {
			typeName = c.Type
			if method == "" {
				method = c.Method
			}
		}
	}
	return typeName, method
}
