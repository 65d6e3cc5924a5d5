package gcp

import (
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
)

func userAccountMethod() method {
	return method{AuthMethod: connector.AuthMethod{Name: methodUserAccount, Title: "user account", Doc: "to be written"}, open: func(*clients, connector.Settings) (source, error) {
		return nil, fault.New(fault.Failed, "to be written")
	}}
}
