#!/usr/bin/env bash
# The tour of a real mesh on this machine. Needs root; `make demo` installs what else is needed.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ "$(id -u)" -ne 0 ]; then
  echo "demo: network namespaces need root; run: sudo make demo" >&2
  exit 1
fi
if [ ! -x .venv/bin/mizzen ]; then
  echo "demo: .venv/bin/mizzen is missing; run: make setup" >&2
  exit 1
fi
exec .venv/bin/python demo/tour.py "$@"
