package admin

import (
	"strings"

	"github.com/svcconn/svcconn/pkg/wire"
)

// manual is the manual page of all commands, for man(7)'s macros.
func manual(root *command) string {
	p := &manPage{}
	p.macro("TH", "SVCCONN", "1", "", program+" "+wire.Release, "User Commands")
	p.macro("SH", "NAME")
	p.text(program + ` - ` + root.summary)
	p.macro("SH", "SYNOPSIS")
	p.text(usage([]*command{root}) + " [flags] [arguments]")
	p.macro("SH", "DESCRIPTION")
	p.text(root.doc)
	p.text("Flags stand before or after arguments; -- ends them. Flags of several words take _ for -.")
	p.macro("SH", "COMMANDS")
	p.commands([]*command{root})
	p.macro("SH", "ENVIRONMENT")
	p.terms(environment())
	p.macro("SH", "FILES")
	p.terms(files())
	p.macro("SH", "EXIT STATUS")
	p.terms(exitCodes())
	return p.out.String()
}

func environment() []row {
	return []row{
		{"SVCCONN_CONFIG_DIR", "The folder of config.toml and the connectors. Where it alone is set, state and runtime are inside it."},
		{"SVCCONN_STATE_DIR", "The folder of the audit log and the encrypted secrets."},
		{"SVCCONN_RUNTIME_DIR", "The folder of the agent's socket."},
		{"SVCCONN_OUTPUT", "The default of --output."},
		{"SVCCONN_SECRETS", "keyring or file: overrides the setting secrets.backend."},
		{"SVCCONN_PASSPHRASE_FILE", "A file with the passphrase of the file secret store."},
		{"SVCCONN_AGENT", "off does without the agent."},
		{"SVCCONN_NO_BROWSER", "1 opens no browser for a login; the address is told instead."},
		{"BROWSER", "The command that opens a page, or several, separated by colons."},
		{"NO_COLOR", "Takes colour away."},
	}
}

func files() []row {
	return []row{
		{"config.toml", "The settings; `svcconn config path` says where it is."},
		{"connectors/NAME.toml", "A connector, without its secrets, beside config.toml."},
	}
}

func exitCodes() []row {
	return []row{
		{"0", "Done."},
		{"1", "Failed."},
		{"2", "Wrong usage."},
		{"3", "Not found."},
		{"4", "Denied."},
		{"5", "Unavailable; trying again may help."},
		{"6", "A person is needed."},
		{"7", "Ambiguous."},
		{"130", "Interrupted."},
	}
}

// manPage is a page in the making.
type manPage struct{ out strings.Builder }

// commands writes the commands below a path, one after the other.
func (p *manPage) commands(path []*command) {
	group := path[len(path)-1]
	for i := range group.commands {
		c := &group.commands[i]
		here := append(path[:len(path):len(path)], c)
		switch {
		case c.hidden:
		case len(c.commands) > 0:
			p.commands(here)
		default:
			p.command(here)
		}
	}
}

func (p *manPage) command(path []*command) {
	c := path[len(path)-1]
	p.macro("SS", usage(path))
	p.text(c.doc)
	var rows []row
	for _, f := range c.flags {
		rows = append(rows, row{strings.TrimSpace(f.left()), f.right() + "."})
	}
	p.terms(rows)
	for _, e := range c.examples {
		p.macro("PP")
		p.text(e.does + ":")
		p.macro("PP")
		p.macro("nf")
		p.macro("RS")
		p.text(e.line)
		p.macro("RE")
		p.macro("fi")
	}
}

// terms writes a list of terms and what they mean.
func (p *manPage) terms(rows []row) {
	for _, r := range rows {
		p.macro("TP")
		p.out.WriteString(`\fB` + escapeRoff(r.left) + `\fR` + "\n")
		p.text(r.right)
	}
}

// macro writes a request; its arguments are quoted.
func (p *manPage) macro(name string, args ...string) {
	p.out.WriteString("." + name)
	for _, arg := range args {
		p.out.WriteString(` "` + strings.ReplaceAll(escapeRoff(arg), `"`, `\(dq`) + `"`)
	}
	p.out.WriteString("\n")
}

// text writes paragraphs.
func (p *manPage) text(text string) {
	for i, paragraph := range strings.Split(text, "\n\n") {
		if i > 0 {
			p.macro("PP")
		}
		for line := range strings.SplitSeq(paragraph, "\n") {
			p.out.WriteString(`\&` + escapeRoff(line) + "\n")
		}
	}
}

// escapeRoff writes text so that it comes out as it is, hyphens that can be copied
// included.
func escapeRoff(text string) string {
	return strings.NewReplacer(`\`, `\e`, `-`, `\-`, "`", `\(ga`, `'`, `\(aq`, `~`, `\(ti`, `^`, `\(ha`, `…`, `...`).Replace(text)
}
