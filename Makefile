# Everything a person or a machine does with this repository. `make help` lists it.
.DEFAULT_GOAL := help
SHELL := /bin/bash

PACKAGES := libpq-dev zlib1g-dev libcurl4-openssl-dev libssl-dev pkg-config postgresql postgresql-client python3-venv curl
# systemd-analyze checks the unit under deploy/, openssl the signatures of the log.
TEST_PACKAGES := systemd openssl
# Go and its sumdb, some 450 MB: only for `make verifiers`.
VERIFIER_PACKAGES := golang-go golang-golang-x-mod-dev
# Python libraries that the benchmarks are compared with; they outlive a clean build.
PEERS := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/signalbox/peers
# The same for schemathesis.
CONTRACT := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/signalbox/contract
# The same for the reader of metrics, and promtool.
OBSERVABILITY := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/signalbox/observability
# Without it a clean build takes a fifth less processor time. `make build DEBUG_INFO=dwarf` for a debugger.
DEBUG_INFO ?= none
SWIFT_DEBUG := swift build -debug-info-format $(DEBUG_INFO)
SWIFT_BUILD := $(SWIFT_DEBUG) --explicit-target-dependency-import-check error
# Not all at once: a thousand tests on two cores wait for each other until somebody's patience runs out.
SWIFT_TEST := swift test --skip-build --parallel --experimental-maximum-parallelization-width 8
LINT := swift-format lint --strict --recursive --parallel Package.swift Sources Tests Benchmarks

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Install the Debian packages that are missing (needs root, does nothing when all are there)
	@missing=; for p in $(PACKAGES); do \
	  dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$p"; done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	echo "installing:$$missing"; \
	if [ "$$(id -u)" = 0 ]; then sudo=; else sudo=sudo; fi; \
	$$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends $$missing

.PHONY: build
build: ## Build everything, tests too
	$(SWIFT_BUILD) --build-tests

.PHONY: run
run: setup ## Start Signalbox with everything it needs on this machine
	$(SWIFT_DEBUG) --product signalbox
	exec .build/debug/signalbox dev $(ARGS)

.PHONY: lint
lint: ## Check the format of all Swift files
	$(LINT)

.PHONY: format
format: ## Rewrite all Swift files in the house format
	swift-format format --in-place --recursive --parallel Package.swift Sources Tests Benchmarks

.PHONY: test
test: lint ## Lint, build and run every test against throw-away servers
	@$(MAKE) --no-print-directory setup PACKAGES="$(PACKAGES) $(TEST_PACKAGES)"
	$(SWIFT_BUILD) --build-tests
	# Apart, because simulations take all the time of two cores, and others wait for answers. Whole machines wait most of
	# the time, and campaigns come one after the other, so these two go together.
	$(SWIFT_TEST) --skip 'SagasTests|ScenarioTests|TortureTests'
	$(SWIFT_TEST) --filter SagasTests
	$(SWIFT_TEST) --filter 'ScenarioTests|TortureTests'

.PHONY: test-release
test-release: setup ## Play every scenario with the release build
	swift build --configuration release --scratch-path .build/bench --product signalbox
	$(SWIFT_BUILD) --build-tests
	SIGNALBOX_PROGRAM=$(CURDIR)/.build/bench/release/signalbox $(SWIFT_TEST) --filter ScenarioTests

.PHONY: torture
torture: setup ## Kill, cut, stop and fill what the log runs on, in full (takes long; root for all of it)
	$(SWIFT_BUILD) --build-tests
	SIGNALBOX_TORTURE=full $(SWIFT_TEST) --filter TortureTests
	@$(MAKE) --no-print-directory verifiers

.PHONY: contract
contract: setup ## Ask a live server everything that its description allows, and more (ARGS for schemathesis)
	$(SWIFT_DEBUG) --product signalbox
	test -x $(CONTRACT)/bin/python || python3 -m venv $(CONTRACT)
	$(CONTRACT)/bin/pip install --quiet --disable-pip-version-check --requirement Tests/Contract/requirements.txt
	Tests/Contract/contract.sh $(CURDIR)/.build/debug/signalbox $(CONTRACT)/bin/schemathesis $(ARGS)

.PHONY: observability
observability: setup ## Let promtool judge the alert rules, and a strict parser the metrics of a live server
	$(SWIFT_DEBUG) --product signalbox
	test -x $(OBSERVABILITY)/bin/python || python3 -m venv $(OBSERVABILITY)
	$(OBSERVABILITY)/bin/pip install --quiet --disable-pip-version-check --requirement Tests/Observability/requirements.txt
	Tests/Observability/observability.sh $(CURDIR)/.build/debug/signalbox $(OBSERVABILITY)/bin/python $(OBSERVABILITY)/promtool

.PHONY: bench
bench: setup ## Measure the log and the sagas beside their peers (ARGS=--quick while working)
	SIGNALBOX_BENCHMARKS=1 swift build --configuration release --scratch-path .build/bench --product LogBenchmark
	SIGNALBOX_BENCHMARKS=1 swift build --configuration release --scratch-path .build/bench --product SagaBenchmark
	test -x $(PEERS)/bin/python || python3 -m venv $(PEERS)
	$(PEERS)/bin/pip install --quiet --disable-pip-version-check --requirement Benchmarks/Peers/requirements.txt
	.build/bench/release/LogBenchmark --python $(PEERS)/bin/python $(ARGS)
	.build/bench/release/SagaBenchmark --python $(PEERS)/bin/python $(SAGA_ARGS)

.PHONY: bench-sagas
bench-sagas: setup ## Measure the sagas alone (SAGA_ARGS=--quick while working)
	SIGNALBOX_BENCHMARKS=1 swift build --configuration release --scratch-path .build/bench --product SagaBenchmark
	test -x $(PEERS)/bin/python || python3 -m venv $(PEERS)
	$(PEERS)/bin/pip install --quiet --disable-pip-version-check --requirement Benchmarks/Peers/requirements.txt
	.build/bench/release/SagaBenchmark --python $(PEERS)/bin/python $(SAGA_ARGS)

.PHONY: bench-http
bench-http: setup ## Measure commands and reads over HTTP beside a bare server (HTTP_ARGS='2 3': turns and seconds)
	@$(MAKE) --no-print-directory setup PACKAGES="$(PACKAGES) wrk"
	swift build --configuration release --scratch-path .build/bench --product signalbox
	SIGNALBOX_BENCHMARKS=1 swift build --configuration release --scratch-path .build/bench --product BareServer
	python3 Benchmarks/HTTP/measure.py .build/bench/release/signalbox .build/bench/release/BareServer $(HTTP_ARGS)

.PHONY: setup-verifiers
setup-verifiers: ## Install Go, with which strangers verify the log
	@$(MAKE) --no-print-directory setup PACKAGES="$(PACKAGES) $(TEST_PACKAGES) $(VERIFIER_PACKAGES)"

.PHONY: verifiers
verifiers: setup-verifiers ## Let Go and Python judge 10,000 proofs of ours
	$(SWIFT_BUILD) --build-tests
	SIGNALBOX_VERIFIERS=full $(SWIFT_TEST) --filter VerifierTests

.PHONY: clean
clean: ## Remove what was built; the data of `make run` stays in .signalbox
	rm -rf .build
