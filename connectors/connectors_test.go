package connectors_test

import (
	"testing"

	"github.com/svcconn/svcconn/connectors"
)

// NewTypes panics on a malformed or doubled type; this is where that would show.
func TestAll(t *testing.T) {
	t.Parallel()
	if _, err := connectors.All().Find("docker"); err != nil {
		t.Error(err)
	}
	if err := connectors.All().FindResource("docker-registry"); err != nil {
		t.Error(err)
	}
}
