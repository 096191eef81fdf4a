"""The judgement: what the service and its journal hold, against the book of what was acknowledged.

`Checker.judge` is called when the service has started and nothing else asks it. It proves

- every acknowledged event has its effect, once; every refused one none; every unanswered one, sent
  again, is accepted or a duplicate, as the journal has it, and is there once then;
- repeats of acknowledged events are duplicates and change nothing; other content is a conflict;
- each fact in the journal is the event's that it tells of, decided again here;
- stock is what the journal comes to, what the book comes to in any order, and what came in less
  what went out;
- documents are those put last; reads never went back; nothing is there that nobody sent.
"""

import time

from journal import FACTS, JournalFault, Walk
from ledger import OK, REFUSED, UNKNOWN, Sums
from replay import Replay, Violation

REPEATS = 16


class Checker:
    def __init__(self, ledger, folder, shards=16):
        self.ledger = ledger
        self.walk = Walk(folder, shards)
        self.replay = Replay(ledger)
        self.sums = Sums()
        self.judged = 0  # Operations of the book.
        self.settled = []  # Events that are there.
        self.generation = 0
        self.unknown = []  # Events of operations that were judged, to be sent again.
        self.unknown_count = 0  # Of all that were sent again.

    def judge(self, service, has_restarted=True, takes_writes=True):
        """- takes_writes: Without it nothing is sent, and all must have been answered."""
        self.judge_reads()
        self.read_journal()
        if has_restarted and self.walk.generation <= self.generation:
            raise Violation("generation used twice", f"{self.walk.generation}")
        self.generation = self.walk.generation
        self.judge_outcomes()
        self.judge_documents(service)
        if takes_writes:
            resent = self.send_unknown(service)
            self.read_journal()
            self.judge_events(resent)
        self.judge_counts()
        self.judge_stock(service)
        if takes_writes:
            self.send_repeats(service)

    # The journal

    def read_journal(self):
        frames = self.frames()
        if self.walk.is_trimmed:
            # What came before is not there to be decided again: the service's answers tell.
            self.replay = None
        if self.replay:
            for frame in frames:
                self.replay.apply(frame)
        return frames

    def frames(self):
        """New frames. A mark may be on its way: what is wrong must be so twice."""
        walk = self.walk.copy()
        try:
            frames = walk.frames()
        except JournalFault:
            time.sleep(0.05)
            walk = self.walk.copy()
            frames = walk.frames()
        self.walk = walk
        return frames

    # Events

    def judge_outcomes(self):
        """The answers since the last time."""
        operations = self.ledger.operations
        events = [event for operation in operations[self.judged:] for event in operation.events]
        self.judged = len(operations)
        self.unknown += [event for event in events if event.outcome == UNKNOWN]
        self.judge_events(event for event in events if event.outcome == OK)
        if self.replay:
            for event in events:
                if event.outcome == REFUSED and event.at in self.replay.present:
                    raise Violation("refused but there", f"{event!r}")

    def judge_events(self, events):
        """Acknowledged events that were not judged yet."""
        for event in events:
            self.settled.append(event)
            self.sums.add(event)
            if self.replay and event.at not in self.replay.present:
                raise Violation("lost", f"{event!r}")

    def judge_counts(self):
        """As many ids are remembered as events were acknowledged, and none of them twice."""
        if not self.replay:
            return
        if len(self.replay.remembered) != len(self.settled):
            raise Violation("other events than were sent", f"{len(self.replay.remembered)} are "
                            f"remembered, {len(self.settled)} acknowledged")

    def send_unknown(self, service):
        """Sends again what was not answered; what is there must be a duplicate."""
        events, self.unknown = self.unknown, []
        self.unknown_count += len(events)
        there = absent = 0
        for event in events:
            if self.replay and event.at in self.replay.present:
                there += 1
            elif self.replay:
                absent += 1
        for start in range(0, len(events), 500):
            part = events[start:start + 500]
            status, answer = service.send(part)
            if status != 200 or answer["accepted"] + answer["duplicates"] != len(part):
                raise Violation("sent again and not taken", f"{status} {answer}")
            there -= answer["duplicates"]
            absent -= answer["accepted"]
            for event in part:
                event.outcome = OK
        if self.replay and (there, absent) != (0, 0):
            raise Violation("sent again and taken for another", f"{there} {absent}")
        return events

    def send_repeats(self, service):
        count = min(REPEATS, len(self.settled))
        events = self.ledger.random.sample(self.settled, count)
        if not events:
            return
        status, answer = service.send(events)
        if status != 200 or answer["duplicates"] != count:
            raise Violation("repeat taken", f"{status} {answer}")
        status, answer = service.send(events[:1], qty=events[0].qty + 1000)
        if [entry["code"] for entry in answer["rejected"]] != ["id_conflict"]:
            raise Violation("conflict taken", f"{status} {answer}")
        if any(frame.kind == FACTS for frame in self.frames()):
            raise Violation("repeat changed something")

    # State

    def judge_stock(self, service):
        stock, safety, items = service.stock()
        for sku in items - set(self.ledger.skus):
            raise Violation("ghost SKU", sku)
        self.compare("stock is not the book's", stock, self.sums.totals())
        if self.replay:
            self.compare("stock is not the journal's", stock, self.replay.stock())
            on_hand = sum(units for place in stock.values() for units in place.values())
            if on_hand != sum(self.replay.flows.values()):
                raise Violation("units made or lost", f"{on_hand} {self.replay.flows}")
        (number,) = self.ledger.documents["rules"].possible()
        for place, units in safety.items():
            if units != number:
                raise Violation("safety stock of other rules", f"{place} has {units}, not {number}")

    @staticmethod
    def compare(rule, found, expected):
        for place in {*found, *expected}:
            if found.get(place) != expected.get(place):
                raise Violation(
                    rule, f"{place}: {found.get(place)}, not {expected.get(place)}")

    def judge_documents(self, service):
        for name, document in self.ledger.documents.items():
            number = service.document(name)
            if number not in document.possible():
                raise Violation("other document", f"{name} {number} of {document.puts[-9:]}")
            if self.replay and name in self.replay.documents:
                kept = self.kept(name, self.replay.documents[name])
                if kept != number:
                    raise Violation("document is not the journal's", f"{name} {number}, {kept}")
            document.settle(number)

    @staticmethod
    def kept(name, content):
        """The number that a document of the journal holds."""
        if name == "rules":
            return content[0][4]
        return content[0][3]

    def judge_reads(self):
        """A read that began after another had ended shows no older version."""
        reads, self.ledger.reads = self.ledger.reads, []
        ended = {}
        by_start = sorted(reads, key=lambda read: read[3])
        by_end = iter(sorted(reads, key=lambda read: read[4]))
        waiting = next(by_end, None)
        for life, client, sku, start, _, version in by_start:
            while waiting and waiting[4] < start:
                key = (waiting[0], waiting[2])
                ended[key] = max(ended.get(key, 0), waiting[5])
                waiting = next(by_end, None)
            if version < ended.get((life, sku), 0):
                raise Violation("read went back", f"{client} saw {sku} at {version}")
