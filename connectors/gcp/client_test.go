package gcp

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/secret"
)

// askedAt are the hosts that the services are asked at.
func askedAt(t *testing.T, values map[string]any, known identity) map[string]string {
	t.Helper()
	out := map[string]string{}
	var asked api
	c := wired(t, "", func(h *connector.Host, v *field.Values) {
		for name, value := range values {
			v.Set(name, value)
		}
		h.HTTP = roundTripper(func(r *http.Request) (*http.Response, error) {
			out[asked.service] = r.URL.Scheme + "://" + r.URL.Host
			return &http.Response{StatusCode: http.StatusForbidden, Body: http.NoBody, Header: http.Header{}, Request: r}, nil
		})
	})
	c.identity = known
	for _, asked = range []api{storageAPI, containerAPI, registryAPI, credentialsAPI, stsAPI, oauthAPI} {
		if err := asks(t.Context(), c, asked); err == nil {
			t.Errorf("%s: no error", asked.service)
		}
	}
	return out
}

// Each service is asked where the fields say, else in the universe of the fields, else in
// that of what the connector logs in with.
func TestEndpoints(t *testing.T) {
	t.Parallel()
	hosts := func(domain string) map[string]string {
		out := map[string]string{}
		for _, service := range []string{"storage", "container", "artifactregistry", "iamcredentials", "sts", "oauth2"} {
			out[service] = "https://" + service + "." + domain
		}
		return out
	}
	own := map[string]any{}
	theirs := map[string]string{}
	for _, f := range endpoints {
		service := f.Name[len("api_endpoint_"):]
		own[f.Name], theirs[service] = "https://"+service+".example.com:8443/", "https://"+service+".example.com:8443"
	}
	for what, test := range map[string]struct {
		values map[string]any
		known  identity
		want   map[string]string
	}{
		"Google's own":    {nil, identity{}, hosts("googleapis.com")},
		"by the fields":   {map[string]any{universeField.Name: "apis-berlin.goog"}, identity{universe: "other.goog"}, hosts("apis-berlin.goog")},
		"by the login":    {nil, identity{universe: "other.goog"}, hosts("other.goog")},
		"each its own":    {own, identity{universe: "other.goog"}, theirs},
		"one of them own": {map[string]any{endpointSTS.Name: "https://sts.p.googleapis.com"}, identity{}, with1(hosts("googleapis.com"), "sts", "https://sts.p.googleapis.com")},
	} {
		if diff := cmp.Diff(test.want, askedAt(t, test.values, test.known)); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
}

func with1(m map[string]string, key, value string) map[string]string {
	m[key] = value
	return m
}

// What is asked is sent as it is meant: with who asks, whom it is billed to, and a body.
func TestAsk(t *testing.T) {
	t.Parallel()
	for what, test := range map[string]struct {
		call   call
		values map[string]any
		known  identity
		method string
		uri    string
		header map[string]string
		body   string
	}{
		"plain": {call{path: "/v1/a"}, nil, identity{}, "GET", "/v1/a", map[string]string{"Accept": "application/json", "Authorization": "", "Content-Type": "", "X-Goog-User-Project": ""}, ""},
		"whole": {call{method: "POST", path: "/v1/a%2Fb:c", query: url.Values{"q": {"x y"}}, body: map[string]int{"n": 1}, bearer: token{text: secret.New(wireToken)}},
			map[string]any{quotaProjectField.Name: "billing-1"}, identity{quota: "other"}, "POST", "/v1/a%2Fb:c?q=x+y",
			map[string]string{"Authorization": "Bearer " + wireToken, "Content-Type": "application/json", "X-Goog-User-Project": "billing-1"}, `{"n":1}`},
		"billed by the login": {call{path: "/", bearer: token{text: secret.New("t")}}, nil, identity{quota: "other"}, "GET", "/", map[string]string{"X-Goog-User-Project": "other"}, ""},
		"nobody to be billed": {call{path: "/"}, map[string]any{quotaProjectField.Name: "billing-1"}, identity{}, "GET", "/", map[string]string{"X-Goog-User-Project": ""}, ""},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil || r.Method != test.method || r.URL.RequestURI() != test.uri || string(body) != test.body {
				t.Errorf("%s: %s %s: %s, %v", what, r.Method, r.URL.RequestURI(), body, err)
			}
			for name, value := range test.header {
				if r.Header.Get(name) != value {
					t.Errorf("%s: %s: %s", what, name, r.Header.Get(name))
				}
			}
			_, _ = w.Write([]byte(`{"answer":"yes"}`))
		}))
		defer server.Close()
		c := wired(t, server.URL, func(_ *connector.Host, v *field.Values) {
			for name, value := range test.values {
				v.Set(name, value)
			}
		})
		c.identity, test.call.api = test.known, containerAPI
		var got struct{ Answer string }
		if err := c.ask(t.Context(), test.call, &got); err != nil || got.Answer != "yes" {
			t.Errorf("%s: %+v, %v", what, got, err)
		}
	}
	err := wired(t, "http://example.com").ask(t.Context(), call{api: containerAPI, body: func() {}}, nil)
	if !fault.Is(err, fault.Failed) {
		t.Errorf("what is not JSON: %v", err)
	}
}

