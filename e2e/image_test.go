//go:build e2e && linux

package e2e

import (
	"fmt"
	"os"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// buildContext is a folder with a Dockerfile for an image that prints greeting.
// The greeting makes the image differ from those of tests that run beside.
func (w *world) buildContext(greeting string) string {
	w.t.Helper()
	dir := w.unique("context")
	w.file(fmt.Sprintf("FROM scratch\nCOPY hello /hello\nENV GREETING=%s\nENTRYPOINT [\"/hello\"]\n", greeting), dir, "Dockerfile")
	must(w.t, os.Link(suite.hello, w.path(dir, "hello")))
	return w.path(dir)
}

// imageFile is an image in the format of `docker save`, for tools that build none.
func (w *world) imageFile(ref string) string {
	w.t.Helper()
	tag, err := name.NewTag(ref, name.Insecure)
	must(w.t, err)
	image, err := random.Image(1000, 1)
	must(w.t, err)
	path := w.path(w.unique("image") + ".tar")
	must(w.t, tarball.WriteToFile(path, tag, image))
	return path
}
