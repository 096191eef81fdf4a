"""The checker is checked: histories that are right pass, and each that is forged is caught.

A history is a book, a journal and the answers of a service, made here by other code than reads
them: `Scribe` writes journals, `Told` answers. Each forgery breaks one rule, and must be caught by
the name of that rule.
"""

import os
import shutil
import struct
import tempfile
import unittest
from types import SimpleNamespace

from checker import Checker
from facts import START, VERSION, commands
from journal import CONTROL, JOURNAL, JournalFault, xxh64
from ledger import OK, REFUSED, UNKNOWN, Event, Ledger
from replay import Violation

SHARDS = 2
SEGMENT_SIZE = 8192
CONDITIONS = ("sellable", "returned", "damaged", "blocked")
KINDS = ("receipt", "sale", "return", "move", "write_off", "adjust", "count", "transfer")


class Scribe:
    """Writes a journal, frame by frame; every part of a frame can be forged."""

    def __init__(self):
        self.data = bytearray()
        self.base = 0
        self.files = {}
        self.heads = {stream: (0, 0, 0) for stream in (0, 1, CONTROL, JOURNAL)}
        self.generation = 1
        self.durable = 0
        self.events = {0: 0, 1: 0, CONTROL: 0}
        self.open_segment()

    @property
    def position(self):
        return self.base + len(self.data)

    def frame(self, kind, stream, payload, count=0, first=0, forged={}):
        sequence, previous, _ = self.heads[stream]
        sequence = forged.get("sequence", sequence + 1)
        previous = forged.get("previous", previous)
        generation = forged.get("generation", self.generation)
        head = struct.pack(
            "<IBBHIIQQQqQ", forged.get("magic", 0x484AFFFC), forged.get("version", 1), kind, stream,
            len(payload), count, generation, sequence, first, 1000, previous)
        padded = payload + bytes(-len(payload) % 8)
        own = xxh64(head + bytes(8) + padded)
        self.heads[stream] = (sequence, own, generation)
        return head + struct.pack("<Q", forged.get("hash", own)) + padded

    def mark(self, size, kind=3, **forged):
        payload = struct.pack("<QQQ", forged.get("position", self.position),
                              forged.get("durable", self.durable), forged.get("told", size))
        if kind == 4:
            payload += struct.pack("<Q", len(self.heads))
            for stream in (0, 1, CONTROL, JOURNAL):
                payload += struct.pack("<QQQ", *forged.get("heads", self.heads)[stream])
        return self.frame(kind, JOURNAL, payload, forged=forged)

    def open_segment(self, **forged):
        self.data += self.mark(0, kind=4, **forged)
        self.durable = self.position

    def next_segment(self, **forged):
        self.files[self.base] = bytes(self.data).ljust(SEGMENT_SIZE, b"\0")
        self.base += SEGMENT_SIZE
        self.data = bytearray()
        self.open_segment(**forged)

    def commit(self, *frames, **forged):
        """Frames: (stream, payload, commands) each."""
        size = sum(64 + (len(payload) + (stream != CONTROL) + 7 & ~7)
                   for stream, payload, _ in frames)
        own = {key: forged.pop(key) for key in ("position", "durable", "told") if key in forged}
        self.data += self.mark(size, **own)
        for stream, payload, count in frames:
            if stream != CONTROL:
                payload = bytes([forged.get("facts version", VERSION)]) + payload
            first = forged.get("first", self.events[stream])
            self.data += self.frame(1, stream, payload, count, first, forged)
            self.events[stream] += count
        self.durable = self.position

    def write(self, folder):
        self.files[self.base] = bytes(self.data).ljust(SEGMENT_SIZE, b"\0")
        for base, data in self.files.items():
            with open(os.path.join(folder, f"{base:016x}.journal"), "wb") as file:
                file.write(data)


def name_fact(tag, name):
    return bytes([tag, len(name)]) + name.encode()


def moved(sku, location, condition, units, at):
    return struct.pack("<BIHBiq", 3, sku, location, CONDITIONS.index(condition), units, at)


def counted(sku, location, condition, units, at):
    return struct.pack("<BIHBiq", 4, sku, location, CONDITIONS.index(condition), units, at)


