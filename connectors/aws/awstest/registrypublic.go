package awstest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// publicDoor lets requests in to public.ecr.aws. Clients trade their login, or none, for a
// token there; anybody may pull, and owners may push.
type publicDoor struct{ server *Server }

const (
	publicTokenPath = "/token/"
	anonymousToken  = "anonymous"
)

// ServeHTTP implements http.Handler.
func (d *publicDoor) ServeHTTP(w http.ResponseWriter, hr *http.Request) {
	if hr.URL.Path == publicTokenPath {
		d.token(w, hr)
		return
	}
	token, given := strings.CutPrefix(hr.Header.Get("Authorization"), "Bearer ")
	if !given {
		realm := "https://" + hr.Host + publicTokenPath
		if hr.TLS == nil {
			realm = "http://" + hr.Host + publicTokenPath
		}
		w.Header().Set("Www-Authenticate", `Bearer realm="`+realm+`",service="`+publicHost+`",scope="aws"`)
		(&ociError{http.StatusUnauthorized, "DENIED", "Not Authorized"}).write(w)
		return
	}
	visit := newVisit(hr, "ecr-public:")
	storage, refused := d.enter(token, &visit)
	d.server.serveImages(w, hr, storage, refused)
}

// token trades a login for a bearer token, which is its password here.
func (d *publicDoor) token(w http.ResponseWriter, hr *http.Request) {
	token := anonymousToken
	if user, password, given := hr.BasicAuth(); given {
		d.server.mu.Lock()
		_, refused := d.server.registryLogin(user, password, ecrPublicTokens)
		d.server.mu.Unlock()
		if refused != nil {
			refused.write(w)
			return
		}
		token = password
	}
	body, _ := json.Marshal(map[string]string{"token": token})
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body)
}

// enter judges a visit, and returns the storage that it is for.
func (d *publicDoor) enter(bearer string, v *visit) (http.Handler, *ociError) {
	s := d.server
	s.mu.Lock()
	defer s.mu.Unlock()
	var token *registryToken
	if bearer != anonymousToken {
		var refused *ociError
		if token, refused = s.registryLogin(registryUser, bearer, ecrPublicTokens); refused != nil {
			s.note(nil, v, refused)
			return nil, refused
		}
	}
	owner, name := s.publicRepository(v.repository)
	refused := v.judge(func(action string) error { return s.allowPublic(token, owner, name, action) })
	if refused == nil && v.repository != "" && owner == nil {
		refused = &ociError{http.StatusNotFound, "NAME_UNKNOWN", "The repository with name '" + v.repository + "' does not exist"}
	}
	s.note(token, v, refused)
	return s.storage(publicHost + "/" + v.repository), refused
}

// publicRepository finds the registry of ALIAS/NAME; nil where there is none, or no such
// repository.
func (s *Server) publicRepository(path string) (owner *publicRegistry, name string) {
	alias, name, _ := strings.Cut(path, "/")
	for _, p := range s.others.publicOnes {
		if _, there := p.repositories[name]; p.alias == alias && there {
			return p, name
		}
	}
	return nil, name
}

// pullActions are what anybody may do.
var pullActions = []string{"BatchGetImage", "GetDownloadUrlForLayer", "BatchCheckLayerAvailability", "ListImages"}

// allowPublic says whether the bearer of a token, nil for nobody, may do an action.
func (s *Server) allowPublic(token *registryToken, owner *publicRegistry, name, action string) error {
	if slices.Contains(pullActions, strings.TrimPrefix(action, "ecr-public:")) {
		return nil
	}
	if token == nil || owner == nil || owner.account.id != token.who.account.id {
		return invalid("AccessDeniedException", "Not authorized to perform: %s on %s", action, name)
	}
	return s.requestOf(token).allow(action, owner.repositoryARN(name))
}
