# make run      build everything and show the main job on real input (well under a minute)
# make test     every test, race detector on; the last line says which servers took part
# make docs     write the generated parts of docs/ anew
# make bench    benchmarks; writes docs/benchmarks.md
# make lint     staticcheck and golangci-lint, versions pinned in tools/go.mod
# make fuzz     every fuzz target for FUZZTIME, after the corpora that make test runs anyway
# make build    bin/streamer, and the examples beside it
# make cross    compile and vet for the platforms that the tests do not run on
# make clean    remove bin/
#
# A Go toolchain is all they need; the race detector needs a C compiler as well, and make test says so when there is none.

GO       ?= go
FUZZTIME ?= 60s
TARGETS  ?= darwin/arm64 darwin/amd64 windows/amd64 linux/arm64
RACE     := $(shell command -v $$($(GO) env CC) >/dev/null 2>&1 && echo -race)
TOOL     := $(GO) tool -modfile=tools/go.mod
BACKENDS := ./memory ./stdio ./file
NESTED   := $(patsubst %/go.mod,%,$(wildcard bench/go.mod))

.PHONY: run test vet docs bench lint fuzz build cross clean

run: build
	@bin/demo -dir bin/demo.data

build:
	@$(GO) build -o bin/ ./cmd/... ./examples/...

# The conformance suite leaves its verdicts in a fresh directory; the page made of them must be the one that is committed.
test: vet
	@set -e; verdicts=$$(mktemp -d); trap 'rm -rf "$$verdicts"' EXIT; \
	echo "$(GO) test $(RACE) -timeout 15m ./..."; STREAMER_VERDICTS=$$verdicts $(GO) test $(RACE) -timeout 15m ./...; \
	for dir in $(NESTED); do (cd $$dir && $(GO) test $(RACE) ./...); done; \
	$(GO) run ./conformance/table -verdicts "$$verdicts" -o "$$verdicts/semantics.md"; \
	diff -u docs/semantics.md "$$verdicts/semantics.md" || { echo 'docs/semantics.md is not what the suite found: make docs'; exit 1; }
	@$(if $(RACE),,echo 'no C compiler: the race detector was off')
	@echo 'servers: none needed (memory, stdio, file)'

docs:
	@set -e; verdicts=$$(mktemp -d); trap 'rm -rf "$$verdicts"' EXIT; \
	STREAMER_VERDICTS=$$verdicts $(GO) test -timeout 15m -run '^TestConformance$$' $(BACKENDS); \
	$(GO) run ./conformance/table -verdicts "$$verdicts" -o docs/semantics.md
	$(GO) test -run 'Guide|Readme' ./docs -update

bench:
	cd bench && $(GO) run .

vet:
	$(GO) vet ./...
	@set -e; for dir in $(NESTED); do (cd $$dir && $(GO) vet ./...); done

lint:
	$(TOOL) staticcheck ./...
	$(TOOL) golangci-lint run ./...

fuzz:
	@set -e; for package in $$($(GO) list ./...); do \
		for target in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
			echo "$$package $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$package; \
		done; \
	done

cross:
	@set -e; for target in $(TARGETS); do \
		echo "$$target"; \
		GOOS=$${target%/*} GOARCH=$${target#*/} CGO_ENABLED=0 $(GO) vet ./...; \
		GOOS=$${target%/*} GOARCH=$${target#*/} CGO_ENABLED=0 $(GO) build ./...; \
	done

clean:
	rm -rf bin
