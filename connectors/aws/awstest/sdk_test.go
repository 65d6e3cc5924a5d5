package awstest_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"

	"github.com/svcconn/svcconn/connectors/aws/awstest"
)

// The accounts and the region of most tests.
const (
	ours   = "123456789012"
	theirs = "210987654321"
	region = "eu-central-1"
)

// config is the SDK's configuration for keys at the server; zero keys sign nothing.
func config(s *awstest.Server, keys awstest.Keys, region string) aws.Config {
	c := aws.Config{Region: region, BaseEndpoint: aws.String(s.URL()), RetryMaxAttempts: 1, Credentials: aws.AnonymousCredentials{}}
	if keys.AccessKeyID != "" {
		c.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: keys.AccessKeyID, SecretAccessKey: keys.SecretAccessKey, SessionToken: keys.SessionToken}, nil
		})
	}
	return c
}

// refused fails the test unless an error has a code of the API, and says something.
func refused(t *testing.T, what string, err error, code, says string) {
	t.Helper()
	var api smithy.APIError
	switch {
	case err == nil:
		t.Errorf("%s: it was let through", what)
	case !errors.As(err, &api):
		t.Errorf("%s: %v", what, err)
	case api.ErrorCode() != code || !strings.Contains(api.ErrorMessage(), says):
		t.Errorf("%s: %s: %s, want %s: … %s", what, api.ErrorCode(), api.ErrorMessage(), code, says)
	}
}

// must ends the test where a call failed, and is what it returned else: must(call())(t).
func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// get asks without a signature, and returns the status and headers of the answer.
func get(t *testing.T, method, url string, header http.Header) (int, http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode, response.Header
}

func allow(actions, resources string) string {
	quoted := func(list string) string { return `["` + strings.Join(strings.Fields(list), `","`) + `"]` }
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":` + quoted(actions) + `,"Resource":` + quoted(resources) + `}]}`
}
