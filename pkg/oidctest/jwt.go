package oidctest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
)

// signer signs tokens, by RS256 or ES256.
type signer struct {
	key   crypto.Signer
	other crypto.Signer // a key that is not published
	alg   string
}

const keyID = "one"

func newSigner(elliptical bool) (signer, error) {
	if elliptical {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return signer{}, err
		}
		other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		return signer{key, other, "ES256"}, err
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return signer{}, err
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	return signer{key, other, "RS256"}, err
}

// sign makes a JSON web token.
func (s signer) sign(claims map[string]any, byOther bool) (string, error) {
	header, err := json.Marshal(map[string]string{"alg": s.alg, "kid": keyID, "typ": "JWT"})
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	text := encode(header) + "." + encode(payload)
	key := s.key
	if byOther {
		key = s.other
	}
	sum := sha256.Sum256([]byte(text))
	signature, err := signature(key, sum[:])
	return text + "." + encode(signature), err
}

func signature(key crypto.Signer, sum []byte) ([]byte, error) {
	elliptical, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return key.Sign(rand.Reader, sum, crypto.SHA256)
	}
	r, s, err := ecdsa.Sign(rand.Reader, elliptical, sum)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 64)
	r.FillBytes(out[:32])
	s.FillBytes(out[32:])
	return out, nil
}

// published is the public key as JWK.
func (s signer) published() map[string]string {
	jwk := map[string]string{"kid": keyID, "use": "sig", "alg": s.alg}
	switch key := s.key.Public().(type) {
	case *rsa.PublicKey:
		jwk["kty"], jwk["n"], jwk["e"] = "RSA", encode(key.N.Bytes()), encode(big.NewInt(int64(key.E)).Bytes())
	case *ecdsa.PublicKey:
		point, _ := key.Bytes() // uncompressed: 4, x, y; fails for foreign curves only
		jwk["kty"], jwk["crv"], jwk["x"], jwk["y"] = "EC", "P-256", encode(point[1:33]), encode(point[33:])
	}
	return jwk
}

func (s *Server) keys(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{"keys": []any{s.signer.published()}})
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// refuse answers with an OAuth2 error.
func refuse(w http.ResponseWriter, status int, code, description string) {
	writeJSON(w, status, map[string]string{"error": code, "error_description": description})
}
