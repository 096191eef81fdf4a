#!/usr/bin/env python3
"""Callers that mean harm, against `holdfast serve`. Usage: check.py PROGRAM [--full]

The short form takes half a minute. The full one floods with a million requests on one connection,
then on 200 at once, storms for a minute, and sends 100,000 bodies. Exit status 0 when all is as it
must be, else 1.
"""

import sys

from bodies import bodies
from flood import flood
from service import Service
from storm import storm

failures = 0


def expect(name, wanted, got):
    global failures
    if wanted == got:
        print(f"ok    {name}")
    else:
        print(f"WRONG {name}: wanted {wanted!r}, got {got!r}")
        failures += 1


def main():
    program, is_full = sys.argv[1], "--full" in sys.argv[2:]
    # One reactor, so that what connections share is warm wherever they land.
    with Service(program, "--reactors", "1") as service:
        service.ask("POST", "/v1/stock", "sku,location,sellable\nA,L,1\n",
                    {"Content-Type": "text/csv"})
        if is_full:
            for path in ("/v1/availability/A", "/metrics", "/nowhere"):
                flood(service, expect, path, 1_000_000, 1)
            flood(service, expect, "/v1/availability/A", 1_000_000, 200)
        else:
            flood(service, expect, "/v1/availability/A", 1_000_000, 2)
    with Service(program) as service:
        storm(service, expect, *(5000, 60) if is_full else (3000, 4))
        bodies(service, expect, 100_000 if is_full else 10_000)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
