"""Requests that readers are known to frame differently, and how Holdfast must answer each.

The classes follow from RFC 9112: whatever it calls invalid, obsolete or optional in framing.
Bodies go to a call that takes them whole, so an answer says that the end of the body was found.
"""

from typing import NamedTuple


class Case(NamedTuple):
    """A stream of bytes, and the statuses that may refuse it; without one it is accepted."""

    name: str
    stream: bytes
    statuses: tuple = ()


REFUSED = (400,)


def request(line=b"POST /v1/availability HTTP/1.1", fields=(), body=b"", host=b"Host: x"):
    head = [line] + ([host] if host else []) + list(fields)
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def length(value, body=b"[   ]", name=b"Content-Length: "):
    return request(fields=[name + value], body=body)


def coding(value, body=b"5\r\n[   ]\r\n0\r\n\r\n", name=b"Transfer-Encoding: "):
    return request(fields=[name + value], body=body)


def chunks(body):
    return coding(b"chunked", body)


def cases():
    yield from accepted()
    for name, stream in lengths():
        yield Case("length " + name, stream, (400, 413))
    for name, stream in codings():
        yield Case("coding " + name, stream, (400, 501))
    for name, stream in chunked():
        yield Case("chunk " + name, stream, (400, 413))
    for name, stream in fields():
        yield Case("field " + name, stream, REFUSED)
    for name, stream in lines():
        yield Case("line " + name, stream, (400, 505))
    for name, stream in oversized():
        yield Case("size " + name, stream, (400, 414, 431))


def accepted():
    for name, stream in (
            ("plain", request(b"GET /a HTTP/1.1")),
            ("length", length(b"5")),
            ("length zero", length(b"0", b"")),
            ("length, spaces around", request(fields=[b"Content-Length: \t 5 \t"], body=b"[   ]")),
            ("length on GET", request(b"GET /a HTTP/1.1", [b"Content-Length: 5"], b"[   ]")),
            ("chunked", coding(b"chunked")),
            ("chunked, other case", coding(b"CHUNKED", name=b"transfer-ENCODING: ")),
            ("chunked, nothing", chunks(b"0\r\n\r\n")),
            ("chunked, zeros", chunks(b"00005\r\n[   ]\r\n000\r\n\r\n")),
            ("chunked, hexadecimal", chunks(b"A\r\n0123456789\r\nb\r\n0123456789a\r\n0\r\n\r\n")),
            ("chunked, extension", chunks(b"5;a=b\r\n[   ]\r\n0;c\r\n\r\n")),
            ("chunked, quoted extension", chunks(b'5;a="b c"\r\n[   ]\r\n0\r\n\r\n')),
            ("chunked, trailers", chunks(b"5\r\n[   ]\r\n0\r\nA: b\r\nC: d\r\n\r\n")),
            ("chunked, trailer that frames", chunks(b"0\r\nContent-Length: 99\r\n\r\n")),
            ("absolute form", request(b"GET http://x/a HTTP/1.1")),
            ("asterisk form", request(b"OPTIONS * HTTP/1.1")),
            ("an empty line before", b"\r\n" + request(b"GET /a HTTP/1.1")),
            ("expectation", request(fields=[b"Expect: 100-continue", b"Content-Length: 5"],
                                    body=b"[   ]")),
            ("body that looks like a request",
             length(b"29", b"GET /in HTTP/1.1\r\nHost: y\r\n\r\n")),
            ("two requests", length(b"5") + coding(b"chunked")),
            ("HTTP/1.0, kept", request(b"GET /a HTTP/1.0", [b"Connection: keep-alive"], host=None)),
            ("closing", request(b"GET /a HTTP/1.1", [b"Connection: close"])),
            ("names with an underscore", request(
                b"GET /a HTTP/1.1", [b"Transfer_Encoding: chunked", b"Content_Length: 5"])),
            ("value from 0x80", request(b"GET /a HTTP/1.1", [b"A: \x80\xff"])),
    ):
        yield Case("accepted " + name, stream)