def recorded(sku, location, condition, units, at):
    return struct.pack("<BIHBiq", 8, sku, location, CONDITIONS.index(condition), units, at)


def position(sku, location):
    return struct.pack("<BIH", 2, sku, location)


def remembered(number, kind="sale", outcome=1, source=1):
    return struct.pack("<BQIIBBH", 6, number, 7, 8, outcome, KINDS.index(kind), source)


def reason(text):
    return bytes([10, len(text)]) + text.encode()


def command(*facts):
    joined = b"".join(facts)
    return bytes([joined[0] | 0x80]) + joined[1:]


class Told:
    """A service that answers what it was given."""

    def __init__(self, stock, items, documents, present):
        self.places, self.names, self.documents = stock, items, documents
        self.present = set(present)
        self.safety = dict.fromkeys(stock, documents["rules"])
        self.forgets = False
        self.takes_conflicts = False
        self.refuses = False
        self.on_repeat = None

    def stock(self):
        return self.places, self.safety, self.names

    def document(self, name):
        return self.documents[name]

    def send(self, events, qty=None):
        if self.refuses:
            return 503, {"accepted": 0, "duplicates": 0, "rejected": []}
        if qty is None and self.on_repeat:
            self.on_repeat()
        if qty is not None:
            if self.takes_conflicts:
                return 200, {"accepted": 1, "duplicates": 0, "rejected": []}
            return 200, {"accepted": 0, "duplicates": 0,
                         "rejected": [{"index": 0, "code": "id_conflict"}]}
        duplicates = 0 if self.forgets else sum(event.at in self.present for event in events)
        return 200, {"accepted": len(events) - duplicates, "duplicates": duplicates, "rejected": []}


class History:
    """A small life: a receipt, a transfer, a sale that a count made void, a count, a late sale."""

    def __init__(self):
        self.ledger = Ledger(1, now=5_000_000_000)
        self.ledger.skus = ["A", "B"]
        self.scribe = Scribe()
        base = self.ledger.base
        self.receipt = self.event("receipt", "A", "DC1", 10, base + 2)
        self.transfer = self.event("transfer", "A", "DC1", 4, base + 4, to_location="S01")
        self.count = self.event("count", "A", "S01", 7, base + 9)
        self.void = self.event("sale", "A", "S01", 1, base + 8)
        self.sale = self.event("sale", "A", "DC1", 3, base + 10)
        self.refused = self.event("sale", "A", "DC1", 5, base + 12, outcome=REFUSED)
        names = name_fact(1, "DC1") + name_fact(1, "S01") + name_fact(5, "c")
        self.facts = {
            "receipt": command(name_fact(1, "A"), position(0, 0),
                               moved(0, 0, "sellable", 10, self.receipt.at),
                               remembered(1, "receipt")),
            "transfer": command(moved(0, 0, "sellable", -4, self.transfer.at), position(0, 1),
                                moved(0, 1, "sellable", 4, self.transfer.at),
                                remembered(2, "transfer")),
            "count": command(counted(0, 1, "sellable", 7, self.count.at),
                             remembered(3, "count")),
            "void": command(recorded(0, 1, "sellable", -1, self.void.at),
                            remembered(4, outcome=2)),
            "sale": command(moved(0, 0, "sellable", -3, self.sale.at), remembered(5))}
        self.names = names
        self.rules = b"\x13" + struct.pack("<I", 1) + b"\x03all\0\0" + struct.pack(
            "<BiBqqi", 0, 2, 0, 0, 0, 0)
        self.ledger.documents["rules"].puts = [(1, OK), (2, OK)]
        self.told = Told(
            {("A", "DC1"): self.units(3), ("A", "S01"): self.units(7)}, {"A"},
            {"rules": 2, "locations": 0},
            {event.at for event in (self.receipt, self.transfer, self.count, self.void, self.sale)})
        self.extra = []
        self.forged = {}

    @staticmethod
    def units(sellable):
        return {"sellable": sellable, "returned": 0, "damaged": 0, "blocked": 0}

    def event(self, kind, sku, location, qty, at, outcome=OK, **others):
        event = Event("c", f"e{at}", kind, sku, location, qty, at, **others)
        event.outcome = outcome
        self.ledger.by_at[at] = event
        self.ledger.begin("c", [event])
        return event

    def add(self, facts, stream=0):
        self.extra.append((stream, facts, 1))

    def judge(self):
        scribe = self.scribe
        facts = self.facts
        scribe.commit((CONTROL, self.names + self.rules, 0))
        first = [facts[name] for name in ("receipt", "transfer") if name in facts]
        if first:
            scribe.commit((0, b"".join(first), len(first)))
        scribe.next_segment()
        for name in ("count", "void", "sale"):
            if name in facts:
                scribe.commit((0, facts[name], 1), **self.forged.get(name, {}))
        for part in self.extra:
            scribe.commit(part)
        folder = tempfile.mkdtemp()
        try:
            scribe.write(folder)
            self.folder = folder
            for spoil in self.spoilers:
                spoil(folder)
            checker = Checker(self.ledger, folder, SHARDS)
            for _ in range(self.judgements):
                checker.judge(self.told)
            return checker
        finally:
            shutil.rmtree(folder)

    spoilers = ()
    judgements = 1


