"""F4: a disk that another file fills, and frees again.

Writes are refused with `journal_full` and change nothing, reads go on, health says so; also after a
kill, or every other round a power cut, and a start on the full disk. When there is space, writes go
on by themselves within 5 seconds.

    full.py PROGRAM [--rounds N] [--seed S]
"""

import argparse
import json
import os
import time

import machine
from checker import Checker
from ledger import OK, REFUSED, UNKNOWN, Ledger
from load import NUMBER_MAX, Load
from replay import Violation
from service import Service, document_call

RESUME_SECONDS = 5
LARGE = 200_000  # Bytes of a large document, about.
ROUNDS_PER_DISK = 2  # Each leaves two segments of the journal behind.


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    machine.enter_private_mounts()
    print(f"full disk: seed {options.seed}", flush=True)
    total = Total()
    for first in range(0, options.rounds, ROUNDS_PER_DISK):
        history(options, range(first, min(options.rounds, first + ROUNDS_PER_DISK)), total)
    relieve(options, total)
    print(f"{options.rounds} full disks, and one relieved by snapshots: {total.acknowledged} events acknowledged, "
          f"{total.refused} refused without effect; writes went on after "
          f"{total.longest:.2f} s at most; 0 lost, 0 ghosts")


class Total:
    acknowledged = refused = longest = 0


def history(options, rounds, total):
    """Rounds on one disk."""
    disk = machine.Disk(64 << 20)
    data = disk.folder + "/data"
    ledger = Ledger(options.seed + rounds[0])
    checker = Checker(ledger, data + "/journal")
    service = Service(options.program, data, ledger).start()
    for number in rounds:
        run_load(service, ledger, options.seed + number, 0.2)
        checker.judge(service, has_restarted=number == rounds[0])
        exhaust(service, ledger, disk.folder + "/filler")
        load = Load(service, ledger, options.seed + 1000 + number, batch=200)
        wait_until(lambda: load.statuses.get(507, 0) > 20)
        load.end()
        judge_full(service, checker)
        if number % 2 == 1:
            disk.cut()
        service.kill()
        if number % 2 == 1:
            disk.remount()
        service = Service(options.program, data, ledger).start(accepted=("journal_full",))
        judge_full(service, checker, has_restarted=True)
        began = time.monotonic()
        os.remove(disk.folder + "/filler")
        wait_until(lambda: takes(service, ledger))
        total.longest = max(total.longest, time.monotonic() - began)
        if total.longest > RESUME_SECONDS:
            raise Violation("writes do not go on", f"after {total.longest:.1f} s")
        wait_until(lambda: service.health()[0] == 200)
        run_load(service, ledger, options.seed + 2000 + number, 0.2)
        checker.judge(service, has_restarted=False)
    service.kill()
    service = Service(options.program, data, ledger).start()
    checker.judge(service)
    service.stop()
    total.acknowledged += ledger.count(OK)
    total.refused += ledger.count(REFUSED)
    disk.remove()


def relieve(options, total):
    """A full disk on which only the journal's own old segments can be let go of."""
    disk = machine.Disk(64 << 20)
    data = disk.folder + "/data"
    ledger = Ledger(options.seed)
    service = Service(options.program, data, ledger, "--snapshot-every", "0s").start()
    checker = Checker(ledger, data + "/journal")
    run_load(service, ledger, options.seed, 0.2)
    while segments(data) < 4:
        put_large(service, ledger)
    checker.judge(service, has_restarted=True)
    machine.fill(disk.folder + "/filler")
    # More than was prepared: two segments.
    taken = 0
    while taken < 12 << 20:
        wait_until(lambda: put_large(service, ledger))
        taken += LARGE
    wait_until(lambda: service.health()[0] == 200)
    checker.judge(service, has_restarted=False)
    service.kill()
    service = Service(options.program, data, ledger).start()
    checker.judge(service)
    total.acknowledged += ledger.count(OK)
    service.stop()
    disk.remove()


def segments(data):
    return sum(name.endswith(".journal") for name in os.listdir(data + "/journal"))


def run_load(service, ledger, seed, seconds, writers=3):
    load = Load(service, ledger, seed, writers)
    time.sleep(seconds)
    load.end()


def wait_until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError("waited in vain")
        time.sleep(0.01)


def exhaust(service, ledger, filler):
    """Leaves no space, neither that of the ballast nor what snapshots make the journal let go of."""
    machine.fill(filler)
    while True:
        use_up(service, ledger)
        machine.fill(filler)
        time.sleep(0.3)
        if not put_large(service, ledger):
            return


def use_up(service, ledger):
    """Fills most of the space that the journal has prepared."""
    while put_large(service, ledger):
        pass


def put_large(service, ledger):
    """Puts a document of `LARGE` bytes; whether there was space for it."""
    document = ledger.documents["rules"]
    number = document.puts[-1][0] % NUMBER_MAX + 1
    document.puts.append((number, UNKNOWN))
    status, body = service.caller.ask(*document_call("rules", number, padding=4000))
    if status == 200:
        document.puts[-1] = (number, OK)
    elif status == 507 and json.loads(body)["code"] == "journal_full":
        document.puts[-1] = (number, REFUSED)
    else:
        raise Violation("refused for another reason than space", f"{status} {body}")
    return status == 200


def judge_full(service, checker, has_restarted=False):
    """All is there, reads are served, health is red, and what is refused changes nothing."""
    ledger = checker.ledger
    status, health = service.health()
    if (status, health["status"], health["reads"], health["writes"]) != (
            503, "journal_full", True, False):
        raise Violation("health of a full disk", f"{status} {health}")
    checker.judge(service, has_restarted, takes_writes=False)
    events = [ledger.make("late") for _ in range(2000)]
    operation = ledger.begin("late", events)
    status, answer = service.send(events)
    operation.close(status, answer)
    codes = {event.code for event in events if event.code}
    if status != 507 or codes != {"journal_full"}:
        raise Violation("answer of a full disk", f"{status} {codes}")
    checker.judge(service, has_restarted=False, takes_writes=False)


def takes(service, ledger):
    events = [ledger.make("again")]
    operation = ledger.begin("again", events)
    status, answer = service.send(events)
    operation.close(status, answer)
    return status == 200


if __name__ == "__main__":
    main()
