#!/usr/bin/env bash
# What is acknowledged is there after any end: against the real kernel, judged from outside.
#
#     check.sh [--long]      HOLDFAST names the program, by default that of the release build
#
# About two minutes; with --long as many rounds as an hour takes. A machine that does not let mounts
# or traces be made is told so, and the rest runs.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
program=$(realpath "${HOLDFAST:-$here/../../.build/release/holdfast}")

rounds=30 cuts=(--cuts 100 --seconds 60) full=2 failing=2
if [ "${1:-}" = "--long" ]; then
    rounds=1000 cuts=(--cuts 10000 --seconds 2400) full=20 failing=50
fi

install() {
    command -v "$1" >/dev/null && return
    as_root=""
    if [ "$(id -u)" -ne 0 ]; then as_root="sudo -n"; fi
    { $as_root apt-get update -qq && $as_root apt-get install -y -qq "$2"; } >/dev/null 2>&1 ||
        echo "$1 is missing and cannot be installed"
}

failed=0 forbidden=0
try() {
    printf '\n-- %s\n' "$*"
    python3 -B "$here/$1" "${@:2}"
    case $? in
        0) ;;
        77) forbidden=$((forbidden + 1)) ;;
        *) failed=$((failed + 1)) ;;
    esac
}

install strace strace
install mkfs.ext4 e2fsprogs
try test_checker.py
try kill.py "$program" --rounds "$rounds"
try power.py "$program" "${cuts[@]}"
try full.py "$program" --rounds "$full"
try eio.py "$program" --rounds "$failing"
try second.py "$program"
try order.py "$program"
printf '\n%s failed, %s not allowed by this machine\n' "$failed" "$forbidden"
[ "$failed" -eq 0 ]
