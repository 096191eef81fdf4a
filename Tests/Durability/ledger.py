"""What was asked and what was answered: the checker's own book, kept while the service runs.

Every event has an effective time that no other event has. Facts tell it, so each fact in a journal
belongs to one event of the book, or to nobody.
"""

import json
import random
import threading
import time

OK, REFUSED, UNKNOWN = "ok", "refused", "unknown"
CONDITIONS = ("sellable", "returned", "damaged", "blocked")


class Event:
    """One event and what became of it."""

    __slots__ = ("source", "id", "kind", "sku", "location", "to_location", "qty",
                 "source_condition", "target_condition", "at", "reason", "outcome", "code")

    def __init__(self, source, id, kind, sku, location, qty, at, to_location=None,
                 source_condition="sellable", target_condition="sellable"):
        self.source, self.id, self.kind, self.sku = source, id, kind, sku
        self.location, self.to_location, self.qty, self.at = location, to_location, qty, at
        self.source_condition, self.target_condition = source_condition, target_condition
        self.reason = f"why {id}" if kind in ("adjust", "write_off") else None
        self.outcome = UNKNOWN
        self.code = None

    def legs(self):
        """Movements: (location, condition, units). None for a count."""
        gain = (self.location, self.target_condition, self.qty)
        loss = (self.location, self.source_condition, -self.qty)
        if self.kind in ("receipt", "return", "adjust"):
            return [gain]
        if self.kind in ("sale", "write_off"):
            return [loss]
        if self.kind == "move":
            return [loss, gain]
        return [loss, (self.to_location, self.target_condition, self.qty)]

    def body(self, qty=None):
        fields = {"id": self.id, "source": self.source, "kind": self.kind, "sku": self.sku,
                  "location": self.location, "qty": self.qty if qty is None else qty,
                  "at": self.at}
        if self.kind in ("move", "transfer", "write_off"):
            fields["from"] = self.source_condition
        if self.kind in ("move", "transfer", "receipt", "return", "adjust", "count"):
            fields["to"] = self.target_condition
        if self.reason:
            fields["reason"] = self.reason
        if self.to_location:
            fields["to_location"] = self.to_location
        return json.dumps(fields)

    def __repr__(self):
        return f"{self.outcome} {self.body()}"


class Operation:
    """One call: who made it, when it began and ended, what it brought."""

    __slots__ = ("client", "events", "start", "end", "status", "outcome")

    def __init__(self, client, events):
        self.client, self.events = client, events
        self.start, self.end = time.monotonic_ns(), None
        self.status, self.outcome = None, UNKNOWN

    def close(self, status, answer):
        """Takes the answer to a call whose events nobody had sent before."""
        self.end, self.status = time.monotonic_ns(), status
        refused = {entry["index"]: entry["code"] for entry in answer.get("rejected", [])}
        if status != 200 and "rejected" not in answer:
            refused = dict.fromkeys(range(len(self.events)), answer["code"])
        cut = answer.get("not_taken_from", len(self.events))
        for index, event in enumerate(self.events):
            event.code = refused.get(index, "busy" if index >= cut else None)
            if event.code is None:
                event.outcome = OK
            else:
                event.outcome = UNKNOWN if event.code == "outcome_unknown" else REFUSED
        accepted = sum(event.outcome == OK for event in self.events)
        if answer.get("accepted", 0) != accepted or (
                status == 200 and len(refused) + accepted != len(self.events)):
            raise AssertionError(f"an answer that does not add up: {status} {answer}")
        self.outcome = OK if status == 200 else REFUSED


class Document:
    """A document that one client alone puts; its content is a number that rises."""

    def __init__(self):
        self.puts = []  # (number, outcome), the last one perhaps without an answer.

    def possible(self):
        """What it may hold: what was put last and acknowledged, or later and unanswered."""
        numbers = []
        for number, outcome in self.puts:
            if outcome == OK:
                numbers = [number]
            elif outcome == UNKNOWN:
                numbers.append(number)
        return numbers or [0]

    def settle(self, number):
        """It was read: what it does not hold had no effect, or has been replaced."""
        self.puts = [(number, OK)]


class Ledger:
    """The book. Any thread may write into it."""

    def __init__(self, seed, sku_count=60, now=None):
        self.lock = threading.Lock()
        self.random = random.Random(seed)
        self.skus = [f"K-{number:04}" for number in range(sku_count)]
        self.locations = ["DC1", "S01", "S02", "S03"]
        self.operations = []
        self.by_at = {}
        self.documents = {"rules": Document(), "locations": Document()}
        self.reads = []  # (life, client, sku, start, end, version)
        self.life = 0
        self.number = 0
        now = int(time.time() * 1000) if now is None else now
        self.base = now - 4 * 24 * 3600 * 1000

    @property
    def events(self):
        return self.by_at.values()

    def make(self, source):
        """A new event that is in the book, without an answer."""
        with self.lock:
            self.number += 1
            event = self.draw(source, self.number)
            self.by_at[event.at] = event
            return event

    def draw(self, source, number):
        draw = self.random
        kind = draw.choices(
            ("receipt", "sale", "return", "move", "write_off", "adjust", "transfer", "count"),
            (30, 30, 5, 6, 4, 6, 12, 7))[0]
        # Names come into being little by little.
        sku = self.skus[draw.randrange(min(len(self.skus), 3 + number // 20))]
        location = draw.choice(self.locations)
        at = self.base + 2 * number
        event = Event(source, f"e{number}", kind, sku, location, draw.randint(1, 50), at)
        if kind == "return":
            event.target_condition = draw.choice(("returned", "damaged"))
        elif kind == "move":
            event.source_condition, event.target_condition = draw.sample(CONDITIONS, 2)
        elif kind == "adjust":
            event.qty = draw.choice((-1, 1)) * draw.randint(1, 9)
        elif kind == "transfer":
            event.to_location = draw.choice([name for name in self.locations if name != location])
        elif kind == "count":
            # Late ones too: what came before and lies behind them still counts.
            event.at = self.base + 2 * max(1, number - draw.choice((0, 0, 5, 50, 300))) + 1
            while event.at in self.by_at:
                event.at += 2
        return event

    def begin(self, client, events):
        operation = Operation(client, events)
        with self.lock:
            self.operations.append(operation)
        return operation

    def count(self, outcome):
        return sum(event.outcome == outcome for event in self.events)


class Sums:
    """What events come to, in any order: for each place, the units of its last count and all that
    moved after it."""

    def __init__(self):
        self.moves, self.counts = {}, {}
        self.stock = {}
        self.changed = set()

    def add(self, event):
        if event.kind == "count":
            place = (event.sku, event.location, event.target_condition)
            self.counts[place] = max((event.at, event.qty), self.counts.get(place, (0, 0)))
            self.changed.add(place)
            return
        for location, condition, units in event.legs():
            place = (event.sku, location, condition)
            self.moves.setdefault(place, []).append((event.at, units))
            self.changed.add(place)

    def totals(self):
        """{(sku, location): {condition: units}}"""
        for place in self.changed:
            sku, location, condition = place
            since, units = self.counts.get(place, (0, 0))
            units += sum(delta for at, delta in self.moves.get(place, ()) if at > since)
            self.stock.setdefault((sku, location), dict.fromkeys(CONDITIONS, 0))[condition] = units
        self.changed.clear()
        return self.stock
