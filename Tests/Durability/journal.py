"""Reads a journal by its description (Sources/Journal/Frame.swift), sharing no code with it.

What is wrong is a `JournalFault`, whose `rule` names what was broken.
"""

import mmap
import os
import struct

MASK = (1 << 64) - 1
PRIME1, PRIME2, PRIME3, PRIME4, PRIME5 = (
    0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63,
    0x27D4EB2F165667C5)

MAGIC = 0x484AFFFC
VERSION = 1
FACTS, MARKER, MARK, SEGMENT, CLOSE = 1, 2, 3, 4, 5
CONTROL, JOURNAL = 0xFFFF, 0xFFFE
HEADER = struct.Struct("<IBBHIIQQQqQQ")
MARK_PAYLOAD = struct.Struct("<QQQ")
HEAD = struct.Struct("<QQQ")
ZEROS = bytes(1 << 16)


class JournalFault(Exception):
    """A rule of the format that the bytes break, and where."""

    def __init__(self, rule, place):
        super().__init__(f"{rule} at {place}")
        self.rule = rule


def mixed(lane, word):
    lane = (lane + word * PRIME2) & MASK
    return ((lane << 31 | lane >> 33) & MASK) * PRIME1 & MASK


def xxh64(data):
    """XXH64 with seed 0."""
    length = len(data)
    whole = length & ~31
    if whole:
        a, b, c, d = (PRIME1 + PRIME2) & MASK, PRIME2, 0, -PRIME1 & MASK
        for w, x, y, z in struct.iter_unpack("<4Q", data[:whole]):
            a = (a + w * PRIME2) & MASK
            a = ((a << 31 | a >> 33) & MASK) * PRIME1 & MASK
            b = (b + x * PRIME2) & MASK
            b = ((b << 31 | b >> 33) & MASK) * PRIME1 & MASK
            c = (c + y * PRIME2) & MASK
            c = ((c << 31 | c >> 33) & MASK) * PRIME1 & MASK
            d = (d + z * PRIME2) & MASK
            d = ((d << 31 | d >> 33) & MASK) * PRIME1 & MASK
        result = ((a << 1 | a >> 63) + (b << 7 | b >> 57) + (c << 12 | c >> 52)
                  + (d << 18 | d >> 46)) & MASK
        for lane in (a, b, c, d):
            result = ((result ^ mixed(0, lane)) * PRIME1 + PRIME4) & MASK
    else:
        result = PRIME5
    result = (result + length) & MASK
    place = whole
    while place + 8 <= length:
        result ^= mixed(0, int.from_bytes(data[place:place + 8], "little"))
        result = ((result << 27 | result >> 37) * PRIME1 + PRIME4) & MASK
        place += 8
    if place + 4 <= length:
        result ^= int.from_bytes(data[place:place + 4], "little") * PRIME1 & MASK
        result = ((result << 23 | result >> 41) * PRIME2 + PRIME3) & MASK
        place += 4
    for byte in data[place:]:
        result ^= byte * PRIME5 & MASK
        result = (result << 11 | result >> 53) * PRIME1 & MASK
    result = (result ^ result >> 33) * PRIME2 & MASK
    result = (result ^ result >> 29) * PRIME3 & MASK
    return result ^ result >> 32


class Frame:
    """A frame that is whole in itself."""

    __slots__ = ("kind", "stream", "count", "generation", "sequence", "first", "time", "previous",
                 "hash", "payload", "size")

    def __init__(self, data, offset, place):
        if len(data) - offset < HEADER.size:
            raise JournalFault("cut header", place)
        (magic, version, self.kind, self.stream, length, self.count, self.generation, self.sequence,
         self.first, self.time, self.previous, self.hash) = HEADER.unpack_from(data, offset)
        if magic != MAGIC:
            raise JournalFault("bad magic", place)
        if version != VERSION:
            raise JournalFault("bad version", place)
        self.size = HEADER.size + (length + 7 & ~7)
        if not FACTS <= self.kind <= CLOSE:
            raise JournalFault("bad kind", place)
        if offset + self.size > len(data):
            raise JournalFault("bad length", place)
        whole = data[offset:offset + self.size]
        if xxh64(whole[:56] + bytes(8) + whole[64:]) != self.hash:
            raise JournalFault("bad hash", place)
        self.payload = whole[HEADER.size:HEADER.size + length]
        if any(whole[HEADER.size + length:]):
            raise JournalFault("bad padding", place)


def is_zero(data, start):
    """Whether nothing is at `start` and behind it. Compares pieces that stay in the cache."""
    for offset in range(start, len(data), len(ZEROS)):
        piece = data[offset:offset + len(ZEROS)]
        if piece != ZEROS[:len(piece)]:
            return False
    return True


