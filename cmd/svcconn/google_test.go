package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google/externalaccount"
)

// googletoken is a program that uses Google's library for Go: it prints the token that the
// file GOOGLE_APPLICATION_CREDENTIALS leads to.
func googletoken() {
	token, err := googleToken(os.Getenv("GOOGLE_APPLICATION_CREDENTIALS"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(token.AccessToken, token.TokenType)
}

func googleToken(file string) (*oauth2.Token, error) {
	text, err := os.ReadFile(filepath.Clean(file))
	if err != nil {
		return nil, err
	}
	var in struct {
		Audience    string                            `json:"audience"`
		SubjectType string                            `json:"subject_token_type"`
		TokenURL    string                            `json:"token_url"`
		Source      *externalaccount.CredentialSource `json:"credential_source"`
	}
	if err := json.Unmarshal(text, &in); err != nil {
		return nil, err
	}
	source, err := externalaccount.NewTokenSource(context.Background(), externalaccount.Config{
		Audience: in.Audience, SubjectTokenType: in.SubjectType, TokenURL: in.TokenURL, CredentialSource: in.Source,
		Scopes: []string{"https://www.googleapis.com/auth/cloud-platform"},
	})
	if err != nil {
		return nil, err
	}
	return source.Token()
}

// squat takes the port that a credential file names, as any other program could.
func squat(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: squat FILE")
	}
	_, address, ok := strings.Cut(ts.ReadFile(args[0]), "--exchange ")
	if !ok {
		ts.Fatalf("%s names no exchange", args[0])
	}
	address, _, _ = strings.Cut(address, `"`)
	listener, err := net.Listen("tcp", address)
	ts.Check(err)
	ts.Defer(func() { _ = listener.Close() })
}
