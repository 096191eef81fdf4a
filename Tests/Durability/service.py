"""`holdfast serve` as a process of its own, and the questions that the checker asks it."""

import atexit
import json
import re
import select
import signal
import socket
import subprocess
import time

from ledger import CONDITIONS

# Small files, so that tests see the journal go on from one to the next.
SIZES = ("--segment-bytes", str(5 << 20), "--ballast-bytes", str(4 << 20))


class NoAnswer(Exception):
    """The connection ended before an answer was there."""


class Caller:
    """One connection. Several questions may go out together; answers come in order."""

    def __init__(self, port, timeout=20):
        try:
            self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        except OSError as error:
            raise NoAnswer(str(error)) from error
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b""

    def close(self):
        self.socket.close()

    def send(self, *calls):
        text = []
        for method, path, body in calls:
            text.append(f"{method} {path} HTTP/1.1\r\nHost: h\r\n"
                        f"Content-Length: {len(body)}\r\n\r\n{body}")
        try:
            self.socket.sendall("".join(text).encode())
        except OSError as error:
            raise NoAnswer(str(error)) from error

    def receive(self):
        """Status and body of the next answer."""
        while b"\r\n\r\n" not in self.rest:
            self.more()
        head, _, self.rest = self.rest.partition(b"\r\n\r\n")
        length = int(re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)[1])
        while len(self.rest) < length:
            self.more()
        body, self.rest = self.rest[:length], self.rest[length:]
        return int(head.split(b" ", 2)[1]), body

    def more(self):
        try:
            piece = self.socket.recv(1 << 18)
        except OSError as error:
            raise NoAnswer(str(error)) from error
        if not piece:
            raise NoAnswer("closed")
        self.rest += piece

    def ask(self, method, path, body=""):
        self.send((method, path, body))
        return self.receive()

    def ask_all(self, calls):
        """Answers to many questions, sent some at a time."""
        for start in range(0, len(calls), 64):
            part = calls[start:start + 64]
            self.send(*part)
            for _ in part:
                yield self.receive()


def events_call(events, qty=None):
    return ("POST", "/v1/events", "\n".join(event.body(qty) for event in events))


# Processes that run: none outlives a test that fails.
running = set()


@atexit.register
def kill_running():
    for process in running:
        process.kill()


class Service:
    """A process that serves a directory until it is ended."""

    def __init__(self, program, folder, ledger, *options, prefix=()):
        self.ledger = ledger
        self.process = subprocess.Popen(
            [*prefix, program, "serve", "--http", "127.0.0.1:0", "--reactors", "2",
             "--data", folder, "--durability", "sync", *SIZES, *options],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        running.add(self.process)
        self.output = b""
        self.port = None
        self.caller = None

    def wait_port(self, seconds=20):
        """Waits until it listens."""
        end = time.monotonic() + seconds
        while not self.port:
            ready, _, _ = select.select([self.process.stdout], [], [], end - time.monotonic())
            piece = self.process.stdout.read1(4096) if ready else b""
            self.output += piece
            if not piece:
                raise RuntimeError(f"it does not start: {self.said()}")
            found = re.search(rb"listens on http://127.0.0.1:(\d+)", self.output)
            self.port = found and int(found[1])

    def start(self, seconds=20, accepted=("ok",)):
        """Waits until it serves, with a status that is accepted."""
        self.wait_port(seconds)
        end = time.monotonic() + seconds
        status = None
        while status not in accepted:
            try:
                self.caller = self.caller or Caller(self.port)
                status = self.health()[1]["status"]
            except NoAnswer:
                self.caller = None
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"it does not start: {status}, {self.said()}")
            time.sleep(0.002)
        return self

    def said(self):
        """All that it has written, once it has ended."""
        try:
            self.process.wait(5)
            self.output += self.process.stdout.read()
        except subprocess.TimeoutExpired:
            pass
        return self.output.decode()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.end()

    def stop(self):
        """Ends it in order."""
        self.process.terminate()
        if self.end() != 0:
            raise RuntimeError(f"it ended with {self.process.returncode}: {self.output.decode()}")

    def end(self):
        if self.caller:
            self.caller.close()
        self.output += self.process.stdout.read()
        self.process.stdout.close()
        running.discard(self.process)
        return self.process.wait()

    # What the checker asks

    def health(self):
        status, body = self.caller.ask("GET", "/readyz")
        return status, json.loads(body)

    def send(self, events, qty=None):
        status, body = self.caller.ask(*events_call(events, qty))
        return status, json.loads(body)

    def items(self):
        names, after = set(), ""
        while after is not None:
            _, body = self.caller.ask("GET", f"/v1/items?limit=10000{after}")
            page = json.loads(body)
            names.update(item["sku"] for item in page["items"])
            after = f"&after={page['next']}" if "next" in page else None
        return names

    def stock(self):
        """Units by place and condition, safety stock by place, and all SKUs there are."""
        stock, safety = {}, {}
        items = self.items()
        skus = sorted(items | set(self.ledger.skus))
        answers = self.caller.ask_all([("GET", f"/v1/positions/{sku}", "") for sku in skus])
        for sku, (status, body) in zip(skus, answers):
            if (status == 200) != (sku in items):
                raise RuntimeError(f"{sku} is listed, or known, but not both: {status}")
            for place in json.loads(body).get("positions", ()):
                key = (sku, place["location"])
                stock[key] = {condition: place[condition] for condition in CONDITIONS}
                safety[key] = place["safety_stock"]
                if place["on_hand"] != sum(stock[key].values()):
                    raise RuntimeError(f"on hand is not its parts: {sku} {place}")
        return stock, safety, items

    def document(self, name):
        """The number that the document holds."""
        content = json.loads(self.caller.ask("GET", f"/v1/{name}")[1])
        if name == "rules":
            rules = content["safety_stock"]
            return rules[0]["units"] if rules else 0
        for location in content["locations"]:
            if location["location"] == "DC1":
                hours, minutes = location["utc_offset"].split(":")
                return int(hours) * 60 + int(minutes)
        return 0


def document_call(name, number, padding=0):
    """Puts a document that holds the number, and so many rules that concern nothing."""
    if name == "rules":
        rules = [{"id": "all", "scope": {}, "units": number}]
        rules += [{"id": f"none-{index}", "scope": {"sku": f"none-{index}"}, "units": 1}
                  for index in range(padding)]
        content = {"safety_stock": rules}
    else:
        content = {"locations": [{"location": "DC1", "kind": "warehouse",
                                  "utc_offset": f"+{number // 60:02}:{number % 60:02}"}]}
    return ("PUT", f"/v1/{name}", json.dumps(content))
