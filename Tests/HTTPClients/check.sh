#!/usr/bin/env bash
# Drives the service with real HTTP clients: curl, and Python's http.client (check.py).
#
#     Tests/HTTPClients/check.sh [PATH-OF-HOLDFAST]
set -euo pipefail
cd "$(dirname "$0")/../.."
holdfast=${1:-.build/release/holdfast}
work=$(mktemp -d)
server=""
cleanup() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT

fail() { echo "failed: $*" >&2; exit 1; }
# same WHAT EXPECTED FOUND
same() { [ "$2" = "$3" ] || fail "$1: expected '$2', found '$3'"; }

"$holdfast" serve --http 127.0.0.1:0 >"$work/log" &
server=$!
for _ in $(seq 100); do
    url=$(grep -o 'http://[0-9.]*:[0-9]*' "$work/log" || true)
    [ -z "$url" ] || break
    sleep 0.1
done
[ -n "$url" ] || fail "the service did not start"
status() { curl -s -o /dev/null -w '%{http_code}' "$@"; }

same "health" 200 "$(status "$url/healthz")"
same "HEAD has no body" "0 200" "$(curl -s -I -o /dev/null -w '%{size_download} %{http_code}' "$url/readyz")"
same "unknown path" 404 "$(status "$url/nope")"
same "wrong method" 405 "$(status -X DELETE "$url/v1/rules")"

# A file of events, with the length announced, in chunks, and after Expect: 100-continue.
for i in $(seq 20000); do
    echo "{\"id\":\"e$i\",\"kind\":\"receipt\",\"sku\":\"SKU-$((i % 500))\",\"location\":\"DC$((i % 3))\",\"qty\":1}"
done >"$work/events"
accepted() { sed 's/.*"accepted":\([0-9]*\),"duplicates":\([0-9]*\).*/\1 \2/'; }
same "events, announced" "20000 0" \
    "$(curl -s --data-binary @"$work/events" "$url/v1/events" | accepted)"
same "events, in chunks" "0 20000" \
    "$(curl -s -X POST -T - "$url/v1/events" <"$work/events" | accepted)"
same "events, expecting" "0 20000" \
    "$(curl -s -H 'Expect: 100-continue' --data-binary @"$work/events" "$url/v1/events" | accepted)"
same "events, HTTP/1.0" "0 20000" \
    "$(curl -s --http1.0 --data-binary @"$work/events" "$url/v1/events" | accepted)"

# 30 MB of stock in one body.
{ echo sku,location,sellable; seq -f 'BIG-%07.0f,DC1,5' 1700000; } >"$work/stock"
same "30 MB of stock" "1700000 0" \
    "$(curl -s -H 'Content-Type: text/csv' --data-binary @"$work/stock" "$url/v1/stock?mode=upsert" | accepted)"
same "two requests, one connection" 1 \
    "$(curl -s -o /dev/null -o /dev/null -w '%{num_connects} ' "$url/healthz" "$url/healthz" | tr ' ' '\n' | grep -c 1)"
same "an item over HTTP/1.0" 40 \
    "$(curl -s --http1.0 "$url/v1/availability/SKU-1?channel=web" | sed 's/.*"available":\([0-9]*\).*/\1/')"

python3 Tests/HTTPClients/check.py "$url"

kill -TERM "$server"
wait "$server" || fail "the service did not end with 0"
server=""
echo "real clients: all as expected"
