#!/usr/bin/env bash
# The tests in real pods: those of the lab in two processes, since most of a test is waiting, then the behaviour cases in two
# meshes (in the order of their files: many share one mesh; an eighth of the cases, another one each day; MIZZEN_CASES=1/1 is all, as is `make conformance`).
set -uo pipefail
cd "$(dirname "$0")/.."
.venv/bin/python -m pytest -q -p no:randomly -n 2 --dist loadfile tests/e2e -m lab --ignore=tests/e2e/test_conformance.py --durations=10
rest=$?
.venv/bin/python -m pytest -q tests/e2e/test_conformance.py -m lab
cases=$?
[ "$rest" -eq 0 ] && exit "$cases"
exit "$rest"
