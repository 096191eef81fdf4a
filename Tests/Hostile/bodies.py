"""Bodies that are nearly right, on every call that takes one.

Whatever is sent is answered below 500, everything can be listed afterwards, and the service lives.
"""

import http.client
import json
import os
import random
import time

STRINGS = (
    "", "A", "L", "web", "a" * 64, "a" * 65, "é", "e\u0301", "\u0000", "\u001b[31m", "a\r\nb", '"',
    "\\", "\ufeff", "\U0010ffff", "../..", "%00", "0", "-1", "null", "warehouse", "store",
    "receipt", "sale", "count", "transfer", "adjustment", "sellable", "damaged", "+14:00", "-12:00",
    "+00:60", "+99:99", "0000-01-01T00:00:00Z", "0000-01-01T00:00:00+23:59", "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-23:59", "1900-01-01T00:00:00Z", "2999-12-31T23:59:59.999Z",
    "2999-12-31T23:59:59-23:59", "2026-11-20T00:00:60Z", "2026-02-30T00:00:00Z",
)
NUMBERS = (
    "0", "-0", "1", "-1", "00", "1.5", "1e3", "1e308", "NaN", "2147483647", "2147483648",
    "-2147483648", "-2147483649", "4294967296", "9223372036854775807", "9223372036854775808",
    "-9223372036854775808", "100", "100.01", "0.005", "99.99", "1" * 400, "253402300800000",
    "-62167219200001",
)
BYTES = ('"', ",", "}", "]", "\\", "\\ud800", "\x00", "")
EVENT = {"id": "1", "kind": "receipt", "sku": "A", "location": "L", "qty": 1, "source": "s",
         "at": "2026-11-20T00:00:00Z", "from": "sellable", "to": "damaged", "to_location": "M",
         "channel": "web", "ref": "r", "reason": "x"}
CALLS = (
    ("POST", "/v1/events", EVENT), ("POST", "/v1/events?backfill=true", [EVENT, EVENT]),
    ("POST", "/v1/stock", {"sku": "A", "location": "L", "sellable": 5, "damaged": 1}),
    ("POST", "/v1/stock?as_of=2026-11-20T00:00:00Z", {"sku": "A", "location": "L", "on_hand": 5}),
    ("PUT", "/v1/items", {"sku": "A", "category": "c"}),
    ("POST", "/v1/availability", {"items": [{"sku": "A", "location": "L", "qty": 1}, {"sku": "B"}],
                                  "channel": "web", "detail": "locations"}),
    ("PUT", "/v1/locations", [{"location": "L", "kind": "store", "groups": ["g"], "open": True,
                               "utc_offset": "+01:00"}]),
    ("PUT", "/v1/groups", [{"group": "g", "members": ["L"]}]),
    ("PUT", "/v1/channels", [{"channel": "web", "default_ttl_seconds": 60}]),
    ("PUT", "/v1/rules", {"safety_stock": [{"id": "a", "scope": {"sku": "A", "location": "L"},
                                            "units": 1, "from": "2026-11-20T00:00:00Z",
                                            "until": "2026-12-01T00:00:00Z", "priority": 1}]}),
)
LISTS = ("/v1/locations", "/v1/groups", "/v1/channels", "/v1/rules", "/v1/dead-letters", "/metrics",
         "/v1/positions/A", "/v1/availability/A?location=L", "/readyz")


def changed(value, generator):
    """The JSON of `value` with one or more of its parts made hostile."""
    text = json.dumps(spoilt(value, generator))
    for digits in NUMBERS:
        text = text.replace(f'"@{digits}@"', digits)
    if generator.random() < 0.1:
        at = generator.randrange(len(text))
        text = text[:at] + generator.choice(BYTES) + text[at + 1:]
    return text.encode("utf-8", "surrogatepass")


def spoilt(value, generator):
    if generator.random() < 0.12:
        return generator.choice((None, True, [], {}, [value], {"a": value}, number(generator),
                                 generator.choice(STRINGS)))
    if isinstance(value, dict):
        return {key: spoilt(part, generator) for key, part in value.items()
                if generator.random() < 0.95}
    if isinstance(value, list):
        return [spoilt(part, generator) for part in value]
    if generator.random() < 0.2:
        return number(generator) if isinstance(value, int) else generator.choice(STRINGS)
    return value


def number(generator):
    """Stands for a number that Python would not write; `changed` puts it in."""
    return f"@{generator.choice(NUMBERS)}@"


def bodies(service, expect, count):
    """`count` calls, and everything listed after every tenth."""
    seed = int(os.environ.get("TEST_SEED", random.randrange(1 << 32)))
    generator = random.Random(seed)
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=20)
    statuses, kinds, start = {}, {}, time.monotonic()
    try:
        for number in range(count):
            method, target, value = generator.choice(CALLS)
            body = changed(value, generator)
            status = answered(connection, method, target, body)
            statuses[status] = statuses.get(status, 0) + 1
            kinds.setdefault((method, target), set()).add(status // 100)
            if status >= 500:
                expect(f"bodies, seed {seed}: {method} {target} {body!r}", "below 500", status)
            if number % 10 == 0:
                for path in LISTS:
                    status = answered(connection, "GET", path)
                    if status >= 500:
                        expect(f"bodies, seed {seed}: {path} after {body!r}", "below 500", status)
    except (OSError, http.client.HTTPException, ValueError) as error:
        expect(f"bodies, seed {seed}: {method} {target} {body!r}", "an answer", repr(error))
    print(f"      bodies: seed {seed}, {count} calls in {time.monotonic() - start:.0f} s, "
          f"by status {dict(sorted(statuses.items()))}")
    expect("bodies: the service lives", None, service.process.poll())
    # A service that refuses everything, or takes everything, has not been tried.
    if count >= 50 * len(CALLS):
        for call, seen in kinds.items():
            expect(f"bodies: {call} takes some", True, 2 in seen)
        expect("bodies: some are refused", True, any(4 in seen for seen in kinds.values()))


def answered(connection, method, target, body=None):
    connection.request(method, target, body)
    response = connection.getresponse()
    text = response.read()
    kind = response.headers["Content-Type"] or ""
    for document in text.splitlines() if "ndjson" in kind else [text] if "json" in kind else []:
        json.loads(document)
    return response.status
