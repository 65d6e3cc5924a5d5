// Command docker-credential-svcconn is a Docker credential helper; see package
// dockerhelper.
package main

import (
	"github.com/svcconn/svcconn/pkg/dockerhelper"
	"github.com/svcconn/svcconn/pkg/proc"
)

func main() { proc.Main(dockerhelper.Run) }
