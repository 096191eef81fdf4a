"""F1: power cuts under load on an ext4 of its own, at random instants, cut after cut.

The file system is shut down while the service writes (what was not synced is gone), the service is
killed, the file system mounted anew, the service started and judged. Some rounds kill the service
first and cut the power while it starts. Each history begins with cuts while a directory is made:
the next start must make do with what there is.

    power.py PROGRAM [--cuts N] [--seconds S] [--seed S]
"""

import argparse
import os
import random
import shutil
import time

import machine
from checker import Checker
from kill import judge_anew
from ledger import OK, Ledger
from load import Load
from service import Service

# A history this long is ended, and another begun on an empty disk.
EVENTS_MAX = 40_000
BIRTHS = 5


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--cuts", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=1e9)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    machine.enter_private_mounts()
    print(f"power cuts: seed {options.seed}", flush=True)
    began = time.monotonic()
    total = Total()
    while total.cuts < options.cuts and time.monotonic() - began < options.seconds:
        disk = machine.Disk(48 << 20)
        try:
            history(options, disk, began, total)
        except BaseException:
            print(f"after {total.cuts} cuts; the disk is kept as {disk.keep()}")
            raise
        disk.remove()
    seconds = time.monotonic() - began
    print(f"{total.cuts} power cuts, {total.starts} of them in start-up, and {total.births} "
          f"while a directory was made, in {seconds:.0f} s: "
          f"{total.acknowledged} events acknowledged, {total.unknown} unknown and sent again; "
          f"{total.segments} segments; 0 lost, 0 twice, 0 ghosts")


class Total:
    births = cuts = starts = acknowledged = unknown = segments = 0


def history(options, disk, began, total):
    """Cuts on one disk, until there have been enough."""
    seed = options.seed + total.cuts
    draw = random.Random(seed)
    data = disk.folder + "/data"
    ledger = Ledger(seed)
    checker = Checker(ledger, data + "/journal")
    for number in range(BIRTHS):
        birth(options.program, disk, f"{disk.folder}/born-{number}", ledger, draw.random() * 0.1)
        total.births += 1
    while (total.cuts < options.cuts and time.monotonic() - began < options.seconds
           and len(ledger.by_at) < EVENTS_MAX):
        service = Service(options.program, data, ledger).start()
        checker.judge(service)
        load = Load(service, ledger, seed + total.cuts)
        time.sleep(draw.choice((0.005, 0.03, 0.1)) * draw.random())
        if draw.random() < 0.2:
            # What was written and not synced is read from memory by the next start, and told to
            # callers: it has to be synced before.
            service.kill()
            service = Service(options.program, data, ledger)
            time.sleep(draw.random() * 0.08)
            total.starts += 1
        disk.cut()
        # It lives on for a moment; what it says then must hold too.
        time.sleep(draw.choice((0, 0.03)) * draw.random())
        service.kill()
        load.join()
        disk.remount()
        total.cuts += 1
    service = Service(options.program, data, ledger).start()
    checker.judge(service)
    service.stop()
    judge_anew(options.program, data, ledger, checker)
    total.unknown += checker.unknown_count
    total.acknowledged += ledger.count(OK) - checker.unknown_count
    total.segments += checker.walk.segment_count


def birth(program, disk, data, ledger, seconds):
    """A cut while a directory is made."""
    service = Service(program, data, ledger)
    time.sleep(seconds)
    disk.cut()
    service.kill()
    disk.remount()
    service = Service(program, data, ledger).start()
    Checker(Ledger(0), data + "/journal").judge(service)
    service.kill()
    shutil.rmtree(data)
    os.sync()  # Or the next cut brings it back.


if __name__ == "__main__":
    main()
