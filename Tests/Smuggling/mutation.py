"""Streams that a seed makes out of others: bytes, lines and values moved, doubled, spoilt."""

import re

PIECES = (
    b"\r\n", b"\n", b"\r", b"\r\r\n", b"\n\r", b"\r\n\r\n", b"\r\n ", b"\r\n\t", b" ", b"\t",
    b"\x00", b"\x0b", b"\x0c", b"\x7f", b"\x80", b"\xa0", b"\xff", b":", b";", b",", b"=", b'"',
    b"\\", b"-", b"+", b"_", b".", b"/", b"?", b"#", b"%00", b"%0d%0a", b"0", b"00", b"1", b"5",
    b"a", b"f", b"0x", b"ffffffff", b"7fffffffffffffff", b"ffffffffffffffff", b"0\r\n\r\n",
    b"5\r\n[   ]\r\n", b";a=b", b'; a="b\r\n"', b"chunked", b"Chunked", b"identity", b"gzip, ",
    b"Content-Length: 5\r\n", b"Content-Length: 0\r\n", b"content-length:6\r\n",
    b"Content-Length: 5, 5\r\n", b"Transfer-Encoding: chunked\r\n",
    b"transfer-encoding:chunked\r\n", b"Transfer-Encoding: identity\r\n",
    b"Transfer_Encoding: chunked\r\n", b"Content_Length: 5\r\n",
    b"Transfer-Encoding:\r\n chunked\r\n", b"Host: x\r\n", b"Host: y\r\n", b"Connection: close\r\n",
    b"Connection: keep-alive\r\n", b"Connection: Transfer-Encoding\r\n",
    b"Connection: Content-Length\r\n", b"Trailer: Content-Length\r\n", b"Expect: 100-continue\r\n",
    b"Upgrade: h2c\r\n", b"TE: trailers\r\n", b"X: y\r\n", b"http://x", b" HTTP/1.1", b" HTTP/1.0",
    b" HTTP/2.0", b"GET ", b"POST ", b"HEAD ", b"OPTIONS ", b"CONNECT ", b"PRI ",
    b"GET /in HTTP/1.1\r\nHost: x\r\n\r\n",
)
NUMBER = re.compile(rb"[0-9]+")
NUMBERS = (b"0", b"1", b"4", b"5", b"6", b"a", b"05", b"10", b"16", b"100")


def mutated(valid, invalid, random):
    """A stream changed at one to four places: most often a valid one, as the others are refused
    however they are changed; now and then one behind the other."""
    stream = random.choice(valid if random.random() < 0.9 else invalid)
    if random.random() < 0.1:
        stream = random.choice(valid) + stream
    for _ in range(random.choice((1, 1, 1, 2, 2, 3, 4))):
        stream = random.choice(CHANGES)(stream, random) or stream
    return stream


def place(stream, random):
    """A place in `stream`: half of the time where a line, a name or a value begins or ends."""
    if random.random() < 0.5:
        edges = [match.start() for match in re.finditer(rb"[\r\n:; ]", stream)]
        if edges:
            return random.choice(edges) + random.randrange(2)
    return random.randrange(len(stream) + 1)


def inserted(stream, random):
    at = place(stream, random)
    return stream[:at] + random.choice(PIECES) + stream[at:]


def line_inserted(stream, random):
    """A piece where a line starts: most often a field of its own."""
    lines = stream.split(b"\r\n")
    lines.insert(random.randrange(len(lines)), random.choice(PIECES).removesuffix(b"\r\n"))
    return b"\r\n".join(lines)


def overwritten(stream, random):
    at = place(stream, random)
    piece = random.choice(PIECES)
    return stream[:at] + piece + stream[at + len(piece):]


def cut(stream, random):
    at = place(stream, random)
    return stream[:at] + stream[at + random.choice((1, 1, 1, 2, 2, 3, 8)):]


def byte_changed(stream, random):
    at = place(stream, random)
    return stream[:at] + bytes([random.randrange(256)]) + stream[at + 1:]


def line_doubled(stream, random):
    lines = stream.split(b"\r\n")
    line = random.choice(lines)
    lines.insert(random.randrange(len(lines) + 1), line)
    return b"\r\n".join(lines)


def lines_swapped(stream, random):
    lines = stream.split(b"\r\n")
    one, other = random.randrange(len(lines)), random.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"\r\n".join(lines)


def end_changed(stream, random):
    """Another end for one line."""
    ends = [match.start() for match in re.finditer(rb"\r\n", stream)]
    if ends:
        at = random.choice(ends)
        end = random.choice((b"\n", b"\r", b"\r\r\n", b"\n\r", b" \r\n", b"\t\r\n", b"\r\n ",
        b"\x00\r\n", b""))
        return stream[:at] + end + stream[at + 2:]


def number_changed(stream, random):
    numbers = list(NUMBER.finditer(stream))
    if numbers:
        match = random.choice(numbers)
        return stream[:match.start()] + random.choice(NUMBERS) + stream[match.end():]


def case_changed(stream, random):
    at = place(stream, random)
    return stream[:at] + stream[at:at + 12].swapcase() + stream[at + 12:]


CHANGES = (inserted, line_inserted, overwritten, cut, byte_changed, line_doubled, lines_swapped,
           end_changed, number_changed, number_changed, case_changed)
