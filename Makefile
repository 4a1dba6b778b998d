# Every target installs what it needs first: from a fresh clone with Python 3.11, `make repro` is enough. Python 3.12 and
# 3.13 do too: make setup PYTHON=python3.12, once.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PORT ?= 5001
SERIES := -c "import sys; print('%d.%d' % sys.version_info[:2])"

# dvc finds igarape and mlflow on the PATH, whether or not the environment was activated.
export PATH := $(abspath $(BIN)):$(PATH)
# MLflow's own commands tell its makers nothing either, unless this is set otherwise.
export MLFLOW_DISABLE_TELEMETRY ?= true

.DEFAULT_GOAL := help
.PHONY: help setup check unit test repro bench ui promote serve sites lock

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 10

setup: $(INSTALLED) ## make .venv, and install the locked requirements of all extras and igarape into it
ifneq ($(origin PYTHON),file)
	@asked=$$($(PYTHON) $(SERIES)) && found=$$($(BIN)/python $(SERIES)) && [ "$$asked" = "$$found" ] || \
	  { echo "$(VENV): has Python $$found, and PYTHON=$(PYTHON) is $$asked. To change: rm -r $(VENV); make setup PYTHON=$(PYTHON)"; exit 1; }
endif

$(VENV)/.requirements: requirements.lock
	@case "$$($(PYTHON) $(SERIES) 2>/dev/null)" in 3.11|3.12|3.13) ;; \
	  *) echo "PYTHON=$(PYTHON): not Python 3.11, 3.12 or 3.13. Install one of them; make setup PYTHON=/path/to/python3.12"; exit 1;; esac
	[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --disable-pip-version-check --no-compile --require-hashes -r requirements.lock
	-$(BIN)/python -m compileall -qq -j 0 $(VENV)/lib # by all cores, where pip compiles with one
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

# What runs whole steps, servers, clusters and trainings of networks takes the most of the tests' time.
WHOLE := stages serving tracking cluster learners/networks contracts/test_recipes.py test_init.py
unit: setup ## the tests without whole steps, servers and trainings: while you work on the rest
	$(BIN)/pytest --numprocesses auto --maxprocesses 2 --dist loadfile $(WHOLE:%=--ignore tests/%)

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

serve: setup ## answer over HTTP with the champion, by MLflow's own server; ours is igarape serve
	champion=$$($(BIN)/igarape history --champion) && \
	  $(BIN)/mlflow models serve --model-uri "$$champion" --env-manager local --port $(PORT)

sites: setup ## draw a site, watch it, and write its page; make repro first
	$(BIN)/python studies/drawn_site.py

lock: ## write requirements.lock anew from pyproject.toml, with the oldest Python: the others take it too
	$(PYTHON) -m venv build/lock
	build/lock/bin/pip install --quiet uv
	build/lock/bin/uv pip compile --quiet --python-version 3.11 --extra train --extra cluster --extra s3 --extra server --extra sites \
	  --extra bench --extra dev --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
	  --output-file requirements.lock pyproject.toml
