package docker

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/hop"
)

// maxBody bounds what is read of an answer, in bytes.
const maxBody = 64 << 10

// service is a service on the way to a login, as errors name it: "registry ghcr.io".
func service(name string) hop.Hop {
	return hop.Hop{Name: name, Advice: &hop.Advice{
		Late:        "try again; if it stays away, check host, port, network and proxy",
		Unreachable: "check host, port, network and proxy",
		Plain: "check its port; where it is meant to speak plain HTTP, --set insecure=true allows that, " +
			"and anyone on the way can then read the password",
		WrongName: "register the registry under a name that its certificate has",
		Expired:   "check this machine's clock; if it is right, the registry needs a new certificate",
		Untrusted: "if it is signed by a certificate authority of your own, give that one's certificate: --set certificate_authority=@ca.pem\n" +
			"--set insecure=true trusts any certificate, and whoever is on the way can then read the password",
		Unusable: "check host and port, and the proxy if there is one",
	}}
}

// refusal makes an error of a status, the header and the words that came with it.
type refusal func(status int, header http.Header, words string) error

// refusedBy is the error for a service that answered, but not with what was asked for.
// words are its own.
func refusedBy(h hop.Hop) refusal {
	return func(status int, header http.Header, words string) error {
		switch {
		case status == http.StatusUnauthorized || status == http.StatusForbidden:
			return fault.New(fault.Denied, "%s refuses: %s", h, words)
		case status == http.StatusTooManyRequests:
			return fault.New(fault.Unavailable, "%s is being asked too often: %s", h, words).Hint("try again %s", hop.Later(header))
		case status >= http.StatusInternalServerError:
			return fault.New(fault.Unavailable, "%s is out of order: %s", h, words).Hint("try again %s", hop.Later(header))
		}
		return fault.New(fault.Failed, "%s gave an answer that makes no sense here: %s", h, words)
	}
}

// said finds the message in an error body: the distribution specification's errors,
// OAuth2's error and error_description, or what Docker Hub and others have.
func said(body []byte) string {
	var message struct {
		Errors      []transport.Diagnostic `json:"errors"`
		Error       any                    `json:"error"`
		Description any                    `json:"error_description"`
		Details     any                    `json:"details"`
		Message     any                    `json:"message"`
	}
	_ = json.Unmarshal(body, &message) // a part that is of another shape says nothing
	var words []string
	if len(message.Errors) > 0 {
		words = append(words, diagnosed(message.Errors))
	}
	for _, part := range []any{message.Error, message.Description, message.Details, message.Message} {
		if text, ok := part.(string); ok && text != "" {
			words = append(words, text)
		}
	}
	return strings.Join(words, ": ")
}

func diagnosed(errors []transport.Diagnostic) string {
	var words []string
	for _, e := range errors {
		words = append(words, strings.Trim(fmt.Sprintf("%s: %s", e.Code, e.Message), ": "))
	}
	return strings.Join(words, "; ")
}
