// Command kubectl-svcconn is a kubectl plugin; see package kubeplugin.
package main

import (
	"github.com/svcconn/svcconn/pkg/kubeplugin"
	"github.com/svcconn/svcconn/pkg/proc"
)

func main() { proc.Main(kubeplugin.Run) }
