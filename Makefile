# Mizzen. Each target installs what it needs.
PY := .venv/bin/python
.DEFAULT_GOAL := help
.PHONY: help setup demo test unit e2e envoy lint rows conformance clean

help:            ## this list
	@grep -hE '^[a-z0-9-]+: .*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

setup: .venv/ready  ## a venv whose .venv/bin/mizzen runs, and the Debian packages
.venv/ready: requirements.lock pyproject.toml packaging/apt.txt packaging/setup.sh
	@bash packaging/setup.sh

lint: setup       ## ruff, mypy, import-linter
	.venv/bin/ruff format --check -q . && .venv/bin/ruff check -q .
	.venv/bin/mypy
	.venv/bin/lint-imports

unit: setup       ## the tests that need neither Envoy nor root (three processes: many tests wait for a moment)
	$(PY) -m pytest -q -n 3 tests/unit tests/golden tests/property tests/protocol tests/architecture tests/conformance_data -m "not envoy and not lab"

envoy: setup      ## every golden in a real Envoy
	$(PY) -m pytest -q -n 2 tests -m "envoy and not lab"

e2e: setup        ## real pods in the lab (root)
	@[ "$$(id -u)" = 0 ] || { echo "$@: real pods need root (network namespaces, iptables); run: sudo make $@" >&2; exit 1; }
	@bash packaging/e2e.sh

conformance: setup  ## behaviour cases in one real mesh (root); CASES=PATH for a file of yours
	@[ "$$(id -u)" = 0 ] || { echo "$@: real pods need root (network namespaces, iptables); run: sudo make $@" >&2; exit 1; }
	PYTHONPATH=src $(PY) -m tests.conformance $(CASES)

test: lint unit envoy e2e  ## everything

rows: setup       ## how many rows of the compatibility list are done
	$(PY) -m tests.architecture.rows

demo: setup       ## a tour of a real mesh on this machine (root)
	bash packaging/demo.sh

clean:            ## remove the venv and caches
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
