"""Facts as a journal keeps them (Sources/Engine/FactWriter.swift, MasterFact.swift), decoded."""

import struct

from journal import JournalFault

CONDITIONS = ("sellable", "returned", "damaged", "blocked")
START = WHOLE = 0x80
VERSION = 3
KINDS = ("receipt", "sale", "return", "move", "write_off", "adjust", "count", "transfer")

# Facts of units; those that are recorded came without effect.
MOVEMENTS = {3: "moved", 4: "counted", 8: "movement recorded", 9: "count recorded"}

# How an event ends that stood aside.
ENDINGS = {1: "taken", 2: "discarded"}

# What `command` yields, beside the outcome of the event it remembers.
ACCEPTED, RECORDED = 1, 2


class Reader:
    def __init__(self, payload, place):
        self.payload = payload
        self.offset = 0
        self.place = place

    def fault(self):
        return JournalFault("bad facts", f"{self.place}, byte {self.offset}")

    def take(self, form):
        size = struct.calcsize(form)
        if self.offset + size > len(self.payload):
            raise self.fault()
        values = struct.unpack_from(form, self.payload, self.offset)
        self.offset += size
        return values

    def text(self, form="<B"):
        (length,) = self.take(form)
        if self.offset + length > len(self.payload):
            raise self.fault()
        self.offset += length
        return self.payload[self.offset - length:self.offset].decode()

    @property
    def is_at_end(self):
        return self.offset == len(self.payload)


def commands(frame, place):
    """The commands of a shard's frame: lists of facts, each a tuple that begins with its kind."""
    reader = Reader(frame.payload, place)
    found = []
    if reader.take("<B") != (VERSION,):
        raise JournalFault("bad version of facts", place)
    while not reader.is_at_end:
        (tag,) = reader.take("<B")
        if tag & START:
            found.append([])
        if not found:
            raise reader.fault()
        found[-1].append(fact(tag & ~START, reader))
    if len(found) != frame.count:
        raise JournalFault("bad event count", place)
    return found


def fact(kind, reader):
    if kind == 1:
        return ("sku", reader.text())
    if kind == 2:
        return ("position", *reader.take("<IH"))
    if kind in MOVEMENTS:
        sku, location, condition, value, at = reader.take("<IHBiq")
        if condition & ~WHOLE >= len(CONDITIONS):
            raise reader.fault()
        if condition & WHOLE:
            return ("counted whole", sku, location, condition & ~WHOLE, value, at)
        return (MOVEMENTS[kind], sku, location, CONDITIONS[condition], value, at)
    if kind == 5:
        return ("categorised", *reader.take("<IH"), reader.text("<I"))
    if kind == 6:
        first, second, body, outcome, event, source = reader.take("<QIIBBH")
        if event >= len(KINDS):
            raise reader.fault()
        return ("remembered", (first, second), body, outcome, KINDS[event], source)
    if kind == 7:
        first, second, body, outcome = reader.take("<QIIB")
        return ("parked", (first, second), body, outcome, reader.text("<I"))
    if kind == 10:
        return ("reason", reader.text())
    if kind == 11:
        number, ending = reader.take("<QB")
        if ending not in ENDINGS:
            raise reader.fault()
        return ("letter ended", number, ENDINGS[ending])
    raise reader.fault()


def changes(frame, place):
    """The changes of shared data in a frame of the control stream."""
    reader = Reader(frame.payload, place)
    found = []
    while not reader.is_at_end:
        (tag,) = reader.take("<B")
        if tag in NAMED:
            found.append((NAMED[tag], reader.text()))
        elif tag in DOCUMENTS:
            name, entry = DOCUMENTS[tag]
            found.append((name, entries(reader, entry)))
        else:
            raise reader.fault()
    return found


def entries(reader, entry):
    (count,) = reader.take("<I")
    return [entry(reader) for _ in range(count)]


def location(reader):
    return (reader.text(), *reader.take("<BBh"), entries(reader, Reader.text))


def channel(reader):
    return (reader.text(), *reader.take("<i"))


def group(reader):
    return (reader.text(), entries(reader, Reader.text))


def rule(reader):
    name = reader.text()
    scopes = []
    for _ in range(2):
        (tag,) = reader.take("<B")
        scopes.append((tag, reader.text() if tag else None))
    return (name, *scopes, *reader.take("<BiBqqi"))


NAMED = {1: "location", 2: "channel", 3: "group", 4: "category", 5: "source"}
DOCUMENTS = {16: ("locations", location), 17: ("channels", channel), 18: ("groups", group),
             19: ("rules", rule)}
