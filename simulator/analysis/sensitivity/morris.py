"""Elementary effects: a screening of many parameters with few points. Design and analysis are SALib's.

A step of a trajectory changes one parameter by 2/3 of its range; the elementary effect is the change of the outcome
over the step, per range. Parameters with a small mean absolute effect can be left out of a costlier analysis.

References
----------
Morris (1991), Factorial sampling plans for preliminary computational experiments,
doi:10.1080/00401706.1991.10484804.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
LEVELS = 4


class Effects(NamedTuple):
    """Elementary effects of each parameter, in units of the outcome over the whole range, each (parameters,).

    `mean` may cancel; `mean_abs` (µ*) does not and has half the width of its 95 % bootstrap interval beside it; `sd`
    grows with curvature, interactions and noise. `noise` is the SD that noise alone gives to one effect, NaN with a
    single replicate: an `sd` of that size says nothing.
    """

    mean: Floats
    mean_abs: Floats
    half_width: Floats
    sd: Floats
    noise: float
    trajectories: int


def trajectories(count: int, parameters: int, seed: int = 1) -> Floats:
    """Points of so many trajectories.

    Returns
    -------
    (count * (parameters + 1), parameters) in [0, 1], on four levels.

    Raises
    ------
    ModuleNotFoundError
        The extra `sensitivity` is not installed.
    """
    from SALib.sample.morris import sample

    points: Floats = sample(_problem(parameters), count, num_levels=LEVELS, seed=seed)
    return points


def elementary_effects(points: Floats, values: ArrayLike, seed: int = 1) -> Effects:
    """Elementary effects from the points of `trajectories` and the model there.

    Parameters
    ----------
    points : (n, parameters)
    values : (n, replicates) or (n,)
        Replicates are averaged.
    seed : int
        Of the bootstrap.

    Raises
    ------
    ModuleNotFoundError
        The extra `sensitivity` is not installed.
    """
    from SALib.analyze.morris import analyze

    y = np.asarray(values, np.float64).reshape(len(points), -1)
    d = points.shape[1]
    found = analyze(_problem(d), points, y.mean(axis=1), num_resamples=1000, num_levels=LEVELS, seed=seed)
    step = LEVELS / (2 * (LEVELS - 1))
    noise = float(np.sqrt(2 * _noise(y) / y.shape[1]) / step) if y.shape[1] > 1 else float("nan")
    mean, size, half, sd = (np.asarray(found[key], np.float64) for key in ("mu", "mu_star", "mu_star_conf", "sigma"))
    return Effects(mean, size, half, sd, noise, len(points) // (d + 1))


def _noise(y: Floats) -> float:
    """Variance between replicates beyond what they share at all points: a common shift cancels in an effect."""
    rest = y - y.mean(axis=0) - y.mean(axis=1, keepdims=True) + y.mean()
    return float((rest**2).sum() / ((len(y) - 1) * (y.shape[1] - 1)))


def _problem(parameters: int) -> dict[str, Any]:
    names = [f"x{i}" for i in range(parameters)]
    return {"num_vars": parameters, "names": names, "bounds": [[0.0, 1.0]] * parameters}
