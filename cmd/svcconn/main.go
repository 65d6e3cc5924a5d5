// Command svcconn registers, inspects and uses connectors; see package admin.
package main

import (
	"github.com/svcconn/svcconn/connectors"
	"github.com/svcconn/svcconn/pkg/admin"
	"github.com/svcconn/svcconn/pkg/proc"
)

func main() { proc.Main(admin.Program(connectors.All())) }
