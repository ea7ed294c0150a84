# Every target creates what it needs; `make` without a target lists them.
PYTHON ?= python3
NEEDED_PYTHON := driftgauge needs Python 3.11 or newer; name one with make PYTHON=...
VENV := .venv
BIN := $(VENV)/bin
CODE := sidecar tests examples charts benchmarks
INSTALL_LOCK := bash requirements/install $(BIN)/python
INSTALL_DRIFTGAUGE := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
# One process more than cores, because tests wait for the programs that they start, and at most eight, because each imports
# all tests first. tests.support.groups keeps tests that share a server in one process.
PROCESSES := $(shell cores=$$(getconf _NPROCESSORS_ONLN); echo $$((cores < 8 ? cores + 1 : 8)))
PYTEST := $(BIN)/pytest --numprocesses $(PROCESSES)
COMPILE := uv pip compile --quiet $(if $(UPGRADE),--upgrade) --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --custom-compile-command "make lock" pyproject.toml

FUZZED := tests/fuzz tests/property/test_decoders.py tests/property/test_http1_framing.py tests/unit/cloudevents/test_kserve_agent.py

COMPILED := $(CURDIR)/build/compiled
OF_DATA_PLANE := tests/e2e tests/fuzz $(addprefix tests/property/test_,$(addsuffix .py,counted_rows decoders every_half exchange_states forwarding http1_framing known_revisions pair_store wire_categories)) $(addprefix tests/unit/,cloudevents http1 inference ingest logger metrics protocol proxy server storage/test_fair_table.py storage/test_memory_pairs.py) tests/unit/test_build_kind.py

.DEFAULT_GOAL := help
.PHONY: help demo demo-loop test test-compiled chart-test fuzz unit lint audit format check bench bench-statistics chaos soak lock base-digest sbom clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

demo: $(VENV)/.demo ## wines go to a real model until they drift, page on http://127.0.0.1:9464/: KEEP=1 runs on, REDIS=1 loses its Redis, LOGGER=1, PORT=9500
	@$(BIN)/python -m examples.demo $(if $(KEEP),--keep) $(if $(REDIS),--redis) $(if $(LOGGER),--logger) $(if $(PORT),--port $(PORT))

demo-loop: $(VENV)/.demo ## drift is found, and starts a retraining whose model takes over behind a gate: KEEP=1 runs on, PORT=9500
	@$(BIN)/python -m examples.retrain $(if $(KEEP),--keep) $(if $(PORT),--port $(PORT))

test: $(VENV)/.dev ## all tests that can run on this machine
	$(PYTEST)

