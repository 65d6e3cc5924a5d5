package callback

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func receiving(t *testing.T) (*Callback, string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := Receive(listener)
	t.Cleanup(c.Close)
	return c, "http://" + listener.Addr().String()
}

func ask(t *testing.T, method, address string) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(body)
}

// What is no answer is refused, and the first answer counts.
func TestTheFirstAnswerCounts(t *testing.T) {
	t.Parallel()
	c, at := receiving(t)
	for _, stray := range []string{"/", "/favicon.ico?code=x", Path, Path + "?state=x", Path + "/x?code=x"} {
		if status, _, _ := ask(t, http.MethodGet, at+stray); status != http.StatusNotFound {
			t.Errorf("%s: %d", stray, status)
		}
	}
	if status, _, _ := ask(t, http.MethodPost, at+Path+"?code=posted"); status != http.StatusNotFound {
		t.Errorf("by POST: %d", status)
	}
	for _, code := range []string{"first-canary", "second"} {
		status, header, page := ask(t, http.MethodGet, at+Path+"?state=s&code="+code)
		if status != http.StatusOK || header.Get("Cache-Control") != "no-store" || header.Get("Referrer-Policy") != "no-referrer" ||
			header.Get("Content-Security-Policy") != "default-src 'none'" || strings.Contains(page, code) {
			t.Errorf("%s: %d %v %s", code, status, header, page)
		}
	}
	query, err := c.Wait(t.Context())
	if err != nil || query.Get("code") != "first-canary" || query.Get("state") != "s" {
		t.Errorf("%v, %v", query, err)
	}
}

func TestAnErrorIsAnAnswer(t *testing.T) {
	t.Parallel()
	c, at := receiving(t)
	ask(t, http.MethodGet, at+Path+"?error=access_denied")
	if query, err := c.Wait(t.Context()); err != nil || query.Get("error") != "access_denied" {
		t.Errorf("%v, %v", query, err)
	}
}

func TestWaitHonoursItsContext(t *testing.T) {
	t.Parallel()
	c, _ := receiving(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := c.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

// After Close nobody listens any more, and closing again does nothing.
func TestClose(t *testing.T) {
	t.Parallel()
	c, at := receiving(t)
	c.Close()
	c.Close()
	if connection, err := net.Dial("tcp", strings.TrimPrefix(at, "http://")); err == nil {
		_ = connection.Close()
		t.Error("somebody listens still")
	}
}
