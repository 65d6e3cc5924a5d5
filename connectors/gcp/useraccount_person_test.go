package gcp

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/svcconn/svcconn/connectors/gcp/gcptest"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/secret"
)

// visitor is a person with a browser.
type visitor struct {
	http    *http.Client
	absent  bool                     // no browser can be opened on this machine
	visit   func(page string)        // what the browser does; nil goes where it is led
	answer  func(page string) string // what she pastes, having been shown a page; nil waits
	tampers func(back string) string // what becomes of the address that the browser is sent to

	mu    sync.Mutex
	pages []string
	told  []string
	shown chan string // the page that she was told of
}

var _ connector.Person = (*visitor)(nil)

func newVisitor(w *authWorld) *visitor {
	j := &visitor{shown: make(chan string, 1)}
	j.http = &http.Client{Transport: w.transport(), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return j
}

// OpenBrowser implements connector.Person.
func (j *visitor) OpenBrowser(page string) error {
	if j.absent {
		return errors.New("there is no display")
	}
	j.mu.Lock()
	j.pages = append(j.pages, page)
	j.mu.Unlock()
	if j.visit != nil {
		j.visit(page)
		return nil
	}
	go j.follow(page)
	return nil
}

// end is where the login page sends the browser.
func (j *visitor) end(page string) string {
	response, err := j.http.Get(page)
	if err != nil {
		return ""
	}
	_ = response.Body.Close()
	back := response.Header.Get("Location")
	if j.tampers != nil {
		back = j.tampers(back)
	}
	return back
}

// follow goes where a page leads. The login may be over before the last has been read.
func (j *visitor) follow(page string) {
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Get(j.end(page))
	if err == nil {
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
	}
}

// Tell implements connector.Person.
func (j *visitor) Tell(text string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.told = append(j.told, text)
	if _, page, ok := strings.Cut(text, "open https://"); ok {
		page, _, _ = strings.Cut(page, "\n")
		select {
		case j.shown <- "https://" + page:
		default:
		}
	}
}

// Ask implements connector.Person.
func (j *visitor) Ask(ctx context.Context, _ string) (secret.Text, error) {
	if j.answer == nil {
		<-ctx.Done()
		return secret.Text{}, ctx.Err()
	}
	return secret.New(j.answer(<-j.shown)), nil
}

// seen is all that she saw.
func (j *visitor) seen() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Join(append(j.pages, j.told...), "\n")
}

// loginWorld is a Google, a client of it, and a person.
type loginWorld struct {
	*authWorld
	jane   *visitor
	client gcptest.Client
	fields fields
}

func newLoginWorld(t *testing.T, kind string) *loginWorld {
	t.Helper()
	w := &loginWorld{authWorld: newAuthWorld(t)}
	w.client, w.jane = w.OAuthClient(kind), newVisitor(w.authWorld)
	w.host.Person = w.jane
	w.fields = fields{"client_id": w.client.ID, "client_secret": w.client.Secret, "project_id": ownProject}
	w.Consent("jane@example.com")
	return w
}

// open opens a session whose person is not waited for long: a test that fails shall not
// hang.
func (w *loginWorld) open() (*session, *userLogin) {
	w.t.Helper()
	s := w.session(methodUserAccount, w.fields)
	u, ok := s.source.(*userLogin)
	if !ok {
		w.t.Fatalf("it is a %T", s.source)
	}
	u.patience = time.Minute
	return s, u
}
