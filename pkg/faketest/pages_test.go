package faketest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/svcconn/svcconn/pkg/faketest"
)

func pages(t *testing.T, p faketest.Pages, items []string, size int) [][]string {
	t.Helper()
	var out [][]string
	for token := ""; ; {
		page, next, ok := faketest.Page(p, []string{"list"}, slices.Clone(items), strings.Clone, token, size)
		if !ok {
			t.Fatalf("the token %q is refused", token)
		}
		out = append(out, page)
		if next == "" {
			return out
		}
		token = next
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	p := faketest.NewPages()
	for want, items := range map[string]string{
		"[[]]": "", "[[a]]": "a", "[[a b]]": "b a", "[[a b] [c]]": "c b a", "[[a b] [c d]]": "d a c b",
	} {
		if got := fmt.Sprint(pages(t, p, strings.Fields(items), 2)); got != want {
			t.Errorf("%q: %s, want %s", items, got, want)
		}
	}
}

func TestPageTokensAreOfOneList(t *testing.T) {
	t.Parallel()
	p := faketest.NewPages()
	ask := func(p faketest.Pages, token string, list ...string) (string, bool) {
		_, next, ok := faketest.Page(p, list, []string{"a", "b", "c"}, strings.Clone, token, 1)
		return next, ok
	}
	token, _ := ask(p, "", "repositories", "us")
	if _, ok := ask(p, token, "repositories", "us"); !ok {
		t.Fatal("the list's own token is refused")
	}
	for what, refused := range map[string]func() (string, bool){
		"another list":         func() (string, bool) { return ask(p, token, "repositories", "eu") },
		"parts put together":   func() (string, bool) { return ask(p, token, "repositoriesus") },
		"another service":      func() (string, bool) { return ask(faketest.NewPages(), token, "repositories", "us") },
		"a changed token":      func() (string, bool) { return ask(p, token+"AAAA", "repositories", "us") },
		"no token of anything": func() (string, bool) { return ask(p, "b", "repositories", "us") },
		"no base64":            func() (string, bool) { return ask(p, "%", "repositories", "us") },
	} {
		if _, ok := refused(); ok {
			t.Errorf("%s is taken", what)
		}
	}
}
