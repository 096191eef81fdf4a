"""Writes version-1.journal: a segment made from the description of the format alone."""
import pathlib
import struct

P1, P2, P3, P4, P5 = (
    0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9,
    0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5)
M = 2**64 - 1


def rotate(word, bits):
    return (word << bits | word >> (64 - bits)) & M


def step(lane, word):
    return rotate((lane + word * P2) & M, 31) * P1 & M


def xxh64(data):
    """XXH64 with seed 0, for lengths that are multiples of 8."""
    words = struct.unpack(f"<{len(data) // 8}Q", data)
    place = 0
    if len(words) >= 4:
        lanes = [(P1 + P2) & M, P2, 0, -P1 & M]
        while place + 4 <= len(words):
            lanes = [step(lane, words[place + i]) for i, lane in enumerate(lanes)]
            place += 4
        result = sum(rotate(lane, bits) for lane, bits in zip(lanes, (1, 7, 12, 18))) & M
        for lane in lanes:
            result = ((result ^ step(0, lane)) * P1 + P4) & M
    else:
        result = P5
    result = (result + len(data)) & M
    for word in words[place:]:
        result = (rotate(result ^ step(0, word), 27) * P1 + P4) & M
    result = (result ^ result >> 33) * P2 & M
    result = (result ^ result >> 29) * P3 & M
    return result ^ result >> 32


heads = {}


def frame(kind, stream, generation, payload, count=0, first=0, time=0):
    sequence, previous = heads.get(stream, (0, 0))
    padded = payload + bytes(-len(payload) % 8)

    def whole(own):
        return struct.pack(
            "<4sBBHIIQQQqQQ", b"\xfc\xff\x4a\x48", 1, kind, stream, len(payload), count,
            generation, sequence + 1, first, time, previous, own) + padded

    own = xxh64(whole(0))
    heads[stream] = (sequence + 1, own)
    return whole(own)


def mark(position, durable, frames, kind=3, generation=1):
    return frame(kind, 0xFFFE, generation, struct.pack("<QQQ", position, durable, frames))


def streams(position, durable, frames):
    """The first mark: two shards, control, the journal's own, all at the start."""
    payload = struct.pack("<QQQQ", position, durable, frames, 4) + bytes(4 * 24)
    return frame(4, 0xFFFE, 1, payload)


image = streams(0, 0, 0)
commit = (frame(1, 0, 1, b"received 5", 1, 100, 1_790_000_000_000)
          + frame(1, 0xFFFF, 1, b"", 0, 0, -1))
image += mark(len(image), len(image), len(commit)) + commit
commit = frame(2, 0, 1, bytes(range(100)), 0, 101, 1_790_000_000_500)
image += mark(len(image), len(image), len(commit), generation=2) + commit
image += mark(len(image), len(image), 0, kind=5, generation=2)
pathlib.Path(__file__).with_name("version-1.journal").write_bytes(image.ljust(4096, b"\0"))
