# Everything here runs in an environment that it makes itself, in .venv: no
# root, no Debian packages beyond git, make and python3 with python3-venv.

PYTHON ?= python3
VENV ?= .venv
# The nova to develop and demonstrate with. Others: tox.
NOVA := 34.0.0
# For "make tox".
ENV ?= nova22

BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.NOTPARALLEL:

.PHONY: help
help:  ## Say what there is to make
	@echo 'make TARGET [PYTHON=python3]'
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) \
	    | while IFS='|' read -r target what; do \
	        printf '  %-14s %s\n' "$$target" "$$what"; done

.PHONY: demo
demo: venv  ## Watch a real nova-scheduler choose among Xen hosts
	@$(BIN)/python -m tests.demo

.PHONY: simulate
simulate: venv  ## Does the weigher decide well? 200 hosts, minutes
	@$(BIN)/python -m tests.simulation --docs docs

.PHONY: simulate-small
simulate-small: venv  ## The same in half a minute; fails if it doesn't help
	@$(BIN)/python -m tests.simulation --small

.PHONY: bench
bench: venv  ## What it costs beside nova's own classes; minutes, on a quiet machine
	@$(BIN)/python -m tests.bench --docs docs

.PHONY: bench-small
bench-small: venv  ## The same in a minute; fails if it became slow
	@$(BIN)/python -m tests.bench --small

.PHONY: test
test: lint unit functional  ## Lint, unit tests and functional tests

.PHONY: lint
lint: venv  ## Style, likely bugs and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.PHONY: unit
unit: venv  ## Unit tests
	$(BIN)/python -m pytest -q tests/unit

.PHONY: functional
functional: venv  ## Tests with a real nova in one process
	@# As nova-scheduler runs by default since nova 33: native threads.
	OS_NOVA_DISABLE_EVENTLET_PATCHING=true \
	    $(BIN)/python -m pytest -q tests/functional

.PHONY: tox
tox:  ## Tests on another nova: make tox ENV=nova22
	@PYTHON='$(PYTHON)' tools/make-venv .venv-tox tox
	.venv-tox/bin/tox -e $(ENV)

.PHONY: sample
sample: venv  ## Write the sample of every option anew
	$(BIN)/oslo-config-generator \
	    --config-file etc/nova_xen_sched/config-generator.conf

.PHONY: venv
venv:  ## Make the environment that the others run in
	@PYTHON='$(PYTHON)' tools/make-venv '$(VENV)' nova $(NOVA)

.PHONY: clean
clean:  ## Remove what make and tox have made
	@# Another's environment, which VENV may name, stays.
	test ! -e '$(VENV)/.nova-xen-sched' || rm -rf '$(VENV)' '$(VENV).lock'
	rm -rf .venv-tox .venv-tox.lock .tox
	rm -rf build dist *.egg-info .hypothesis .mypy_cache .pytest_cache \
	    .ruff_cache
	find nova_xen_sched tests -name __pycache__ -type d -prune \
	    -exec rm -rf {} +