class Walk:
    """A walk along a journal that is at rest: `frames` brings what is new since the last time."""

    def __init__(self, folder, shards):
        self.folder = folder
        self.streams = [*range(shards), CONTROL, JOURNAL]
        self.base = None
        self.offset = 0
        self.heads = {stream: (0, 0, 0) for stream in self.streams}
        self.events = {}
        self.generation = 0
        self.commit_end = 0
        self.durable = 0
        self.has_shard_frames = False  # In the commit being read.
        self.believes = False  # What the next segment's mark says of the streams.
        self.is_trimmed = False
        self.segment_count = 0

    def copy(self):
        other = Walk.__new__(Walk)
        other.__dict__.update(self.__dict__)
        other.heads, other.events = dict(self.heads), dict(self.events)
        return other

    def segments(self):
        names = sorted(name for name in os.listdir(self.folder) if name.endswith(".journal"))
        if not names:
            raise JournalFault("no segment", self.folder)
        return [(int(name[:16], 16), os.path.join(self.folder, name)) for name in names]

    def frames(self):
        """Frames of facts and markers from here to the end, which becomes the place of the walk."""
        frames = []
        segments = self.segments()
        first = segments[0][0]
        if self.base is None or first > self.base:
            # Also when what was read before has gone.
            self.base, self.offset = first, 0
            self.is_trimmed = self.believes = first > 0
        end, has_ended = first, False
        for base, path in segments:
            if base != end:
                raise JournalFault("missing segment", f"{base:016x}")
            end = base + os.path.getsize(path)
            if base < self.base:
                continue
            with open(path, "rb") as file, mmap.mmap(
                    file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                start = self.offset if base == self.base else 0
                if start == 0 and base != first and not any(data[:HEADER.size]):
                    has_ended = True
                if not has_ended:
                    start = self.segment(base, data, start, frames)
                if not is_zero(data, start):
                    raise JournalFault("not zero behind the end", f"{base:016x}+{start}")
        return frames

    def segment(self, base, data, offset, frames):
        """Reads a segment as far as there are frames; where they end."""
        if offset == 0:
            mark = Frame(data, 0, f"{base:016x}+0")
            # All before a segment is synced before it is written into.
            if base != self.base and mark.kind == SEGMENT:
                durable = MARK_PAYLOAD.unpack_from(mark.payload)[1]
                if durable != self.base + self.offset:
                    raise JournalFault("segment before its time", f"{base:016x}+0")
            self.segment_count += 1
        self.base, self.offset = base, offset
        while self.offset + HEADER.size <= len(data) and any(
                data[self.offset:self.offset + HEADER.size]):
            self.offset += self.frame(data, frames)
        return self.offset

    def frame(self, data, frames):
        """Checks the frame here against all before it; its size."""
        position = self.base + self.offset
        place = f"{self.base:016x}+{self.offset}"
        frame = Frame(data, self.offset, place)
        is_mark = frame.kind >= MARK
        if frame.stream not in self.heads or is_mark != (frame.stream == JOURNAL):
            raise JournalFault("bad stream", place)
        if (frame.kind == SEGMENT) != (self.offset == 0):
            raise JournalFault("bad mark", place)
        if frame.kind == SEGMENT:
            self.segment_mark(frame, place)
        sequence, previous, generation = self.heads[frame.stream]
        if frame.sequence != sequence + 1:
            raise JournalFault("bad sequence", place)
        if frame.previous != previous:
            raise JournalFault("bad chain", place)
        if frame.generation < generation:
            raise JournalFault("generation fell", place)
        if is_mark:
            self.mark(frame, position, len(data) - self.offset, place)
        else:
            self.facts(frame, position, place)
            frames.append(frame)
        self.heads[frame.stream] = (frame.sequence, frame.hash, frame.generation)
        return frame.size

    def mark(self, frame, position, room, place):
        stated, durable, size = MARK_PAYLOAD.unpack_from(frame.payload)
        if stated != position:
            raise JournalFault("misplaced mark", place)
        if not self.durable <= durable <= position:
            raise JournalFault("bad durable-up-to", place)
        if frame.generation < self.generation:
            raise JournalFault("generation fell", place)
        # Only a later life cuts a commit short.
        if position < self.commit_end and frame.generation == self.generation:
            raise JournalFault("cut commit", place)
        if frame.size + size > room:
            raise JournalFault("commit beyond its segment", place)
        self.generation, self.durable = frame.generation, durable
        self.commit_end = position + frame.size + size
        self.has_shard_frames = False

    def segment_mark(self, frame, place):
        count = len(self.streams)
        if (len(frame.payload) != 32 + count * HEAD.size
                or int.from_bytes(frame.payload[24:32], "little") != count):
            raise JournalFault("bad segment mark", place)
        heads = dict(zip(self.streams, HEAD.iter_unpack(frame.payload[32:])))
        if self.believes:
            self.heads, self.events, self.believes = heads, {}, False
        elif heads != self.heads:
            raise JournalFault("segment mark of other streams", place)

    def facts(self, frame, position, place):
        if position + frame.size > self.commit_end:
            raise JournalFault("beyond its commit", place)
        if frame.generation != self.generation:
            raise JournalFault("of another generation than its mark", place)
        if frame.stream == CONTROL:
            if self.has_shard_frames:
                raise JournalFault("control behind shards", place)
            return
        self.has_shard_frames = True
        if frame.kind == MARKER:
            return
        known = self.events.get(frame.stream, 0 if frame.sequence == 1 else frame.first)
        if known != frame.first:
            raise JournalFault("bad event number", place)
        self.events[frame.stream] = frame.first + frame.count
