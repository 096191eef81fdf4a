#!/usr/bin/env python3
"""Holdfast asked by Python's http.client and urllib. Usage: check.py URL

Exit status 0 when every answer is as it must be, else 1.
"""

import http.client
import json
import os
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request

URL = sys.argv[1].rstrip("/")
ADDRESS = urllib.parse.urlsplit(URL).netloc
TAG = f"py-{os.getpid()}"
failures = 0


def expect(name, wanted, got):
    global failures
    if wanted == got:
        print(f"ok    {name}")
    else:
        print(f"WRONG {name}: wanted {wanted!r}, got {got!r}")
        failures += 1


def event(number, sku, quantity=1, kind="receipt"):
    return {"id": f"{TAG}-{sku}-{number}", "kind": kind, "sku": f"{TAG}-{sku}",
            "location": f"L{number % 3}", "qty": quantity}


def lines(events):
    return "".join(json.dumps(one) + "\n" for one in events).encode()


def available(connection, sku):
    connection.request("GET", f"/v1/availability/{TAG}-{sku}")
    return json.load(connection.getresponse())["items"][0]["available"]


def kept_alive():
    """Many requests, one connection."""
    connection = http.client.HTTPConnection(ADDRESS, timeout=60)
    connection.connect()
    sock = connection.sock
    for number in range(200):
        connection.request("POST", "/v1/events", lines([event(number, "alive")]))
        answer = json.load(connection.getresponse())
        if answer["accepted"] != 1:
            expect("keep-alive: accepted", 1, answer)
        if available(connection, "alive") != number + 1:
            expect("keep-alive: read after write", number + 1, available(connection, "alive"))
    expect("keep-alive: the same connection", True, connection.sock is sock)
    expect("keep-alive: all there", 200, available(connection, "alive"))


def chunked():
    """A body that is a generator goes out in chunks of any size."""
    connection = http.client.HTTPConnection(ADDRESS, timeout=60)
    body = lines(event(number, "chunked") for number in range(3000))

    def pieces():
        start, size = 0, 1
        while start < len(body):
            yield body[start:start + size]
            start, size = start + size, size * 3 % 4099 + 1

    connection.request("POST", "/v1/events", pieces(), encode_chunked=True,
                       headers={"Transfer-Encoding": "chunked"})
    expect("chunked: accepted", 3000, json.load(connection.getresponse())["accepted"])
    expect("chunked: all there", 3000, available(connection, "chunked"))


class Shared:
    """One reader for the answers of a pipeline, each of which thinks it is alone."""

    def __init__(self, sock):
        self.reader = sock.makefile("rb")

    def makefile(self, *_):
        return self

    def __getattr__(self, name):
        return getattr(self.reader, name)

    def close(self):
        pass

    def flush(self):
        pass


def pipelined():
    """Requests in one write, answers in their order."""
    connection = http.client.HTTPConnection(ADDRESS, timeout=60)
    connection.connect()
    sent = b""
    for number in range(50):
        body = lines([event(number, "pipe", number + 1)])
        sent += (f"POST /v1/events HTTP/1.1\r\nHost: {ADDRESS}\r\n"
                 f"Content-Length: {len(body)}\r\n\r\n").encode() + body
        sent += f"GET /v1/availability/{TAG}-pipe HTTP/1.1\r\nHost: {ADDRESS}\r\n\r\n".encode()
    connection.sock.sendall(sent)
    shared, total, wrong = Shared(connection.sock), 0, 0
    for number in range(50):
        total += number + 1
        for member, wanted in (("accepted", 1), ("items", total)):
            response = http.client.HTTPResponse(shared)
            response.begin()
            answer = json.loads(response.read())
            got = answer[member] if member == "accepted" else answer[member][0]["available"]
            wrong += got != wanted
    expect("pipelined: answers that are wrong", 0, wrong)


def streamed():
    """An answer in chunks, read as it comes."""
    connection = http.client.HTTPConnection(ADDRESS, timeout=60)
    items = [{"sku": f"{TAG}-alive"} if number % 2 else {"sku": "no such"}
             for number in range(20_000)]
    connection.request("POST", "/v1/availability", json.dumps({"items": items}))
    response = connection.getresponse()
    expect("streamed: in chunks", "chunked", response.headers["Transfer-Encoding"])
    text = b""
    while piece := response.read(10_007):
        text += piece
    answers = json.loads(text)["items"]
    expect("streamed: answers", 20_000, len(answers))
    expect("streamed: sum", 200 * 10_000, sum(one["available"] for one in answers))
    expect("streamed: unknown", 10_000, sum(one.get("error") == "unknown_sku" for one in answers))
    expect("streamed: the connection stays", 200, available(connection, "alive"))


def problems():
    """Errors as urllib sees them: a status, and a document with a code."""
    for method, path, body, status, code in (
            ("GET", "/nowhere", None, 404, "not_found"),
            ("DELETE", "/v1/rules", None, 405, "method_not_allowed"),
            ("POST", "/v1/availability", b"{", 400, "truncated"),
            ("PUT", "/v1/rules", b'{"safety_stock":[{"id":"x"}]}', 422, "missing_field"),
            ("GET", f"/v1/positions/{TAG}-none", None, 404, "unknown_sku")):
        request = urllib.request.Request(URL + path, data=body, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                expect(f"{method} {path}", status, response.status)
        except urllib.error.HTTPError as error:
            document = json.load(error)
            expect(f"{method} {path}", (status, code, status, "application/problem+json"),
                   (error.code, document["code"], document["status"],
                    error.headers["Content-Type"]))


def together():
    """Eight clients at once; every unit arrives once."""
    def run(client):
        connection = http.client.HTTPConnection(ADDRESS, timeout=60)
        for number in range(40):
            batch = [event(client * 10_000 + number * 10 + one, "many") for one in range(10)]
            for _ in range(2):
                connection.request("POST", "/v1/events", json.dumps(batch))
                json.load(connection.getresponse())

    threads = [threading.Thread(target=run, args=(client,)) for client in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    connection = http.client.HTTPConnection(ADDRESS, timeout=60)
    expect("together: all there, once", 3200, available(connection, "many"))


for check in (kept_alive, chunked, pipelined, streamed, problems, together):
    try:
        check()
    except Exception as error:  # A client that gives up is a finding like any other.
        expect(check.__name__, "an answer", f"{type(error).__name__}: {error}")
sys.exit(1 if failures else 0)
