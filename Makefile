# Every target sets up what it needs first; what is already there is left alone.

PYTHON ?= python3
BIN := .venv/bin
MELTANO := .venv-meltano/bin/meltano
# Tests that look at the same runs are a group, so that they are run once.
PYTEST := $(if $(COVERAGE),$(BIN)/coverage run -m pytest,$(BIN)/pytest) --numprocesses auto --dist loadgroup

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-slow test-airflow test-all bench bench-check lint format readme meltano clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: .venv/installed .meltano/installed ## PostgreSQL to events through Meltano, on this machine alone
	@$(BIN)/python -m demo.run

test: .venv/installed .meltano/installed ## the tests, in a few minutes (COVERAGE=1 shows the branches they miss)
	$(PYTEST) -m 'not slow and not airflow'
	$(if $(COVERAGE),$(BIN)/coverage combine --quiet && $(BIN)/coverage report)

# pytest's exit status 5 says that there are no such tests.
test-slow: .venv/installed .meltano/installed ## the tests that `make test` leaves out
	$(PYTEST) -m 'slow and not airflow' || test $$? -eq 5

test-airflow: .venv/installed .meltano/installed .venv-airflow/installed ## the DAG under a real Airflow, in some minutes
	$(BIN)/pytest -m airflow tests/with_airflow

test-all: test test-slow test-airflow ## all tests: kills in numbers, memory, browser and Airflow too

bench: .bench/installed ## measure it beside what one would use instead, into docs/speed.md (twenty minutes)
	.bench/venv/bin/python -m bench.run
	.bench/venv/bin/python -m bench.stages
	.bench/venv/bin/python -m bench.page

bench-check: .venv/installed ## see that no stage of a record's way costs a tenth more than it did
	$(BIN)/python -m bench.counts

lint: .venv/installed ## what a change must pass before its tests are run
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .
	git ls-files -z | xargs -0 $(BIN)/codespell

format: .venv/installed ## put the code in its form
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

readme: .venv/installed ## write what README.md takes from the program
	$(BIN)/python -m tests.readme

meltano: .meltano/installed ## install Meltano and the plugins of meltano.yml

clean: ## take away all that these targets made
	rm -rf .venv .venv-meltano .venv-airflow .meltano .bench .demo .coverage .coverage.* .*_cache .hypothesis

.venv/installed: pyproject.toml
	@$(PYTHON) -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' \
		|| { echo 'Python 3.11 or newer with its venv module is needed (Debian: python3-venv); name one with make PYTHON=…' >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --editable '.[dev]'
	@touch $@

# dlt and what it brings stay out of the way of what is developed.
.bench/installed: bench/requirements.txt pyproject.toml
	$(PYTHON) -m venv .bench/venv
	.bench/venv/bin/pip install --quiet --editable . --requirement $<
	@touch $@

# Meltano has a venv of its own, since its pins and ours disagree.
.venv-meltano/installed: demo/requirements-meltano.txt
	$(PYTHON) -m venv .venv-meltano
	.venv-meltano/bin/pip install --quiet --requirement $<
	@touch $@

# Airflow's pins are its own as well.
.venv-airflow/installed: tests/with_airflow/requirements.txt
	$(PYTHON) -m venv .venv-airflow
	.venv-airflow/bin/pip install --quiet --requirement $<
	@touch $@

.meltano/installed: .venv-meltano/installed meltano.yml pyproject.toml
	$(MELTANO) --log-level=warning install --force
	@touch $@
