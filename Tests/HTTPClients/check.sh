#!/usr/bin/env bash
# Holdfast asked by clients that other people wrote: curl, and Python's http.client and urllib.
#
#   check.sh [URL]
#
# Without URL a service of its own is started (HOLDFAST names the program, by default the debug
# build) and stopped. Exit status 0 when every answer is as it must be, else 1.
set -u

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
service=
failures=0

finish() {
    if [ -n "$service" ]; then
        kill -TERM "$service" 2>/dev/null
        wait "$service" 2>/dev/null
    fi
    rm -rf "$work"
}
trap finish EXIT

# A port that nobody listens on just now.
free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

if [ $# -ge 1 ]; then
    url=${1%/}
else
    port=$(free_port)
    url=http://127.0.0.1:$port
    "${HOLDFAST:-$here/../../.build/debug/holdfast}" serve --http "127.0.0.1:$port" \
        >"$work/log" 2>&1 &
    service=$!
fi

ready=
for _ in $(seq 100); do
    if curl -sf -o /dev/null "$url/readyz"; then ready=yes; break; fi
    sleep 0.1
done
if [ -z "$ready" ]; then
    echo "no service at $url" >&2
    [ -f "$work/log" ] && cat "$work/log" >&2
    exit 1
fi

# expect NAME WANTED GOT
expect() {
    if [ "$2" == "$3" ]; then
        echo "ok    $1"
    else
        echo "WRONG $1: wanted '$2', got '$3'"
        failures=$((failures + 1))
    fi
}

# field PATH: a member of the JSON on standard input, as Python sees it.
field() {
    python3 -c '
import json, sys
value = json.load(sys.stdin)
for key in sys.argv[1].split("."):
    value = value[int(key)] if isinstance(value, list) else value.get(key)
print(value)' "$1"
}

tag=curl-$$-$RANDOM
ask() { curl -sS --max-time 120 "$@"; }

# One connection for three requests: the second and third connect nowhere.
expect "keep-alive" "1 0 0 " "$(ask -o /dev/null -o /dev/null -o /dev/null \
    -w '%{num_connects} ' "$url/healthz" "$url/readyz" "$url/healthz")"

expect "HTTP/1.0" "ok" "$(ask --http1.0 "$url/healthz" | field status)"
expect "HTTP/1.0 with a body" "1" "$(ask --http1.0 --data-binary \
    "{\"id\":\"$tag-0\",\"kind\":\"receipt\",\"sku\":\"$tag\",\"location\":\"L1\",\"qty\":1}" \
    "$url/v1/events" | field accepted)"

# A body of unknown length: curl sends it in chunks.
seq 1 5000 | awk -v t="$tag" \
    '{printf "{\"id\":\"%s-%d\",\"kind\":\"receipt\",\"sku\":\"%s\",\"location\":\"L%d\",\"qty\":1}\n", t, $1, t, $1 % 3}' \
    >"$work/events"
expect "chunked upload" "5000" "$(ask -X POST -T - "$url/v1/events" <"$work/events" | field accepted)"
expect "the same by length" "5000" \
    "$(ask --data-binary "@$work/events" "$url/v1/events" | field duplicates)"
expect "what came of it" "5001" "$(ask "$url/v1/availability/$tag" | field items.0.available)"

# A client that waits to be told to go on.
ask -v -H 'Expect: 100-continue' --data-binary "@$work/events" "$url/v1/events" \
    >"$work/answer" 2>"$work/trace"
expect "Expect: told to go on" "1" "$(grep -c '^< HTTP/1.1 100' "$work/trace")"
expect "Expect: answered" "5000" "$(field duplicates <"$work/answer")"

# A head without a body, of the length that the body would have.
ask -I "$url/v1/availability/$tag" >"$work/head"
expect "HEAD: status" "1" "$(grep -c '^HTTP/1.1 200' "$work/head")"
length=$(tr -d '\r' <"$work/head" | awk 'tolower($1) == "content-length:" {print $2}')
expect "HEAD: length" "$(ask "$url/v1/availability/$tag" | wc -c)" "$length"

# Thirty megabytes from a file.
awk -v t="$tag" 'BEGIN {
    print "sku,location,sellable,damaged"
    for (row = 0; row < 780000; row++)
        printf "%s-%07d,warehouse-%d,%d,1\n", substr(t, 1, 12), row / 4, row % 4, row % 1000
}' >"$work/stock.csv"
bytes=$(wc -c <"$work/stock.csv")
expect "a large file" "yes" "$([ "$bytes" -gt 30000000 ] && echo yes || echo "$bytes")"
expect "a large file: rows" "780000" "$(ask -H 'Content-Type: text/csv' \
    --data-binary "@$work/stock.csv" "$url/v1/stock" | field accepted)"
expect "a large file: the last row" "999" "$(ask -G \
    --data-urlencode "location=warehouse-3" "$url/v1/availability/${tag:0:12}-0194999" |
    field items.0.available)"

# A document that is changed by who knows its version.
etag=$(ask -D - -o /dev/null "$url/v1/channels" | tr -d '\r' | awk 'tolower($1) == "etag:" {print $2}')
status() { ask -o /dev/null -w '%{http_code}' "$@"; }
expect "not modified" "304" "$(status -H "If-None-Match: $etag" "$url/v1/channels")"
expect "changed" "200" "$(status -X PUT -H "If-Match: $etag" \
    --data-binary '[{"channel":"curl"}]' "$url/v1/channels")"
expect "changed by another" "412" "$(status -X PUT -H "If-Match: $etag" \
    --data-binary '[{"channel":"curl"}]' "$url/v1/channels")"

# Names that must be escaped in a target.
name="$tag a/b é+%"
escaped=$(python3 -c 'import sys, urllib.parse; print(urllib.parse.quote(sys.argv[1], safe=""))' "$name")
expect "an odd name: put" "1" "$(ask --data-binary \
    "{\"id\":\"$tag-odd\",\"kind\":\"receipt\",\"sku\":\"$name\",\"location\":\"$name\",\"qty\":7}" \
    "$url/v1/events" | field accepted)"
expect "an odd name: got" "7" "$(ask -G --data-urlencode "location=$name" \
    "$url/v1/availability/$escaped" | field items.0.available)"

expect "no such path" "404" "$(status "$url/nowhere")"
expect "no such method" "405" "$(status -X DELETE "$url/v1/rules")"
expect "too large" "413" "$(head -c 1100000 /dev/zero | status -X PUT --data-binary @- "$url/v1/rules")"

python3 "$here/check.py" "$url" || failures=$((failures + 1))

if [ -n "$service" ]; then
    kill -TERM "$service"
    wait "$service"
    expect "an orderly end" "0" "$?"
    service=
fi

[ "$failures" -eq 0 ]
