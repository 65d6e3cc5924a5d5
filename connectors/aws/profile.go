package aws

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/hop"
)

// defaultProfile is the profile that counts where none is named.
const defaultProfile = "default"

// sharedFiles are a config file and a credentials file, as the AWS CLI has them.
type sharedFiles struct {
	paths    []string // of both, whether they are there or not
	present  []string
	profiles map[string]*profile
	others   sections // "sso-session NAME", "services NAME"
}

// profile is a profile: what both files say of it.
type profile struct {
	section
	name  string
	saved string // the file that has its access key; "" where none has
}

// The places of the shared files in a home folder.
func usualConfig(home string) string      { return filepath.Join(home, ".aws", "config") }
func usualCredentials(home string) string { return filepath.Join(home, ".aws", "credentials") }

// readShared reads both files. One that is not there is empty; one that cannot be read is
// an error.
func readShared(config, credentials string) (*sharedFiles, error) {
	f := &sharedFiles{paths: []string{config, credentials}, profiles: map[string]*profile{}, others: sections{}}
	for _, path := range f.paths {
		text, err := readSmall(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		f.present = append(f.present, path)
		if path == config {
			f.addConfig(parseSections(text), path)
		}
		if path == credentials {
			f.addCredentials(parseSections(text), path)
		}
	}
	return f, nil
}

// maxShared is more than any file of profiles, certificates or tokens has, in bytes.
const maxShared = 1 << 20

// readSmall reads a file; what is no file, or far too large for one of these, is refused.
func readSmall(path string) (string, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "", fault.New(fault.NotFound, "%w", err)
	case !info.Mode().IsRegular():
		return "", fault.New(fault.Invalid, "%s is not a file", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return "", fault.New(fault.Failed, "%w", err)
	}
	defer file.Close()
	raw, err := io.ReadAll(io.LimitReader(file, maxShared+1))
	switch {
	case err != nil:
		return "", fault.New(fault.Failed, "%w", err)
	case len(raw) > maxShared:
		return "", fault.New(fault.Invalid, "%s is larger than %d KiB", path, maxShared>>10)
	}
	return string(raw), nil
}

// addConfig takes the sections of the config file: profiles other than the default one
// are marked as such there.
func (f *sharedFiles) addConfig(all sections, path string) {
	for heading, s := range all {
		kind, name, marked := strings.Cut(heading, " ")
		switch {
		case marked && kind == "profile":
			f.add(name, s, path)
		case marked && (kind == "sso-session" || kind == "services"):
			f.others[heading] = s
		case heading == defaultProfile && all["profile "+defaultProfile] == nil:
			f.add(heading, s, path)
		}
	}
}

// addCredentials takes the sections of the credentials file, which win.
func (f *sharedFiles) addCredentials(all sections, path string) {
	for heading, s := range all {
		if !strings.HasPrefix(heading, "profile ") {
			f.add(heading, s, path)
		}
	}
}

// keyGroup are the keys that belong to one access key, and are of no use with another.
var keyGroup = slices.Concat([]string{"aws_access_key_id", "aws_secret_access_key"}, tokenKeys, expiryKeys)

func (f *sharedFiles) add(name string, s *section, path string) {
	p := f.profiles[name]
	if p == nil {
		p = &profile{name: name, section: section{values: map[string]string{}, nested: map[string]map[string]string{}}}
		f.profiles[name] = p
	}
	if s.values["aws_access_key_id"] != "" {
		for _, key := range keyGroup {
			delete(p.values, key)
		}
		p.saved = path
	}
	maps.Copy(p.values, s.values)
	maps.Copy(p.nested, s.nested)
}

// find returns the profile of that name.
func (f *sharedFiles) find(name string) (*profile, error) {
	if p := f.profiles[name]; p != nil {
		return p, nil
	}
	if len(f.present) == 0 {
		return nil, fault.New(fault.NotFound, "there is no profile %q: neither %s nor %s is there", name, f.paths[0], f.paths[1]).
			Hint("`aws configure --profile %s` makes it; if the files are elsewhere, say where with config_file and shared_credentials_file", hop.OneLine(name))
	}
	err := fault.New(fault.NotFound, "there is no profile %q in %s", name, strings.Join(f.present, " and "))
	names := slices.Sorted(maps.Keys(f.profiles))
	if near := field.Nearest(name, names); near != "" {
		return nil, err.Hint("did you mean %q?", near)
	}
	if len(names) == 0 {
		return nil, err.Hint("they have none; in a config file, a profile begins with [profile NAME]")
	}
	return nil, err.Hint("there are: %s", hop.OneLine(strings.Join(names, ", ")))
}

// refuse is what is wrong with a profile.
func (p *profile) refuse(format string, args ...any) *fault.Error {
	return fault.New(fault.Invalid, "profile %q %s", p.name, fmt.Sprintf(format, args...))
}
