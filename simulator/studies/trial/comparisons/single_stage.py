"""A trial with one analysis: which arms are claimed, by the test of its comparisons."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.trial import dose_response, dunnett
from simulator.analysis.trial.multiplicity import claimed
from simulator.language.comparisons import Comparisons
from simulator.studies.trial.comparisons.arms import SE, Compared

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def claims(written: Comparisons, found: Compared, doses: Floats | None, two_sided: float) -> tuple[Bools, Bools, float]:
    """(k,) arms of which benefit is claimed, and harm; p of the trend, one-sided, NaN without one."""
    trend = np.nan
    benefit, harm = (_side(written.test, side * found.z, found.loading, two_sided) for side in (1, -1))
    if doses is not None and written.trend is not None:
        known = np.isfinite(found.z)
        trend = 1.0
        if known.sum() > 1:
            shapes = [
                dose_response.Shape(one.form, one.parameter.value if one.parameter else 1.0)
                for one in written.trend.shapes
            ]
            values = np.array([dose_response.effects(one, doses) for one in shapes])[:, known]
            trend = dose_response.trend(found.better[known], found.rows[known, SE], found.loading[known], values).p
        benefit &= trend <= two_sided / 2
    return benefit, harm, float(trend)


def _side(test: str, z: Floats, loading: Floats, two_sided: float) -> Bools:
    """(k,) claims of one side, at half of the two-sided level."""
    from scipy.special import ndtr

    alpha = two_sided / 2
    if test == "dunnett":
        return np.asarray(dunnett.single_step(z, loading) <= alpha)
    if test in ("unadjusted", "posterior"):
        return np.asarray(ndtr(-np.nan_to_num(z, nan=-np.inf)) <= alpha)
    if test == "step_down":
        return np.asarray(dunnett.step_down(z, loading) <= alpha)
    return claimed(np.where(np.isnan(z), 1.0, ndtr(-z))[None], alpha, test)[0]