test-compiled: $(VENV)/.dev ## the tests of the data plane with it compiled, as in the image: needs gcc
	rm -rf $(COMPILED)
	bash .ci/wheel $(COMPILED) compiled
	$(BIN)/python -m zipfile -e $(COMPILED)/*.whl $(COMPILED)/site
	TESTED_BUILD=compiled PYTHONPATH=$(COMPILED)/site $(PYTEST) --override-ini pythonpath=. $(OF_DATA_PLANE)

chart-test: $(VENV)/.chart ## test the chart, alerts, dashboards and manifests with real engines and schemas
	$(PYTEST) tests/chart tests/alerts tests/dashboards tests/manifests tests/docs

fuzz: $(VENV)/.dev ## search for requests, bodies and files that break a reader: FUZZ_EXAMPLES=5000 of each kind
	FUZZ_EXAMPLES=$(or $(FUZZ_EXAMPLES),5000) FUZZ_SEED=$(or $(FUZZ_SEED),$(shell date +%s)) $(BIN)/pytest --timeout 3600 --capture no $(FUZZED)

unit: $(VENV)/.dev ## the quick tests, in less than a minute: without those that have the mark long
	$(PYTEST) -m "not long" tests/unit tests/property

lint: $(VENV)/.dev ## check style, types, layers, docstrings, spelling and retired words
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/interrogate --quiet $(CODE)
	$(BIN)/codespell
	$(BIN)/python -m tests.style.retired_words

audit: $(VENV)/.audit ## look for published advisories on the locked packages; says so where no database can be reached
	@$(BIN)/python -m tests.style.lock_audit requirements/*.lock .ci/locks/build.lock .ci/locks/tools.lock .ci/locks/linters.lock

format: $(VENV)/.dev ## format the code and apply safe fixes
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

check: lint test ## lint and test: run it before a commit

bench: $(VENV)/.bench ## measure the cost, compared with peers, about 40 min: ONLY="proxy logger engine store footprint interference hostile", QUICK=1, WRITE=1
	$(BIN)/python -m benchmarks $(ONLY) $(if $(QUICK),--quick) $(if $(WRITE),--write docs/performance.md docs/security.md)

bench-statistics: $(VENV)/.dev ## measure false alarms, delay and cost of the tests, and update docs/statistics.md
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.statistics --write docs/statistics.md

chaos: $(VENV)/.dev ## break Redis, replicas, the network and the model under traffic, and check that all adds up: ONLY="flushall calm", QUICK=1, WRITE=1
	$(BIN)/python -m tests.chaos $(ONLY) $(if $(QUICK),--quick) $(if $(WRITE),--write docs/reliability.md)

soak: $(VENV)/.dev ## run three loggers and three proxies at the highest rate, and check that nothing grows: MINUTES=20, RATE=50, WRITE=1
	$(BIN)/python -m tests.chaos.soak --minutes $(or $(MINUTES),20) $(if $(RATE),--rate $(RATE)) $(if $(WRITE),--write docs/reliability.md)

lock: ## update the locks after a change of pyproject.toml; UPGRADE=1 also takes newer versions (needs uv)
	$(COMPILE) -o requirements/runtime.lock
	$(COMPILE) --extra parquet -c requirements/runtime.lock -o requirements/parquet.lock
	$(COMPILE) --extra parquet --group demo -c requirements/parquet.lock -o requirements/demo.lock
	$(COMPILE) --extra parquet --group dev -c requirements/demo.lock -o requirements/dev.lock
	$(COMPILE) --extra parquet --group chart -c requirements/dev.lock -o requirements/chart.lock
	$(COMPILE) --extra parquet --group bench -c requirements/chart.lock -o requirements/bench.lock
	$(COMPILE) --group audit -c requirements/bench.lock -o requirements/audit.lock

base-digest: ## take the newest base image, and images of CI, by digest (needs Docker with buildx, crane or skopeo)
	@bash .ci/base-digest

sbom: ## write the bills of materials of the image and of the wheel to dist/ (needs .ci/parts and .ci/image)
	@bash .ci/sbom image dist/image.cdx.json
	@bash .ci/sbom wheel dist/wheel.cdx.json

clean: ## remove everything that was built
	rm -rf $(VENV) build dist .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

$(VENV)/.python:
	@command -v $(firstword $(PYTHON)) >/dev/null || { echo "There is no program $(PYTHON): $(NEEDED_PYTHON)" >&2; exit 1; }
	@echo "Creating the virtual environment $(VENV) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "$(NEEDED_PYTHON)")'
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.demo: requirements/demo.lock pyproject.toml | $(VENV)/.python
	@echo "Installing the packages of the demo ..."
	@$(INSTALL_LOCK) requirements/demo.lock
	@$(INSTALL_DRIFTGAUGE)
	@touch $@

$(VENV)/.dev: requirements/dev.lock pyproject.toml | $(VENV)/.python
	@echo "Installing the packages of the tests ..."
	@$(INSTALL_LOCK) requirements/dev.lock
	@$(INSTALL_DRIFTGAUGE)
	@touch $@ $(VENV)/.demo

$(VENV)/.chart: requirements/chart.lock $(VENV)/.dev
	@echo "Installing the packages of the chart's tests ..."
	@$(INSTALL_LOCK) requirements/chart.lock
	@touch $@

$(VENV)/.bench: requirements/bench.lock $(VENV)/.dev
	@echo "Installing the packages of the benchmarks ..."
	@$(INSTALL_LOCK) requirements/bench.lock
	@touch $@

$(VENV)/.audit: requirements/audit.lock | $(VENV)/.python
	@echo "Installing the packages of the audit ..."
	@$(INSTALL_LOCK) requirements/audit.lock
	@touch $@
