package gcp

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

const planted = "canary-6f1d2c9b7a"

// rsaKey is a small key: it is parsed here, and signs nothing.
var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		panic(err)
	}
	return key
})

func pkcs8(key any) string {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// The files of each kind, as they should be.
func serviceFile() string {
	return object("type", fileService, "project_id", "acme-prod", "private_key_id", "0123", "private_key", pkcs8(rsaKey()),
		"client_email", "robot@acme-prod.iam.gserviceaccount.com", "token_uri", "https://oauth2.googleapis.com/token")
}

func userFile() string {
	return object("type", fileUser, "client_id", "1-x.apps.googleusercontent.com", "client_secret", "secret-"+planted, "refresh_token", "1//"+planted)
}

func externalUserFile() string {
	return object("type", fileExternalUser, "audience", "//iam.googleapis.com/locations/global/workforcePools/p/providers/q", "client_id", "c",
		"client_secret", "secret-"+planted, "refresh_token", "1//"+planted, "token_url", "https://sts.googleapis.com/v1/oauthtoken")
}

func impersonatedFile(source string) string {
	return object("type", fileImpersonated, "delegates", []string{"middle@acme-prod.iam.gserviceaccount.com"}, "quota_project_id", "acme-bills",
		"service_account_impersonation_url", "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/robot@acme-prod.iam.gserviceaccount.com:generateAccessToken",
		"source_credentials", json.RawMessage(source))
}

func object(pairs ...any) string {
	out := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		out[pairs[i].(string)] = pairs[i+1]
	}
	text, err := json.Marshal(out)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// with is a file with another value; "" takes the key away.
func with(file, key, value string) string {
	var out map[string]any
	if err := json.Unmarshal([]byte(file), &out); err != nil {
		panic(err)
	}
	if out[key] = value; value == "" {
		delete(out, key)
	}
	text, err := json.Marshal(out)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func TestCredentialFilesThatAreTaken(t *testing.T) {
	t.Parallel()
	pkcs1 := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(rsaKey())}))
	wrapped := base64.StdEncoding.EncodeToString([]byte(serviceFile()))
	for name, c := range map[string]struct {
		text  string
		kinds []string
	}{
		"a key":                       {serviceFile(), []string{fileService}},
		"a key, in base64":            {wrapped, []string{fileService}},
		"a key, in base64 of lines":   {wrapped[:76] + "\n" + wrapped[76:] + "\n", []string{fileService}},
		"a key in PKCS #1":            {with(serviceFile(), "private_key", pkcs1), []string{fileService}},
		"a key of no token_uri":       {with(serviceFile(), "token_uri", ""), []string{fileService}},
		"a key for this machine":      {with(serviceFile(), "token_uri", "http://127.0.0.1:80/token"), []string{fileService}},
		"a login":                     {userFile(), []string{fileUser, fileExternalUser}},
		"a login of a workforce pool": {externalUserFile(), []string{fileUser, fileExternalUser}},
		"an impersonation":            {impersonatedFile(userFile()), []string{fileImpersonated}},
		"an impersonation by a pool":  {impersonatedFile(object("type", fileExternal)), []string{fileImpersonated, fileUser}},
		"a federation":                {object("type", fileExternal, "audience", "x"), []string{fileExternal}},
	} {
		f, err := readFile(secret.New(c.text), c.kinds...)
		if err == nil {
			err = f.check()
		}
		if err != nil || !json.Valid([]byte(f.text.Reveal())) {
			t.Errorf("%s: %v", name, err)
		}
		if shown := fmt.Sprintf("%v %+v %#v", f, f, f); strings.Contains(shown, planted) || strings.Contains(shown, "PRIVATE KEY") {
			t.Errorf("%s is seen", name)
		}
	}
}

// badFile is a file that is refused.
type badFile struct {
	text  string
	kinds []string
	words []string // in the error or its hint
}

// areRefused checks that files are, by what checks them and by what opens them, and that
// nothing of them is seen.
func areRefused(t *testing.T, files map[string]badFile) {
	t.Helper()
	for name, bad := range files {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, err := readFile(secret.New(bad.text), bad.kinds...)
			if err == nil {
				err = f.check()
			}
			failsAs(t, err, fault.Invalid, bad.words, planted)
			source, err := openFile(&clients{}, "field x", secret.New(bad.text), bad.kinds...)
			failsAs(t, err, fault.Invalid, []string{"field x: "}, planted)
			if source != nil {
				t.Error("it opens")
			}
		})
	}
}

