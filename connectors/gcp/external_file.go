package gcp

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"path/filepath"
	"strings"
	"time"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/secret"
)

// externalFile is a file of the kind external_account.
// https://google.aip.dev/auth/4117
type externalFile struct {
	Audience      string           `json:"audience"`
	SubjectType   string           `json:"subject_token_type"`
	TokenURL      string           `json:"token_url"`
	URL           string           `json:"service_account_impersonation_url"`
	Impersonation impersonating    `json:"service_account_impersonation"`
	Client        string           `json:"client_id"`
	ClientSecret  hidden           `json:"client_secret"`
	Quota         string           `json:"quota_project_id"`
	Universe      string           `json:"universe_domain"`
	Workforce     string           `json:"workforce_pool_user_project"`
	Source        credentialSource `json:"credential_source"`

	target, endpoint string // as URL has them
}

// basic is how the client's secret is sent; "" where there is none.
func (f externalFile) basic() secret.Text {
	if f.ClientSecret.IsEmpty() {
		return secret.Text{}
	}
	return secret.New(base64.StdEncoding.EncodeToString([]byte(f.Client + ":" + f.ClientSecret.Reveal())))
}

type impersonating struct {
	Seconds int64 `json:"token_lifetime_seconds"`
}

// credentialSource says where the subject token comes from.
type credentialSource struct {
	File        string            `json:"file"`
	URL         string            `json:"url"`
	Headers     map[string]hidden `json:"headers"`
	Executable  *executable       `json:"executable"`
	Certificate json.RawMessage   `json:"certificate"`
	Format      tokenFormat       `json:"format"`
	amazon
}

// reads is the file that decides whose the tokens are, as checkOwnPath has it; "" is none.
func (s credentialSource) reads() string {
	path := s.File
	if s.Executable != nil {
		path = s.Executable.OutputFile
	}
	if path == "" {
		return ""
	}
	return filepath.Clean(path)
}

// workforceAudience is the audience of providers of workforce pools.
var workforceAudience = field.Lazily(`^//iam\.googleapis\.com/locations/[^/]+/workforcePools/`)

func readExternal(text secret.Text) (externalFile, error) {
	var f externalFile
	if err := decode([]byte(text.Reveal()), &f); err != nil {
		return f, err
	}
	err := complete(needed{"audience", f.Audience == ""}, needed{"subject_token_type", f.SubjectType == ""})
	if err == nil {
		err = cmp.Or(checkTokenAddress("token_url", f.TokenURL), checkUniverse(f.Universe))
	}
	if err == nil && f.URL != "" {
		f.target, f.endpoint, err = readImpersonationURL(f.URL)
	}
	lifetime := time.Duration(f.Impersonation.Seconds) * time.Second
	switch {
	case err != nil:
		return f, err
	case f.Workforce != "" && !workforceAudience.MatchString(f.Audience):
		return f, fault.New(fault.Invalid, "its key workforce_pool_user_project is for workforce pools, and its audience is none's").
			Hint("the audience of one looks like //iam.googleapis.com/locations/global/workforcePools/POOL/providers/PROVIDER")
	case f.Impersonation.Seconds < 0 || f.Impersonation.Seconds > int64(impersonationBounds.Max/time.Second) || lifetime != 0 && lifetime < impersonationBounds.Min:
		return f, fault.New(fault.Invalid, "its key service_account_impersonation.token_lifetime_seconds, %d, is no lifetime that Google grants", f.Impersonation.Seconds).
			Hint("it is between 600 and 43200")
	}
	return f, nil
}

// prover is what gets the subject token of the file.
func (f externalFile) prover(c *clients) (prover, error) {
	s := f.Source
	isAWS := strings.HasPrefix(s.Environment, "aws")
	ways := map[string]bool{"file": s.File != "", "url": s.URL != "" && !isAWS, "executable": s.Executable != nil, "environment_id": s.Environment != "", "certificate": len(s.Certificate) > 0}
	if n := len(fieldsOf(ways)); n != 1 {
		return nil, fault.New(fault.Invalid, "it has %d of file, url, executable and environment_id (AWS), and needs one", n).
			Hint("make it with `gcloud iam workload-identity-pools create-cred-config`")
	}
	switch {
	case s.Environment != "":
		return s.amazon.prover(c, s.URL)
	case ways["executable"]:
		return s.Executable.prover(c, f)
	case ways["certificate"]:
		return nil, fault.New(fault.Invalid, "it logs in with an X.509 certificate, which svcconn cannot").
			Hint("take a provider of tokens: OpenID Connect, SAML or AWS")
	}
	if err := s.Format.check(); err != nil {
		return nil, err
	}
	if s.URL != "" {
		return s.fromURL(c)
	}
	if !filepath.IsAbs(s.File) {
		return nil, fault.New(fault.Invalid, "its key file is not an absolute path").Hint("write the absolute path into it: nobody knows to what it is relative")
	}
	return s.fromFile, nil
}

// fieldsOf are those that are there.
func fieldsOf(there map[string]bool) []string {
	var out []string
	for name, is := range there {
		if is {
			out = append(out, name)
		}
	}
	return out
}
