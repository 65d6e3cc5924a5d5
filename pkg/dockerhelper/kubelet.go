package dockerhelper

import (
	"context"
	"io"

	"github.com/svcconn/svcconn/pkg/agentclient"
	"github.com/svcconn/svcconn/pkg/proc"
	"github.com/svcconn/svcconn/pkg/wire"
)

// kubeletAction is our own: kubelet's credential provider protocol, a request on stdin
// and the answer on stdout. It is told apart from docker's actions by kubelet's
// configuration (args: [kubelet]).
const kubeletAction = "kubelet"

// kubelet answers a node's kubelet, which logs what is on stderr.
func kubelet(ctx context.Context, w proc.World) int {
	request, err := readAll(w.Stdin)
	var answer agentclient.Answer
	if err == nil {
		answer, err = call(ctx, w, wire.KubeletGet, request)
	}
	if err == nil {
		_, err = io.WriteString(w.Stdout, answer.Body.Reveal())
	}
	if err != nil {
		proc.PrintError(w.Stderr, Name, err)
		return proc.Failed
	}
	return proc.Done
}
