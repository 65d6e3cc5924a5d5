package gcptest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"net/url"
	"sync"
)

const keyBits = 2048

// pairs are the key pairs of the process, each made at first use: making one takes long.
// The keys of a server take their turn, so that the first ones differ. The issuer's is the
// last.
var pairs = func() (out [8]func() *rsa.PrivateKey) {
	for i := range out {
		out[i] = sync.OnceValue(func() *rsa.PrivateKey {
			key, _ := rsa.GenerateKey(rand.Reader, keyBits) // fails for fewer bits only
			return key
		})
	}
	return out
}()

// pair is the key pair of a server's nth key.
func pair(n int) *rsa.PrivateKey { return pairs[n%(len(pairs)-1)]() }

// issuerPair is the key pair of issuers.
func issuerPair() *rsa.PrivateKey { return pairs[len(pairs)-1]() }

const (
	googleToken = "https://oauth2.googleapis.com/token"
	keyIDSize   = 20 // bytes
)

// Key makes a key of the account and returns it as the file that Google gives out: JSON.
// Tokens are got at https://oauth2.googleapis.com/token.
func (a *ServiceAccount) Key() string { return a.KeyAt(googleToken) }

// KeyAt is Key with another address that tokens are got at: URL()+"/token", for one, or one
// of a host that Route gave Handler.
func (a *ServiceAccount) KeyAt(tokenURI string) string {
	s := a.project.server
	s.mu.Lock()
	n := s.people.keys
	s.people.keys++
	s.mu.Unlock()
	key := pair(n)
	raw := make([]byte, keyIDSize)
	_, _ = rand.Read(raw) // never fails
	id := hex.EncodeToString(raw)
	s.mu.Lock()
	a.keys[id] = &key.PublicKey
	s.mu.Unlock()
	encoded, _ := x509.MarshalPKCS8PrivateKey(key) // fails for keys of other kinds only
	file, _ := json.MarshalIndent(keyFile{         // texts
		Type: "service_account", ProjectID: a.project.id, PrivateKeyID: id,
		PrivateKey:  string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})),
		ClientEmail: a.email, ClientID: a.uniqueID(), AuthURI: "https://accounts.google.com/o/oauth2/auth", TokenURI: tokenURI,
		ProviderCertificates: "https://www.googleapis.com/oauth2/v1/certs",
		ClientCertificates:   "https://www.googleapis.com/robot/v1/metadata/x509/" + url.PathEscape(a.email),
		Universe:             defaultUniverse,
	}, "", "  ")
	return string(file)
}

// keyFile is the file of a service account's key.
type keyFile struct {
	Type                 string `json:"type"`
	ProjectID            string `json:"project_id"`
	PrivateKeyID         string `json:"private_key_id"`
	PrivateKey           string `json:"private_key"`
	ClientEmail          string `json:"client_email"`
	ClientID             string `json:"client_id"`
	AuthURI              string `json:"auth_uri"`
	TokenURI             string `json:"token_uri"`
	ProviderCertificates string `json:"auth_provider_x509_cert_url"`
	ClientCertificates   string `json:"client_x509_cert_url"`
	Universe             string `json:"universe_domain"`
}
