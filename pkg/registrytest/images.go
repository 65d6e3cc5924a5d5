package registrytest

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/svcconn/svcconn/pkg/faketest"
)

// TB is what is needed of a test.
type TB interface {
	faketest.TB
	Errorf(format string, args ...any)
}

// Images is a client of whatever registry, for the tests of those that fakes have.
type Images struct {
	T    TB
	HTTP http.RoundTripper
}

// imageLayers is how many layers Push gives an image.
const imageLayers = 2

// Push pushes some image, as a tag of its own, to a repository: HOST/PATH.
func (i Images) Push(repository string, as authn.Authenticator) error {
	i.T.Helper()
	image, err := random.Image(64, imageLayers)
	if err != nil {
		i.T.Fatal(err)
	}
	return remote.Write(i.tag(repository), image, remote.WithAuth(as), remote.WithTransport(i.HTTP))
}

// Pull pulls, with a layer of it, what Push pushed.
func (i Images) Pull(repository string, as authn.Authenticator) error {
	i.T.Helper()
	image, err := remote.Image(i.tag(repository), remote.WithAuth(as), remote.WithTransport(i.HTTP))
	if err != nil {
		return err
	}
	layers, err := image.Layers()
	if err != nil || len(layers) != imageLayers {
		i.T.Fatal(fmt.Sprintf("%d layers, %v", len(layers), err))
	}
	content, err := layers[0].Compressed()
	if err != nil {
		return err
	}
	return content.Close()
}

func (i Images) tag(repository string) name.Tag {
	i.T.Helper()
	tag, err := name.NewTag(repository + ":v1")
	if err != nil {
		i.T.Fatal(err)
	}
	return tag
}

// RefusedAs fails the test unless a registry has refused something with a status, and in
// words.
func RefusedAs(t TB, what string, err error, status int, says string) {
	t.Helper()
	var problem *transport.Error
	if err == nil || !errors.As(err, &problem) || problem.StatusCode != status || !strings.Contains(err.Error(), says) {
		t.Errorf("%s: %v, want %d … %s", what, err, status, says)
	}
}
