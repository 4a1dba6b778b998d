# Every target installs what it needs first: from a fresh clone with Python 3.11, `make repro` is enough.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

# dvc finds igarape and mlflow on the PATH, whether or not the environment was activated.
export PATH := $(CURDIR)/$(BIN):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help setup check test repro bench ui promote serve lock

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 10

setup: $(INSTALLED) ## make .venv and install the locked requirements and igarape into it

$(VENV)/.requirements: requirements.lock
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON): not found. Install Python 3.11, or: make setup PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

$(INSTALLED): $(VENV)/.requirements pyproject.toml
	$(BIN)/pip install --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

check: setup ## lint, format, types, import contracts, spelling
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell

test: setup ## the tests, without those that take minutes
	$(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist loadfile

repro: setup ## run the stream as far as something changed
	$(BIN)/dvc repro

bench: setup ## measure every speed claim, and write reports/bench.json
	$(BIN)/python bench

ui: setup ## MLflow's pages: runs, trials, models
	$(BIN)/mlflow server --backend-store-uri sqlite:///mlflow.db

promote: setup ## make the challenger the champion
	$(BIN)/igarape promote

serve: setup ## answer over HTTP with the champion
	$(BIN)/igarape serve

lock: ## write requirements.lock anew from pyproject.toml
	$(PYTHON) -m venv build/lock
	build/lock/bin/pip install --quiet pip-tools
	build/lock/bin/pip-compile --quiet --extra dev --extra bench --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url \
	  --no-emit-find-links --no-emit-trusted-host --output-file requirements.lock pyproject.toml
