.DEFAULT_GOAL := help
SHELL := /bin/bash -o pipefail

PYTHON ?= python3
STACK ?= local
BIN := .venv/bin
INSTALLED := .venv/installed

.PHONY: help
help: ## print this
	@grep -hE '^[a-z-]+:.*## ' Makefile | sort | awk -F ':.*## ' '{printf "make %-14s %s\n", $$1, $$2}'

.PHONY: install
install: $(INSTALLED) ## make .venv from the lock (PYTHON=python3); nothing to do when it is up to date

# uv installs four times faster than pip; it comes from the lock too, so pip is all that is needed.
$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12" >&2; exit 2; }
	$(PYTHON) -m venv .venv
	sed -n '/^uv==/,/[^\\]$$/p' requirements.lock | $(BIN)/pip install --quiet --require-hashes -r /dev/stdin
	VIRTUAL_ENV=.venv $(BIN)/uv pip sync --quiet --require-hashes requirements.lock
	VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

.PHONY: lock
lock: ## add to requirements.lock what pyproject.toml asks for (UPGRADE=--upgrade: newest of everything)
	$(BIN)/uv pip compile --quiet $(UPGRADE) --all-extras --universal --python-version 3.11 --generate-hashes \
		--no-config --custom-compile-command "make lock" --output-file requirements.lock pyproject.toml
	$(BIN)/uv pip compile --quiet --extra build --constraints requirements.lock --universal --python-version 3.11 \
		--generate-hashes --no-annotate --no-config --custom-compile-command "make lock" \
		--output-file deploy/requirements.lock pyproject.toml

.PHONY: format
format: $(INSTALLED) ## format the code and mend what the linter can
	$(BIN)/ruff format --quiet .
	$(BIN)/ruff check --fix .

.PHONY: check
check: $(INSTALLED) ## format, lint, types, architecture, contracts: under a minute
	$(BIN)/ruff format --quiet --check .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/pytest -q tests/test_layout.py
	$(BIN)/berbagi contracts --check

.PHONY: contracts
contracts: $(INSTALLED) ## write schemas and asyncapi.yaml; refuses what would break a reader
	$(BIN)/berbagi contracts

.PHONY: test
test: $(INSTALLED) ## run every test, two files at once (STACK=local, docker or external)
	$(BIN)/pytest --stack $(STACK) -n 2 --dist loadfile --no-loadscope-reorder

.PHONY: bench
bench: $(INSTALLED) ## measure speed, alone on the machine (NAMES="hot relay" for some; see docs/performance.md)
	$(BIN)/python -m tests.bench $(NAMES)

.PHONY: faults
faults: $(INSTALLED) ## five seeded runs with everything dying, and one with three brokers (see docs/faults.md)
	$(BIN)/python -m tests.faults

.PHONY: faults-smoke
faults-smoke: $(INSTALLED) ## one short run of the same
	$(BIN)/python -m tests.faults --smoke

.PHONY: faults-mutants
faults-mutants: $(INSTALLED) ## break Berbagi on purpose, one way after the other, and see that each is noticed
	$(BIN)/python -m tests.faults.prove --checker

.PHONY: up
up: $(INSTALLED) ## run the whole system in Docker Compose; 127.0.0.1:8001 to 8004 answer
	$(BIN)/python deploy/make_secrets.py deploy/secrets
	docker compose --file deploy/compose.yaml up --build --detach --wait

.PHONY: down
down: ## stop what `make up` started; its data stays
	docker compose --file deploy/compose.yaml down

.PHONY: demo
demo: $(INSTALLED) ## play a month and reconcile it (MONTH=2026-10 SEED=1 STACK=local DISTRICTS=25)
	$(BIN)/berbagi demo

.PHONY: clean
clean: ## remove .venv, caches and the stack's data
	@if [ -x $(BIN)/berbagi ]; then $(BIN)/berbagi stack down; fi
	rm -rf .venv .berbagi .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist
