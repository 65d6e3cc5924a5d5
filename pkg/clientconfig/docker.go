package clientconfig

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/svcconn/svcconn/pkg/fault"
)

// Options steer a login or logout.
type Options struct {
	// Default is docker's credsStore: every registry without an entry of its own.
	// podman, skopeo and buildah have no such thing.
	Default bool
	// Containers writes podman's, skopeo's and buildah's file even if none of them is
	// installed or has left a file.
	Containers bool
}

// PlanDockerLogin plans to lead docker, and podman, skopeo and buildah where they
// are in use, to svcconn for the keys: every spelling under which one of the tools
// looks up the registries that are meant (for Docker Hub both
// "https://index.docker.io/v1/" and "docker.io").
func PlanDockerLogin(env Env, keys []string, opt Options) (*Plan, error) {
	if err := checkKeys(keys); err != nil {
		return nil, err
	}
	if len(keys) == 0 && !opt.Default {
		return nil, fault.New(fault.Invalid, "no registry is named for docker")
	}
	places := helperPlaces(keys)
	if opt.Default {
		places = append(places, storePlace)
	}
	steps := []step{{tool: Docker, path: env.DockerFile(), edit: pointTo(Docker, places)}}
	containers, err := containersLogin(env, bareKeys(keys), opt)
	if err != nil {
		return nil, err
	}
	p, err := newPlan(env, append(steps, containers...)...)
	if err == nil {
		p.notices = loginNotices(env, p, keys)
	}
	return p, err
}

// containersLogin chooses the files for podman, skopeo and buildah: the lasting one
// always; REGISTRY_AUTH_FILE, since present versions then read no other; and the
// volatile one only while it has something else for a key, which would win.
func containersLogin(env Env, keys []string, opt Options) ([]step, error) {
	if len(keys) == 0 || !opt.Containers && !env.usesContainers() {
		return nil, nil
	}
	var steps []step
	login := func(file string, keys []string) {
		steps = append(steps, step{tool: Containers, path: file, edit: pointTo(Containers, helperPlaces(keys))})
	}
	if file := env.Getenv("REGISTRY_AUTH_FILE"); file != "" {
		login(file, keys)
	}
	login(env.lastingFile(), keys)
	if file := env.volatileFile(); file != "" {
		taken, err := decidedKeys(file, keys)
		if err != nil {
			return nil, err
		}
		if len(taken) > 0 {
			login(file, taken)
		}
	}
	return steps, nil
}

// decidedKeys are the keys for which the file leads podman somewhere.
func decidedKeys(file string, keys []string) ([]string, error) {
	found, err := read(file)
	if err != nil {
		return nil, err
	}
	d, err := parse(found.path, found.text)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(keys), func(key string) bool { return d.containersDecide(key) == nil }), nil
}

// PlanDockerLogout plans to take back what PlanDockerLogin did, for the keys (and
// docker's default with opt.Default), or for everything if neither is given. It
// looks in every file that a login changed, whatever the environment says now.
// Without a record of what an entry replaced it removes the entry.
func PlanDockerLogout(env Env, keys []string, opt Options) (*Plan, error) {
	if err := checkKeys(keys); err != nil {
		return nil, err
	}
	selected := func(p place) bool {
		if len(keys) == 0 && !opt.Default {
			return true
		}
		return opt.Default && p.key() == "" || p.key() != "" && slices.Contains(keys, p.key())
	}
	var steps []step
	for _, f := range slices.Backward(env.pointerFiles()) { // a login's order, reversed
		steps = append(steps, step{tool: f.tool, path: f.path, undo: true, edit: takeBack(f.tool, selected)})
	}
	return newPlan(env, steps...)
}

// toolFile is a file and the tool that it belongs to.
type toolFile struct{ tool, path string }

// pointerFiles are the files that may lead to svcconn: where the tools look now,
// and where a login wrote.
func (e Env) pointerFiles() []toolFile {
	files := []toolFile{{Docker, e.DockerFile()}}
	for _, path := range e.ownContainersFiles() {
		files = append(files, toolFile{Containers, path})
	}
	for _, tool := range []string{Docker, Containers} {
		for _, path := range e.journal().files(tool) {
			files = append(files, toolFile{tool, path})
		}
	}
	return files
}

func helperPlaces(keys []string) []place {
	places := make([]place, 0, len(keys)+1)
	for _, key := range keys {
		places = append(places, helperPlace(key))
	}
	return places
}

// bareKeys drops the keys with a scheme: podman looks none of them up, and lists of
// all logins fail on them.
func bareKeys(keys []string) []string {
	return slices.DeleteFunc(slices.Clone(keys), hasScheme)
}

func hasScheme(key string) bool { return strings.Contains(key, "://") }

func checkKeys(keys []string) error {
	for _, key := range keys {
		if key == "" || !utf8.ValidString(key) || strings.ContainsFunc(key, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }) {
			return fault.New(fault.Invalid, "%q is not a registry", key)
		}
	}
	return nil
}
