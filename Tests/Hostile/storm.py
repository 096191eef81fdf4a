"""Connections by the thousand a second, nine of ten reset.

No descriptor and no memory may be left of them, and a good caller is answered within a second.
"""

import collections
import http.client
import socket
import struct
import time

RESET = struct.pack("ii", 1, 0)
STARTS = (
    b"", b"GET /v1/availab", b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 999\r\n\r\n"
    b'[{"id":"1","kind":"receipt","sku":"A","location":"L","qty":1},',
    b"POST /v1/availability HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{",
    b"GET /v1/positions/A HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01",
)
PLAIN = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
OPEN_COUNT = 500
RECOVERY_SECONDS = 1
RESIDENT_MAX = 8 << 20


def storm(service, expect, rate, seconds):
    """`rate` connections a second for `seconds`, of which up to `OPEN_COUNT` are open."""
    end_call(begin_call(service, 0), 0)
    # Callers of before are gone from here on, all but the one that asks.
    settled = time.monotonic() + 20
    while service.metric("holdfast_connections") > 1 and time.monotonic() < settled:
        time.sleep(0.01)
    descriptors, resident = service.descriptor_count(), service.resident_bytes()
    most, slowest, late, count = 0, 0.0, 0.0, rate * seconds
    calls = collections.deque()
    start = time.monotonic()
    for number in range(count):
        before = time.monotonic()
        calls.append((begin_call(service, number), number))
        slowest = max(slowest, time.monotonic() - before)
        if len(calls) > OPEN_COUNT:
            end_call(*calls.popleft())
        if number % 100 == 0:
            most = max(most, service.descriptor_count())
            ahead = start + number / rate - time.monotonic()
            late = max(late, -ahead)
            if ahead > 0:
                time.sleep(ahead)
    while calls:
        end_call(*calls.popleft())
    end = time.monotonic()
    good = http.client.HTTPConnection("127.0.0.1", service.port, timeout=20)
    good.request("GET", "/readyz")
    status = good.getresponse().status
    answered = time.monotonic() - end
    good.close()
    while service.descriptor_count() > descriptors and time.monotonic() - end < 20:
        time.sleep(0.01)
    closed = time.monotonic() - end
    grown = service.resident_bytes() - resident
    print(f"      storm: {count} connections, {count / (end - start):.0f}/s, {late:.1f} s late and "
          f"{slowest * 1000:.0f} ms to connect at most; {most} descriptors at most, {descriptors} "
          f"before; a good caller after {answered * 1000:.0f} ms, all closed after "
          f"{closed * 1000:.0f} ms, resident + {grown >> 10} KiB")
    expect("storm: a good caller is answered", (200, True), (status, answered < RECOVERY_SECONDS))
    expect("storm: no descriptor is left", True, service.descriptor_count() <= descriptors)
    expect("storm: closed in time", True, closed < RECOVERY_SECONDS)
    expect("storm: connections", 1, service.metric("holdfast_connections"))
    expect("storm: bytes held", 0, service.metric("holdfast_buffered_bytes"))
    expect("storm: memory", True, grown < RESIDENT_MAX)


def begin_call(service, number):
    """Connects from one of many addresses, since closed ports rest a minute, and sends."""
    caller = socket.socket()
    caller.bind((f"127.0.1.{1 + number % 200}", 0))
    caller.settimeout(10)
    caller.connect(("127.0.0.1", service.port))
    caller.sendall(STARTS[number % len(STARTS)] if number % 10 else PLAIN)
    return caller


def end_call(caller, number):
    """Nine of ten are reset, one reads its answer."""
    if number % 10:
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    elif not caller.recv(4096).startswith(b"HTTP/1.1 200 "):
        raise RuntimeError("a plain call was not answered")
    caller.close()
