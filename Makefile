# `make demo` and `make test` need nothing but Python 3.11+, git and make; each sets up .venv first.
# Settings: PROFILE=tiny|demo|full, PYTHON=python3.12, FINSCRIBE_STORAGE=folder or s3://…, FINSCRIBE_WORKERS=N.

SHELL := /bin/bash
PROFILE ?= demo
PORT ?= 3000
FILES_PORT ?= 3001
BIN := .venv/bin

export DAGSTER_HOME ?= $(CURDIR)/.dagster_home
export FINSCRIBE_STORAGE ?= $(CURDIR)/storage
export FINSCRIBE_PROFILE ?= $(PROFILE)
export FINSCRIBE_FILES_URL ?= http://127.0.0.1:$(FILES_PORT)
export FINSCRIBE_PADDLE_PYTHON ?= $(CURDIR)/.venv-paddle/bin/python

.PHONY: help setup paddle-env home demo dev test test-slow coverage check docs wheel clean

help:  ## show what there is to make
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

setup:  ## create .venv, install everything, see to system libraries and fonts
	@scripts/setup

paddle-env:  ## create .venv-paddle, in which the PaddleFormers back end trains (2 GB; EXTRA=paddle-gpu for a GPU)
	@scripts/paddle-env

# Processes that are started together would each make the tables of a new instance, and leave them unusable.
home: setup
	@scripts/home
	@[ -e "$$DAGSTER_HOME/history/runs/index.db" ] || $(BIN)/dagster instance info > /dev/null

demo: home  ## run the whole loop once: documents, pages, pairs, adapter, report, plan
	@scripts/demo

dev: home  ## open the Dagster UI on loopback, with the daemon that runs the sensor, and the files of its links
	@PORT=$(PORT) FILES_PORT=$(FILES_PORT) scripts/dev

test: setup  ## run the tests
	$(BIN)/python -m pytest -n auto --dist loadgroup --no-loadscope-reorder

coverage: setup  ## run the tests and tell which lines none of them reaches; takes twice as long
	$(BIN)/python -m pytest -n auto --dist loadgroup --no-loadscope-reorder --cov=finscribe_assets --cov-report=term-missing:skip-covered

test-slow: setup  ## run the tests that take minutes
	$(BIN)/python -m pytest -m slow

check: home  ## lint, types, import rules, definitions
	$(BIN)/pre-commit run --all-files
	$(BIN)/dg check defs
	$(BIN)/dagster definitions validate -w workspace.yaml

docs: setup  ## build the documentation site in build/site; a dead link is an error
	$(BIN)/python scripts/site_sources.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

wheel: setup  ## build the wheel in dist/ and try it outside the checkout
	@scripts/wheel

clean:  ## remove what runs have made (not .venv, nor .venv-paddle)
	rm -rf storage .dagster_home
