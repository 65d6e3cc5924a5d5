// Package connectors is the list of the connector types that svcconn has. A new type
// is a folder beside this file and a line in it; only the program svcconn links it.
package connectors

import (
	"github.com/svcconn/svcconn/connectors/aws"
	"github.com/svcconn/svcconn/connectors/docker"
	"github.com/svcconn/svcconn/connectors/gcp"
	"github.com/svcconn/svcconn/connectors/kubernetes"
	"github.com/svcconn/svcconn/pkg/connector"
)

// All returns the connector types, in the order in which they are listed.
func All() connector.Types {
	return connector.NewTypes(
		docker.Type(),
		kubernetes.Type(),
		aws.Type(),
		gcp.Type(),
	)
}
