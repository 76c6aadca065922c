# foobar-play, what can be made here:
#
#   make demo    boot three lab servers, run playbooks/site.yml twice, look from outside
#   make test    everything CI runs: vet, lint, unit, race, command line, lab
#   make build   bin/foobar-play, static
#   make unit    the tests that need no lab
#   make lab     the tests on lab servers (root on Debian)
#   make release dist/foobar-play, with the agents for linux/amd64 and arm64 in it
#   make bench   how fast, against a hand-written script over ssh
#   make fuzz    every fuzz target for FUZZTIME each
#   make lint    go vet and golangci-lint
#   make clean   remove what was built

GO        ?= go
BIN       := bin/foobar-play
VERSION   := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS   := -s -w -X main.version=$(VERSION)
LINT      := bin/golangci-lint
LINT_VER  := v2.15.0
FUZZTIME  ?= 20s

.PHONY: demo test build release unit lab bench fuzz lint vet deps labdeps clean tidy

demo: labdeps build
	scripts/demo

test: deps labdeps build tidy lint unit lab

build:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/foobar-play

release:
	for arch in amd64 arm64; do \
		CGO_ENABLED=0 GOOS=linux GOARCH=$$arch $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o dist/agent ./cmd/foobar-play && \
		gzip -9c dist/agent >pkg/agent/embedded/foobar-play-agent_linux_$$arch.gz || exit 1; \
	done
	rm dist/agent
	CGO_ENABLED=0 $(GO) build -trimpath -tags embed_agents -ldflags '$(LDFLAGS)' -o dist/foobar-play ./cmd/foobar-play
	rm pkg/agent/embedded/*.gz

unit: build
	$(GO) test -race -shuffle=on -timeout 15m $$(scripts/packages unit)

lab: build labdeps
	FOOBAR_PLAY_LAB=require $(GO) test -race -p 1 -timeout 40m $$(scripts/packages lab)

bench: build labdeps
	FOOBAR_PLAY_LAB=require $(GO) test -run '^$$' -bench . -benchtime 1x -timeout 30m ./test/bench

fuzz:
	scripts/fuzz $(FUZZTIME)

lint: vet $(LINT)
	$(LINT) run

vet:
	test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet ./...

# go.mod and go.sum name what is used, no more and no less.
tidy:
	$(GO) mod tidy -diff

$(LINT):
	GOBIN=$(abspath bin) GOFLAGS=-mod=mod $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VER)

deps:
	scripts/deps gcc:gcc git:git

labdeps:
	scripts/deps debootstrap:debootstrap systemd-nspawn:systemd-container ip:iproute2 iptables:iptables nsenter:util-linux ssh:openssh-client openssl:openssl curl:curl ufw:ufw

clean:
	rm -rf bin dist
