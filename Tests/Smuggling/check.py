#!/usr/bin/env python3
"""Do Holdfast and others see the same requests in the same bytes?

    check.py --holdfast PROGRAM --framing PROGRAM [--count N] [--wire N] [--seed S]

Streams are known tricks (corpus.py) and mutations of them, each followed by a marker request:

  in memory   N mutations by Holdfast's parser, h11 and httptools
  direct      the corpus and `--wire` mutations to a service, one connection each
  nginx       the same to nginx in front of the service: what it saw, what it passed on

Exit status 0 when every trick is refused as it must be and no two readers differ, else 1.
"""

import argparse
import collections
import itertools
import random
import sys
import time

import corpus
import mutation
import wire
from readers import CLOSED, PARTIAL, PEERS, REFUSED, Holdfast, difference

MARKER = b"GET /marker HTTP/1.1\r\nHost: x\r\n\r\n"
BATCH = 500
SHOWN = 20


class Report:
    """Counts what happened, and shows the first findings."""

    def __init__(self):
        self.findings = 0
        self.counts = collections.Counter()

    def finding(self, where, what, stream):
        self.findings += 1
        if self.findings <= SHOWN:
            print(f"WRONG {where}: {what}\n      {stream!r}")

    def show(self, title):
        counts = (f"{name} {count}" for name, count in sorted(self.counts.items()))
        print(f"{title}: " + ", ".join(counts), flush=True)
        self.counts.clear()


def check_case(report, case, ours):
    """A trick must be refused with a status of its list; what is valid must be accepted."""
    if not case.statuses:
        is_right = ours.end != REFUSED and ours.requests and (
            ours.end == CLOSED or ours.requests[-1][1] == b"/marker")
    else:
        is_right = ours.end == REFUSED and ours.status in case.statuses
    if not is_right:
        report.finding(case.name, ours, case.stream)


def compare(report, stream, ours):
    """What each peer sees in `stream`, beside what Holdfast does."""
    for name, read in PEERS.items():
        theirs = read(stream)
        report.counts[f"{name} {theirs.end}"] += 1
        if what := difference(ours, theirs):
            report.finding(name, what, stream)


def mutations(cases, count, seed):
    """`count` changed cases, each with a marker behind it."""
    generator = random.Random(seed)
    short = [case for case in cases if len(case.stream) < 1000]
    valid = [case.stream for case in short if not case.statuses]
    invalid = [case.stream for case in short if case.statuses]
    for _ in range(count):
        yield mutation.mutated(valid, invalid, generator) + MARKER


def in_memory(report, framing, cases, count, seed):
    reader = Holdfast(framing)
    streams = [case.stream + MARKER for case in cases]
    for case, stream, ours in zip(cases, streams, reader.read(streams)):
        check_case(report, case, ours)
        compare(report, stream, ours)
    report.show(f"corpus of {len(cases)}")
    start = time.monotonic()
    rest = mutations(cases, count, seed)
    while batch := list(itertools.islice(rest, BATCH)):
        for stream, ours in zip(batch, reader.read(batch)):
            report.counts[f"ours {ours.end}"] += 1
            # Refused before the first request: no peer can see fewer.
            if ours.requests or ours.end != REFUSED:
                compare(report, stream, ours)
    report.show(f"in memory, {count} mutations in {time.monotonic() - start:.0f} s")
    reader.close()


def on_the_wire(report, programs, cases, count, seed):
    reader = Holdfast(programs.framing)
    streams = [case.stream + MARKER for case in cases]
    streams += mutations(cases, count, f"{seed} wire")
    # A call that takes its body as it comes.
    streams += [stream.replace(b"/v1/availability", b"/v1/events") for stream in streams]
    readings = reader.read(streams)
    reader.close()
    with wire.CountingService(programs.holdfast) as service:
        for stream, ours in zip(streams, readings):
            if what := wire.difference_of_answers(ours, service.answers(stream)):
                report.finding("answers", what, stream)
            report.counts[ours.end] += 1
        report.show(f"direct, {len(streams)} connections")
        for is_buffered in (True, False):
            with wire.Nginx(service, is_buffered) as nginx:
                behind_nginx(report, nginx, service, streams, readings)
            report.show(f"nginx, bodies {'whole' if is_buffered else 'streamed'}, "
                        f"{len(streams)} connections")


def behind_nginx(report, nginx, service, streams, readings):
    seen = service.request_count()
    for stream, ours in zip(streams, readings):
        theirs, passed = nginx.send(stream)
        report.counts[theirs.end] += 1
        report.counts["passed on"] += passed
        may_be_partial = not nginx.is_buffered and ours.end == PARTIAL
        if may_be_partial and len(theirs.requests) > len(ours.requests):
            theirs.requests.pop()  # Answered before its body was whole.
        if what := difference(ours, theirs):
            report.finding("nginx", what, stream)
        now = service.request_count()
        # One that nginx gave up on may have been answered meanwhile.
        may_be_more = not nginx.is_buffered and theirs.end == PARTIAL
        if now - seen - passed not in ((0, 1) if may_be_more else (0,)):
            report.finding("behind nginx", f"{passed} passed on, {now - seen} seen", stream)
        seen = now


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--holdfast", required=True)
    parser.add_argument("--framing", required=True)
    parser.add_argument("--count", type=int, default=20_000, help="mutations in memory")
    parser.add_argument("--wire", type=int, default=500, help="mutations on the wire")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    programs = parser.parse_args()
    print(f"seed {programs.seed}")
    cases = list(corpus.cases())
    report = Report()
    in_memory(report, programs.framing, cases, programs.count, programs.seed)
    on_the_wire(report, programs, cases, programs.wire, programs.seed)
    print(f"{report.findings} findings" if report.findings else "nothing found")
    sys.exit(1 if report.findings else 0)


if __name__ == "__main__":
    main()