func TestFilesOfAnotherSort(t *testing.T) {
	t.Parallel()
	service, users := []string{fileService}, []string{fileUser, fileExternalUser}
	areRefused(t, map[string]badFile{
		"no JSON":            {planted, service, []string{"it is not JSON", "--set NAME=@FILE"}},
		"a key alone":        {pkcs8(rsaKey()), service, []string{"it is not JSON"}},
		"torn":               {serviceFile()[:200], service, []string{"it is not JSON"}},
		"two of them":        {serviceFile() + serviceFile(), service, []string{"it is not JSON"}},
		"a list":             {`["` + planted + `"]`, service, []string{"it is JSON, but not an object"}},
		"a text":             {`"` + planted + `"`, service, []string{"it is JSON, but not an object"}},
		"nothing":            {" null\n{}", service, []string{"it is not JSON"}},
		"an empty object":    {"{}", service, []string{"it lacks type"}},
		"no type":            {`{"private_key":"` + planted + `"}`, service, []string{"it lacks type", "service_account is needed"}},
		"a type of no text":  {`{"type":7}`, service, []string{"its key type has a value of another type"}},
		"a login for a key":  {userFile(), service, []string{"it is of type authorized_user, and service_account is needed", "--auth-method user-account --set user_account_json=@FILE"}},
		"a pool's for a key": {externalUserFile(), service, []string{"external_account_authorized_user", "--auth-method user-account"}},
		"a key for a login":  {serviceFile(), users, []string{"it is of type service_account, and authorized_user or external_account_authorized_user is needed", "--auth-method service-account --set service_account_json=@FILE"}},
		"a federation":       {object("type", fileExternal), service, []string{"it is of type external_account", "--auth-method external-account --set external_account_json=@FILE"}},
		"an impersonation":   {impersonatedFile(userFile()), users, []string{"impersonated_service_account", "auth method impersonation", "--auto-configure"}},
		"another cloud's":    {object("type", fileGDCH), service, []string{"gdch_service_account", "Google Distributed Cloud"}},
		"an OAuth client":    {`{"installed":{"client_id":"x","client_secret":"` + planted + `"}}`, users, []string{"OAuth client", "client_id and client_secret"}},
		"a web client":       {`{"web":{}}`, users, []string{"OAuth client"}},
		"an unknown type":    {object("type", planted), service, []string{"of a type that svcconn does not know", "service_account is needed"}},
	})
}

func TestServiceKeysThatAreRefused(t *testing.T) {
	t.Parallel()
	elliptic, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	service := []string{fileService}
	key := func(value string) string { return with(serviceFile(), "private_key", value) }
	areRefused(t, map[string]badFile{
		"neither key":                   {object("type", fileService), service, []string{"it lacks private_key, client_email", "the whole file"}},
		"no key":                        {key(""), service, []string{"it lacks private_key"}},
		"no address":                    {with(serviceFile(), "client_email", ""), service, []string{"it lacks client_email"}},
		"a key of no text":              {object("type", fileService, "private_key", 7, "client_email", planted), service, []string{"its key private_key has a value of another type"}},
		"an odd address of the account": {with(serviceFile(), "client_email", planted), service, []string{"client_email is not an e-mail address"}},
		"an odd id":                     {with(serviceFile(), "private_key_id", "\x1b[2J"+planted), service, []string{"private_key_id is not the id of a key"}},
		"a key of no PEM":               {key(planted), service, []string{"private_key is no key in PEM", "line breaks"}},
		"a key on one line":             {key(strings.ReplaceAll(pkcs8(rsaKey()), "\n", " ")), service, []string{"private_key is no key in PEM"}},
		"another sort of key":           {key(pkcs8(elliptic)), service, []string{"private_key is no RSA key"}},
		"a torn key":                    {key(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte(planted)}))), service, []string{"private_key is no RSA key"}},
		"plain http":                    {with(serviceFile(), "token_uri", "http://"+planted+".example.com/token"), service, []string{"token_uri is not an address that is reached by https"}},
		"an odd address":                {with(serviceFile(), "token_uri", "file:///"+planted), service, []string{"token_uri is not an address"}},
		"no host":                       {with(serviceFile(), "token_uri", "https:///token"), service, []string{"token_uri is not an address"}},
		"a password":                    {with(serviceFile(), "token_uri", "https://me:"+planted+"@example.com/"), service, []string{"token_uri is not an address"}},
	})
}

