package gcp

import (
	"context"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
)

func genericKind() kind {
	return kind{ResourceType: connector.ResourceType{Name: genericType, Title: "Generic GCP resource", Doc: "to be written", Instances: false,
		Parse: func(_ field.Values, name string) (string, error) { return name, nil }},
		list: func(context.Context, *session, func(string) error) error {
			return fault.New(fault.Failed, "to be written")
		},
		mint: func(context.Context, *session, connector.Request) (connector.Credential, error) {
			return nil, fault.New(fault.Failed, "to be written")
		},
	}
}
