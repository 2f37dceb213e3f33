# Everything here runs in an environment that it makes itself, in .venv: no
# root, no Debian packages beyond git, make and python3 with python3-venv. But
# for test-libvirt, test-prometheus, e2e, xen-host and xen-e2e, which say what they need.

PYTHON ?= python3
VENV ?= .venv
# The nova to develop and demonstrate with. Others: tox.
NOVA := 34.0.0
# Where figures of the programs are kept, and their pages.
FIGURES = docs/source/performance
# For "make soak": a part of the whole run.
LENGTH ?= 1
# Its figures are those of the whole run.
SOAK_DOCS = $(if $(filter 1,$(LENGTH)),--docs $(FIGURES))
# For "make tox".
ENV ?= nova22
# For "make xen-e2e": of both hosts, or of one and the other.
XEN ?= 4.14
# For "make e2e": the Python of that nova.
E2E_PYTHON = $(if $(filter 22.%,$(NOVA)),3.8,3.11)
E2E = .venv-e2e
DOCS = .venv-docs
# The theme warns where there is no git, as in a source distribution.
SPHINX = $(DOCS)/bin/sphinx-build -q $(if $(wildcard .git),-W) --keep-going -n

BIN := $(VENV)/bin
# In as many processes as there are processors: each imports nova, which takes
# seconds, so that more than four don't pay. What a file's or a class's tests
# share is made once.
PYTEST = $(BIN)/python -m pytest -q -n logical --maxprocesses 4 \
    --dist loadscope

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
	@$(BIN)/python -m tools.demo

.PHONY: simulate
simulate: venv  ## Does the weigher decide well, and plans? 200 hosts, minutes
	@$(BIN)/python -m tools.simulation --docs $(FIGURES)
	@$(BIN)/python -m tools.planning --docs $(FIGURES)

.PHONY: simulate-small
simulate-small: venv  ## The same in half a minute; fails if it doesn't help
	@$(BIN)/python -m tools.simulation --small
	@$(BIN)/python -m tools.planning --small

.PHONY: bench
bench: venv  ## What it costs beside nova's own classes; minutes, on a quiet machine
	@$(BIN)/python -m tools.bench --docs $(FIGURES)

.PHONY: bench-placement
bench-placement: venv  ## Its part with a real placement alone
	@$(BIN)/python -m tools.bench --placement --docs $(FIGURES)

.PHONY: bench-small
bench-small: venv  ## The same in a minute; fails if it became slow
	@$(BIN)/python -m tools.bench --small

.PHONY: soak
soak: venv  ## Hostile input, an hour or two: make soak [LENGTH=0.1]
	@$(BIN)/python -m tools.soak --length $(LENGTH) $(SOAK_DOCS)
	@$(MAKE) soak-services

.PHONY: soak-small
soak-small: venv  ## The same in a minute, without services
	@$(BIN)/python -m tools.soak --small

.PHONY: soak-services
soak-services: e2e-venvs  ## Half an hour of faults around make e2e's services
	@$(E2E)/bin/python -m tests.e2e.soak --nova $(NOVA) \
	    --length $(LENGTH) $(SOAK_DOCS) \
	    --nova-env $(E2E)-$(NOVA) --folder .e2e/soak \
	    --pins constraints/$(NOVA)-py$(subst .,,$(E2E_PYTHON)).txt

.PHONY: test
test: lint unit functional  ## Lint, unit tests and functional tests

.PHONY: lint
lint: venv  ## Style, likely bugs, types, and who imports whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

.PHONY: unit
unit: venv  ## Unit tests
	$(PYTEST) tests/unit

.PHONY: functional
functional: venv  ## Tests with a real nova in one process
	@# As nova-scheduler runs by default since nova 33: native threads.
	OS_NOVA_DISABLE_EVENTLET_PATCHING=true $(PYTEST) tests/functional

.PHONY: docs
docs:  ## The documentation: pages in build/docs/html, man pages beside
	@PYTHON='$(PYTHON)' tools/make-venv $(DOCS) docs $(NOVA)
	@rm -rf build/docs
	$(DOCS)/bin/python -m tools.pictures $(FIGURES) $(FIGURES)
	$(SPHINX) -b html -d build/docs/trees docs/source build/docs/html
	$(SPHINX) -b man -d build/docs/trees docs/source build/docs/man
	$(DOCS)/bin/python -m tools.links build/docs/html

