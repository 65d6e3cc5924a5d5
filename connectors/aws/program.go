package aws

import (
	"context"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/hop"
)

// programPatience bounds one run of a program, as the AWS SDKs bound it.
const programPatience = time.Minute

// answerOf runs a program and its arguments, and returns what it writes.
func answerOf(ctx context.Context, host connector.Host, words []string) ([]byte, error) {
	finished, err := hop.Answer(ctx, host, programPatience, connector.Command{Program: words[0], Args: words[1:]})
	if err != nil {
		return nil, err
	}
	return finished.Stdout, nil
}
