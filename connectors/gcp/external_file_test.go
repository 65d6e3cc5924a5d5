package gcp

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/svcconn/svcconn/pkg/fault"
)

const someAudience = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/x"

// TestExternalConfigurationsThatAreRefused: before anything is asked, and without a word
// of what is in them.
func TestExternalConfigurationsThatAreRefused(t *testing.T) {
	t.Parallel()
	file := map[string]any{"file": "/token"}
	runs := func(executable map[string]any) map[string]any { return map[string]any{"executable": executable} }
	amazon := func(more map[string]any) map[string]any {
		out := map[string]any{
			"environment_id": "aws1", "region_url": "http://169.254.169.254/latest/meta-data/placement/availability-zone",
			"url": "http://169.254.169.254/latest/meta-data/iam/security-credentials", "regional_cred_verification_url": usualVerification,
		}
		for key, value := range more {
			out[key] = value
		}
		return out
	}
	for name, test := range map[string]struct {
		source any
		more   map[string]any
		words  []string
	}{
		"no audience":           {file, map[string]any{"audience": ""}, []string{"lacks audience"}},
		"no type of the token":  {file, map[string]any{"subject_token_type": nil}, []string{"lacks subject_token_type"}},
		"number for a text":     {file, map[string]any{"audience": 1}, []string{"audience has a value of another type"}},
		"plain http":            {file, map[string]any{"token_url": "http://sts.example.com/" + planted}, []string{"token_url is not an address"}},
		"user and password":     {file, map[string]any{"token_url": "https://x:" + planted + "@sts.example.com/"}, []string{"token_url is not an address"}},
		"not IAM's address":     {file, map[string]any{"service_account_impersonation_url": "https://example.com/" + planted}, []string{"service_account_impersonation_url"}},
		"lifetime":              {file, map[string]any{"service_account_impersonation": map[string]any{"token_lifetime_seconds": 43201}}, []string{"43201", "between 600 and 43200"}},
		"negative lifetime":     {file, map[string]any{"service_account_impersonation": map[string]any{"token_lifetime_seconds": -1}}, []string{"-1"}},
		"enormous lifetime":     {file, map[string]any{"service_account_impersonation": map[string]any{"token_lifetime_seconds": 1 << 60}}, []string{"no lifetime"}},
		"project without pool":  {file, map[string]any{"workforce_pool_user_project": "1"}, []string{"workforce_pool_user_project is for workforce pools"}},
		"no source":             {nil, nil, []string{"credential_source", "has 0 of"}},
		"empty source":          {map[string]any{}, nil, []string{"has 0 of"}},
		"two sources":           {map[string]any{"file": "/token", "url": "https://example.com"}, nil, []string{"has 2 of"}},
		"source is text":        {planted, nil, []string{"credential_source has a value of another type"}},
		"relative file":         {map[string]any{"file": "token"}, nil, []string{"absolute path"}},
		"unknown format":        {map[string]any{"file": "/token", "format": map[string]any{"type": "xml"}}, nil, []string{"neither text nor json"}},
		"format without key":    {map[string]any{"file": "/token", "format": map[string]any{"type": "json"}}, nil, []string{"subject_token_field_name"}},
		"plain address":         {map[string]any{"url": "http://tokens.example.com/?" + planted}, nil, []string{"plain http", "tokens.example.com"}},
		"no address":            {map[string]any{"url": "tokens"}, nil, []string{"its key url"}},
		"certificate":           {map[string]any{"certificate": map[string]any{"use_default_certificate_config": true}}, nil, []string{"X.509 certificate, which svcconn cannot"}},
		"no command":            {runs(map[string]any{"command": " "}), nil, []string{"lacks command"}},
		"relative command":      {runs(map[string]any{"command": "bin/token"}), nil, []string{"relative path in command"}},
		"relative output":       {runs(map[string]any{"command": "/token", "output_file": "out"}), nil, []string{"relative path in output_file"}},
		"too fast":              {runs(map[string]any{"command": "/token", "timeout_millis": 4999}), nil, []string{"4999 milliseconds", "5000 to 120000"}},
		"too slow":              {runs(map[string]any{"command": "/token", "timeout_millis": 120001}), nil, []string{"120001 milliseconds"}},
		"svcconn itself":        {runs(map[string]any{"command": "/usr/bin/svcconn credential --format google-executable"}), nil, []string{"would ask itself"}},
		"svcconn, on Windows":   {runs(map[string]any{"command": "SVCCONN.EXE credential"}), nil, []string{"would ask itself"}},
		"another cloud":         {amazon(map[string]any{"environment_id": "azure1"}), nil, []string{"has 2 of"}},
		"next version of AWS":   {amazon(map[string]any{"environment_id": "aws2"}), nil, []string{"environment_id is not aws1"}},
		"AWS of China":          {amazon(map[string]any{"regional_cred_verification_url": "https://sts.{region}.amazonaws.com.cn?Action=GetCallerIdentity&Version=2011-06-15"}), nil, []string{"regional_cred_verification_url"}},
		"AWS without addresses": {map[string]any{"environment_id": "aws1"}, nil, []string{"--set aws_credential_process=COMMAND"}},
		"AWS, foreign address":  {amazon(map[string]any{"region_url": "http://169.254.169.254.evil.example.com/"}), nil, []string{"plain http"}},
	} {
		more := map[string]any{"client_secret": planted}
		for key, value := range test.more {
			more[key] = value
		}
		text := changed(t, configurationJSON(t, someAudience, nil, more), map[string]any{"credential_source": test.source})
		settings, err := externalFields(text, nil).settings(methodExternal)
		if err == nil {
			_, err = open(newClosedHost(t), settings)
		}
		t.Run(name, func(t *testing.T) {
			failsAs(t, err, fault.Invalid, append(test.words, "external_account_json"), planted)
		})
	}
}

