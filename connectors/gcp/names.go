package gcp

import "github.com/svcconn/svcconn/pkg/hop"

// The checks of the fields that all auth methods have.
func checkProject(text string) (string, error)  { return text, nil }
func checkLocation(text string) (string, error) { return text, nil }
func checkDomain(text string) (string, error)   { return text, nil }
func checkEndpoint(text string) (string, error) { return text, nil }

func checkCertificates(text string) (string, error) { return hop.Certificates(text) }
