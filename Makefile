# Everything a person or the gate runs. `make demo` and `make test` do all their own
# set-up on a machine that has Go.

SHELL       := /bin/sh
GO          ?= go
VERSION     ?= $(shell git describe --tags --dirty 2>/dev/null || echo devel)
PREFIX      ?= /usr/local
DESTDIR     ?=
# A number of runs: a time makes go test -fuzz fail now and then at its very end
# ("context deadline exceeded", https://github.com/golang/go/issues/56238).
FUZZTIME    ?= 20000x

MODULE      := github.com/svcconn/svcconn
BINARIES    := docker-credential-svcconn kubectl-svcconn svcconn
LDFLAGS     := -s -w -X $(MODULE)/pkg/wire.Release=$(VERSION)
# urfave_cli_no_docs leaves a Markdown renderer out that nothing here uses.
TAGS        := urfave_cli_no_docs
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

export CGO_ENABLED = 0

.PHONY: all build install demo test e2e e2e-deps bench lint fuzz cross generate clean

all: build

build: ## the three binaries, in bin/
	$(GO) build -trimpath -tags $(TAGS) -ldflags '$(LDFLAGS)' -o bin/ $(BINARIES:%=./cmd/%)

install: build ## binaries, man pages and completions below PREFIX
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 \
	  $(DESTDIR)$(PREFIX)/share/bash-completion/completions \
	  $(DESTDIR)$(PREFIX)/share/zsh/site-functions \
	  $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
	install -m 755 $(BINARIES:%=bin/%) $(DESTDIR)$(PREFIX)/bin/
	bin/svcconn man > $(DESTDIR)$(PREFIX)/share/man/man1/svcconn.1
	bin/svcconn completion bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/svcconn
	bin/svcconn completion zsh > $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_svcconn
	bin/svcconn completion fish > $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/svcconn.fish

demo: build ## the main job, end to end, in temporary folders
	$(GO) run -tags $(TAGS) ./e2e/demo -bin bin

# The race detector needs a C compiler; a machine without one runs the tests without.
CC_FOUND    := $(shell command -v $${CC:-cc} || command -v gcc || command -v clang)

test: ## every test that needs no root
ifeq ($(CC_FOUND),)
	@echo "no C compiler: the tests run without the race detector"
	$(GO) test -tags $(TAGS) ./...
else
	CGO_ENABLED=1 GORACE=atexit_sleep_ms=10 $(GO) test -race -tags $(TAGS) ./...
endif

e2e-deps: ## what the end-to-end tests need (Debian packages, clients from the module proxy)
	e2e/e2e-deps.sh

e2e: build e2e-deps ## real docker, registry, skopeo, podman, crane, keyring
	e2e/e2e.sh

bench: build ## speed and memory, as ratios to an empty program and to peers
	$(GO) run -tags $(TAGS) ./e2e/bench -bin bin

lint: ## gofmt, go.mod tidy, go vet, staticcheck
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); \
	  if [ -n "$$unformatted" ]; then echo "not gofmt'ed:"; echo "$$unformatted"; exit 1; fi
	$(GO) mod tidy -diff
	$(GO) vet -tags $(TAGS) ./... && $(GO) vet -tags $(TAGS),e2e ./e2e/...
	$(GO) run $(STATICCHECK) -tags $(TAGS),e2e ./...

cross: ## builds and vets for the other platforms
	GOOS=darwin GOARCH=arm64 $(GO) vet -tags $(TAGS) ./...
	GOOS=windows GOARCH=amd64 $(GO) vet -tags $(TAGS) ./...
	GOOS=darwin GOARCH=arm64 $(GO) build -tags $(TAGS) -o /dev/null ./cmd/svcconn
	GOOS=windows GOARCH=amd64 $(GO) build -tags $(TAGS) -o /dev/null ./cmd/svcconn

fuzz: ## every fuzz target for FUZZTIME
	e2e/fuzz.sh $(FUZZTIME)

generate: ## what is generated from the code and committed
	$(GO) generate ./...

clean:
	rm -rf bin dist
