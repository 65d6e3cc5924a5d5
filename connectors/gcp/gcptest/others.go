package gcptest

import (
	"errors"
	"fmt"
	"net/http"
)

// others is the state of the services beside identity. Server.mu guards it.
type others struct {
	buckets        map[string]*Bucket // by name: all projects share them
	uploads        map[string]*upload // by id
	clusters       map[clusterKey]*cluster
	missingZones   map[*Project][]string
	repositories   map[repositoryKey]*repository
	images         map[repositoryKey]http.Handler // OCI
	registryTokens map[string]*registryToken
	mistakes       map[mistakeKey]string
}

func newOthers() others {
	return others{
		buckets: map[string]*Bucket{}, uploads: map[string]*upload{},
		clusters: map[clusterKey]*cluster{}, missingZones: map[*Project][]string{},
		repositories: map[repositoryKey]*repository{}, images: map[repositoryKey]http.Handler{}, registryTokens: map[string]*registryToken{},
		mistakes: map[mistakeKey]string{},
	}
}

// mistakeKey is where somebody who makes a world may be mistaken.
type mistakeKey struct {
	project *Project
	service string
}

// mistake remembers that something was to be made that Google would not have. Whoever asks
// the service for what is in the project hears of it.
func (p *Project) mistake(service, format string, args ...any) {
	p.server.others.mistakes[mistakeKey{p, service}] = fmt.Sprintf(format, args...)
}

// flawless is the project of an id or a number, unless a mistake was made in it. A project
// that there is not is nobody's, so that nobody may ask for it: callers check that first.
func (r *request) flawless(name string) (*Project, error) {
	p := r.server.projectOf(name)
	if words := r.server.others.mistakes[mistakeKey{p, r.service.name}]; words != "" {
		return nil, errors.New(words)
	}
	return p, nil
}
