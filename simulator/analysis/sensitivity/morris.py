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
    grows with curvature, interactions and noise. `noise` is the SD that noise alone gives to an effect, NaN with a
    single replicate: an `sd` of that size says nothing.
    """

    mean: Floats
    mean_abs: Floats
    half_width: Floats
    sd: Floats
    noise: Floats
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
    mean, size, half, sd = (np.asarray(found[key], np.float64) for key in ("mu", "mu_star", "mu_star_conf", "sigma"))
    return Effects(mean, size, half, sd, _noise(points, y), len(points) // (d + 1))


def _noise(points: Floats, y: Floats) -> Floats:
    """SD of the noise of one effect, from the effects of each replicate: what replicates share over a step cancels."""
    d, replicates = points.shape[1], y.shape[1]
    if replicates < 2:
        return np.full(d, np.nan)
    moves = np.diff(points.reshape(-1, d + 1, d), axis=1)
    steps = np.diff(y.reshape(-1, d + 1, replicates), axis=1) / moves.sum(axis=2)[..., None]
    moved = np.abs(moves).argmax(axis=2)
    spread = steps.var(axis=2, ddof=1) / replicates
    return np.array([np.sqrt(spread[moved == k].mean()) for k in range(d)])


def _problem(parameters: int) -> dict[str, Any]:
    names = [f"x{i}" for i in range(parameters)]
    return {"num_vars": parameters, "names": names, "bounds": [[0.0, 1.0]] * parameters}
