"""F9: the order of system calls, as strace sees it.

    one caller     write to a segment -> fdatasync of it -> send of the answer, no send between
    many callers   one fdatasync for each write, before the next one; fewer than answers
    a new folder   mkdir -> fsync of the folder that it lies in, before any answer
    a new segment  zeros -> fdatasync -> rename -> fsync of the folder -> first commit in it

    order.py PROGRAM
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

from checker import Checker
from full import put_large, run_load
from ledger import OK, Ledger
from machine import forbid
from replay import Violation
from service import Service

TRACED = ("pwrite64,pwritev,pwritev2,write,writev,sendto,sendmsg,sendfile,fdatasync,fsync,"
          "sync_file_range,rename,renameat,renameat2,mkdir,mkdirat,io_uring_enter")
MARK_SIZE = 88
SEGMENT = re.compile(r"/journal/([0-9a-f]{16})\.journal>")


class Call:
    """A system call: what it was, on what, and when it began and ended."""

    def __init__(self, thread, start, text):
        self.thread, self.start, self.end = thread, start, None
        self.name, _, self.arguments = text.partition("(")
        segment = SEGMENT.search(self.arguments.split(",")[0])
        self.segment = segment and segment[1]
        self.is_answer = "<socket:" in self.arguments and '\\"accepted\\":' in self.arguments
        size = re.search(r", (\d+), \d+(?:\)| <unfinished)", self.arguments)
        self.is_lone_mark = bool(size) and int(size[1]) == MARK_SIZE

    def __repr__(self):
        return f"{self.start:.6f} {self.thread} {self.name}({self.arguments[:90]}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    options = parser.parse_args()
    if shutil.which("strace") is None:
        forbid("there is no strace")
    if subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True).returncode != 0:
        forbid("tracing is not allowed")
    folder = tempfile.mkdtemp(prefix="holdfast-order-")
    alone(options.program, folder)
    together(options.program, folder)
    shutil.rmtree(folder)


def traced(program, folder, name, ledger):
    """A service under strace, and the file that strace writes."""
    path = f"{folder}/{name}.trace"
    prefix = ("strace", "-f", "-y", "-ttt", "-T", "-s", "400", "-e", f"trace={TRACED}", "-o", path)
    return Service(program, f"{folder}/{name}", ledger, prefix=prefix), path


def end(service):
    """Ends the traced process in order, and with it strace."""
    children = f"/proc/{service.process.pid}/task/{service.process.pid}/children"
    with open(children) as file:
        os.kill(int(file.read().split()[0]), signal.SIGTERM)
    service.end()


def calls(path):
    """The calls of a trace in the order of their starts."""
    found, open_calls = [], {}
    with open(path, errors="replace") as file:
        for line in file:
            thread, moment, text = line.split(None, 2)
            moment = float(moment)
            if text.startswith("<..."):
                call = open_calls.pop(thread)
                call.end = moment
            elif re.match(r"\w+\(", text):
                call = Call(thread, moment, text)
                found.append(call)
                if text.rstrip().endswith("<unfinished ...>"):
                    open_calls[thread] = call
                else:
                    call.end = moment + float(re.search(r"<([\d.]+)>$", text.rstrip())[1])
    if any(call.name == "io_uring_enter" for call in found):
        raise Violation("calls that the trace does not show")
    return found


def commits(found):
    """Pairs of a write to a segment and the fdatasync after it."""
    pairs, write = [], None
    for call in found:
        if not call.segment:
            continue
        if call.name.startswith("pwrite"):
            if write:
                raise Violation("write after write", f"{write} {call}")
            write = call
        elif call.name == "fdatasync":
            if write is None:
                continue  # At a start: what was found is made durable.
            if call.segment != write.segment or call.start < write.end:
                raise Violation("sync of something else", f"{write} {call}")
            pairs.append((write, call))
            write = None
    if write:
        raise Violation("write without sync", f"{write}")
    return pairs


def alone(program, folder):
    """One caller, one question at a time."""
    ledger = Ledger(1)
    service, path = traced(program, folder, "alone", ledger)
    service.start()
    checker = Checker(ledger, f"{folder}/alone/journal")
    answers = 0
    for _ in range(50):
        events = [ledger.make("one") for _ in range(3)]
        operation = ledger.begin("one", events)
        operation.close(*service.send(events))
        answers += operation.outcome == OK
        time.sleep(0.002)
    checker.judge(service, has_restarted=False)
    end(service)
    found = calls(path)
    pairs = commits(found)
    # The mark of a quiet journal acknowledges nothing.
    pairs = [(write, sync) for write, sync in pairs if not write.is_lone_mark]
    sends = [call for call in found if call.is_answer]
    if answers != 50 or len(pairs) < answers or len(sends) < answers:
        raise Violation("too few calls seen", f"{answers} {len(pairs)} {len(sends)}")
    for write, sync in pairs:
        for send in sends:
            if write.start < send.start < sync.end:
                raise Violation("send between write and sync", f"{write} {send} {sync}")
    for last, send in zip(sends[:answers], sends[1:answers]):
        if not any(last.end < write.start and sync.end < send.start for write, sync in pairs):
            raise Violation("send without a commit", f"{last} {send}")
    check_folders(found, folder, sends[0])
    print(f"one caller: {answers} answers, {len(pairs)} commits, each written, synced, then told")


def check_folders(found, folder, first):
    """Each folder that was made is synced where it lies, before the first answer."""
    for name in ("alone", "alone/journal", "alone/snapshots"):
        made = [call for call in found if call.name.startswith("mkdir")
                and f'"{folder}/{name}"' in call.arguments]
        parent = os.path.dirname(f"{folder}/{name}")
        if not made or not any(
                call.name == "fsync" and f"<{parent}>" in call.arguments
                and made[0].end <= call.start and call.end <= first.start for call in found):
            raise Violation("folder not synced where it lies", name)


def together(program, folder):
    """Many callers, until the journal goes on in another segment."""
    ledger = Ledger(2)
    service, path = traced(program, folder, "together", ledger)
    service.start()
    checker = Checker(ledger, f"{folder}/together/journal")
    began = time.time()
    run_load(service, ledger, 2, 1.5, writers=8)
    ended, answers = time.time(), len(ledger.operations)
    for _ in range(40):
        put_large(service, ledger)
    run_load(service, ledger, 3, 0.2)
    checker.judge(service, has_restarted=False)
    end(service)
    found = calls(path)
    pairs = commits(found)
    shared = sum(began < write.start < ended for write, _ in pairs)
    segments = {write.segment for write, _ in pairs}
    if shared >= answers or len(segments) < 2:
        raise Violation("no commits of several answers, or one segment alone",
                        f"{shared} {answers} {segments}")
    for segment in segments:
        first = min(write.start for write, _ in pairs if write.segment == segment)
        renames = [call for call in found if call.name.startswith("rename")
                   and f"{segment}.journal" in call.arguments]
        if len(renames) != 1:
            raise Violation("segment without a rename", segment)
        check_preparation(found, renames[0], first, segment)
    print(f"many callers: {answers} answers in {shared} commits, one sync each; "
          f"{len(segments)} segments prepared, synced, renamed and their folder synced before use")


def check_preparation(found, rename, first, segment):
    """All that was written under the other name is synced before the rename, the folder after."""
    before = [call for call in found if "next.preparing>" in call.arguments.split(",")[0]
              and call.end <= rename.start]
    writes = [call for call in before if call.name.startswith("pwrite")]
    syncs = [call for call in before if call.name in ("fdatasync", "fsync")]
    if not writes or not syncs or max(call.end for call in writes) > max(
            call.start for call in syncs):
        raise Violation("renamed before it was synced", segment)
    folder_syncs = [call for call in found if call.name == "fsync" and "/journal>" in call.arguments
                    and call.start >= rename.end and call.end <= first]
    if not folder_syncs:
        raise Violation("written before its folder was synced", segment)


if __name__ == "__main__":
    main()
