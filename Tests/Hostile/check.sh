#!/usr/bin/env bash
# Callers that mean harm, against a service of its own. HOLDFAST names the program, by default that
# of the debug build; `--full` takes two minutes. Exit status 0 when all is as it must be.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
exec python3 -B "$here/check.py" "${HOLDFAST:-$here/../../.build/debug/holdfast}" "$@"
