# make app        start clustlab in the browser
# make test       everything that must hold: style, types, tests, pages in a real Chromium
# make test-fast  the same without the browser and without what trains for long
# make format     put the code into its usual shape

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
APP := $(VENV)/.app-installed
DEV := $(VENV)/.dev-installed

.PHONY: app test test-fast check browser format
.DEFAULT_GOAL := app

app: $(APP)
	@$(BIN)/clustlab app

# Pages are watched while nothing else asks for the processor.
test: check browser
	$(BIN)/python -m pytest -m "not browser" --numprocesses auto
	$(BIN)/python -m pytest -m browser

test-fast: check
	$(BIN)/python -m pytest -m "not browser and not slow" --numprocesses auto

check: $(DEV)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(DEV)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON) here: install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "clustlab needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) -V): name another one, as in make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments: install its venv module (on Debian and Ubuntu the package python3-venv)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(APP): pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

# What developing needs includes what running needs, so that neither target installs again after the other.
$(DEV): pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $(APP) $@

browser:
	@for name in "$$CLUSTLAB_CHROMIUM" chromium chromium-browser google-chrome google-chrome-stable; do \
		[ -n "$$name" ] && command -v "$$name" >/dev/null && exit 0; \
	done; \
	if [ "$$(id -u)" = 0 ] && [ -f /etc/debian_version ]; then \
		apt-get update && apt-get install --yes --no-install-recommends chromium; \
	else \
		echo "The browser tests need Chromium or Chrome: install one, or set CLUSTLAB_CHROMIUM to its path, or run make test-fast"; \
		exit 1; \
	fi
