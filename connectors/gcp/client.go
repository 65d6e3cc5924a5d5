package gcp

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/hop"
)

// clients asks Google's APIs, with the fields of a connector.
type clients struct {
	host     connector.Host
	values   field.Values
	http     *http.Client
	identity identity // of the source, once that is open
}

func newClients(host connector.Host, values field.Values) (*clients, error) {
	transport, err := transportFor(host, values)
	if err != nil {
		return nil, err
	}
	return &clients{host: host, values: values, http: &http.Client{
		Transport: transport, Timeout: patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// api is one of Google's services.
type api struct {
	title    string       // as errors have it
	service  string       // its name: the first label of its host
	endpoint field.String // the field with its address, where that is not the universe's own
}

// The APIs that are asked.
var (
	storageAPI     = api{"Cloud Storage", "storage", endpointStorage}
	containerAPI   = api{"Kubernetes Engine", "container", endpointContainer}
	registryAPI    = api{"Artifact Registry", "artifactregistry", endpointRegistry}
	credentialsAPI = api{"IAM", "iamcredentials", endpointCredentials}
	stsAPI         = api{"the Security Token Service", "sts", endpointSTS}
	oauthAPI       = api{"Google's authorization server", "oauth2", endpointOAuth}
)

// universe is the domain of the APIs.
func (c *clients) universe() string {
	return cmp.Or(universeField.Get(c.values), c.identity.universe, defaultUniverse)
}

// address is the URL of an API, without a slash at its end.
func (c *clients) address(a api) string {
	if own := a.endpoint.Get(c.values); own != "" {
		return strings.TrimRight(own, "/")
	}
	return "https://" + a.service + "." + c.universe()
}

// call is one question to an API.
type call struct {
	api    api
	method string // of HTTP; "" is GET
	path   string // escaped, with a leading slash
	query  url.Values
	body   any   // is sent as JSON; nil is none
	bearer token // who asks
}

// ask puts a question to an API and reads its answer, JSON, into a pointer.
func (c *clients) ask(ctx context.Context, q call, into any) error {
	r, err := c.request(ctx, q)
	if err != nil {
		return err
	}
	response, err := c.http.Do(r)
	if err != nil {
		return c.silent(ctx, q.api.title, err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return c.silent(ctx, q.api.title, err)
	}
	if response.StatusCode != http.StatusOK {
		said := answerOf(q.api, response, body)
		said.who = c.whoAsks(q)
		return c.refused(said, q.bearer.text)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return foreign(q.api, hop.Status(response.StatusCode, ""))
	}
	return nil
}

// whoAsks is the bearer of a call, as far as that is known without asking; "" where it is
// not. IAM is asked by whoever is to become another, which is not the connector's identity.
func (c *clients) whoAsks(q call) string {
	if q.bearer.principal != "" || q.api.service == credentialsAPI.service {
		return q.bearer.principal
	}
	return c.identity.principal
}

func (c *clients) request(ctx context.Context, q call) (*http.Request, error) {
	var body io.Reader
	if q.body != nil {
		text, err := json.Marshal(q.body)
		if err != nil {
			return nil, fault.New(fault.Failed, "%w", err)
		}
		body = bytes.NewReader(text)
	}
	address := c.address(q.api) + q.path
	if len(q.query) > 0 {
		address += "?" + q.query.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, cmp.Or(q.method, http.MethodGet), address, body)
	if err != nil {
		return nil, fault.New(fault.Invalid, "%s cannot be asked: %w", q.api.title, err).Hint("check the field %s", q.api.endpoint.Name)
	}
	r.Header.Set("Accept", "application/json")
	if q.body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if !q.bearer.text.IsEmpty() {
		r.Header.Set("Authorization", "Bearer "+q.bearer.text.Reveal())
	}
	if quota := c.quotaProject(); quota != "" && !q.bearer.text.IsEmpty() {
		r.Header.Set("X-Goog-User-Project", quota)
	}
	return r, nil
}

// quotaProject is the project that requests are billed to; "" leaves it to Google.
func (c *clients) quotaProject() string {
	return cmp.Or(quotaProjectField.Get(c.values), c.identity.quota)
}

// everyPage puts a question until the last page of its answer. got is called when a page
// has been read, and returns the token of the next one, "" for none.
func everyPage[Page any](ctx context.Context, c *clients, q call, got func(Page) (next string, err error)) error {
	query := url.Values{}
	maps.Copy(query, q.query)
	q.query = query
	for {
		var page Page
		if err := c.ask(ctx, q, &page); err != nil {
			return err
		}
		next, err := got(page)
		switch {
		case err != nil || next == "":
			return err
		case next == query.Get("pageToken"):
			return fault.New(fault.Failed, "%s gives the same page again and again", q.api.title).Hint("check %s", q.api.setting())
		}
		query.Set("pageToken", next)
	}
}
