package hop

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// again is an Again that notes pauses in place of making them.
func again(inner http.RoundTripper) (Again, *[]time.Duration) {
	var pauses []time.Duration
	return Again{
		Inner: inner, Tries: 4, Longest: 4 * time.Second, Broken: true, Now: time.Now,
		Wait:  func(tried int) time.Duration { return time.Duration(tried) * time.Millisecond },
		Pause: func(_ context.Context, wait time.Duration) error { pauses = append(pauses, wait); return nil },
	}, &pauses
}

func TestAgain(t *testing.T) {
	t.Parallel()
	ms := time.Millisecond
	for what, test := range map[string]struct {
		answer func(n int, w http.ResponseWriter) // n counts requests from 1
		change func(*Again)
		pauses []time.Duration
		status int // 0 is an error
	}{
		"at once":         {func(_ int, w http.ResponseWriter) { w.WriteHeader(200) }, nil, nil, 200},
		"no":              {func(_ int, w http.ResponseWriter) { w.WriteHeader(403) }, nil, nil, 403},
		"not implemented": {func(_ int, w http.ResponseWriter) { w.WriteHeader(501) }, nil, nil, 501},
		"429 once":        {func(n int, w http.ResponseWriter) { status(w, n, 1, 429) }, nil, []time.Duration{ms}, 200},
		"500 once":        {func(n int, w http.ResponseWriter) { status(w, n, 1, 500) }, nil, []time.Duration{ms}, 200},
		"502 twice":       {func(n int, w http.ResponseWriter) { status(w, n, 2, 502) }, nil, []time.Duration{ms, 2 * ms}, 200},
		"503 thrice":      {func(n int, w http.ResponseWriter) { status(w, n, 3, 503) }, nil, []time.Duration{ms, 2 * ms, 3 * ms}, 200},
		"504 for ever":    {func(_ int, w http.ResponseWriter) { w.WriteHeader(504) }, nil, []time.Duration{ms, 2 * ms, 3 * ms}, 504},
		"asks for more":   {func(n int, w http.ResponseWriter) { w.Header().Set("Retry-After", "2"); status(w, n, 1, 503) }, nil, []time.Duration{2 * time.Second}, 200},
		"asks for much":   {func(n int, w http.ResponseWriter) { w.Header().Set("Retry-After", "5"); status(w, n, 1, 503) }, nil, nil, 503},
		"broke once":      {func(n int, _ http.ResponseWriter) { hangsUp(n, 1) }, nil, []time.Duration{ms}, 200},
		"broke for ever":  {func(n int, _ http.ResponseWriter) { hangsUp(n, 9) }, nil, []time.Duration{ms, 2 * ms, 3 * ms}, 0},
		"broke, and that counts": {func(n int, _ http.ResponseWriter) { hangsUp(n, 1) },
			func(a *Again) { a.Broken = false }, nil, 0},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			n := make(chan int, 1)
			n <- 1
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked := <-n
				n <- asked + 1
				if body, err := io.ReadAll(r.Body); err != nil || string(body) != "question" {
					t.Errorf("request %d has the body %q: %v", asked, body, err)
				}
				test.answer(asked, w)
			}))
			defer server.Close()
			a, pauses := again(&http.Transport{DisableKeepAlives: true})
			if test.change != nil {
				test.change(&a)
			}
			response, err := a.RoundTrip(post(t, t.Context(), server.URL))
			if !slices.Equal(*pauses, test.pauses) {
				t.Errorf("it paused %v", *pauses)
			}
			tries := len(test.pauses) + 1
			switch {
			case test.status == 0:
				if said := "after 4 tries"; err == nil || strings.Contains(err.Error(), said) != (tries > 1) || !Broke(err) {
					t.Errorf("%v", err)
				}
			case err != nil:
				t.Error(err)
			default:
				defer func() { _ = response.Body.Close() }()
				if response.StatusCode != test.status || Tries(response) != tries {
					t.Errorf("%s after %d tries", response.Status, Tries(response))
				}
			}
		})
	}
}

func status(w http.ResponseWriter, n, times, status int) {
	if n <= times {
		w.WriteHeader(status)
	}
}

func hangsUp(n, times int) {
	if n <= times {
		panic(http.ErrAbortHandler)
	}
}

func post(t *testing.T, ctx context.Context, address string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader("question"))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// busy answers that it is too busy, and counts.
type busy struct {
	asked  int
	closed int
}

func (b *busy) RoundTrip(r *http.Request) (*http.Response, error) {
	b.asked++
	return &http.Response{StatusCode: 503, Header: http.Header{}, Body: body{strings.NewReader("busy"), b}, Request: r}, nil
}

type body struct {
	io.Reader
	of *busy
}

func (b body) Close() error { b.of.closed++; return nil }

// A caller whose time is up gets what the service said last; one who has gone does not.
func TestAgainEndsWithTheCaller(t *testing.T) {
	t.Parallel()
	inner := &busy{}
	a, pauses := again(inner)
	a.Wait = func(int) time.Duration { return time.Hour }
	a.Longest = time.Hour
	late, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	response, err := a.RoundTrip(post(t, late, "http://example.com"))
	if err != nil || response.StatusCode != 503 || inner.asked != 1 || len(*pauses) > 0 || inner.closed != 0 {
		t.Errorf("no time left: %v, %v, asked %d times, paused %v", response, err, inner.asked, *pauses)
	}
	for cause, want := range map[error]int{context.DeadlineExceeded: 0, context.Canceled: 1} {
		inner := &busy{}
		a, _ := again(inner)
		a.Pause = func(context.Context, time.Duration) error { return cause }
		response, err := a.RoundTrip(post(t, t.Context(), "http://example.com"))
		if (err == nil) != (want == 0) || want == 1 && !errors.Is(err, cause) || inner.closed != want || (response == nil) != (want == 1) {
			t.Errorf("%v: %v, %v, closed %d bodies", cause, response, err, inner.closed)
		}
	}
}