class CleanHistories(unittest.TestCase):
    def test_hash(self):
        self.assertEqual(xxh64(b""), 0xEF46DB3751D8E999)
        self.assertEqual(xxh64(b"abc"), 0x44BC2CF5AD770999)
        self.assertEqual(
            xxh64(b"Nobody inspects the spammish repetition"), 0xFBCEA83C8A378BF1)

    def test_plain(self):
        checker = History().judge()
        self.assertEqual(checker.walk.segment_count, 2)

    def test_unanswered_that_is_there(self):
        history = History()
        history.sale.outcome = UNKNOWN
        history.judge()
        self.assertEqual(history.sale.outcome, OK)

    def test_unanswered_void_event(self):
        history = History()
        history.void.outcome = UNKNOWN
        history.judge()

    def test_later_document_without_answer(self):
        history = History()
        history.ledger.documents["rules"].puts = [(1, OK), (2, UNKNOWN), (3, UNKNOWN)]
        history.judge()

    def test_trimmed_journal_is_judged_by_answers(self):
        history = History()
        history.spoilers = [lambda folder: os.remove(f"{folder}/{0:016x}.journal")]
        self.assertIsNone(history.judge().replay)

    def test_reason(self):
        history = History()
        history.sale.reason = "why"
        history.facts["sale"] = command(
            moved(0, 0, "sellable", -3, history.sale.at), reason("why"), remembered(5))
        history.judge()

    def test_later_generation_cuts_a_commit_short(self):
        history = History()
        scribe = history.scribe
        scribe.data += scribe.mark(64)
        scribe.generation = 2
        history.judge()


class Facts(unittest.TestCase):
    def test_events_that_stand_aside(self):
        payload = struct.pack("<BBQIIBI", VERSION, START | 7, 5, 6, 7, 17, 2) + b"{}"
        for number, ending in ((1, 1), (1 << 40, 2)):
            payload += struct.pack("<BQB", START | 11, number, ending)
        self.assertEqual(commands(SimpleNamespace(payload=payload, count=3), "here"), [
            [("parked", (5, 6), 7, 17, "{}")], [("letter ended", 1, "taken")],
            [("letter ended", 1 << 40, "discarded")]])
        forged = SimpleNamespace(payload=payload[:-1] + b"\3", count=3)
        with self.assertRaises(JournalFault):
            commands(forged, "here")


def forge(rule):
    """Marks a test whose history must be caught by `rule`."""
    def wrap(method):
        def test(self):
            with self.assertRaises((Violation, JournalFault)) as caught:
                history = History()
                method(self, history)
                history.judge()
            self.assertEqual(caught.exception.rule, rule)
        return test
    return wrap


