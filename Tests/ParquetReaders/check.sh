#!/usr/bin/env bash
# Files of ours read by PyArrow and DuckDB, and files of theirs read by us.
#
#   check.sh
#
# PARQUET_TABLES names the program parquet-tables (by default the debug build), PARQUET_PYTHON a
# Python that has pyarrow and duckdb; without it they are installed into .build/parquet-readers.
# Exit status 0 when all values, statistics and checksums are as they must be, else 1.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
python=${PARQUET_PYTHON:-}
if [ -z "$python" ]; then
    environment=$root/.build/parquet-readers
    python=$environment/bin/python
    if ! "$python" -c 'import pyarrow, duckdb' 2>/dev/null; then
        python3 -m venv "$environment"
        "$python" -m pip install --quiet --disable-pip-version-check pyarrow duckdb
    fi
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$python" "$here/check.py" "${PARQUET_TABLES:-$root/.build/debug/parquet-tables}" "$work"
