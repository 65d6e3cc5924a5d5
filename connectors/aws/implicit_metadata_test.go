package aws

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/svcconn/svcconn/connectors/aws/awstest"
	"github.com/svcconn/svcconn/pkg/fault"
)

func TestImplicitContainer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	role := w.Account(account1).Role("task", awstest.Role{})
	uri, authorization, err := w.Container(role)
	if err != nil {
		t.Fatal(err)
	}
	fields := map[string]any{"region": "eu-central-1", "credential_source": sourceContainer, "container_credentials_uri": uri}
	with := func(name, value string) map[string]any {
		out := map[string]any{name: value}
		for key, value := range fields {
			out[key] = value
		}
		return out
	}
	for name, more := range map[string]map[string]any{
		"token": with(containerToken.Name, authorization),
		"file":  with(containerTokenFile.Name, w.write(t, "authorization", authorization+"\n")),
	} {
		k, arn := got(t, w.opened(t, methodImplicit, more), purpose{})
		if !strings.Contains(arn, "assumed-role/task/") || k.expires.IsZero() {
			t.Errorf("%s: %s until %v", name, arn, k.expires)
		}
	}
	err = refusal(t, w.opened(t, methodImplicit, with(containerToken.Name, planted)), purpose{})
	if !fault.Is(err, fault.Denied) || !strings.Contains(err.Error(), "401 Unauthorized: Unauthorized: the path or the authorization token is wrong") {
		t.Error(err)
	}
	if err := refusal(t, w.opened(t, methodImplicit, with(containerTokenFile.Name, w.write(t, "two", "a\nb"))), purpose{}); !strings.Contains(err.Error(), "line breaks") {
		t.Error(err)
	}
	if err := refusal(t, w.opened(t, methodImplicit, with("account_id", account2)), purpose{}); !fault.Is(err, fault.Denied) {
		t.Error(err)
	}
}

func TestImplicitInstance(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	endpoint, err := w.Instance(w.Account(account1).Role("node", awstest.Role{}))
	if err != nil {
		t.Fatal(err)
	}
	fields := map[string]any{"region": "eu-central-1", "credential_source": sourceInstance, "ec2_metadata_service_endpoint": endpoint}
	k, arn := got(t, w.opened(t, methodImplicit, fields), purpose{})
	if !strings.Contains(arn, "assumed-role/node/") || k.expires.Sub(noon) < 2*time.Hour {
		t.Errorf("%s until %v, which is not the instance's own expiry", arn, k.expires)
	}
}

// TestImplicitMetadataThatIsWrong: what a metadata service may answer.
func TestImplicitMetadataThatIsWrong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, test := range map[string]struct {
		status      int
		body, error string
		kind        fault.Kind
	}{
		"no role":   {404, "", "the instance has no role", fault.Denied},
		"not JSON":  {200, "<html>" + planted, "is not JSON of keys", fault.Failed},
		"code":      {200, `{"Code":"AssumeRoleUnauthorizedAccess","Message":"EC2 cannot assume the role"}`, "EC2 cannot assume the role", fault.Denied},
		"no expiry": {200, `{"Code":"Success","AccessKeyId":"ASIA1","SecretAccessKey":"` + planted + `","Token":"t"}`, "does not say until when", fault.Failed},
		"broken":    {500, planted, "500 Internal Server Error", fault.Unavailable},
		"forbidden": {403, "", "403 Forbidden", fault.Denied},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			switch {
			case r.Method == http.MethodPut:
				rw.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "300")
				fmt.Fprint(rw, "token")
			case test.status != http.StatusOK:
				http.Error(rw, test.body, test.status)
			case strings.HasSuffix(r.URL.Path, "/security-credentials/"):
				fmt.Fprint(rw, "node")
			default:
				fmt.Fprint(rw, test.body)
			}
		}))
		s := w.opened(t, methodImplicit, map[string]any{"region": "eu-central-1", "credential_source": sourceInstance, "ec2_metadata_service_endpoint": server.URL})
		err := refusal(t, s, purpose{})
		server.Close()
		if !fault.Is(err, test.kind) || !strings.Contains(err.Error(), test.error) {
			t.Errorf("%s: %v", name, err)
		}
		noCanary(t, name, err)
		if err := refusal(t, s, purpose{}); !fault.Is(err, fault.Unavailable) {
			t.Errorf("%s: nobody is there: %v", name, err)
		}
	}
}

func TestImplicitContainerThatRepeatsTheToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(rw, `{"Code":"AccessDenied","Message":"no keys for %s"}`, r.Header.Get("Authorization"))
	}))
	defer server.Close()
	fields := map[string]any{
		"region": "eu-central-1", "credential_source": sourceContainer, "container_credentials_uri": server.URL,
		"container_authorization_token_file": w.write(t, "token", planted),
	}
	err := refusal(t, w.opened(t, methodImplicit, fields), purpose{})
	if !fault.Is(err, fault.Denied) || !strings.Contains(err.Error(), "no keys for") {
		t.Error(err)
	}
	noCanary(t, "the token", err)
}

// TestImplicitMetadataGoesThroughNoProxy: it would see the keys.
func TestImplicitMetadataGoesThroughNoProxy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	uri, authorization, err := w.Container(w.Account(account1).Role("task", awstest.Role{}))
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		t.Errorf("the proxy sees %s", r.URL)
		http.Error(rw, "", http.StatusBadGateway)
	}))
	t.Cleanup(proxy.Close)
	address, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	w.host.HTTP = &http.Transport{Proxy: http.ProxyURL(address), DisableKeepAlives: true}
	s := w.opened(t, methodImplicit, map[string]any{
		"region": "eu-central-1", "credential_source": sourceContainer, "container_credentials_uri": uri, containerToken.Name: authorization,
	})
	if _, err := s.source.keys(t.Context(), purpose{}); err != nil {
		t.Error(err)
	}
}