func TestLoginsAndImpersonationsThatAreRefused(t *testing.T) {
	t.Parallel()
	users := []string{fileUser, fileExternalUser}
	areRefused(t, map[string]badFile{
		"an empty login":      {object("type", fileUser), users, []string{"it lacks client_id, client_secret, refresh_token"}},
		"an empty pool's":     {object("type", fileExternalUser, "client_id", planted), users, []string{"it lacks client_secret, refresh_token, token_url"}},
		"a login elsewhere":   {with(userFile(), "token_uri", "http://example.com/token"), users, []string{"token_uri is not an address"}},
		"a pool elsewhere":    {with(externalUserFile(), "token_url", "ftp://example.com/token"), users, []string{"token_url is not an address"}},
		"a pool told of":      {with(externalUserFile(), "token_info_url", "http://example.com/"), users, []string{"token_info_url is not an address"}},
		"no source":           {object("type", fileImpersonated), []string{fileImpersonated}, []string{"it lacks service_account_impersonation_url, source_credentials"}},
		"a source of nothing": {impersonatedFile("null"), []string{fileImpersonated}, []string{"it lacks source_credentials"}},
		"a bad source":        {impersonatedFile(object("type", fileUser)), []string{fileImpersonated}, []string{"its key source_credentials: it lacks client_id"}},
		"one in another":      {impersonatedFile(impersonatedFile(userFile())), []string{fileImpersonated}, []string{"its key source_credentials: it is of type impersonated_service_account"}},
		"a text as a source":  {impersonatedFile(`"` + planted + `"`), []string{fileImpersonated}, []string{"its key source_credentials: it is JSON, but not an object"}},
		"another's address": {with(impersonatedFile(userFile()), "service_account_impersonation_url", "https://"+planted+".example.com/token"),
			[]string{fileImpersonated}, []string{"service_account_impersonation_url is not an address of IAM's"}},
		"nobody's address": {with(impersonatedFile(userFile()), "service_account_impersonation_url", "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/../x:generateAccessToken"),
			[]string{fileImpersonated}, []string{"service_account_impersonation_url is not an address of IAM's"}},
		"an odd delegate": {object("type", fileImpersonated, "delegates", []string{planted}, "source_credentials", json.RawMessage(userFile()), "service_account_impersonation_url",
			"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/robot@acme-prod.iam.gserviceaccount.com:generateAccessToken"),
			[]string{fileImpersonated}, []string{"its key delegates: it is neither the e-mail address nor the unique id"}},
	})
}

// What a field refuses, it refuses before anything is stored.
func TestCredentialFileFields(t *testing.T) {
	t.Parallel()
	for method, f := range map[string]fields{
		methodServiceAccount: {"service_account_json": userFile()},
		methodUserAccount:    {"user_account_json": serviceFile(), "project_id": ownProject},
		methodImpersonation:  {"external_account_json": serviceFile(), "target_principal": "robot@acme-prod.iam.gserviceaccount.com"},
	} {
		_, err := f.settings(method)
		failsAs(t, err, fault.Invalid, []string{"_account_json: it is of type"}, planted)
	}
}

// FuzzCredentialFile: whatever is given for a credential file, reading it ends with an
// error that can be acted on and repeats nothing of it, or with a file that opens.
func FuzzCredentialFile(f *testing.F) {
	torn := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte(planted)})) // real ones take long to make
	service := object("type", fileService, "private_key", torn, "client_email", "robot@acme-prod.iam.gserviceaccount.com", "token_uri", "https://x/")
	for _, text := range []string{
		service, userFile(), externalUserFile(), impersonatedFile(userFile()), object("type", fileGDCH), "null", "{}", "e30=", planted,
		`{"type":"service_account","private_key":{"a":"` + planted + `"}}`, `{"type":"authorized_user","client_id":["` + planted + `"]}`,
	} {
		f.Add(text)
	}
	all := []string{fileUser, fileService, fileExternalUser, fileImpersonated}
	f.Fuzz(func(t *testing.T, text string) {
		file, err := readFile(secret.New(text), all...)
		if err == nil {
			err = file.check()
		}
		opened, openErr := openFile(&clients{}, "it", secret.New(text), all...)
		if (err == nil) != (openErr == nil) || (openErr == nil) != (opened != nil) {
			t.Fatalf("it is checked (%v), and opens (%v)", err, openErr)
		}
		if err == nil {
			return
		}
		if !fault.Is(err, fault.Invalid) {
			t.Fatalf("%s: %v", fault.KindOf(err), err)
		}
		shown := err.Error() + fault.HintOf(err)
		for _, long := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(`"\{}[]:, `, r) }) {
			if len(long) >= 12 && strings.Contains(shown, long) && !ours(long) {
				t.Fatalf("%q is repeated: %s", long, shown)
			}
		}
	})
}

// ours reports whether a text is one that errors have of themselves.
func ours(text string) bool {
	own := []string{
		fileUser, fileService, fileExternal, fileExternalUser, fileImpersonated, fileGDCH, "client_secret", "refresh_token", "client_email", "private_key",
		"token_info_url", "quota_project_id", "universe_domain", "private_key_id", "service_account_impersonation_url", "source_credentials",
		"https://oauth2.googleapis.com/token", "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/NAME@PROJECT.iam.gserviceaccount.com:generateAccessToken",
	}
	for _, word := range own {
		if strings.Contains(word, text) {
			return true
		}
	}
	return false
}