def lengths():
    for value in (
            b"", b"+5", b"-5", b"-0", b" 5 5", b"5 5", b"5,5", b"5, 5", b"5,6", b"5,", b",5", b"05",
            b"00", b"0x5", b"5.0", b"5e0", b"5;a", b'"5"', b"five", b"5\xa0", b"\xb2", b"\x0b5",
            b"5\x0c", b"5_0", b"1_000", b"18446744073709551621", b"9" * 30, b"5\x00"):
        yield repr(value), length(value)
    two = b"Content-Length: 5", b"Content-Length: 6"
    yield "twice the same", request(fields=[two[0], two[0]], body=b"[   ]")
    yield "twice", request(fields=two, body=b"[   ]")
    yield "twice, other case", request(fields=[two[0], b"content-length: 6"], body=b"[   ]")
    yield "space before the colon", length(b"5", name=b"Content-Length : ")
    yield "tab before the colon", length(b"5", name=b"Content-Length\t: ")
    yield "no colon", request(fields=[b"Content-Length 5"], body=b"[   ]")
    yield "folded value", length(b"\r\n 5")
    yield "folded before", request(fields=[b"A: b", b" Content-Length: 5"], body=b"[   ]")
    yield "space before the first", request(
        fields=[b" Content-Length: 5"], body=b"[   ]", host=None)
    yield "NUL in the name", length(b"5", name=b"Content\x00-Length: ")
    yield "vertical tab in the name", length(b"5", name=b"Content-Length\x0b: ")
    yield "high byte in the name", length(b"5", name=b"Content-Length\xff: ")


def codings():
    for value in (
            b"", b"xchunked", b"chunkedx", b"chunked x", b"chunked1", b"identity", b"gzip",
            b"gzip, chunked", b"chunked, gzip", b"chunked, identity", b"identity, chunked",
            b"chunked, chunked", b"chunked,", b",chunked", b", chunked", b"chunked;a=b",
            b'"chunked"', b"'chunked'", b"chunk", b"\x0bchunked", b"chunked\x0c", b"\x00chunked",
            b"chunked\x00", b"chunked\xa0", b"\xefchunked", b"\r\n chunked", b"chunked\r\n ,x",
            b"cow", b"chunked\r\nTransfer-Encoding: cow", b"cow\r\nTransfer-Encoding: chunked",
            b"chunked\r\nTransfer-Encoding: chunked", b"chunked\r\nContent-Length: 5",
            b"chunked\rA: b", b"chunked\nA: b"):
        yield repr(value), coding(value)
    line = b"Transfer-Encoding"
    for name in (line + b" : ", line + b"\t: ", b" " + line + b": ", b"\t" + line + b": ",
                 line + b"\x00: ", line + b"\x0b: ", b"X: y\n" + line + b": ", line + b"\xff: ",
                 b"A: b\r" + line + b": ", line + b" ", line + b"\r\n : "):
        yield repr(name), coding(b"chunked", name=name)
    both = [b"Content-Length: 5", b"Transfer-Encoding: chunked"]
    body = b"0\r\n\r\nX"
    yield "and length", request(fields=both, body=body)
    yield "and length, first", request(fields=both[::-1], body=body)
    yield "and a bad length", request(fields=[both[1], b"Content-Length: x"], body=body)
    yield "and length on GET", request(b"GET /a HTTP/1.1", both, body)
    yield "in HTTP/1.0", request(
        b"POST /v1/availability HTTP/1.0", [both[1]], b"5\r\n[   ]\r\n0\r\n\r\n")
    yield "in HTTP/1.0, kept", request(
        b"POST /v1/availability HTTP/1.0", [both[1], b"Connection: keep-alive"],
        b"5\r\n[   ]\r\n0\r\n\r\n")


def chunked():
    end = b"\r\n[   ]\r\n0\r\n\r\n"
    for size in (
            b"", b"+5", b"-5", b"0x5", b"0X5", b" 5", b"5 ", b"\t5", b"5\t", b"5 ;a", b"5; a",
            b"5;", b"5;\ta", b";a", b"5h", b"g", b"5,5", b"5\x00", b"5;a\nb", b"5;a\rb", b"5;a\x00",
            b"0005 ", b"5_0", b"5.", b"\xb2", b"00000000000000005", b"10000000000000005",
            b"100000000000000000005", b"ffffffffffffffff", b"7fffffffffffffff", b"8000000000000005",
            b"100000005"):
        yield "size " + repr(size), chunks(size + end)
    yield "extensions beyond measure", chunks(b"5;" + b"a" * 5000 + end)
    for body in (
            b"5\n[   ]\r\n0\r\n\r\n", b"5\r[   ]\r\n0\r\n\r\n", b"5\r\r\n[   ]\r\n0\r\n\r\n",
            b"5\r\n[   ]\n0\r\n\r\n", b"5\r\n[   ]\r0\r\n\r\n", b"5\r\n[   ]0\r\n\r\n",
            b"5\r\n[   ]XX0\r\n\r\n", b"5\r\n[   ]\r\n\r\n0\r\n\r\n", b"5\r\n[   ]!\r\n0\r\n\r\n",
            b"5\r\n[   ]\r\n0\n\r\n", b"5\r\n[   ]\r\n0\r\n\n", b"5\r\n[   ]\r\n0\n\n",
            b"5\r\n[   ]\r\n0\r\n\r\r\n", b"5\r\n[   ]\r\n0\r\n\rX", b"0\r\r\n\r\n",
            b"\r\n0\r\n\r\n", b"0\r\nA\r\n\r\n", b"0\r\nA : b\r\n\r\n", b"0\r\n A: b\r\n\r\n",
            b"0\r\nA: b\n\r\n", b"0\r\nA: b\r\n c\r\n\r\n", b"0\r\n: b\r\n\r\n",
            b"0\r\nA: b\x00\r\n\r\n", b"0\r\nGET /in HTTP/1.1\r\nHost: y\r\n\r\n"):
        yield repr(body), chunks(body)


