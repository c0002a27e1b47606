# Every target sets up what it needs into .venv; nothing is prepared by hand.
SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin

help:           ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

$(VENV)/.ready: requirements.lock pyproject.toml
	@python=$$(command -v python3.13 >/dev/null && python3.13 -c 'import sys; print(sys.executable)' 2>/dev/null \
	  || ls "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/3.13*/bin/python3.13 2>/dev/null | tail -n 1); \
	if [ -z "$$python" ]; then \
	  echo "Doenda needs Python 3.13: install it (for example 'pyenv install 3.13' or your system's python3.13) and run make again."; exit 1; fi; \
	[ -x $(BIN)/python ] || "$$python" -m venv $(VENV)
	@$(BIN)/pip install -q --require-hashes -r requirements.lock
	@$(BIN)/pip install -q --no-deps --no-build-isolation -e .
	@touch $@

setup: $(VENV)/.ready           ## install into .venv

demo: setup                     ## the whole system, in front; prints "ready ADDRESS"
	@$(BIN)/doenda demo

test: setup                     ## every test that needs only Python and the PostgreSQL wheel
	@$(BIN)/pytest -q -n 2 tests

check: setup                    ## style, types, floors, journeys
	@$(BIN)/ruff check src tests
	@$(BIN)/ruff format --check src tests
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@PYTHONWARNINGS=ignore DOENDA_LOG=CRITICAL $(BIN)/doenda makemigrations --check --dry-run
	@$(BIN)/doenda check-journeys

test-browsers: setup            ## real browsers; installs Debian packages when run as root
	@.ci/packages chromium-headless-shell w3m lynx tmux fonts-nanum
	@$(BIN)/pytest -q tests_browsers

test-sms: setup                 ## a real SMS centre (Kannel); installs Debian packages when run as root
	@.ci/packages kannel kannel-extras kannel-dev gcc make dpkg-dev util-linux
	@DOENDA_OPENSMPPBOX=$$(.ci/opensmppbox) $(BIN)/pytest -q tests_sms

test-voice: setup               ## real calls through a real Asterisk; installs Debian packages when run as root
	@.ci/packages espeak-ng sip-tester baresip-core chromium-headless-shell fonts-nanum
	@$(BIN)/doenda asterisk --fetch
	@$(BIN)/pytest -q tests_voice

simulate: setup                 ## the whole hunt: worlds, every crash point, planted bugs, interleavings; takes hours
	@$(BIN)/doenda simulate --schedules 2000 --sweep --planted --interleavings 2000

lock: setup                     ## renew requirements.lock from the ranges in pyproject.toml
	@$(BIN)/pip-compile -q --generate-hashes --allow-unsafe --strip-extras --extra dev --no-emit-index-url --no-emit-find-links \
	  --no-emit-trusted-host --no-header -o requirements.lock pyproject.toml

.PHONY: help setup demo test check test-browsers test-sms test-voice simulate lock
