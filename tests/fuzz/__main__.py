"""`python -m tests.fuzz --minutes N [--seed S]`: cases in turn until the time is over; failures have their seed."""

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
from tests.fuzz import cases

COMMANDS = (
    ("run", "analytic/constant_hazard", "-n", "2000"),
    ("sweep", "start_delay", "-n", "50"),
    ("trial", "valor_trial", "--replicates", "100", "--truth", "0", "--no-null"),
)


def main() -> int:
    """Run cases; exit code 1 where one failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 2**31)
    asked = parser.parse_args()
    counts: Counter[str] = Counter()
    end, number = time.monotonic() + 60 * asked.minutes, asked.seed
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "run"
        write_folder(sim.simulate(sim.load("analytic/constant_hazard"), patients=20), folder)
        while time.monotonic() < end:
            number += 1
            draw = random.Random(number)
            kind = draw.choices(("number", "damage", "kill"), (100, 20, 1))[0]
            if kind == "number":
                wrong = cases.number(draw)
            elif kind == "damage":
                wrong = cases.damage(draw, folder)
            else:
                wrong = cases.kill(draw, Path(place), draw.choice(COMMANDS))
            counts[kind] += 1
            if wrong:
                counts[f"{kind} failed"] += 1
                print(f"seed {number - 1}: {kind}: {wrong}", flush=True)
    print(", ".join(f"{count} {what}" for what, count in sorted(counts.items())))
    return int(any("failed" in what for what in counts))


if __name__ == "__main__":
    sys.exit(main())