.PHONY: dist
dist:  ## The source distribution and the wheel, checked, in dist
	@PYTHON='$(PYTHON)' tools/make-venv $(DOCS) docs $(NOVA)
	@rm -rf dist
	$(DOCS)/bin/python -m build -q --no-isolation
	$(DOCS)/bin/twine --no-color check --strict dist/*

.PHONY: test-libvirt
test-libvirt:  ## The facts commands with a real libvirt, without nova
	@PYTHON='$(PYTHON)' tools/need-libvirt
	@PYTHON='$(PYTHON)' tools/make-venv .venv-libvirt libvirt $(NOVA)
	.venv-libvirt/bin/python -m pytest -q tests/libvirt

.PHONY: test-prometheus
test-prometheus: venv  ## Alerts and dashboard with Debian's Prometheus
	OS_NOVA_DISABLE_EVENTLET_PATCHING=true \
	    $(BIN)/python -m pytest -q tests/prometheus

.PHONY: e2e-venvs
e2e-venvs:
	@python=$$(tools/pythons.py 3.11) && \
	    PYTHON=$$python tools/make-venv $(E2E) e2e
	@python=$$(tools/pythons.py $(E2E_PYTHON)) && \
	    PYTHON=$$python tools/make-venv $(E2E)-$(NOVA) deployed $(NOVA)

.PHONY: e2e
e2e: e2e-venvs  ## Real services as processes, and faults: make e2e [NOVA=22.4.0]
	@$(E2E)/bin/python -m tests.e2e --nova $(NOVA) \
	    --nova-env $(E2E)-$(NOVA) --folder .e2e/$(NOVA) \
	    --pins constraints/$(NOVA)-py$(subst .,,$(E2E_PYTHON)).txt

.PHONY: xen-host
xen-host:  ## facts show on a real Xen host, emulated; root, long minutes
	@$(PYTHON) -m tests.xen.facts

.PHONY: xen-e2e
xen-e2e:  ## nova on two real Xen hosts, emulated; root, long [XEN=4.17] [ONLY=slots]
	@python=$$(tools/pythons.py 3.11) && \
	    PYTHON=$$python tools/make-venv $(E2E) e2e
	@python=$$(tools/pythons.py 3.8) && \
	    PYTHON=$$python tools/make-venv $(E2E)-xen cloud 22.4.0
ifneq ($(filter-out 4.14,$(XEN)),)
	@PYTHON=$$(tools/pythons.py 3.9) && export PYTHON && \
	    tools/need-libvirt && \
	    tools/make-venv $(E2E)-dom0 dom0 22.4.0
endif
	@nice -n 19 $(E2E)/bin/python -m tests.xen.e2e \
	    --nova-env $(E2E)-xen --folder .e2e/xen --cache .xen-host \
	    --xen $(XEN) --dom0-env $(E2E)-dom0 \
	    --pins constraints/22.4.0-py38.txt $(if $(ONLY),--only $(ONLY))

.PHONY: tox
tox:  ## Tests on another nova: make tox ENV=nova22
	@PYTHON='$(PYTHON)' tools/make-venv .venv-tox tox
	.venv-tox/bin/tox -e $(ENV)

.PHONY: matrix
matrix:  ## Tests on the other novas and Pythons, two at a time
	@PYTHON='$(PYTHON)' tools/make-venv .venv-tox tox
	.venv-tox/bin/tox run-parallel --parallel 2 --parallel-no-spinner

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
	rm -rf .venv-tox .venv-tox.lock .venv-libvirt .venv-libvirt.lock
	rm -rf .venv-e2e* .venv-docs .venv-docs.lock .tox .e2e
	rm -rf .xen-host
	rm -f $(FIGURES)/*.svg
	rm -rf build dist *.egg-info .hypothesis .mypy_cache .pytest_cache \
	    .ruff_cache
	find nova_xen_sched tests tools -name __pycache__ -type d -prune \
	    -exec rm -rf {} +
