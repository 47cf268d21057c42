# Everything runs in .venv, which the first target that needs it makes from the hashed locks.
PYTHON ?= python3
VENV := .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
# Not hashed: its CPU and CUDA builds differ.
TORCH ?= torch==2.13.0
PIP := $(BIN)/python -m pip --disable-pip-version-check
# uv takes a fifth of the time of pip. It does not read the settings of pip: where only those lead to the packages,
# `make live INSTALL='.venv/bin/python -m pip install'`.
INSTALL ?= $(BIN)/python -m uv pip install
# What a release is made with stays apart from what Classpulse runs with.
RELEASE := $(VENV)/release$(patsubst $(VENV)%,%,$(BIN))
CLIP ?= $(CLASSPULSE_TEST_DATA)/clips/meeting-gallery.mp4
PACKAGE := pyproject.toml hatch_build.py $(wildcard bundle/*.json bundle/*.py) bundle/node.txt $(wildcard src/classpulse/locale/*/*/*.po)

# Tests wait for servers, browsers and clocks for much of their time: more run at once than there are cores.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 2)')
# Classes give way to whatever else runs (`nice`): among tests of equal rank they would wait for ever.
PYTEST := $(if $(filter Windows_NT,$(OS)),,nice -n 10) $(BIN)/python -m pytest
# Hundreds of processes import the package: without its bytecode each would compile it anew, and every worker all tests.
export PYTHONDONTWRITEBYTECODE :=
# What goes on side by side is told one after the other, where this make can.
SIDE_BY_SIDE := --no-print-directory --jobs=3 $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)
# A file's tests share its servers; those that take longest begin first (tests/conftest.py).
TESTS := --ignore=tests/training tests
SPREAD := --numprocesses=$(WORKERS) --dist=loadfile --no-loadscope-reorder
# What fails among the others is tried once more alone, and both are told (docs/decisions/035-a-second-try.md).
LAST_FAILED := --last-failed --last-failed-no-failures=none --maxfail=3
twice = $(PYTEST) $(1) $(2) $(ARGS) || { [ $$? = 1 ] && echo "Once more, alone:" && $(PYTEST) $(1) $(LAST_FAILED) $(ARGS); }

.PHONY: live serve test test-training thorough faults soak coverage check format bench docs lock dist audit system clean train-ready

live: $(VENV)/.run  ## the live page, with the first webcam or, without one, the demo
	$(BIN)/classpulse live $(ARGS)

serve: $(VENV)/.serve  ## a school's server on SQLite; its first lines have the first admin's link
	$(BIN)/classpulse serve $(ARGS)

test:  ## all that CI runs
	@$(MAKE) $(SIDE_BY_SIDE) system check test-training
	$(call twice,$(TESTS),$(SPREAD))

# Doctests and training import torch and all else, which takes longer than most of them: once, and not in every worker.
test-training: system $(VENV)/.dev
	$(call twice,src tests/training)

thorough: system $(VENV)/.dev  ## the long forms of some tests
	$(PYTEST) -m thorough --numprocesses=auto $(ARGS)

faults: system $(VENV)/.dev  ## break everything on purpose; writes docs/faults.md
	$(BIN)/python -m benchmarks.faults --numprocesses=auto --dist=loadgroup $(ARGS)

soak: $(VENV)/.dev  ## a day of class by a fast clock
	$(PYTEST) tests/faults/test_soak.py -m thorough $(ARGS)

# Not part of `test`: to watch every line takes half as long again.
coverage: system $(VENV)/.dev  ## the tests, and which lines they reach
	$(PYTEST) src tests/training --cov --cov-report= --cov-fail-under=0 $(ARGS)
	$(PYTEST) $(TESTS) $(SPREAD) --cov --cov-append --cov-report=term $(ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

train-ready: $(VENV)/.dev  ## what `classpulse train` needs

bench: $(VENV)/.dev  ## figures into benchmarks/results/
	$(BIN)/python -m benchmarks.pipeline $(CLIP) $(ARGS)

docs: $(VENV)/.dev  ## the documentation, into build/docs/
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs build/docs
	@echo "open build/docs/index.html"

lock: $(VENV)/.dev  ## new versions into requirements/
	$(BIN)/python tools/lock.py $(ARGS)

dist: $(VENV)/.release  ## wheel, source, SBOM and sums of what is committed, into dist/
	$(RELEASE)/python -m tools.release

audit: $(VENV)/.release  ## known holes in what the locks name
	$(RELEASE)/python -m tools.audit $(TORCH)

system:  ## a browser, a screen and stream servers for the tests
	@sh tools/system_packages.sh

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .coverage src/classpulse/bundled

$(VENV)/.setup: requirements/setup.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --require-hashes -r requirements/setup.txt
	@touch $@

# The build hook puts third-party files into src/classpulse/bundled, from where the editable package reads them.
$(VENV)/.run: requirements/base.txt requirements/build.txt $(PACKAGE) $(VENV)/.setup
	$(INSTALL) --quiet --require-hashes -r requirements/base.txt -r requirements/build.txt
	$(INSTALL) --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# With what accounts and PostgreSQL need; the container installs the same.
$(VENV)/.serve: deploy/requirements.txt $(VENV)/.run
	$(INSTALL) --quiet --require-hashes -r deploy/requirements.txt
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	$(INSTALL) --quiet --require-hashes -r requirements/dev.txt
	$(PIP) install --quiet --no-compile $(TORCH)
	@touch $@

$(VENV)/.release: requirements/release.txt
	$(PYTHON) -m venv $(VENV)/release
	$(RELEASE)/python -m pip --disable-pip-version-check install --quiet --require-hashes -r requirements/release.txt
	@touch $@