// A request whose body is gone is not sent again, nor is one whose body cannot be had.
func TestAgainNeedsTheBody(t *testing.T) {
	t.Parallel()
	inner := &busy{}
	a, _ := again(inner)
	r := post(t, t.Context(), "http://example.com")
	r.GetBody = nil
	if response, err := a.RoundTrip(r); err != nil || inner.asked != 1 || Tries(response) != 1 {
		t.Errorf("asked %d times: %v", inner.asked, err)
	}
	r = post(t, t.Context(), "http://example.com")
	lost := errors.New("lost")
	r.GetBody = func() (io.ReadCloser, error) { return nil, lost }
	if response, err := a.RoundTrip(r); !errors.Is(err, lost) || response != nil {
		t.Errorf("%v, %v", response, err)
	}
	r = post(t, t.Context(), "http://example.com")
	r.Body, r.GetBody = http.NoBody, nil
	if response, err := a.RoundTrip(r); err != nil || Tries(response) != 4 {
		t.Errorf("%v, %v", response, err)
	}
}

func TestTriesOfOthers(t *testing.T) {
	t.Parallel()
	for _, response := range []*http.Response{{}, {Request: httptest.NewRequest(http.MethodGet, "/", nil)}} {
		if n := Tries(response); n != 1 {
			t.Errorf("%d tries", n)
		}
	}
}

func TestBroke(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]bool{
		io.EOF: true, io.ErrUnexpectedEOF: true, errors.New("no"): false, context.DeadlineExceeded: false,
		&net.OpError{Op: "read", Err: errors.New("reset")}: true, &net.OpError{Op: "write", Err: errors.New("pipe")}: true,
		&net.OpError{Op: "dial", Err: errors.New("refused")}: false, &net.OpError{Op: "read", Err: timeout{}}: false,
	} {
		if Broke(err) != want {
			t.Errorf("%v: %v", err, !want)
		}
	}
}

type timeout struct{}

func (timeout) Error() string { return "timeout" }
func (timeout) Timeout() bool { return true }

func TestBackoff(t *testing.T) {
	t.Parallel()
	const first, longest = 100 * time.Millisecond, time.Second
	for attempt, want := range map[int]time.Duration{-1: first, 0: first, 1: first, 2: 2 * first, 3: 4 * first, 4: 8 * first, 5: longest, 1 << 40: longest} {
		for range 20 {
			if got := Backoff(attempt, first, longest); got < want/2 || got > want {
				t.Errorf("after attempt %d it waits for %s", attempt, got)
			}
		}
	}
}

func TestLasting(t *testing.T) {
	t.Parallel()
	a := &Advice{Proxy: "proxy"}
	got, err := a.Lasting(&http.Transport{DisableKeepAlives: true}, "")
	transport, ok := got.(*http.Transport)
	if err != nil || !ok || transport.DisableKeepAlives || transport.IdleConnTimeout == 0 || transport.OnProxyConnectResponse == nil {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := a.Lasting(nil, ""); err != nil || got == http.DefaultTransport {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := a.Lasting(other{}, ""); err != nil || got != (other{}) {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := a.Lasting(other{}, "certificate"); err == nil {
		t.Error("it honours no certificates, and says nothing")
	}
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	for certificates, trusted := range map[string]bool{"": false, certificateOf(server): true} {
		transport, err := a.Lasting(&http.Transport{}, certificates)
		if err != nil {
			t.Fatal(err)
		}
		response, err := transport.RoundTrip(post(t, t.Context(), server.URL))
		if (err == nil) != trusted {
			t.Errorf("trusted: %v, %v", trusted, err)
		}
		if err == nil {
			_ = response.Body.Close()
		}
	}
}

func TestWithoutProxy(t *testing.T) {
	t.Parallel()
	base := &http.Transport{Proxy: http.ProxyFromEnvironment}
	if got, ok := WithoutProxy(base).(*http.Transport); !ok || got == base || got.Proxy != nil || base.Proxy == nil {
		t.Errorf("%+v", got)
	}
	if got := WithoutProxy(other{}); got != (other{}) {
		t.Errorf("%+v", got)
	}
}

func TestBounded(t *testing.T) {
	t.Parallel()
	a := &Advice{Unusable: "look elsewhere"}
	for size, want := range map[int]string{0: "", 1 << 20: "", 1<<20 + 1: "it gave an answer of more than 1 MiB"} {
		inner := &busy{}
		bounded := a.Bounded(body{bytes.NewReader(make([]byte, size)), inner}, 1)
		read, err := io.ReadAll(bounded)
		if want == "" && (err != nil || len(read) != size) || want != "" && (err == nil || err.Error() != want) {
			t.Errorf("%d bytes: read %d, %v", size, len(read), err)
		}
		if err := bounded.Close(); err != nil || inner.closed != 1 {
			t.Errorf("%v, closed %d times", err, inner.closed)
		}
	}
}

// What is good for one use is sent once, whatever becomes of it.
func TestOnce(t *testing.T) {
	t.Parallel()
	service := &busy{}
	a, pauses := again(service)
	response, err := a.RoundTrip(post(t, Once(t.Context()), "https://x.example.com"))
	if err != nil || response.StatusCode != 503 || service.asked != 1 || len(*pauses) != 0 {
		t.Errorf("asked %d times, %v: %v", service.asked, *pauses, err)
	}
}
