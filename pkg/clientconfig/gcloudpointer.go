package clientconfig

import (
	"bytes"
	"cmp"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// GcloudPointer is a configuration of gcloud that leads to svcconn, or a credential file
// that no configuration names.
type GcloudPointer struct {
	File          string // the file itself, symbolic links resolved
	Configuration string // "" for a credential file alone
	Credentials   string // the credential file
	Connector     string
	Resource      string // its name; "" where the command names none
}

// GcloudPointers lists what leads to svcconn: the configurations in gcloud's folder and in
// those where a login has changed one, and credential files by themselves. The error is of
// the first file that cannot be read.
func GcloudPointers(env Env) ([]GcloudPointer, error) {
	files, err := env.credentialFiles()
	if err != nil {
		return nil, err
	}
	words := map[string][]string{}
	for _, file := range files {
		words[file.path] = file.words
	}
	paths, err := env.gcloudPointerFiles()
	if err != nil {
		return nil, err
	}
	pointers := map[GcloudPointer]bool{}
	named := map[string]bool{}
	for _, path := range paths {
		at, credentials, err := env.credentialsNamedIn(path)
		if err != nil {
			return nil, err
		}
		if credentials != "" {
			named[credentials] = true
			pointers[pointerAt(at, strings.TrimPrefix(filepath.Base(path), gcloudPrefix), credentials, words[credentials])] = true
		}
	}
	for path, command := range words {
		if !named[path] {
			pointers[pointerAt(path, "", path, command)] = true
		}
	}
	return slices.SortedFunc(maps.Keys(pointers), func(a, b GcloudPointer) int {
		return strings.Compare(a.Configuration+"\x00"+a.File, b.Configuration+"\x00"+b.File)
	}), nil
}

func pointerAt(file, configuration, credentials string, words []string) GcloudPointer {
	return GcloudPointer{file, configuration, credentials, wordAfter(words, flagConnector), wordAfter(words, flagResourceName)}
}

// gcloudPointerFiles are the configurations that may lead here.
func (e Env) gcloudPointerFiles() ([]string, error) {
	dir := filepath.Join(e.GcloudFolder(), gcloudConfigurations)
	names, err := filesIn(dir)
	paths := map[string]bool{}
	for _, name := range names {
		paths[filepath.Join(dir, name)] = true
	}
	for _, path := range e.journal().files(Gcloud) {
		paths[path] = true
	}
	return configurationsAmong(paths), err
}

// configurationsAmong picks the files that are configurations of gcloud.
func configurationsAmong(paths map[string]bool) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(paths)), func(path string) bool {
		name, ok := strings.CutPrefix(filepath.Base(path), gcloudPrefix)
		return !ok || !configurationPattern.MatchString(name)
	})
}

// filesIn are the names in a folder, none if it is not there.
func filesIn(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, unreadable(dir, err)
	}
	var names []string
	for _, entry := range entries {
		if !entry.IsDir() {
			names = append(names, entry.Name())
		}
	}
	return names, nil
}

// credentialsNamedIn is the credential file of ours that a configuration names, "" where it
// names none. One that cannot be read matters only if it could name one.
func (e Env) credentialsNamedIn(path string) (file, credentials string, err error) {
	found, err := read(path)
	if err != nil || !bytes.Contains(found.text, []byte(keyCredentials)) {
		return found.path, "", err
	}
	f, err := parseGcloud(found.path, found.text)
	if err != nil {
		return found.path, "", err
	}
	return found.path, f.ownCredentials(e.credentialFolder()), nil
}

// divide tells the pointers that have one of the names, all if there is none, from those
// that are left. A configuration comes before resources of its name.
func divide(pointers []GcloudPointer, names []string) (selected, left []GcloudPointer) {
	isConfiguration := func(name string) bool {
		return slices.ContainsFunc(pointers, func(p GcloudPointer) bool { return p.called(name) })
	}
	for _, p := range pointers {
		_, bare, _ := strings.Cut(p.Resource, "://")
		wanted := len(names) == 0 || slices.ContainsFunc(names, func(name string) bool {
			return p.called(name) || name != "" && (name == p.Resource || name == bare) && !isConfiguration(name)
		})
		if wanted {
			selected = append(selected, p)
		} else {
			left = append(left, p)
		}
	}
	return selected, left
}

// Name is what logout calls it: the configuration, or the one that the credential file was
// made for.
func (p GcloudPointer) Name() string { return cmp.Or(p.Configuration, p.madeFor()) }

func (p GcloudPointer) madeFor() string { return credentialFile{path: p.Credentials}.configuration() }

// called reports whether the configuration, or the one that its credential file was made
// for, has the name.
func (p GcloudPointer) called(name string) bool {
	return name != "" && (name == p.Configuration || name == p.madeFor())
}

// doomedCredentials are the credential files that nothing names any more once the selected
// configurations are gone, and those of the files that a login began with.
func doomedCredentials(files map[string]bool, selected, left []GcloudPointer) []string {
	doomed := map[string]bool{}
	for path := range files {
		if strings.HasSuffix(path, credentialSuffix) {
			doomed[path] = true
		}
	}
	for _, p := range selected {
		doomed[p.Credentials] = true
	}
	for _, p := range left {
		delete(doomed, p.Credentials)
	}
	return slices.Sorted(maps.Keys(doomed))
}
