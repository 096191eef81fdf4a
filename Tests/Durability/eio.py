"""F3: a sync that fails, for real: the device below has no place for what is synced.

The image lies in a memory of limited size. Where the journal will be written next, the image is
made a hole, and the memory is filled: the kernel's write-back fails, and fdatasync says so, once.
From then on nothing may be acknowledged; who waits is told that the outcome is unknown, reads go on
and say that they may not be durable. After a start on a device that is well again all that was
acknowledged is there. Every other round starts on the same mount, whose page cache still holds what
never reached the device, and then cuts the power.

    eio.py PROGRAM [--rounds N] [--seed S]
"""

import argparse
import json
import os
import time

import machine
from checker import Checker
from full import run_load, wait_until
from ledger import OK, Ledger
from load import Load
from replay import Violation
from service import Service

# Of the segment, behind the end: what may be written before the device fails.
SLACK = 64 << 10
RED_SECONDS = 0.1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    machine.enter_private_mounts()
    print(f"EIO on sync: seed {options.seed}", flush=True)
    disk = machine.Disk(64 << 20)
    data = disk.folder + "/data"
    ledger = Ledger(options.seed)
    checker = Checker(ledger, data + "/journal")
    codes = {}
    service = Service(options.program, data, ledger).start()
    for number in range(options.rounds):
        run_load(service, ledger, options.seed + number, 0.1)
        checker.judge(service, has_restarted=number == 0)
        filler = break_device(disk, checker.walk)
        first = len(ledger.operations)
        load = Load(service, ledger, options.seed + 1000 + number)
        wait_until(lambda: load.statuses.get(503, 0) > 0)
        red = time.monotonic()
        wait_until(lambda: service.health()[0] == 503)
        if time.monotonic() - red > RED_SECONDS:
            raise Violation("health is red too late", f"{time.monotonic() - red:.3f} s")
        time.sleep(0.05)
        load.end()
        judge_failed(service, ledger.operations[first:], ledger, codes)
        service.kill()
        os.remove(filler)
        if number % 2 == 0:
            disk.remount()
        service = Service(options.program, data, ledger).start()
        checker.judge(service)
        if number % 2 == 1:
            disk.cut()
            service.kill()
            disk.remount()
            service = Service(options.program, data, ledger).start()
            checker.judge(service)
    service.stop()
    print(f"{options.rounds} devices that failed: "
          f"{ledger.count(OK) - checker.unknown_count} events acknowledged, "
          f"{checker.unknown_count} unknown and sent again; refusals {codes}; "
          "none acknowledged after the first error, 0 lost, 0 ghosts")
    disk.remove()


def break_device(disk, walk):
    """Takes the ground from under what the journal writes next; the file that fills the memory."""
    path = f"{walk.folder}/{walk.base:016x}.journal"
    start = walk.offset + SLACK & ~4095
    # A request of which the first part finds a place is a success to the loop device, and the rest
    # is lost: none may lie on both sides. All else has its place.
    disk.move(path, start)
    with open(disk.image, "r+b") as image:
        os.posix_fallocate(image.fileno(), 0, os.path.getsize(disk.image))
    for logical, physical, size in disk.extents(path):
        skipped = max(0, start - logical)
        if skipped < size:
            machine.run("fallocate", "-p", "-o", str(physical + skipped), "-l",
                        str(size - skipped), disk.image)
    filler = disk.memory + "/filler"
    machine.fill(filler)
    return filler


def judge_failed(service, operations, ledger, codes):
    """What a service says and does that must not acknowledge any more."""
    failed = [operation for operation in operations if operation.status == 503]
    first = min(operation.end for operation in failed)
    seen = set()
    for operation in operations:
        seen.update(event.code for event in operation.events if event.code)
        if operation.start > first and any(event.outcome == OK for event in operation.events):
            raise Violation("acknowledged after an error", f"{operation.events}")
    # Where a mark or a document failed, no event was under way.
    if not seen or seen - {"outcome_unknown", "read_only"}:
        raise Violation("answers after an error", f"{seen}")
    for code in seen:
        codes[code] = codes.get(code, 0) + sum(
            event.code == code for operation in operations for event in operation.events)
    _, health = service.health()
    if (health["status"], health["reads"], health["writes"]) != ("read_only", True, False):
        raise Violation("health after an error", f"{health}")
    if "error" not in health:
        raise Violation("health does not name the error", f"{health}")
    question = json.dumps({"items": [{"sku": ledger.skus[0]}]})
    status, body = service.caller.ask("POST", "/v1/availability", question)
    if status != 200 or json.loads(body).get("durable") is not False:
        raise Violation("read after an error", f"{status} {body}")


if __name__ == "__main__":
    main()
