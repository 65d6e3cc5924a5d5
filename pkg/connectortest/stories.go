package connectortest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// Story is a machine that auto-configuration is tried on.
type Story struct {
	Home       string // a folder with the files of the story
	Env, Hints map[string]string
}

// wanted is the file of a story that says what comes of it.
const wanted = "want"

// Stories plays the stories in testdata/detect, each an archive of files. Before the files
// come the variables (env NAME=VALUE) and hints (hint NAME=VALUE) of the story; $HOME
// stands for its folder everywhere. Play tells what auto-configuration makes of a story,
// which has to be what its file want says.
func Stories(t *testing.T, play func(t *testing.T, s Story) string) {
	t.Helper()
	stories, err := filepath.Glob("testdata/detect/*.txtar")
	if err != nil || len(stories) == 0 {
		t.Fatalf("there are no stories: %v", err)
	}
	for _, path := range stories {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			story, want := readStory(t, path)
			if got := strings.ReplaceAll(play(t, story), story.Home, "$HOME"); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func readStory(t *testing.T, path string) (s Story, want string) {
	t.Helper()
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s = Story{Home: t.TempDir(), Env: map[string]string{}, Hints: map[string]string{}}
	for line := range strings.Lines(string(archive.Comment)) {
		what, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		name, value, _ := strings.Cut(rest, "=")
		switch value = s.at(value); what {
		case "env":
			s.Env[name] = value
		case "hint":
			s.Hints[name] = value
		}
	}
	for _, file := range archive.Files {
		if file.Name == wanted {
			want = string(file.Data)
			continue
		}
		s.write(t, file)
	}
	return s, want
}

// at is a text of the story with its folder in place of $HOME.
func (s Story) at(text string) string { return strings.ReplaceAll(text, "$HOME", s.Home) }

func (s Story) write(t *testing.T, file txtar.File) {
	t.Helper()
	path := filepath.Join(s.Home, filepath.FromSlash(file.Name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(s.at(string(file.Data))), 0o600); err != nil {
		t.Fatal(err)
	}
}
