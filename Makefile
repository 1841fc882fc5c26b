# make run      build what it takes and show the main job on real input (well under a minute)
# make test     every test, race detector on; gets the servers first, and the last lines say which took part
# make servers  get the servers that tests start: an installed one, a package of the system, or unpacked into the user's cache; Kafka from Maven
# make docs     write the generated parts of docs/ anew
# make bench    benchmarks; writes docs/benchmarks.md
# make lint     staticcheck and golangci-lint, versions pinned in tools/go.mod
# make fuzz     every fuzz target for FUZZTIME, after the corpora that make test runs anyway
# make build    bin/streamer, and the examples beside it
# make cross    compile and vet for the platforms that the tests do not run on
# make clean    remove bin/
#
# A Go toolchain is all they need, and for make test a redis-server and a Java, which make servers gets on Debian and its kin, and Apache Kafka,
# which it gets from Maven Central; go test ./... leaves out what needs one that is not there. The race detector needs a C compiler, and make
# test says so when there is none.

GO       ?= go
FUZZTIME ?= 60s
TARGETS  ?= darwin/arm64 darwin/amd64 windows/amd64 linux/arm64
RACE     := $(shell command -v $$($(GO) env CC) >/dev/null 2>&1 && echo -race)
TOOL     := $(GO) tool -modfile=tools/go.mod
BACKENDS := ./memory ./stdio ./file ./redis ./kafka
NESTED   := $(patsubst %/go.mod,%,$(wildcard bench/go.mod))

.PHONY: run test servers vet docs bench lint fuzz build cross clean

run:
	@$(GO) build -o bin/ ./examples/demo
	@bin/demo -dir bin/demo.data

build:
	@$(GO) build -o bin/ ./cmd/... ./examples/...

# The conformance suite leaves its verdicts in a fresh directory; the page made of them must be the one that is committed.
test: servers vet
	@set -e; verdicts=$$(mktemp -d); trap 'rm -rf "$$verdicts"' EXIT; export STREAMER_SERVERS=required; \
	echo "$(GO) test $(RACE) -timeout 25m ./..."; STREAMER_VERDICTS=$$verdicts $(GO) test $(RACE) -timeout 25m ./...; \
	for dir in $(NESTED); do (cd $$dir && $(GO) test $(RACE) ./...); done; \
	$(GO) run ./conformance/table -verdicts "$$verdicts" -o "$$verdicts/semantics.md"; \
	diff -u docs/semantics.md "$$verdicts/semantics.md" || { echo 'docs/semantics.md is not what the suite found: make docs'; exit 1; }; \
	$(if $(RACE),,echo 'no C compiler: the race detector was off';) \
	echo 'servers that took part (memory, stdio and file need none):'; sort -u "$$verdicts/servers"

servers:
	@$(GO) run ./internal/testservers/install

docs: servers
	@set -e; verdicts=$$(mktemp -d); trap 'rm -rf "$$verdicts"' EXIT; \
	STREAMER_SERVERS=required STREAMER_VERDICTS=$$verdicts $(GO) test -timeout 25m -run '^TestConformance' $(BACKENDS); \
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
	$(GO) test -run "English|TooWide" ./docs

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
