"""Load from several clients, each with a connection of its own; the book has all they do."""

import json
import random
import threading
import time

from ledger import OK, REFUSED, UNKNOWN
from service import Caller, NoAnswer, document_call, events_call

NUMBER_MAX = 700  # Documents hold numbers that also fit a UTC offset.


class Load:
    """Runs until the service is gone, or it is told to end."""

    def __init__(self, service, ledger, seed, writers=3, batch=12, pause=0.0):
        self.service, self.ledger = service, ledger
        self.batch, self.pause = batch, pause
        self.is_ending = False
        self.statuses = {}
        self.failure = None
        jobs = [self.write] * writers + [self.read, self.put]
        self.threads = [
            threading.Thread(target=self.run, args=(job, f"client-{number}", seed * 31 + number))
            for number, job in enumerate(jobs)]
        for thread in self.threads:
            thread.start()

    def end(self):
        """Waits for answers under way."""
        self.is_ending = True
        self.join()

    def join(self):
        for thread in self.threads:
            thread.join()
        self.ledger.life += 1
        if self.failure:
            raise self.failure

    def run(self, job, name, seed):
        try:
            caller = Caller(self.service.port)
            try:
                job(caller, name, random.Random(seed))
            finally:
                caller.close()
        except NoAnswer:
            pass
        except Exception as error:  # Shown by `join`, in the main thread.
            self.failure = error

    def write(self, caller, name, draw):
        while not self.is_ending:
            events = [self.ledger.make(name) for _ in range(draw.randint(1, self.batch))]
            operation = self.ledger.begin(name, events)
            status, body = caller.ask(*events_call(events))
            operation.close(status, json.loads(body))
            self.statuses[status] = self.statuses.get(status, 0) + 1
            if self.pause:
                time.sleep(self.pause)

    def read(self, caller, name, draw):
        while not self.is_ending:
            sku = draw.choice(self.ledger.skus)
            start = time.monotonic_ns()
            status, body = caller.ask("GET", f"/v1/positions/{sku}")
            if status == 200:
                version = json.loads(body)["version"]
                self.ledger.reads.append(
                    (self.ledger.life, name, sku, start, time.monotonic_ns(), version))
            time.sleep(0.001)

    def put(self, caller, name, draw):
        while not self.is_ending:
            document_name = draw.choice(list(self.ledger.documents))
            document = self.ledger.documents[document_name]
            number = document.puts[-1][0] % NUMBER_MAX + 1 if document.puts else 1
            document.puts.append((number, UNKNOWN))
            status, body = caller.ask(*document_call(document_name, number))
            if status == 200:
                document.puts[-1] = (number, OK)
            elif json.loads(body)["code"] != "outcome_unknown":
                document.puts[-1] = (number, REFUSED)
            time.sleep(draw.random() * 0.01)
