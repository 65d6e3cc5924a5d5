package clientconfig

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// activeFiles are the files that say which configuration is the active one: gcloud's, and
// those beside changed files.
func (e Env) activeFiles(changed map[string]bool) []string {
	paths := map[string]bool{filepath.Join(e.GcloudFolder(), gcloudActive): true}
	for path := range changed {
		if filepath.Base(path) == gcloudActive {
			paths[path] = true
		}
		if dir := filepath.Dir(path); filepath.Base(dir) == gcloudConfigurations {
			paths[filepath.Join(filepath.Dir(dir), gcloudActive)] = true
		}
	}
	return slices.Sorted(maps.Keys(paths))
}

// useGcloud makes a configuration the active one.
func useGcloud(configuration string) edit {
	return func(file string, text []byte, r *record) ([]byte, []Change, error) {
		r.pruneActive(string(text))
		if string(text) == configuration {
			return text, nil, nil
		}
		var was *string
		if text != nil {
			now := string(text)
			was = &now
		}
		r.take(place{configuration})
		r.note(place{configuration}, was)
		return []byte(configuration), []Change{{Tool: Gcloud, File: file, Key: gcloudActive, Before: shownActive(text), After: configuration}}, nil
	}
}

func shownActive(text []byte) string { return strings.TrimSpace(string(text)) }

// releaseActive makes the configuration active again that was so before logins with --use
// to those that are gone, unless somebody has chosen another one meanwhile.
func releaseActive(gone []string) edit {
	return func(file string, text []byte, r *record) ([]byte, []Change, error) {
		r.pruneActive(string(text))
		now := text
		for {
			was, known := r.take(place{string(now)})
			if !known || !slices.Contains(gone, string(now)) {
				if known {
					r.note(place{string(now)}, was)
				}
				break
			}
			now = nil
			if was != nil {
				now = []byte(*was)
			}
		}
		r.skip(gone)
		r.pruneActive(string(now))
		if string(now) == string(text) {
			return text, nil, nil
		}
		return now, []Change{{Tool: Gcloud, File: file, Key: gcloudActive, Before: shownActive(text), After: shownActive(now)}}, nil
	}
}

// skip forgets the configurations that are gone: what came after one has then come after
// what was before it.
func (r *record) skip(gone []string) {
	for _, name := range gone {
		was, known := r.take(place{name})
		for i, later := range r.Replaced {
			if known && later.Was != nil && *later.Was == name {
				r.Replaced[i].Was = was
			}
		}
	}
}

// pruneActive forgets what was before our configurations if none of them is active.
func (r *record) pruneActive(active string) {
	if !slices.ContainsFunc(r.Replaced, func(old replacement) bool { return slices.Equal(old.Place, place{active}) }) {
		r.Replaced = nil
	}
}

// danglingConfigurations tells of active configurations that a logout removes.
func danglingConfigurations(p *Plan, gone []string) []string {
	var notices []string
	for _, f := range p.files {
		name := string(f.after.text)
		stays := slices.ContainsFunc(p.files, func(other preview) bool {
			return filepath.Base(other.after.path) == gcloudPrefix+name && other.after.text != nil
		})
		if filepath.Base(f.after.path) == gcloudActive && name != "" && slices.Contains(gone, name) && !stays {
			notices = append(notices, fmt.Sprintf("%s still names the configuration %s, which is gone: gcloud config configurations activate NAME chooses another one", f.after.path, name))
		}
	}
	return notices
}
