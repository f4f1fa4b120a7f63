# Every task by name: `make help`.

SHELL := /bin/bash
PREFIX ?= /usr/local
SWIFT_FLAGS ?=
BIN = .build/release/dagrun

.DEFAULT_GOAL := help
.PHONY: help demo python airflow build test test-airflow bench bench-jobs format lint docs install uninstall deps clean

help: ## List these tasks
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: build ## Build, and run the shipped examples: on this machine's data, and on an emulated Compute Engine
	$(BIN) trigger machine_report
	$(BIN) tasks logs machine_report latest show
	scripts/demo-job $(BIN)

build: deps ## Build the release binary (.build/release/dagrun)
	swift build -c release --product dagrun $(SWIFT_FLAGS)

test: deps python airflow ## Build and run all tests
	swift build --build-tests $(SWIFT_FLAGS)
	scripts/test

test-airflow: deps airflow ## Run the plugin's tests in Airflow (PYTEST="-k deploy" for some, PYTEST=--all for each version)
	swift build --product dagrun $(SWIFT_FLAGS)
	scripts/test-airflow $(PYTEST)

bench: build ## Measure; one JSON line a figure (BENCH="startup latency" for some of the engine's)
	for name in Core Storage Engine Cloud Job; do \
	  swift build -c release --product $${name}Benchmark $(SWIFT_FLAGS) || exit; done
	@[ -n "$(BENCH)" ] || { .build/release/CoreBenchmark && .build/release/StorageBenchmark .build; }
	.build/release/EngineBenchmark $(BENCH)
	@[ -n "$(BENCH)" ] || { .build/release/CloudBenchmark && .build/release/JobBenchmark; }

bench-jobs: build ## Measure jobs on the emulator alone (BENCH="overhead waiting machines" for some)
	for name in Cloud Job; do swift build -c release --product $${name}Benchmark $(SWIFT_FLAGS) || exit; done
	@[ -n "$(BENCH)" ] || .build/release/CloudBenchmark
	.build/release/JobBenchmark $(BENCH)

format: ## Format the sources in place
	scripts/format

lint: ## Check the format of the sources, and the scripts that a job's VM runs
	scripts/format --check
	scripts/lint-shell

docs: deps ## Write what is generated: docs/command-line.md, docs/dagrun.1, plugins/dagrun_plugin.py
	swift build --product dagrun $(SWIFT_FLAGS)
	.build/debug/dagrun reference markdown > docs/command-line.md
	.build/debug/dagrun reference man > docs/dagrun.1
	.build/debug/dagrun airflow-plugin -o plugins/dagrun_plugin.py

install: build ## Install below PREFIX (default /usr/local)
	scripts/install "$(DESTDIR)$(PREFIX)"

uninstall: ## Remove what `make install` put below PREFIX
	scripts/install --remove "$(DESTDIR)$(PREFIX)"

deps: ## Install the Debian packages that are missing
	@scripts/install-packages

python: ## Install Google's own Python clients, and croniter, into .build/python, for tests
	@scripts/install-python

airflow: ## Install Airflow into .build/airflow, for tests
	@scripts/install-airflow $(filter --all,$(PYTEST))

clean: ## Remove what was built
	swift package clean
