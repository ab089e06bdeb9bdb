#!/usr/bin/env bash
# The tests in real pods, in two halves side by side, one of them in two processes: most of it is waiting.
# Exit code: that of the half that failed.
set -uo pipefail
cd "$(dirname "$0")/.."
log=$(mktemp)
.venv/bin/python -m pytest -q tests/e2e/test_conformance.py -m lab >"$log" 2>&1 &
cases=$!
trap 'kill -TERM $cases 2>/dev/null; wait $cases; rm -f "$log"' EXIT
trap 'exit 130' INT TERM
.venv/bin/python -m pytest -q -n 2 --dist loadfile tests/e2e -m lab --ignore=tests/e2e/test_conformance.py --durations=10
rest=$?
echo "behaviour cases:"
wait $cases
code=$?
cat "$log"
[ "$rest" -eq 0 ] && exit "$code"
exit "$rest"
