"""BCEA's tables of its examples Vaccine and Smoking, counted again from BCEA's own draws: python bcea_tables.py FOLDER.

The folder holds `vaccine.csv` and `smoking.csv`, effects then costs of the options, without heads, as BCEA's data sets
of the same names have them. They are BCEA's (GPL-3) and not here. Figures: its vignette `Set_bcea_parameters` and
`test-compute_kstar.R`.
"""

import sys
from pathlib import Path

import numpy as np

from simulator.language import load
from simulator.studies.decide import probabilistic
from simulator.studies.decide.drawing import Drawn
from simulator.studies.decide.research import Sample


def tables_of(file: Path, thresholds: list[float]) -> tuple[list[float], dict, dict]:
    """Ratios against the first option, and by threshold the rows of acceptability and expected loss."""
    effect, cost = np.split(np.loadtxt(file, delimiter=","), 2, axis=1)
    sample = Sample(tuple("abcd"[: effect.shape[1]]), cost[..., None], effect[..., None], Drawn([], [], effect))
    asked = {"decision.thresholds": thresholds, "decision.willingness_to_pay": thresholds[-1]}
    accepted, lost = probabilistic.curves(sample, load("worth_treating").replace(asked))
    extra = [(one - one[:, :1]).mean(axis=0)[1:] for one in (cost, effect)]
    return (extra[0] / extra[1]).tolist(), *({row[0]: row for row in one.rows} for one in (accepted, lost))


def main(folder: Path) -> None:
    """Print each figure beside BCEA's."""
    ratio, accepted, lost = tables_of(folder / "vaccine.csv", [0, 100, 20000, 20100, 25000])
    best = [accepted[k][-2] for k in (20000, 20100)]
    evpi, share = ([round(of[k][at], 4) for k in (0, 100)] for of, at in ((lost, -1), (accepted, 1)))
    print(f"Vaccine: ratio {ratio[0]:.0f} (20098); best at 20,000 and 20,100 {best} (changes at 20,100)")
    print(f"  EVPI at 0 and 100 {evpi} (.0562, .0573); first option accepted {share} (.98, .978)")
    ratio, accepted, _ = tables_of(folder / "smoking.csv", [0, 158, 159, 224, 225, 500])
    best = [accepted[k][-2] for k in (158, 159, 224, 225)]
    print(f"Smoking: ratios {np.round(ratio).tolist()} (159, 196, 198); best at 158, 159, 224, 225 {best} (a, b, b, d)")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