class ForgedHistories(unittest.TestCase):
    # Events

    @forge("lost")
    def test_acknowledged_sale_is_lost(self, history):
        del history.facts["sale"]

    @forge("lost")
    def test_void_sale_is_lost(self, history):
        del history.facts["void"]

    @forge("twice")
    def test_effect_twice(self, history):
        history.add(command(moved(0, 0, "sellable", -3, history.sale.at), remembered(9)))

    @forge("remembered twice")
    def test_id_twice(self, history):
        history.add(command(remembered(5, outcome=2)))

    @forge("ghost command")
    def test_ghost_without_effect(self, history):
        history.add(command(remembered(9, outcome=2)))

    @forge("twice")
    def test_recorded_twice(self, history):
        history.add(command(recorded(0, 1, "sellable", -1, history.void.at),
                            remembered(9, outcome=2)))

    @forge("other facts than the event's")
    def test_recorded_without_a_count(self, history):
        history.facts["sale"] = command(
            recorded(0, 0, "sellable", -3, history.sale.at), remembered(5, outcome=2))

    @forge("refused but there")
    def test_refused_is_there(self, history):
        history.add(command(moved(0, 0, "sellable", -5, history.refused.at), remembered(9)))

    @forge("ghost")
    def test_fact_that_nobody_sent(self, history):
        history.add(command(moved(0, 0, "sellable", -5, history.refused.at + 2), remembered(9)))

    @forge("ghost command")
    def test_command_without_id(self, history):
        history.add(command(moved(0, 0, "sellable", -5, history.sale.at)))

    @forge("ghost location")
    def test_location_that_nobody_named(self, history):
        history.names += name_fact(1, "S99")

    @forge("other facts than the event's")
    def test_half_a_transfer(self, history):
        history.facts["transfer"] = command(
            moved(0, 0, "sellable", -4, history.transfer.at), remembered(2))

    @forge("other facts than the event's")
    def test_other_units(self, history):
        history.facts["sale"] = command(
            moved(0, 0, "sellable", -2, history.sale.at), remembered(5))

    @forge("other facts than the event's")
    def test_movement_behind_its_count(self, history):
        history.facts["void"] = command(
            moved(0, 1, "sellable", -1, history.void.at), remembered(4))

    @forge("other facts than the event's")
    def test_count_that_leaves_out_later_movements(self, history):
        count = history.event("count", "A", "DC1", 20, history.receipt.at + 1)
        history.add(command(counted(0, 0, "sellable", 20, count.at), remembered(9)))

    @forge("told otherwise")
    def test_other_kind(self, history):
        history.facts["sale"] = command(
            moved(0, 0, "sellable", -3, history.sale.at), remembered(5, "write_off"))

    @forge("told otherwise")
    def test_other_source(self, history):
        history.names += name_fact(5, "d")
        history.facts["sale"] = command(
            moved(0, 0, "sellable", -3, history.sale.at), remembered(5, source=2))

    @forge("ghost name")
    def test_source_that_nobody_named(self, history):
        history.facts["sale"] = command(
            moved(0, 0, "sellable", -3, history.sale.at), remembered(5, source=2))

    @forge("told otherwise")
    def test_reason_that_nobody_gave(self, history):
        history.facts["sale"] = command(
            moved(0, 0, "sellable", -3, history.sale.at), reason("why"), remembered(5))

    @forge("told otherwise")
    def test_reason_is_missing(self, history):
        history.sale.reason = "why"

    @forge("bad version of facts")
    def test_facts_of_another_version(self, history):
        history.forged["sale"] = {"facts version": VERSION + 1}

    @forge("sent again and taken for another")
    def test_unanswered_was_there_and_is_accepted_again(self, history):
        history.sale.outcome = UNKNOWN
        history.told.present.remove(history.sale.at)

    @forge("sent again and taken for another")
    def test_unanswered_was_absent_and_is_a_duplicate(self, history):
        history.sale.outcome = UNKNOWN
        del history.facts["sale"]

    @forge("lost")
    def test_unanswered_is_accepted_and_then_absent(self, history):
        history.sale.outcome = UNKNOWN
        history.told.present.remove(history.sale.at)
        del history.facts["sale"]

    @forge("repeat taken")
    def test_repeat_is_taken(self, history):
        history.told.forgets = True

    @forge("conflict taken")
    def test_conflict_is_taken(self, history):
        history.told.takes_conflicts = True

    @forge("sent again and not taken")
    def test_unanswered_is_refused_when_sent_again(self, history):
        history.sale.outcome = UNKNOWN
        history.told.refuses = True

    @forge("repeat changed something")
    def test_repeat_leaves_facts(self, history):
        def write():
            history.scribe.commit((0, command(remembered(9, outcome=2)), 1))
            history.scribe.write(history.folder)
        history.told.on_repeat = write

    @forge("generation used twice")
    def test_start_without_a_new_generation(self, history):
        history.judgements = 2

    # State

    @forge("stock is not the book's")
    def test_one_unit_more(self, history):
        history.told.places["A", "DC1"]["sellable"] += 1

    @forge("stock is not the book's")
    def test_other_condition(self, history):
        history.told.places["A", "DC1"].update(sellable=2, damaged=1)

    @forge("stock is not the book's")
    def test_position_that_nobody_sent(self, history):
        history.told.places["A", "S02"] = history.units(0)

    @forge("ghost SKU")
    def test_sku_that_nobody_sent(self, history):
        history.told.names.add("C")

    @forge("safety stock of other rules")
    def test_safety_stock_of_other_rules(self, history):
        history.told.safety["A", "DC1"] = 1

    @forge("other document")
    def test_document_of_before(self, history):
        history.told.documents["rules"] = 1

    @forge("document is not the journal's")
    def test_document_that_the_journal_does_not_have(self, history):
        history.ledger.documents["rules"].puts.append((3, OK))
        history.told.documents["rules"] = 3

    @forge("read went back")
    def test_read_goes_back(self, history):
        history.ledger.reads = [(0, "r", "A", 1, 2, 5), (0, "s", "A", 3, 4, 4)]

    # The journal

    @forge("bad hash")
    def test_flipped_bit(self, history):
        history.spoilers = [lambda folder: flip(folder, 0, 500)]

    @forge("bad magic")
    def test_other_magic(self, history):
        history.forged["sale"] = {"magic": 0x484AFFFD}

    @forge("bad version")
    def test_other_version(self, history):
        history.forged["sale"] = {"version": 2}

    @forge("bad sequence")
    def test_hole(self, history):
        history.forged["sale"] = {"sequence": 9}

    @forge("bad chain")
    def test_other_past(self, history):
        history.forged["sale"] = {"previous": 1}

    @forge("bad event number")
    def test_event_number_again(self, history):
        history.forged["sale"] = {"first": 0}

    @forge("of another generation than its mark")
    def test_frame_of_another_life(self, history):
        history.forged["sale"] = {"generation": 2}

    @forge("generation fell")
    def test_generation_falls(self, history):
        history.forged["sale"] = {"generation": 0}

    @forge("misplaced mark")
    def test_mark_of_another_place(self, history):
        history.forged["sale"] = {"position": 64}

    @forge("bad durable-up-to")
    def test_mark_that_promises_itself(self, history):
        history.forged["sale"] = {"durable": 1 << 40}

    @forge("beyond its commit")
    def test_frame_behind_its_commit(self, history):
        history.forged["sale"] = {"told": 0}

    @forge("cut commit")
    def test_commit_cut_within_a_life(self, history):
        scribe = history.scribe
        scribe.data += scribe.mark(640)

    @forge("control behind shards")
    def test_shard_overtakes_the_control_stream(self, history):
        scribe = history.scribe
        scribe.commit((0, b"", 0), (CONTROL, b"", 0))

    @forge("not zero behind the end")
    def test_remains_behind_the_end(self, history):
        history.spoilers = [lambda folder: flip(folder, SEGMENT_SIZE, SEGMENT_SIZE - 9)]

    @forge("missing segment")
    def test_missing_segment(self, history):
        def rename(folder):
            os.rename(f"{folder}/{SEGMENT_SIZE:016x}.journal",
                      f"{folder}/{2 * SEGMENT_SIZE:016x}.journal")
        history.spoilers = [rename]

    @forge("segment before its time")
    def test_segment_begins_before_the_last_was_synced(self, history):
        scribe = history.scribe
        scribe.next_segment(durable=0)

    @forge("segment mark of other streams")
    def test_segment_that_forgets(self, history):
        scribe = history.scribe
        scribe.next_segment(heads={stream: (0, 0, 0) for stream in scribe.heads})


def flip(folder, base, offset):
    path = os.path.join(folder, f"{base:016x}.journal")
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 1]))


if __name__ == "__main__":
    unittest.main()
