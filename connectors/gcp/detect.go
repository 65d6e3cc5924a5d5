package gcp

import (
	"context"

	"github.com/svcconn/svcconn/pkg/connector"
)

func detect(context.Context, connector.Host, map[string]string) ([]connector.Detected, error) {
	return nil, nil
}
