package clientconfig

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/svcconn/svcconn/pkg/fault"
)

// AWSCommand is the absolute path by which the SDKs of AWS shall call svcconn, whose
// executable is self: like KubeCommand.
func AWSCommand(env Env, self string) (string, error) {
	path, err := programPath(env, self, program)
	if err != nil {
		return "", fault.WithHint(err, "install all three binaries into one folder that is in PATH")
	}
	return withoutSpaces(path), nil
}

var (
	bareWord      = regexp.MustCompile(`^[A-Za-z0-9_./:,+@%-]+$`)
	bareInWindows = regexp.MustCompile(`^[A-Za-z0-9_./:,+@~\\-]+$`) // with the ~ of short names
	// cmd.exe expands or splits at these even within quotes, and so may others.
	notInWindows = regexp.MustCompile(`["%!^&|<>]|\\$`)
	// A comment to some tools, wherever it stands in a value.
	commentWithin = regexp.MustCompile(`[ \t][#;]`)
)

// commandLine writes a command so that every tool reads the same words: botocore, which
// splits like a shell (on Windows like a C program) and uses none, and the SDKs that hand
// it to sh -c or cmd.exe. Words are quoted only if need be.
//
// On Windows the SDK for Go cannot start a program whose path has a space, however it is
// quoted, since it escapes the quotes once more: hence AWSCommand's short path there.
func commandLine(goos string, words []string) (string, error) {
	quoted := make([]string, len(words))
	for i, word := range words {
		switch {
		case !utf8.ValidString(word), strings.ContainsFunc(word, func(r rune) bool { return r < ' ' || r == 0x7f }), commentWithin.MatchString(word),
			goos == "windows" && notInWindows.MatchString(word):
			return "", fault.New(fault.Invalid, "%q cannot be part of a credential_process: not all tools would read it in the same way", word).
				Hint("use a path, and names, of plain characters")
		case goos == "windows" && bareInWindows.MatchString(word), goos != "windows" && bareWord.MatchString(word):
			quoted[i] = word
		case goos == "windows":
			quoted[i] = `"` + word + `"`
		default:
			quoted[i] = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
	}
	return strings.Join(quoted, " "), nil
}

// wordsOf takes apart what commandLine wrote.
func wordsOf(command string) []string {
	var words []string
	var word strings.Builder
	var quote rune
	begun := false
	for i, r := range command {
		switch {
		case quote == 0 && (r == ' ' || r == '\t' || r == '\n'):
			if begun {
				words = append(words, word.String())
			}
			word.Reset()
			begun = false
		case quote == 0 && (r == '"' || r == '\'') && !strings.HasSuffix(command[:i], `\`):
			quote, begun = r, true
		case r == quote:
			quote = 0
		case r == '\\' && quote == 0 && strings.HasPrefix(command[i+1:], "'"):
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	if begun {
		words = append(words, word.String())
	}
	return words
}

// words are the command for a login. The last has no quotes: some tools strip quotes that
// begin and end a value.
func (l AWSLogin) words() []string {
	return append(credentialWords(l.Command, l.Connector, l.ResourceType, l.ResourceName, l.ReadOnly), flagFormat, formatProcess)
}

// processWords are the words of a section's command if it runs svcconn; nil if it does not.
func (s iniSection) processWords() []string {
	words := wordsOf(s.value("credential_process"))
	if s.kind != kindProfile || !asksSvcconn(words) {
		return nil
	}
	return words
}
