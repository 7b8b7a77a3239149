"""Elementary effects: a screening of many parameters with few points. The design is SALib's.

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

from simulator.analysis import crossed
from simulator.analysis.intervals import reach

Floats = NDArray[np.float64]
LEVELS = 4


class Effects(NamedTuple):
    """Elementary effects of each parameter, in units of the outcome over the whole range, each (parameters,).

    `mean` may cancel; `mean_abs` (µ*) does not and has half the width of its 95 % interval beside it; `sd` grows with
    curvature, interactions and noise. `noise` is the SD that noise alone gives to an effect, NaN with a single
    replicate: an `sd` of that size says nothing.
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


def elementary_effects(points: Floats, values: ArrayLike, shared: bool = False) -> Effects:
    """Elementary effects from the points of `trajectories` and the model there.

    Parameters
    ----------
    points : (n, parameters)
    values : (n, replicates) or (n,)
        Replicates are averaged.
    shared : bool
        Whether replicate r is the same people at every point: the interval then holds what is special to them.
    """
    y = np.asarray(values, np.float64).reshape(len(points), -1)
    d = points.shape[1]
    effects = [_effects(points, y, k) for k in range(d)]
    means = [one.mean(axis=1) for one in effects]
    sizes = [crossed.mean(np.sign(mean)[:, None] * one, shared) for mean, one in zip(means, effects, strict=True)]
    return Effects(
        np.array([mean.mean() for mean in means]),
        np.array([size.value for size in sizes]),
        np.array([size.se * float(reach(size.n)) for size in sizes]),
        np.array([mean.std(ddof=1) for mean in means]),
        np.array([_noise(one) for one in effects]),
        len(points) // (d + 1),
    )


def _effects(points: Floats, y: Floats, parameter: int) -> Floats:
    """The effects of one parameter : (trajectories, replicates); what replicates share over a step cancels."""
    d = points.shape[1]
    moves = np.diff(points.reshape(-1, d + 1, d), axis=1)
    steps = np.diff(y.reshape(-1, d + 1, y.shape[1]), axis=1) / moves.sum(axis=2)[..., None]
    found: Floats = steps[np.abs(moves).argmax(axis=2) == parameter]
    return found


def _noise(effects: Floats) -> float:
    """SD of the noise of one effect, from those of each replicate."""
    replicates = effects.shape[1]
    return float(np.sqrt(effects.var(axis=1, ddof=1).mean() / replicates)) if replicates > 1 else float("nan")


def _problem(parameters: int) -> dict[str, Any]:
    names = [f"x{i}" for i in range(parameters)]
    return {"num_vars": parameters, "names": names, "bounds": [[0.0, 1.0]] * parameters}
