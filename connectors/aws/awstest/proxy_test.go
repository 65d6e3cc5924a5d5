package awstest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	awssts "github.com/aws/aws-sdk-go-v2/service/sts"
)

// through is an HTTP client that goes through the proxy.
func (w *world) through(t *testing.T) *http.Client {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(w.CertificateAuthority()))
	proxy, err := url.Parse(w.ProxyURL())
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{Proxy: http.ProxyURL(proxy), TLSClientConfig: &tls.Config{RootCAs: pool}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func TestTheProxyAnswersForHostsOfAWS(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for region, account := range map[string]*Account{
		"eu-central-1":  w.Account(account),
		"cn-north-1":    w.AccountIn("aws-cn", "333333333333"),
		"us-gov-west-1": w.AccountIn("aws-us-gov", "444444444444"),
	} {
		for _, set := range []func(*awssts.Options){
			func(*awssts.Options) {},
			func(o *awssts.Options) { o.EndpointOptions.UseFIPSEndpoint = awssdk.FIPSEndpointStateEnabled },
			func(o *awssts.Options) { o.EndpointOptions.UseDualStackEndpoint = awssdk.DualStackEndpointStateEnabled },
		} {
			_, err := w.client(account.User("jane")).GetCallerIdentity(context.Background(), nil, set, func(o *awssts.Options) {
				o.Region, o.BaseEndpoint, o.HTTPClient = region, nil, w.through(t)
			})
			if err != nil {
				t.Errorf("%s: %v", region, err)
			}
		}
	}
}

func TestRoutesAndHostsThatAreNobodys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Route("Registry.Example.com", http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(out, "routed "+r.Host) }))
	client := w.through(t)
	for address, want := range map[string]string{
		"https://registry.example.com/":      "routed registry.example.com",
		"https://registry.example.com:5000/": "routed registry.example.com:5000",
		"http://registry.example.com/":       "routed registry.example.com",
	} {
		got, err := client.Get(address)
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		body, _ := io.ReadAll(got.Body)
		_ = got.Body.Close()
		if string(body) != want {
			t.Errorf("%s: %s", address, body)
		}
	}
	if _, err := client.Get("https://amazonaws.com.evil.example/"); err == nil || !strings.Contains(err.Error(), "Bad Gateway") {
		t.Errorf("%v", err)
	}
	got, err := client.Get("http://example.com/")
	if err != nil {
		t.Fatal(err)
	}
	_ = got.Body.Close()
	if got.StatusCode != http.StatusBadGateway {
		t.Errorf("%s", got.Status)
	}
}

func TestATunnelIsForOneHost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := w.through(t)
	transport, _ := client.Transport.(*http.Transport)
	transport.TLSClientConfig.ServerName = "ecr.eu-central-1.amazonaws.com"
	if _, err := client.Get("https://sts.eu-central-1.amazonaws.com/"); err == nil || !strings.Contains(err.Error(), "tls: ") {
		t.Errorf("%v", err)
	}
}

func TestClosingEndsTunnels(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := w.through(t)
	get := func() error {
		got, err := client.Get("https://sts.eu-central-1.amazonaws.com/")
		if err == nil {
			_ = got.Body.Close()
		}
		return err
	}
	if err := get(); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if get() == nil {
		t.Error("it still answers")
	}
}

func TestHosts(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]struct {
		region, service string // a service that it serves; "" is no host of AWS
	}{
		"sts.amazonaws.com":                                 {"us-east-1", "sts"},
		"sts.eu-central-1.amazonaws.com:443":                {"eu-central-1", "sts"},
		"sts-fips.us-east-2.amazonaws.com":                  {"us-east-2", "sts"},
		"sts.eu-west-1.api.aws":                             {"eu-west-1", "sts"},
		"api.ecr.cn-north-1.amazonaws.com.cn":               {"cn-north-1", "ecr"},
		"api.ecr-public.us-east-1.amazonaws.com":            {"us-east-1", "ecr-public"},
		"ecr-fips.us-gov-west-1.amazonaws.com":              {"us-gov-west-1", "ecr"},
		"fips.eks.us-east-1.amazonaws.com":                  {"us-east-1", "eks"},
		"a.b.s3.eu-central-1.amazonaws.com":                 {"eu-central-1", "s3"},
		"eu-west-1.s3.dualstack.eu-central-1.amazonaws.com": {"eu-central-1", "s3"},
		"amazonaws.com.evil.example":                        {},
		"evilamazonaws.com":                                 {},
		"127.0.0.1:80":                                      {},
	} {
		got, ours := parseHost(host)
		if ours != (want.service != "") || ours && (got.region != want.region || !got.serves(want.service)) {
			t.Errorf("%s: %+v, %v", host, got, ours)
		}
	}
}
