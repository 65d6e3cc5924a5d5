package gcptest

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"
)

// Project is a project of Google Cloud. It is safe for concurrent use.
type Project struct {
	server   *Server
	id       string
	number   string
	grants   grants
	disabled map[string]bool // APIs
	accounts map[string]*ServiceAccount
}

// Project is the project with that id. It is made at first use, with all APIs enabled and
// nobody in it.
func (s *Server) Project(id string) *Project {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.projects[id] == nil {
		s.projects[id] = &Project{
			server: s, id: id, number: numberOf(id), grants: grants{},
			disabled: map[string]bool{}, accounts: map[string]*ServiceAccount{},
		}
	}
	return s.projects[id]
}

// ID is the id of the project.
func (p *Project) ID() string { return p.id }

// Number is the number of the project. One of the same id has the same number in every
// Server.
func (p *Project) Number() string { return p.number }

// Disable makes an API of the project, as "container.googleapis.com", one that is not
// enabled: calls about the project are refused with SERVICE_DISABLED and the address where
// a person enables it.
func (p *Project) Disable(api string) {
	p.server.mu.Lock()
	defer p.server.mu.Unlock()
	p.disabled[api] = true
}

// projectOf is the project of an id or a number; nil is none. The caller holds the lock.
func (s *Server) projectOf(name string) *Project {
	if known := s.projects[name]; known != nil {
		return known
	}
	for _, p := range s.projects {
		if p.number == name {
			return p
		}
	}
	return nil
}

// numberOf makes up twelve digits.
func numberOf(id string) string {
	sum := sha256.Sum256([]byte(id))
	return fmt.Sprintf("%d", 100_000_000_000+binary.BigEndian.Uint64(sum[:8])%900_000_000_000)
}

// digits makes up an id of 21 digits, as identities have.
func digits(of string) string {
	sum := sha256.Sum256([]byte(of))
	return fmt.Sprintf("1%020d", binary.BigEndian.Uint64(sum[:8]))
}

// mailDomain is the domain of a project's service accounts. Those of a project within an
// organisation's domain (example.com:project) have it backwards.
func mailDomain(project string) string {
	if domain, name, scoped := strings.Cut(project, ":"); scoped {
		return name + "." + domain + ".iam.gserviceaccount.com"
	}
	return project + ".iam.gserviceaccount.com"
}
