package kubernetes

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/kubetest"
	"github.com/svcconn/svcconn/pkg/secret"
)

// TestFields has what is refused before anything is stored or opened.
func TestFields(t *testing.T) {
	t.Parallel()
	s, other := kubetest.Start(t, knowing()), kubetest.Start(t, knowing())
	base := given{"server": s.URL(), "cluster_name": cluster}
	pair, foreign := certified(t, s, base), certified(t, other, base)
	key := pair["client_key"].(secret.Text).Reveal()
	encrypted := strings.ReplaceAll(key, "PRIVATE KEY", "ENCRYPTED PRIVATE KEY")
	account := withToken(base).with("service_account", "deployer")
	for what, test := range map[string]struct {
		method     string
		fields     given
		text, hint string
	}{
		"plain HTTP":                 {methodToken, withToken(base).with("server", "http://127.0.0.1:8080"), "plain HTTP", "https"},
		"password in the address":    {methodToken, withToken(base).with("server", "https://me:"+canary+"@h"), "user name or password in it", ""},
		"name with a space":          {methodToken, withToken(base).with("cluster_name", "a b"), "field cluster_name: the name contains a space", ""},
		"authority that is none":     {methodToken, withToken(base).with("certificate_authority", "x"), "no certificate in it", "PEM"},
		"authority with a key":       {methodToken, withToken(base).with("certificate_authority", s.CertificateAuthority()+key), "which is no certificate", "not a secret"},
		"authority, malformed":       {methodToken, withToken(base).with("certificate_authority", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"), "malformed", ""},
		"authority and insecure":     {methodToken, withToken(at(s)).with("insecure", true), "insecure to trust anyone", "leave one"},
		"server name":                {methodToken, withToken(base).with("tls_server_name", "a/b"), "not the name of a host", "xn--"},
		"proxy":                      {methodToken, withToken(base).with("proxy_url", "proxy:3128"), "not the URL of a proxy", "socks5://"},
		"proxy with a password":      {methodToken, withToken(base).with("proxy_url", "http://me:"+canary+"@p"), "plain text", "HTTPS_PROXY"},
		"no login":                   {methodToken, base, "neither a token nor a client certificate", "--set token=-"},
		"no login, service account":  {methodServiceAccount, base.with("service_account", "a"), "neither a token", "--set token=-"},
		"no login, certificate":      {methodCertificateRequest, base, "neither a token", "--set token=-"},
		"certificate alone":          {methodToken, pair.with("client_key", ""), "without client_key", "client_key=@client.key"},
		"key alone":                  {methodToken, pair.with("client_certificate", ""), "without client_certificate", "client_certificate=@client.crt"},
		"key of another":             {methodToken, pair.with("client_key", foreign["client_key"]), "do not belong together", "made for it"},
		"key that is none":           {methodToken, pair.with("client_key", secret.New(canary)), "no private key in it", "client_key=@client.key"},
		"key that is encrypted":      {methodToken, pair.with("client_key", secret.New(encrypted)), "encrypted", "openssl pkey"},
		"token with its scheme":      {methodToken, base.with("token", secret.New("Bearer "+canary)), "begins with the word Bearer", "behind it"},
		"token with a line break":    {methodToken, base.with("token", secret.New(canary+"\n")), "a line break", "printf"},
		"account's name":             {methodServiceAccount, account.with("service_account", "../secrets"), "not the name of an object", ""},
		"namespace's name":           {methodServiceAccount, account.with("namespace", "a/b"), "not the name of an object", ""},
		"user with a colon":          {methodPassword, base.with("username", "a:b").with("password", secret.New("x")), "a colon", ""},
		"password with a line break": {methodPassword, base.with("username", "a").with("password", secret.New("x\n")), "line break", "printf"},
	} {
		settings, err := connector.Types{Type()}.Check(test.fields.spec(test.method))
		if err == nil {
			_, err = Type().Open(emptyHost(t), settings)
		}
		refused(t, what, err, fault.Invalid, test.text, test.hint)
	}
	for _, method := range []string{methodServiceAccount, methodCertificateRequest} {
		spec := account.spec(method)
		if method == methodCertificateRequest {
			spec = withToken(base).spec(method)
		}
		spec.Expiration = 9 * time.Minute
		_, err := connector.Types{Type()}.Check(spec)
		refused(t, method, err, fault.Invalid, "below the least", "10m")
	}
}

func TestTokensKeepEveryCharacter(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"eyJhbGci.eyJ.e", "Bearer", "bearerer", "https", "e"} {
		fields := given{"server": "https://https-host.example.com", "cluster_name": "https", "token": secret.New(text)}
		session := sessionOf(t, methodToken, fields)
		credential, err := session.Mint(t.Context(), connector.Request{ResourceType: resourceName, ResourceName: "https"})
		auth, _ := credential.(connector.KubernetesAuth)
		if err != nil || auth.Token.Reveal() != text || auth.Endpoint.Server != "https://https-host.example.com" {
			t.Errorf("%q became %q at %s: %v", text, auth.Token.Reveal(), auth.Endpoint.Server, err)
		}
	}
}

func TestOpenRefusesToTalkAnotherWay(t *testing.T) {
	t.Parallel()
	host := emptyHost(t)
	host.HTTP = roundTripper(nil)
	_, err := open(host, settingsOf(t, methodToken, withToken(given{"server": "https://h", "cluster_name": cluster})))
	refused(t, "another transport", err, fault.Failed, "cannot be honoured", "")
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestEndpoint(t *testing.T) {
	t.Parallel()
	resource, err := Type().Resource(resourceName)
	if err != nil {
		t.Fatal(err)
	}
	fields := withToken(given{"server": "https://h:443/", "cluster_name": cluster, "insecure": true, "tls_server_name": "n"})
	got, ok := resource.Endpoint(settingsOf(t, methodToken, fields))
	want := connector.KubernetesEndpoint{Cluster: cluster, Server: "https://h", TLSServerName: "n", Insecure: true}
	if !ok || got != want {
		t.Errorf("%+v, %v", got, ok)
	}
}