func TestExternalFieldsForAWSGoTogether(t *testing.T) {
	t.Parallel()
	text := configurationJSON(t, someAudience, map[string]any{"environment_id": "aws1"}, nil)
	for name, value := range map[string]string{"aws_region": "eu-central-1", "aws_credential_process": "print-keys"} {
		_, err := open(newClosedHost(t), must(externalFields(text, fields{name: value}).settings(methodExternal))(t))
		failsAs(t, err, fault.Invalid, []string{"aws_credential_process and aws_region go together"})
	}
	for name, value := range map[string]string{"aws_region": "Frankfurt", "aws_credential_process": "'"} {
		_, err := externalFields(text, fields{name: value}).settings(methodExternal)
		failsAs(t, err, fault.Invalid, []string{name})
	}
}

// TestSubjectTokensThatAreRefused: what is no token is not sent to Google.
func TestSubjectTokensThatAreRefused(t *testing.T) {
	t.Parallel()
	w := newPoolWorld(t)
	folder := t.TempDir()
	asJSON := map[string]any{"type": "json", "subject_token_field_name": "token"}
	down := httptest.NewServer(http.NotFoundHandler())
	down.Close()
	service := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		http.Error(rw, "who is "+r.Header.Get("X-Key")+"?", http.StatusUnauthorized)
	}))
	defer service.Close()
	for name, test := range map[string]struct {
		source map[string]any
		kind   fault.Kind
		words  []string
	}{
		"no file":         {map[string]any{"file": folder + "/none"}, fault.Failed, []string{"none: no such file", "whoever renews"}},
		"a folder":        {map[string]any{"file": folder}, fault.Invalid, []string{"is not a file"}},
		"empty":           {map[string]any{"file": inFolder(t, folder, "empty", " \n")}, fault.Invalid, []string{"empty has no token"}},
		"two lines":       {map[string]any{"file": inFolder(t, folder, "two", planted+"\n"+planted)}, fault.Invalid, []string{"white space"}},
		"JSON as text":    {map[string]any{"file": inFolder(t, folder, "json", `{"token": "`+planted+`"}`)}, fault.Invalid, []string{"format.type=json"}},
		"text as JSON":    {map[string]any{"file": inFolder(t, folder, "text", planted), "format": asJSON}, fault.Invalid, []string{"not an object of JSON"}},
		"another key":     {map[string]any{"file": inFolder(t, folder, "key", `{"Token": "`+planted+`"}`), "format": asJSON}, fault.Invalid, []string{`no text by the key "token"`}},
		"a number":        {map[string]any{"file": inFolder(t, folder, "number", `{"token": 12}`), "format": asJSON}, fault.Invalid, []string{"no text"}},
		"nobody there":    {map[string]any{"url": down.URL}, fault.Unavailable, []string{"cannot be reached"}},
		"refused address": {map[string]any{"url": service.URL, "headers": map[string]any{"X-Key": planted}}, fault.Denied, []string{"401 Unauthorized: who is", "credential_source.url"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := w.session(methodExternal, externalFields(configurationJSON(t, w.audience, test.source, nil), nil))
			_, err := s.tokenFor(t.Context(), purpose{})
			failsAs(t, err, test.kind, append(test.words, "the subject token"), planted)
		})
	}
	if n := w.Count("sts", ""); n != 0 {
		t.Errorf("Google was asked %d times", n)
	}
}
