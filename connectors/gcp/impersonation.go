package gcp

import (
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
)

func impersonationMethod() method {
	return method{AuthMethod: connector.AuthMethod{Name: methodImpersonation, Title: "impersonation", Doc: "to be written"}, open: func(*clients, connector.Settings) (source, error) {
		return nil, fault.New(fault.Failed, "to be written")
	}}
}
