#!/usr/bin/env bash
# Installs the Debian packages that are missing (as root) and makes .venv from the pinned versions.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
while read -r package; do
  [ -z "$package" ] || dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done < packaging/apt.txt
if [ "${#missing[@]}" -gt 0 ]; then
  if [ "$(id -u)" -ne 0 ]; then
    echo "setup: these Debian packages are missing and installing them needs root: ${missing[*]}" >&2
    echo "       run: sudo apt-get install ${missing[*]}" >&2
    exit 1
  fi
  echo "setup: installing ${missing[*]}"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

python=$(command -v python3.11 || command -v python3)
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "setup: Python 3.11 or newer is needed, $python is older" >&2; exit 1; }
want=$(cat requirements.lock pyproject.toml | sha256sum)
if [ "$(cat .venv/ready 2>/dev/null || true)" != "$want" ]; then
  echo "setup: making .venv"
  rm -rf .venv
  "$python" -m venv .venv
  .venv/bin/pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
  # The checkout itself, without a build: a path file and a launcher.
  echo "$PWD/src" > "$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/mizzen.pth"
  printf '#!/bin/sh\nexec "$(dirname "$(readlink -f "$0")")/python" -m mizzen "$@"\n' > .venv/bin/mizzen
  chmod +x .venv/bin/mizzen
  echo "$want" > .venv/ready
fi
touch .venv/ready
