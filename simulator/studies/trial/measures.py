"""What the replicates say about each analysis, each figure with its Monte Carlo error and interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.replicates import UNKNOWN, Clusters, Known, Measure, Performance, performance, share
from simulator.studies.trial.population import Truth
from simulator.studies.trial.rows import ESTIMATED, Block
from simulator.studies.trial.sequential import claims

if TYPE_CHECKING:
    from simulator.studies.trial.blocks import Work

Floats = NDArray[np.float64]
POWER = "power"
NULL = ("type_one_error", "null_coverage", "null_bias")
OF_ESTIMATES = tuple(POWER if name == "rejection" else name for name in Performance._fields)
MEASURES = (*OF_ESTIMATES, *NULL)
"""Power is the share that claims benefit by the design; NULL are those of the same trial without an effect."""
BY_TRUTH = ("bias", "mse", "coverage", "right_sign")
COLUMN = {name: k for k, name in enumerate(ESTIMATED)}


def measures(work: Work, estimates: Block, truth: Truth | None, null: Block | None) -> Floats:
    """(analysis, day, measure, 4) the MEASURES: value, Monte Carlo error, and interval."""
    _, analyses, days, _ = estimates.estimates.shape
    found = np.full((analyses, days, len(MEASURES), len(Measure._fields)), np.nan)
    for a, d in np.ndindex(analyses, days):
        name = work.plan.analyses[a]
        known = None if truth is None else truth.known(a, d, work.replicates)
        claimed = claims(work.plan, name, estimates, a, d)
        found[a, d, : len(OF_ESTIMATES)] = _against(estimates.estimates[:, a, d], known, claimed.benefit, work.draw)
        if null is not None:
            claimed = claims(work.plan, name, null, a, d)
            rejects = claimed.benefit | claimed.harm
            found[a, d, len(OF_ESTIMATES) :] = _null(null.estimates[:, a, d], rejects, work.draw)
    return found


def _against(rows: Floats, known: Known | None, benefit: NDArray[np.bool_], draw: Clusters) -> list[Measure]:
    """The measures of (r, 7) estimates against the truth, if there is one; power is that of the design."""
    found = _of(rows, known or Known(0.0), draw)._replace(rejection=share(benefit, draw))
    return [UNKNOWN if name in BY_TRUTH and known is None else one for name, one in found._asdict().items()]


def _of(rows: Floats, known: Known, draw: Clusters) -> Performance:
    value, se, lower, upper, p = (rows[:, COLUMN[name]] for name in ("value", "se", "lower", "upper", "p"))
    return performance(value, se, np.column_stack([lower, upper]), p, truth=known, cluster=draw)


def _null(rows: Floats, rejects: NDArray[np.bool_], draw: Clusters) -> list[Measure]:
    found = _of(rows, Known(0.0), draw)
    return [share(rejects, draw), found.coverage, found.bias]