def fields():
    for line in (
            b"A : b", b" A: b", b"A", b": b", b"A b: c", b"A\x00: b", b"A: b\x00c", b"A: b\x01",
            b"A: b\x7f", b"A: b\rc", b"A: b\nc", b"A: b\r\r", b"A(: b", b"A/: b", b"A\xe9: b",
            b"A: b\r\n c", b"A: b\r\n\tc", b"Host: x", b"Host: y",
            b"Content-Type: a/b\r\nContent-Type: a/c",
            b"Expect: 100-continue\r\nExpect: 100-continue"):
        yield repr(line), request(b"GET /a HTTP/1.1", [line])
    for host in (
            None, b"Host:", b"Host: a b", b"Host: a,b", b"Host: u@a", b"Host: a/b", b"Host: a:b",
            b"Host : x", b"Host: x\r\n y", b"Host: \xe4", b"Host: x#y", b"Host: x?y", b"Host: :80"):
        yield "host " + repr(host), request(b"GET /a HTTP/1.1", host=host)
    yield "host differs", request(b"GET http://y/a HTTP/1.1")
    yield "host that hides behind a user", request(b"GET http://x@y/a HTTP/1.1")


def lines():
    for line in (
            b"GET /a", b"GET  /a HTTP/1.1", b"GET /a  HTTP/1.1", b" GET /a HTTP/1.1",
            b"GET\t/a HTTP/1.1", b"GET /a\tHTTP/1.1", b"GET /a HTTP/1.1 ", b"GET /a HTTP/1.1 x",
            b"GET /a b HTTP/1.1", b"GET /a http/1.1", b"GET /a Http/1.1", b"GET /a HTTP/1,1",
            b"GET /a HTTP/1.", b"GET /a HTTP/.1", b"GET /a HTTP/11", b"GET /a HTTP/1.10",
            b"GET /a HTTP/01.1", b"GET /a HTTP/1.2", b"GET /a HTTP/0.9", b"GET /a HTTP/2.0",
            b"GET /a HTTP/3", b"GET /a HTTPS/1.1", b"GET", b"/a HTTP/1.1",
            b"get /a HTTP/1.1", b"Get /a HTTP/1.1", b"G(T /a HTTP/1.1", b"GET HTTP/1.1",
            b"GET a HTTP/1.1", b"GET * HTTP/1.1", b"POST * HTTP/1.1", b"GET ?a HTTP/1.1",
            b"GET https://x/a HTTP/1.1", b"GET //x@y:/ HTTP/1.1\x00", b"GET /a\x00 HTTP/1.1",
            b"GET /a\x7f HTTP/1.1", b"GET /\xff HTTP/1.1", b"GET /a#b HTTP/1.1",
            b"CONNECT x:80 HTTP/1.1", b"CONNECT /a HTTP/1.1", b"\x00GET /a HTTP/1.1",
            b"GET\x00 /a HTTP/1.1", b"GET /a\x0bHTTP/1.1", b"GET /a HTTP/1.1\r",
            b"GET /a\rb HTTP/1.1"):
        yield repr(line), request(line)
    yield "LF alone", b"GET /a HTTP/1.1\nHost: x\n\n"
    yield "CR alone", b"GET /a HTTP/1.1\rHost: x\r\r"
    yield "LF at the end", b"GET /a HTTP/1.1\r\nHost: x\r\n\n"
    yield "LF before", b"\n" + request(b"GET /a HTTP/1.1")
    yield "two empty lines before", b"\r\n\r\n" + request(b"GET /a HTTP/1.1")
    yield "a fold for a first field", b"GET /a HTTP/1.1\r\n Host: x\r\n\r\n"
    yield "the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    yield "a hello of TLS", b"\x16\x03\x01\x00\xa5\x01\x00"
    yield "what lies behind a body", length(b"5", b"[   ] ")
    yield "a request in what lies behind", length(b"0", b"GET /a")


def oversized():
    yield "target", request(b"GET /" + b"a" * 9000 + b" HTTP/1.1")
    yield "field", request(fields=[b"A: " + b"b" * 9000])
    yield "name", request(fields=[b"A" * 9000 + b": b"])
    yield "fields", request(fields=[b"A: b"] * 65)
    yield "head", request(fields=[b"A: " + b"b" * 6000] * 6)
