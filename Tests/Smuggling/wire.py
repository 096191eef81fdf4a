"""Holdfast, and nginx in front of it, as processes that are sent bytes on connections."""

import os
import re
import shutil
import socket
import subprocess
import tempfile

from readers import CLOSED, OPEN, PARTIAL, REFUSED, Reading
from service import Service, free_port, wait_for


def exchange(port, stream):
    """Sends `stream`, ends the direction, and reads what comes until the other side ends too."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        try:
            connection.sendall(stream)
            connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(1 << 16):
                answer += piece
        except TimeoutError:
            raise
        except OSError:
            pass  # Reset: the other side had enough.
    return answer


class CountingService(Service):
    """Has one reactor, so that its counters are whole between two answers."""

    def __init__(self, program):
        super().__init__(program, "--reactors", "1")

    def answers(self, stream):
        return exchange(self.port, stream)

    def request_count(self):
        """Requests answered or refused, those for this count left out."""
        text = self.ask("GET", "/metrics")
        answered = re.findall(r'seconds_count\{call="(?!metrics)[^"]*"\} (\d+)', text)
        return sum(map(int, answered)) + self.metric("holdfast_requests_malformed_total", text)


def statuses(answer, methods):
    """The final statuses in `answer`, and whether the last one says that it closes."""
    found, closes = [], False
    while answer:
        head, _, answer = answer.partition(b"\r\n\r\n")
        status = int(head[9:12])
        if status < 200:
            continue
        method = methods[len(found)] if len(found) < len(methods) else b""
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
        if method != b"HEAD" and length:
            answer = answer[int(length[1]):]
        found.append(status)
        closes = b"connection: close" in head.lower()
    return found, closes


def difference_of_answers(ours, answer):
    """How a service's answers differ from what its parser alone says; None when they do not.

    One answer for a request, one for a refusal. A service may answer before it has the whole body;
    where that is not whole or cannot be framed, the answer is an error and says that it closes.
    """
    found, closes = statuses(answer, [method for method, _, _ in ours.requests])
    most = len(ours.requests) + (ours.end in (REFUSED, PARTIAL))
    least = len(ours.requests) + (ours.end == REFUSED)
    is_right = len(found) <= most and (len(found) >= least or closes)
    if ours.end == REFUSED and len(found) == most:
        is_right = is_right and closes and found[-1] >= 400
    return None if is_right else f"{found} for {ours}"


CONFIGURATION = """
daemon off;
master_process off;
pid {work}/pid;
error_log {work}/errors info;
events {{ }}
http {{
    log_format seen escape=none '$status\t$upstream_status\t$request\t$http_connection';
    access_log {work}/requests seen;
    client_body_temp_path {work}/body;
    proxy_temp_path {work}/proxy;
    fastcgi_temp_path {work}/fastcgi;
    uwsgi_temp_path {work}/uwsgi;
    scgi_temp_path {work}/scgi;
    lingering_close off;
    upstream holdfast {{ server 127.0.0.1:{service}; keepalive 4; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://holdfast;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_request_buffering {buffering};
            proxy_ignore_client_abort on;
            proxy_next_upstream off;
        }}
    }}
}}
"""


class Nginx:
    """nginx that passes on to a service.

    With `is_buffered` it takes a body whole before it passes any of it on.
    """

    def __init__(self, service, is_buffered):
        self.is_buffered = is_buffered
        self.port = free_port()
        self.work = tempfile.mkdtemp()
        path = os.path.join(self.work, "configuration")
        with open(path, "w") as file:
            file.write(CONFIGURATION.format(
                work=self.work, port=self.port, service=service.port,
                buffering="on" if is_buffered else "off"))
        self.process = subprocess.Popen(
            [shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin"), "-c", path],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self.port)
        self.requests = open(os.path.join(self.work, "requests"), "rb")
        self.errors = open(os.path.join(self.work, "errors"), "rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.requests.close()
        self.errors.close()
        shutil.rmtree(self.work)

    def send(self, stream):
        """What nginx sees in `stream`, and how many requests it passes on."""
        self.errors.read()
        exchange(self.port, stream)
        requests, passed, end = [], 0, OPEN
        for line in self.requests.read().splitlines():
            status, upstream, request, connection = line.split(b"\t", 3)
            if upstream in (b"", b"-"):
                end = REFUSED
                break
            passed += 1
            method, target, *version = request.split()  # None in HTTP/0.9.
            requests.append((method, target, None))
            if b"close" in connection.lower() or version != [b"HTTP/1.1"]:
                end = CLOSED
        if b"prematurely closed" in self.errors.read():
            end = PARTIAL
        return Reading(requests, end), passed
