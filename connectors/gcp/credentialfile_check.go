package gcp

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/url"
	"strings"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/registryname"
	"github.com/svcconn/svcconn/pkg/secret"
)

// decode reads an object of JSON. The names in its errors are those of the struct.
func decode(raw []byte, into any) error {
	err := json.Unmarshal(raw, into)
	var wrong *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &wrong):
		return fault.New(fault.Invalid, "it is not JSON").Hint("give the file as it is, or base64 of it: --set NAME=@FILE")
	case wrong.Field == "":
		return fault.New(fault.Invalid, "it is JSON, but not an object")
	}
	return fault.New(fault.Invalid, "its key %s has a value of another type than it should have", wrong.Field)
}

// needed is a key that a file has to have.
type needed struct {
	name    string
	missing bool
}

// complete is the error for a file that lacks keys: it names them all.
func complete(keys ...needed) error {
	var missing []string
	for _, key := range keys {
		if key.missing {
			missing = append(missing, key.name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return fault.New(fault.Invalid, "it lacks %s", strings.Join(missing, ", ")).Hint("give the whole file, as it was made")
}

// checkTokenAddress checks an address that secrets are sent to; "" is none.
func checkTokenAddress(key, text string) error {
	u, err := url.Parse(text)
	if text == "" || err == nil && u.Hostname() != "" && u.User == nil && (u.Scheme == "https" || u.Scheme == "http" && registryname.Loopback(u.Hostname())) {
		return nil
	}
	return fault.New(fault.Invalid, "its key %s is not an address that is reached by https", key).
		Hint("Google's own is https://oauth2.googleapis.com/token; plain http is for a server on this machine alone")
}

// checkUniverse checks what becomes a part of addresses; "" is none.
func checkUniverse(text string) error {
	if text != "" {
		if _, err := checkDomain(text); err != nil {
			return fault.New(fault.Invalid, "its key universe_domain is not a domain").Hint("Google's own is %s", defaultUniverse)
		}
	}
	return nil
}

// checkPrivateKey checks that a service account's key can sign.
func checkPrivateKey(text secret.Text) error {
	block, _ := pem.Decode([]byte(text.Reveal()))
	if block == nil {
		return fault.New(fault.Invalid, "its key private_key is no key in PEM").
			Hint("its line breaks may have been lost on the way: give the whole file, as it was made")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if _, ok := key.(*rsa.PrivateKey); err == nil && ok {
		return nil
	}
	if _, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return nil
	}
	return fault.New(fault.Invalid, "its key private_key is no RSA key").Hint("Google's keys of service accounts all are: give the whole file, as it was made")
}
