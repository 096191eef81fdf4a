"""F7: starts that must be refused: with a clear message and an exit status that is not 0.

A second process on the same directory; a directory of another owner; one that is read-only; one of
a newer version; one of which parts are missing or damaged.

    second.py PROGRAM
"""

import argparse
import json
import os
import shutil
import subprocess
import tempfile

import machine
from checker import Checker
from full import run_load
from journal import HEADER
from ledger import Ledger
from replay import Violation
from service import SIZES, Service

NOBODY = 65534


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    options = parser.parse_args()
    no_mounts = machine.why_no_mounts()
    if not no_mounts:
        machine.enter_private_mounts()
    folder = tempfile.mkdtemp(prefix="holdfast-second-")
    os.chmod(folder, 0o755)
    data = folder + "/data"
    ledger = Ledger(1)
    checker = Checker(ledger, data + "/journal")
    service = Service(options.program, data, ledger).start()
    run_load(service, ledger, 1, 0.2)
    refuse(options.program, data, "is in use by another process")
    # It has not disturbed the first.
    checker.judge(service)
    service.kill()
    if os.geteuid() == 0:
        refuse_other_owner(options.program, data)
    else:
        print("not run: only root can start a process as another user")
    if no_mounts:
        print(f"not run: a read-only file system: {no_mounts}")
    else:
        refuse_read_only(options.program, data)
    for name, change, expected in CHANGES:
        refuse_changed(options.program, data, name, change, expected)
    service = Service(options.program, data, ledger).start()
    checker.judge(service)
    service.stop()
    shutil.rmtree(folder)
    print("nothing was changed by them")


def refuse(program, data, expected, user=None):
    """A start that must end by itself; what it said."""
    result = subprocess.run(
        [program, "serve", "--http", "127.0.0.1:0", "--data", data, *SIZES], timeout=20,
        capture_output=True, text=True, user=user)
    said = result.stderr.strip()
    if result.returncode <= 0 or expected not in said or len(said.splitlines()) > 3:
        raise Violation("not refused as it must be",
                        f"{result.returncode}, not with '{expected}': {said} {result.stdout}")
    print(f"refused: {said}")


def refuse_other_owner(program, data):
    with tempfile.TemporaryDirectory() as folder:
        # Where others can run it.
        os.chmod(folder, 0o755)
        refuse(shutil.copy2(program, folder), data, "Permission denied", user=NOBODY)


def refuse_read_only(program, data):
    machine.run("mount", "--bind", data, data)
    machine.run("mount", "-o", "remount,ro,bind", data)
    refuse(program, data, "Read-only file system")
    machine.run("umount", data)


def refuse_changed(program, data, name, change, expected):
    """Refused with a file changed, or away; afterwards it is as it was."""
    path = f"{data}/{name}"
    with tempfile.TemporaryDirectory() as aside:
        kept = shutil.copy2(path, aside)
        if change:
            with open(path, "r+b") as file:
                content = change(file.read())
                file.seek(0)
                file.truncate()
                file.write(content)
        else:
            os.unlink(path)
        refuse(program, data, expected)
        shutil.copy2(kept, path)


def newer_format(content):
    return json.dumps({**json.loads(content), "format": 99}).encode()


def newer_frame(content):
    """The second frame has a version that is not known yet."""
    length = HEADER.unpack_from(content)[4]
    second = HEADER.size + (length + 7 & ~7) + 4
    return content[:second] + b"\x63" + content[second + 1:]


def flip(content):
    return content[:70] + bytes([content[70] ^ 1]) + content[71:]


SEGMENT = f"journal/{0:016x}.journal"
CHANGES = (
    ("holdfast.json", newer_format, "newer version"),
    ("holdfast.json", lambda content: content[:9], "is not what this program wrote"),
    ("holdfast.json", None, "has a journal but no holdfast.json"),
    ("key", flip, "key is damaged"),
    ("key", None, "No such file"),
    (SEGMENT, newer_frame, "newer version"),
    (SEGMENT, flip, "damaged"),
)

if __name__ == "__main__":
    main()
