"""`python -m tests.fuzz --minutes N [--seed S]`: cases in turn until the time is over; failures have their seed.

`python -m tests.fuzz --every numbers|mixtures [--part K/N]`: every kind of number at every edge, or MIXTURES mixtures
of blocks; of N parts the one numbered K, from 0. `--every kills|disks`: every command that writes, again and again.
`--cases A:B`: only cases, or commands, from the A-th to before the B-th.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import simulator as sim
from simulator.results.folder import write_folder
from tests.fuzz import cases, disks

MIXTURES = 2157


EACH = {"kills": 12, "disks": 8}
"""Cases for each command."""


def each(what: str, count: int, some: slice) -> int:
    """Every command that writes killed, or with a full disk, so many times."""
    one_case, commands = (cases.kill, cases.COMMANDS) if what == "kills" else (disks.full, cases.WRITING)
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        for command in commands[some]:
            found = [one_case(random.Random(seed), Path(name), command) for seed in range(count)]
            wrong = [one for one in found if one]
            failed += len(wrong)
            print(*wrong, f"{count - len(wrong)} of {count} {what}: {' '.join(command)}", sep="\n", flush=True)
    return int(failed > 0)


def every(what: str, part: str, some: str) -> int:
    """All cases of a kind, or one part of them."""
    k, n = map(int, part.split("/"))
    first, end = (int(one) if one else None for one in some.split(":"))
    wrong = 0
    if what in EACH:
        return each(what, EACH[what], slice(first, end))
    cases_of = (list(cases.numbers()) if what == "numbers" else range(MIXTURES))[first:end][k::n]
    for number, one in enumerate(cases_of):
        if number % 100 == 0:
            print(f"{number:,} of {len(cases_of):,} {what}, {wrong} failed", flush=True)
        told = cases.at_edge(*one) if isinstance(one, tuple) else cases.mixture(random.Random(one))
        if told:
            wrong += 1
            print(f"{one}: {told}", flush=True)
    print(f"{len(cases_of):,} {what}, {wrong} failed", flush=True)
    return int(wrong > 0)


def main() -> int:
    """Run cases; exit code 1 where one failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 2**31)
    parser.add_argument("--every", choices=("numbers", "mixtures", *EACH))
    parser.add_argument("--part", default="0/1", metavar="K/N")
    parser.add_argument("--cases", default=":", metavar="A:B")
    asked = parser.parse_args()
    if asked.every:
        return every(asked.every, asked.part, asked.cases)
    counts: Counter[str] = Counter()
    end, number = time.monotonic() + 60 * asked.minutes, asked.seed
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "run"
        write_folder(sim.simulate(sim.load("analytic/constant_hazard"), patients=20), folder)
        while time.monotonic() < end:
            number += 1
            draw = random.Random(number)
            kind = draw.choices(("number", "mixture", "damage", "family", "kill"), (100, 40, 20, 10, 1))[0]
            if kind == "number":
                wrong = cases.number(draw)
            elif kind == "mixture":
                wrong = cases.mixture(draw)
            elif kind == "family":
                wrong = cases.family(draw)
            elif kind == "damage":
                wrong = cases.damage(draw, folder)
            else:
                wrong = cases.kill(draw, Path(place), draw.choice(cases.COMMANDS))
            counts[kind] += 1
            if wrong:
                counts[f"{kind} failed"] += 1
                print(f"seed {number - 1}: {kind}: {wrong}", flush=True)
    print(", ".join(f"{count} {what}" for what, count in sorted(counts.items())))
    return int(any("failed" in what for what in counts))


if __name__ == "__main__":
    sys.exit(main())
