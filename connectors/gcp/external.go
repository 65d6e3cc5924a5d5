package gcp

import (
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
)

func externalMethod() method {
	return method{AuthMethod: connector.AuthMethod{Name: methodExternal, Title: "external account", Doc: "to be written"}, open: func(*clients, connector.Settings) (source, error) {
		return nil, fault.New(fault.Failed, "to be written")
	}}
}
