"""Stock from a journal: each command is decided again from the event that it tells of."""

from facts import ACCEPTED, MOVEMENTS, RECORDED, changes, commands
from journal import CONTROL, MARKER

CONDITIONS = ("sellable", "returned", "damaged", "blocked")
FLOWS = {"receipt": "received", "return": "received", "sale": "shipped", "write_off": "adjusted",
         "adjust": "adjusted"}


class Violation(Exception):
    """A rule that was broken, and by what."""

    def __init__(self, rule, detail=""):
        super().__init__(f"{rule}: {detail}")
        self.rule = rule


class Place:
    """One SKU at one location."""

    __slots__ = ("units", "counted", "moves")

    def __init__(self):
        self.units = dict.fromkeys(CONDITIONS, 0)
        self.counted = {}
        self.moves = {condition: [] for condition in CONDITIONS}


class Shard:
    def __init__(self):
        self.skus = []
        self.places = {}  # By (SKU's name, location's name).


class Replay:
    """What the facts of a journal come to. Every fact must be that of an event of the book."""

    def __init__(self, ledger):
        self.ledger = ledger
        self.shards = {}
        self.locations = []
        self.sources = []
        self.documents = {}
        self.present = set()  # Effective times of the events that are there.
        self.remembered = set()
        self.flows = {"received": 0, "shipped": 0, "adjusted": 0, "corrected": 0}

    def apply(self, frame):
        place = f"frame {frame.sequence} of stream {frame.stream:x}"
        if frame.kind == MARKER:
            return
        if frame.stream == CONTROL:
            for kind, content in changes(frame, place):
                if kind == "location":
                    if content not in self.ledger.locations:
                        raise Violation("ghost location", content)
                    self.locations.append(content)
                elif kind == "source":
                    self.sources.append(content)
                elif kind in ("rules", "locations"):
                    self.documents[kind] = content
            return
        shard = self.shards.setdefault(frame.stream, Shard())
        for facts in commands(frame, place):
            self.command(shard, facts, place)

    def command(self, shard, facts, place):
        if facts[-1][0] != "remembered":
            raise Violation("ghost command", f"{facts} in {place}")
        _, identity, _, outcome, kind, source = facts[-1]
        if identity in self.remembered:
            raise Violation("remembered twice", place)
        self.remembered.add(identity)
        times = {fact[-1] for fact in facts if fact[0] in MOVEMENTS.values()}
        if not times:
            raise Violation("ghost command", f"{facts} in {place}")
        event = self.ledger.by_at.get(min(times))
        if event is None or len(times) != 1:
            raise Violation("ghost", f"{facts} in {place}")
        if event.at in self.present:
            raise Violation("twice", f"{event!r} in {place}")
        expected = self.decide(shard, event)
        has_effect = any(fact[0] in ("moved", "counted") for fact in expected)
        expected.append(("remembered", ACCEPTED if has_effect else RECORDED))
        told = [self.named(shard, fact) for fact in facts[:-1] if fact[0] != "reason"]
        told.append(("remembered", outcome))
        if told != expected:
            raise Violation("other facts than the event's", f"{event!r}: {told} in {place}")
        if not 0 < source <= len(self.sources):
            raise Violation("ghost name", f"source {source} in {place}")
        reasons = [fact[1] for fact in facts if fact[0] == "reason"]
        if (kind, self.sources[source - 1], reasons) != (
                event.kind, event.source, [event.reason] if event.reason else []):
            raise Violation("told otherwise", f"{event!r}: {facts} in {place}")
        self.evolve(shard, event, expected)
        self.present.add(event.at)

    def named(self, shard, fact):
        """A fact with names for ids. A SKU that the command brings is not known yet."""
        if fact[0] == "sku":
            return fact
        sku, location = fact[1:3]
        if sku > len(shard.skus) or location >= len(self.locations):
            raise Violation("ghost name", f"{fact}")
        name = shard.skus[sku] if sku < len(shard.skus) else None
        return (fact[0], name, self.locations[location], *fact[3:])

    def decide(self, shard, event):
        """The facts that the event must have, here and now."""
        facts = []
        is_new = event.sku not in shard.skus
        name = None if is_new else event.sku
        if is_new:
            facts.append(("sku", event.sku))
        if event.kind == "count":
            condition = event.target_condition
            place = shard.places.get((event.sku, event.location))
            later = 0
            if place is None:
                facts.append(("position", name, event.location))
            else:
                if event.at < place.counted.get(condition, event.at):
                    return [*facts, ("count recorded", name, event.location, condition,
                                     event.qty, event.at)]
                later = sum(units for at, units in place.moves[condition] if at > event.at)
            return [*facts, ("counted", name, event.location, condition, event.qty + later,
                             event.at)]
        added = set()
        for location, condition, units in event.legs():
            place = shard.places.get((event.sku, location))
            if place is None and location not in added:
                facts.append(("position", name, location))
                added.add(location)
            has_effect = place is None or event.at > place.counted.get(condition, event.at - 1)
            facts.append(("moved" if has_effect else "movement recorded", name, location,
                          condition, units, event.at))
        return facts

    def evolve(self, shard, event, facts):
        total = 0
        for fact in facts[:-1]:
            if fact[0] == "sku":
                shard.skus.append(fact[1])
                continue
            key = (event.sku, fact[2])
            if fact[0] == "position":
                shard.places[key] = Place()
                continue
            place, condition, value, at = shard.places[key], *fact[3:]
            if fact[0] == "moved":
                place.units[condition] += value
                place.moves[condition].append((at, value))
                total += value
            elif fact[0] == "counted":
                total += value - place.units[condition]
                place.units[condition] = value
                place.counted[condition] = at
        # Only physical facts and counts change what is on hand in all.
        self.flows[FLOWS.get(event.kind, "corrected")] += total

    def stock(self):
        return {key: dict(place.units) for shard in self.shards.values()
                for key, place in shard.places.items()}
