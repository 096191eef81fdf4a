"""F2: kill -9 under load and in start-up, at random instants, round after round on one directory.

    kill.py PROGRAM [--rounds N] [--seed S]
"""

import argparse
import random
import shutil
import tempfile
import time

from checker import Checker
from ledger import OK, REFUSED, Ledger
from load import Load
from service import Service


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="holdfast-kill-")
    print(f"kill -9: seed {options.seed}, in {folder}", flush=True)
    draw = random.Random(options.seed)
    ledger = Ledger(options.seed)
    checker = Checker(ledger, folder + "/journal")
    began = time.monotonic()
    starts = 0
    for number in range(options.rounds):
        service = Service(options.program, folder, ledger)
        if draw.random() < 0.25:
            time.sleep(draw.random() * 0.08)
            service.kill()
            starts += 1
            service = Service(options.program, folder, ledger)
        service.start()
        checker.judge(service)
        load = Load(service, ledger, options.seed + number)
        time.sleep(draw.choice((0.01, 0.05, 0.2)) * draw.random())
        service.kill()
        load.join()
    service = Service(options.program, folder, ledger).start()
    checker.judge(service)
    service.stop()
    judge_anew(options.program, folder, ledger, checker)
    seconds = time.monotonic() - began
    print(f"{options.rounds} kills under load and {starts} in start-up in {seconds:.0f} s: "
          f"{ledger.count(OK) - checker.unknown_count} events acknowledged, "
          f"{checker.unknown_count} unknown and sent again, "
          f"{ledger.count(REFUSED)} refused; 0 lost, 0 twice, 0 ghosts")
    shutil.rmtree(folder)


def judge_anew(program, folder, ledger, checker):
    """Reads all of the journal again, from its beginning, after an end in order."""
    whole = Checker(ledger, folder + "/journal")
    service = Service(program, folder, ledger).start()
    whole.judge(service)
    service.stop()
    if whole.generation <= checker.generation:
        raise RuntimeError("the generation did not rise")


if __name__ == "__main__":
    main()
