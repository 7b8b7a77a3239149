"""Size, coverage and time of the trial analyses over invented trials.

Run as `python -m benchmarks.analyses [replicates] [participants]`. The trials are those of `tests.support.trials`:
2 : 1 allocation, 7 monthly visits, no effect. The rate ratio is run on a tenth of the replicates; response is a loss
of at most 6 points.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from benchmarks.validation_base import PLAIN
from simulator.analysis.replicates import performance
from simulator.analysis.trial.errors import NotEstimableError
from simulator.analysis.trial.registry import ANALYSES
from tests.support.trials import Invented, invented

SLOW = ("rate_ratio", "controlled_mi", "joint_rank_mi")
NOTHING = (float("nan"),) * 5


def row(name: str, replicates: int, of: Invented) -> str:
    """One analysis: milliseconds of one core, and its performance with Monte Carlo errors."""
    found, spent = [], 0.0
    for k in range(replicates):
        data = invented(k, of)
        options = {"responder": {"least_change": -6.0}}.get(name, {}) | ({"seed": k} if ANALYSES[name].draws else {})
        begin = time.process_time()
        try:
            one = ANALYSES[name].run(data, **options)
            found.append((one.value, one.se, one.lower, one.upper, one.p))
        except NotEstimableError:
            found.append(NOTHING)
        spent += time.process_time() - begin
    table = np.array(found)
    is_ = performance(table[:, 0], table[:, 1], table[:, 2:4], table[:, 4], truth=0.0)
    cells = [f"{1e3 * spent / replicates:.2f}", f"{replicates}"]
    cells += [f"{x.value:.4f} ± {x.mcse:.4f}" for x in (is_.rejection, is_.coverage, is_.bias, is_.relative_error)]
    return f"| `{name}` | " + " | ".join([*cells, f"{is_.estimable.value:.4f}"]) + " |"


def main(replicates: int = 10_000, participants: int = 108) -> None:
    """Print the table."""
    print("| analysis | ms | replicates | rejected at 5 % | coverage | bias | model SE/empirical SE − 1 | estimable |")
    print("|---|---|---|---|---|---|---|---|")
    for name in PLAIN:
        print(row(name, replicates // 10 if name in SLOW else replicates, Invented(n=participants)), flush=True)


if __name__ == "__main__":
    main(*(int(text) for text in sys.argv[1:]))
