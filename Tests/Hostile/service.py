"""`holdfast serve` as a process of its own, and what can be seen of it from outside."""

import http.client
import os
import re
import socket
import subprocess
import tempfile
import time


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port):
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"nobody listens on {port}")


class Service:
    """Runs as long as the `with` statement, and must end in order."""

    def __init__(self, program, *options):
        self.port = free_port()
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [program, "serve", "--http", f"127.0.0.1:{self.port}", *options],
            stdout=self.log, stderr=self.log)
        wait_for(self.port)
        self.caller = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        if self.process.wait() != 0:
            raise RuntimeError(f"the service ended with {self.process.returncode}")

    def ask(self, method, path, body=None, headers={}):
        """The text of an answer, on a connection that is kept."""
        self.caller.request(method, path, body, headers)
        response = self.caller.getresponse()
        text = response.read().decode()
        if response.status != 200:
            raise RuntimeError(f"{method} {path}: {response.status} {text}")
        return text

    def metric(self, name, text=None):
        return int(re.search(rf"^{name} (\d+)$", text or self.ask("GET", "/metrics"), re.M)[1])

    def resident_bytes(self):
        with open(f"/proc/{self.process.pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    def descriptor_count(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))
