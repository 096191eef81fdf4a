"""Readers of requests that work in this process: Holdfast's own, h11 and httptools.

Each turns a stream of bytes into a `Reading`: the requests in it, and how it ends.
"""

import struct
import subprocess
from typing import NamedTuple

import h11
import httptools

OPEN = "open"  # Every byte belongs to a request that is whole.
PARTIAL = "partial"  # The last request is not whole.
CLOSED = "closed"  # The reader reads no further, by the rules.
REFUSED = "refused"


class Reading(NamedTuple):
    requests: list  # of (method, target, body); None for a body that is not known
    end: str
    status: int = 0  # of the refusal, where one is known


class Holdfast:
    """The program `request-framing`; see Tests/Smuggling/Framing."""

    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def read(self, streams):
        batch = b"".join(struct.pack("<I", len(stream)) + stream for stream in streams)
        self.process.stdin.write(struct.pack("<I", len(batch)) + batch)
        self.process.stdin.flush()
        return [reading(self.process.stdout.readline()) for _ in streams]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def reading(line):
    end, *requests = line.rstrip(b"\n").split(b"\t")
    end, *status = end.decode().split(" ")
    texts = (request.split(b" ") for request in requests)
    return Reading([(method, target, bytes.fromhex(body.decode()))
                    for method, target, body in texts],
                   end, int(status[0]) if status else 0)


def read_h11(stream):
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 16)
    connection.receive_data(stream)
    requests = []
    try:
        while True:
            event = connection.next_event()
            if type(event) is h11.Request:
                method, target, body = event.method, event.target, b""
            elif type(event) is h11.Data:
                body += event.data
            elif type(event) is h11.EndOfMessage:
                requests.append((bytes(method), bytes(target), bytes(body)))
                connection.send(h11.Response(status_code=404, headers=[("content-length", "0")]))
                connection.send(h11.EndOfMessage())
                if connection.our_state is not h11.DONE:
                    return Reading(requests, CLOSED)
                connection.start_next_cycle()
            elif event is h11.NEED_DATA:
                is_whole = connection.their_state is h11.IDLE and not connection.trailing_data[0]
                return Reading(requests, OPEN if is_whole else PARTIAL)
            else:
                return Reading(requests, CLOSED)
    except h11.RemoteProtocolError:
        return Reading(requests, REFUSED)


class Listener:
    """Hears what httptools finds."""

    def __init__(self):
        self.requests = []
        self.is_within = self.is_closed = False

    def on_message_begin(self):
        self.is_within = True
        self.target = self.body = b""

    def on_url(self, part):
        self.target += part

    def on_body(self, part):
        self.body += part

    def on_message_complete(self):
        self.is_within = False
        if self.is_closed:
            return
        self.requests.append((self.parser.get_method(), self.target, self.body))
        self.is_closed = not self.parser.should_keep_alive()


def read_httptools(stream):
    listener = Listener()
    listener.parser = httptools.HttpRequestParser(listener)
    try:
        listener.parser.feed_data(stream)
    except httptools.HttpParserUpgrade:
        return Reading(listener.requests, CLOSED)
    except httptools.HttpParserError:
        return Reading(listener.requests, CLOSED if listener.is_closed else REFUSED)
    if listener.is_closed:
        return Reading(listener.requests, CLOSED)
    return Reading(listener.requests, PARTIAL if listener.is_within else OPEN)


PEERS = {"h11": read_h11, "httptools": read_httptools}


def difference(ours, theirs):
    """What two readers of one stream disagree about; None when they could share a connection.

    They agree on a request when they see the same method, target and body. One that refuses or
    closes says nothing about what follows; any other must see as many requests as its peer.
    """
    for number, (our, their) in enumerate(zip(ours.requests, theirs.requests)):
        if our[:2] != their[:2] or None not in (our[2], their[2]) and our[2] != their[2]:
            return f"request {number}: {our} and {their}"
    for one, other in ((ours, theirs), (theirs, ours)):
        if len(one.requests) > len(other.requests) and other.end in (OPEN, PARTIAL):
            return f"{len(ours.requests)} and {len(theirs.requests)} requests"
    return None
