# A bare machine needs Python 3.11 or newer, git and make. Everything else comes from the lock files.

SHELL := /bin/bash
.DEFAULT_GOAL := help

# The first of these that is 3.11 or newer; say `make PYTHON=/path/to/python3.12 run` to choose another.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { command -v "$$p"; break; }; done)
BIN := .venv/bin
FLOORS := barcodes config models routing tasks web workers workflow
SOURCES := $(FLOORS) tests $(wildcard bench)
LOCK_ALONE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --no-header
LOCK := $(LOCK_ALONE) pyproject.toml
TEST ?= tests
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: help run wheel test check lint types floors catalogues bench format lock clean

help: ## What can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

run: .venv/ready .venv/ready-web ## Everything on this machine: pages on port 8000, Flower on 5555, data in ./var
	@$(BIN)/shabarman up

wheel: .venv/ready .venv/ready-web ## What servers install, in ./dist: a wheel with all files of the pages
	@$(BIN)/python -m hatchling build -t wheel -d dist

test: .venv/ready-dev .venv/ready-web ## All tests; those of a server that is not here are skipped (never in CI)
	$(BIN)/pytest $(TEST)

check: lint types floors catalogues test ## What CI runs

lint: .venv/ready-dev ## Ruff: rules and layout
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)

types: .venv/ready-dev ## Strict mypy
	$(BIN)/mypy

floors: .venv/ready-dev ## A floor imports only the floors below it
	$(BIN)/lint-imports

catalogues: .venv/ready-dev ## Every sentence for people exists in Kazakh and Russian
	$(BIN)/python -m config.catalogues check

bench: .venv/ready-bench ## The short set of benchmarks, beside the last stored result (docs/performance.md)
	$(BIN)/python -m bench

format: .venv/ready-dev ## Lay the code out, and mend what can be mended
	$(BIN)/ruff check --fix-only $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

lock: .venv/ready-dev ## Renew the lock files from pyproject.toml
	$(BIN)/$(LOCK) --group build -o requirements.txt
	$(BIN)/$(LOCK) --group dev -o requirements-dev.txt
	$(BIN)/$(LOCK) --group bench -o requirements-bench.txt
	$(BIN)/$(LOCK_ALONE) --group node -o requirements-node.txt
	PATH="$$PATH:$(abspath $(BIN))" npm update --package-lock-only

clean: ## Remove what was installed and cached; ./var, the data, stays
	rm -rf .venv dist node_modules web/static/third_party .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.venv/made:
	@if [ -z "$(PYTHON)" ]; then \
		echo "No Python 3.11 or newer was found. Install one (Debian: apt-get install python3 python3-venv)," >&2; \
		echo "or name it: make PYTHON=/path/to/python3.12 run" >&2; exit 1; fi
	@"$(PYTHON)" -m venv .venv || { \
		echo "$(PYTHON) cannot make virtual environments. On Debian: apt-get install python3-venv" >&2; exit 1; }
	@touch $@

# The project itself is installed last and without its dependencies: these came with their hashes before it.
.venv/ready: .venv/made requirements.txt pyproject.toml
	@echo "Installing what requirements.txt pins …"
	@$(PIP) install --require-hashes -r requirements.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

.venv/ready-dev: .venv/ready requirements-dev.txt
	@echo "Installing what requirements-dev.txt pins …"
	@$(PIP) install --require-hashes -r requirements-dev.txt
	@touch $@

# What the pages take from others. Where the machine has no npm, a wheel brings it, with Node.js, into .venv.
.venv/ready-web: package.json package-lock.json requirements-node.txt web/third_party.py | .venv/ready
	@command -v npm >/dev/null || { echo "Installing npm from requirements-node.txt …"; \
		$(PIP) install --require-hashes -r requirements-node.txt; }
	@echo "Installing what package-lock.json pins …"
	@PATH="$$PATH:$(abspath $(BIN))" npm ci --loglevel=error >/dev/null || { \
		echo "npm could not install the files of the pages. See that this machine reaches an npm registry, then" >&2; \
		echo "run make again." >&2; exit 1; }
	@$(BIN)/python -m web.third_party
	@touch $@

.venv/ready-bench: .venv/ready-dev requirements-bench.txt
	@echo "Installing what requirements-bench.txt pins …"
	@$(PIP) install --require-hashes -r requirements-bench.txt
	@touch $@
