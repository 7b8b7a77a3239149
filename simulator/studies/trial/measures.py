"""What the replicates say about each analysis, each figure with its Monte Carlo error."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.replicates import Measure, Performance, performance, share
from simulator.studies.trial.population import Truth
from simulator.studies.trial.replicates import ESTIMATED, Block

Floats = NDArray[np.float64]
NULL = ("type_one_error", "null_coverage", "null_bias")
MEASURES = (*Performance._fields, *NULL)
"""`rejection` is the power where the treatment works; NULL are those of the same trial without an effect."""
BY_TRUTH = ("bias", "mse", "coverage", "right_sign")
UNKNOWN = Measure(float("nan"), float("nan"))
COLUMN = {name: k for k, name in enumerate(ESTIMATED)}


def measures(estimates: Block, truth: Truth | None, null: Block | None) -> Floats:
    """(analysis, day, measure, 2) the MEASURES, value and Monte Carlo error."""
    _, analyses, days, _ = estimates.estimates.shape
    found = np.full((analyses, days, len(MEASURES), 2), np.nan)
    for a, d in np.ndindex(analyses, days):
        target = np.full(1, np.nan) if truth is None else truth.value[:, a, d]
        found[a, d, : len(Performance._fields)] = against(estimates.estimates[:, a, d], target)
        if null is not None:
            found[a, d, len(Performance._fields) :] = _null(null.estimates[:, a, d])
    return found


def against(rows: Floats, target: Floats) -> list[Measure]:
    """The measures of Performance from rows : (r, 7) against the truth : (w,) of the draws, taken in turn."""
    known = bool(np.isfinite(target).all())
    own = np.resize(target, len(rows)) if known else 0.0
    found = _of(rows, own)
    return [UNKNOWN if name in BY_TRUTH and not known else one for name, one in found._asdict().items()]


def _of(rows: Floats, truth: Floats | float) -> Performance:
    value, se, lower, upper, p = (rows[:, COLUMN[name]] for name in ("value", "se", "lower", "upper", "p"))
    return performance(value, se, np.column_stack([lower, upper]), p, truth=truth)._replace(rejection=power(p))


def _null(rows: Floats) -> list[Measure]:
    found = _of(rows, 0.0)
    return [found.rejection, found.coverage, found.bias]


def power(p: Floats, alpha: float = 0.05) -> Measure:
    """Share of replicates that reject; without an estimate there is no rejection."""
    return share(np.nan_to_num(p, nan=1.0) <= alpha)