// Who is refused is the bearer of the call, else whom the connector logs in as.
func TestWhoAsks(t *testing.T) {
	t.Parallel()
	c := answeringAlways(t, 403, nil, status("PERMISSION_DENIED", "no"))
	c.identity.principal = "login@example.com"
	for who, bearer := range map[string]token{"bearer@example.com": {principal: "bearer@example.com"}, "login@example.com": {}} {
		says(t, who, c.ask(t.Context(), call{api: storageAPI, path: "/", bearer: bearer}, nil), fault.Denied, "Cloud Storage refuses "+who+": ", "--member=user:"+who)
	}
	c.identity.principal = ""
	says(t, "nobody knows", c.ask(t.Context(), call{api: storageAPI, path: "/"}, nil), fault.Denied, "Cloud Storage refuses us: ", "--member=MEMBER")
}

func TestMembers(t *testing.T) {
	t.Parallel()
	for who, want := range map[string]string{
		"": "MEMBER", "us": "MEMBER", "1234567": "MEMBER", "$(x)@example.com": "MEMBER", "jane@example.com": "user:jane@example.com",
		"ci@p.iam.gserviceaccount.com": "serviceAccount:ci@p.iam.gserviceaccount.com", "1-compute@developer.gserviceaccount.com": "serviceAccount:1-compute@developer.gserviceaccount.com",
		"principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/subject/s": "principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/subject/s",
	} {
		if got := member(who); got != want {
			t.Errorf("%q is %q", who, got)
		}
	}
}

type page struct {
	Names []string
	Next  string
}

// Lists are asked for page by page, to the last or until somebody has enough.
func TestEveryPage(t *testing.T) {
	t.Parallel()
	pages := map[string]page{"": {[]string{"a", "b"}, "2"}, "2": {[]string{"c"}, "3"}, "3": {Names: nil, Next: "4"}, "4": {[]string{"d"}, ""}}
	asked := make(chan string, 99)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if q.Get("maxResults") != "2" {
			t.Errorf("%s", r.URL)
		}
		asked <- q.Get("pageToken")
		_ = json.NewEncoder(w).Encode(pages[q.Get("pageToken")])
	}))
	defer server.Close()
	c, question := wired(t, server.URL), call{api: storageAPI, path: "/", query: url.Values{"maxResults": {"2"}}}
	enough := errors.New("enough")
	for stop, want := range map[string][]string{"": {"a", "b", "c", "d"}, "3": {"a", "b", "c"}} {
		var got []string
		err := everyPage(t.Context(), c, question, func(p page) (string, error) {
			got = append(got, p.Names...)
			if p.Next == stop && stop != "" {
				return "", enough
			}
			return p.Next, nil
		})
		if !slices.Equal(got, want) || (stop != "") != errors.Is(err, enough) {
			t.Errorf("to %q: %q, %v", stop, got, err)
		}
	}
	if len(asked) != 6 || question.query.Has("pageToken") {
		t.Errorf("%d questions; what was asked is now %v", len(asked), question.query)
	}
	says(t, "in circles", everyPage(t.Context(), c, question, func(page) (string, error) { return "2", nil }), fault.Failed, "Cloud Storage gives the same page again and again", "api_endpoint_storage")
	says(t, "refused", everyPage(t.Context(), answeringAlways(t, 404, nil, status("NOT_FOUND", "none")), question, func(page) (string, error) { return "", nil }), fault.NotFound, "none", "name")
}
