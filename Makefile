# Every target makes what it needs; `make` alone lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CODE := sidecar tests examples charts benchmarks
# A lock is whole: with its own look at what packages ask for, pip stumbles over extras that have newer versions.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --custom-compile-command "make lock" pyproject.toml --extra parquet

.DEFAULT_GOAL := help
.PHONY: help demo test chart-test unit lint format check bench bench-statistics lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

demo: $(VENV)/.demo ## watch red wines turn white: KEEP=1 stays up, REDIS=1 on a real Redis, LOGGER=1 by CloudEvents
	@$(BIN)/python -m examples.demo $(if $(KEEP),--keep) $(if $(REDIS),--redis) $(if $(LOGGER),--logger)

test: $(VENV)/.dev ## everything that this machine can run
	$(BIN)/pytest

chart-test: $(VENV)/.chart ## the chart, alerts, dashboards and manifests against real engines and schemas
	$(BIN)/pytest tests/chart tests/alerts tests/dashboards tests/manifests

unit: $(VENV)/.dev ## the quick tests alone
	$(BIN)/pytest tests/unit tests/property

lint: $(VENV)/.dev ## style, types, floors, docstrings, spelling
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/interrogate --quiet $(CODE)
	$(BIN)/codespell

format: $(VENV)/.dev ## rewrite the code in the house's form
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

check: lint test ## what must pass before a commit

bench: $(VENV)/.bench ## measure cost beside peers, some 20 min: ONLY="proxy logger engine store footprint interference stalls", QUICK=1, WRITE=1
	$(BIN)/python -m benchmarks $(ONLY) $(if $(QUICK),--quick) $(if $(WRITE),--write docs/performance.md)

bench-statistics: $(VENV)/.dev ## measure false alarms, delay and cost of the tests, and write docs/statistics.md's tables anew
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.statistics --write docs/statistics.md

lock: ## write the locks anew after a change of pyproject.toml; UPGRADE=1 takes newer versions too (needs uv)
	$(COMPILE) $(if $(UPGRADE),--upgrade) -o requirements/runtime.lock
	$(COMPILE) $(if $(UPGRADE),--upgrade) --group demo -c requirements/runtime.lock -o requirements/demo.lock
	$(COMPILE) $(if $(UPGRADE),--upgrade) --group dev -c requirements/demo.lock -o requirements/dev.lock
	$(COMPILE) $(if $(UPGRADE),--upgrade) --group chart -c requirements/dev.lock -o requirements/chart.lock
	$(COMPILE) $(if $(UPGRADE),--upgrade) --group bench -c requirements/chart.lock -o requirements/bench.lock

clean: ## forget what was built
	rm -rf $(VENV) build dist .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

$(VENV)/.python:
	@echo "Making the virtual environment $(VENV) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "driftgauge needs Python 3.11 or newer; say which with make PYTHON=...")'
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.demo: requirements/demo.lock pyproject.toml | $(VENV)/.python
	@echo "Installing the locked packages of the demo ..."
	@$(PIP) --require-hashes --no-deps -r requirements/demo.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.lock pyproject.toml | $(VENV)/.python
	@echo "Installing the locked packages of the tests ..."
	@$(PIP) --require-hashes --no-deps -r requirements/dev.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/.demo

$(VENV)/.chart: requirements/chart.lock $(VENV)/.dev
	@echo "Installing the locked packages of the chart's tests ..."
	@$(PIP) --require-hashes --no-deps -r requirements/chart.lock
	@touch $@

$(VENV)/.bench: requirements/bench.lock $(VENV)/.dev
	@echo "Installing the locked packages of the benchmarks ..."
	@$(PIP) --require-hashes --no-deps -r requirements/bench.lock
	@touch $@
