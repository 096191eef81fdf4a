"""Drives a running service with Python's http.client: keep-alive, chunks, many items, pipelining."""

import http.client
import json
import socket
import sys
from urllib.parse import urlsplit

where = urlsplit(sys.argv[1])
connection = http.client.HTTPConnection(where.hostname, where.port, timeout=30)


def call(method, path, body=None, headers=None):
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    return answer, answer.read()


def same(what, expected, found):
    if expected != found:
        sys.exit(f"failed: {what}: expected {expected!r}, found {found!r}")


# Keep-alive over all of the following.
answer, text = call("PUT", "/v1/locations", json.dumps({"locations": [{"location": "P1"}]}))
same("locations", 200, answer.status)
tag = answer.getheader("ETag")
answer, text = call("GET", "/v1/locations", headers={"If-None-Match": tag})
same("not modified", (304, b""), (answer.status, text))
answer, text = call(
    "PUT", "/v1/locations", json.dumps([{"location": "P1", "open": False}]), {"If-Match": '"v0"'}
)
same("stale version", (412, "version_mismatch"), (answer.status, json.loads(text)["code"]))

# A body in chunks, from an iterator.
events = (
    json.dumps({"id": f"py-{i}", "kind": "receipt", "sku": "p/ö %", "location": "P1", "qty": 2}).encode() + b"\n"
    for i in range(100)
)
connection.request("POST", "/v1/events", events, {"Transfer-Encoding": "chunked"}, encode_chunked=True)
answer = connection.getresponse()
same("chunked events", 100, json.loads(answer.read())["accepted"])

answer, text = call("GET", "/v1/positions/p%2F%C3%B6%20%25")
same("positions", 200, json.loads(text)["positions"][0]["on_hand"])

# An answer in chunks: more items than one slice.
items = [{"sku": "p/ö %"}] * 5000 + [{"sku": "nope"}]
answer, text = call("POST", "/v1/availability", json.dumps({"channel": "web", "items": items}))
same("chunked answer", "chunked", answer.getheader("Transfer-Encoding"))
found = json.loads(text)["items"]
same("all items", [200] * 5000 + [0], [item["available"] for item in found])
same("unknown item", "unknown_sku", found[-1]["error"])

answer, text = call("POST", "/v1/availability", '{"channel": "web"')
same("malformed", (400, "truncated"), (answer.status, json.loads(text)["code"]))
answer, text = call("GET", "/metrics")
same("metrics", True, b"holdfast_positions " in text)
connection.close()

# Pipelining: many requests in one write, answers in order.
with socket.create_connection((where.hostname, where.port), timeout=30) as pipe:
    bodies = [json.dumps({"items": [{"sku": f"SKU-{i}"}]}).encode() for i in range(200)]
    pipe.sendall(
        b"".join(
            b"POST /v1/availability HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(b), b)
            for b in bodies
        )
    )
    file = pipe.makefile("rb")
    for i in range(200):
        same("pipelined status", b"HTTP/1.1 200 OK\r\n", file.readline())
        length = 0
        while (line := file.readline()) != b"\r\n":
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        same("pipelined order", f"SKU-{i}", json.loads(file.read(length))["items"][0]["sku"])
