"""Callers that send requests without reading an answer.

Each must be held back at a mebibyte of unsent answers, cost two mebibytes at most, and be cut after
ten seconds, while others are served.
"""

import select
import socket
import time

UNSENT_SECONDS = 10  # And a tick of a quarter second, and what a busy machine adds.
RESIDENT_MAX = 2 << 20
WARM_UP_BYTES = 100_000  # Fewer than make a sender wait that does not read.


def flood(service, expect, path, request_count, connection_count):
    """`request_count` requests for `path` on each of `connection_count` connections."""
    warm_up(service, path)
    sockets = [caller(service.port) for _ in range(connection_count)]
    resident = service.resident_bytes()
    cut = service.metric("holdfast_connections_cut_total")
    piece = f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() * 1000
    total = request_count * len(piece) // 1000
    sent = {one: 0 for one in sockets}
    ended = {}
    slowest = most = held = 0
    start = time.monotonic()
    while len(ended) < connection_count and time.monotonic() - start < 4 * UNSENT_SECONDS:
        waiting = [one for one in sockets if one not in ended and sent[one] < total]
        for one in select.select([], waiting, [], 0.02)[1]:
            offset = sent[one] % len(piece)
            try:
                sent[one] += one.send(piece[offset:offset + total - sent[one]])
            except BlockingIOError:
                pass
            except OSError:
                ended[one] = time.monotonic() - start
        before = time.monotonic()
        text = service.ask("GET", "/metrics")
        slowest = max(slowest, time.monotonic() - before)
        held = max(held, service.metric("holdfast_buffered_bytes", text))
        most = max(most, service.resident_bytes() - resident)
    name = f"flood of {path}, {connection_count} connections"
    shares = [sent[one] / total for one in sockets]
    last = max(ended.values(), default=0)
    print(f"      {name}: {min(shares):.1%} ... {max(shares):.1%} of {total} bytes taken each, "
          f"held {held >> 10} KiB, resident + {most >> 10} KiB, cut after "
          f"{min(ended.values(), default=0):.1f} ... {last:.1f} s, "
          f"slowest other answer {slowest * 1000:.0f} ms")
    expect(f"{name}: all cut", connection_count, len(ended))
    expect(f"{name}: counted as cut", connection_count,
           service.metric("holdfast_connections_cut_total") - cut)
    expect(f"{name}: cut in time", True, UNSENT_SECONDS - 1 <= last <= UNSENT_SECONDS + 5)
    expect(f"{name}: none could send it all", True, max(shares) < 1)
    expect(f"{name}: memory", True, most <= RESIDENT_MAX * connection_count)
    expect(f"{name}: others are served", True, slowest < 5)
    for one in sockets:
        one.close()


def warm_up(service, path):
    """Makes the service use what its connections share: memory that no flood is to blame for."""
    plain = f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as one:
        one.sendall(plain * (WARM_UP_BYTES // len(plain)))
        one.shutdown(socket.SHUT_WR)
        while one.recv(1 << 16):
            pass


def caller(port):
    """A connection whose receive buffer is small and whose sends do not wait."""
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
    one.connect(("127.0.0.1", port))
    one.setblocking(False)
    return one
