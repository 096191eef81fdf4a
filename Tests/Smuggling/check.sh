#!/usr/bin/env bash
# Compares how Holdfast frames requests with how h11, httptools and nginx do; see check.py.
#
#   check.sh [--count N] [--wire N] [--seed S]
#
# HOLDFAST and FRAMING name the programs, by default those of the debug build. Python packages go to
# .build/smuggling; nginx and Python's venv are installed where they are missing.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
build=$here/../../.build
python=$build/smuggling/bin/python

packages=()
if ! PATH=$PATH:/usr/sbin command -v nginx >/dev/null; then packages+=(nginx); fi
if ! python3 -c 'import ensurepip' 2>/dev/null; then packages+=(python3-venv); fi
if [ ${#packages[@]} -gt 0 ]; then
    as_root=""
    if [ "$(id -u)" -ne 0 ]; then as_root="sudo"; fi
    $as_root apt-get update -qq
    $as_root apt-get install -y -qq --no-install-recommends "${packages[@]}"
fi
if ! "$python" -c 'import h11, httptools' 2>/dev/null; then
    python3 -m venv --clear "$build/smuggling"
    "$python" -m pip install --quiet --disable-pip-version-check h11==0.16.0 httptools==0.9.0
fi

export PYTHONPATH=$here/../Hostile  # service.py
exec "$python" -B "$here/check.py" --holdfast "${HOLDFAST:-$build/debug/holdfast}" \
    --framing "${FRAMING:-$build/debug/request-framing}" "$@"
