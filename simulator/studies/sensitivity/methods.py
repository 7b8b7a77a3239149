"""The analyses: from parameters and a model to numbers. Each makes its design, evaluates it, and reads the answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.sensitivity import designs
from simulator.analysis.sensitivity.morris import elementary_effects, trajectories
from simulator.analysis.sensitivity.sobol import Noise, sobol_indices
from simulator.studies.sensitivity.parameters import Parameter
from simulator.studies.sensitivity.points import Evaluate, Settings

Floats = NDArray[np.float64]
LOW, HIGH = 0.05, 0.95


class Range(NamedTuple):
    """One parameter at two quantiles of its prior: the outcome at each, and the difference with its error.

    `label` is what pictures call it, empty where it has none; `unit` that of `own`, `low`, `high`.
    """

    name: str
    address: str
    prior: str
    label: str
    unit: str
    own: float
    low: float
    high: float
    at_low: float
    at_high: float
    swing: float
    mcse: float


class Influence(NamedTuple):
    """Sobol' indices of one parameter with 95 % bootstrap intervals."""

    name: str
    address: str
    prior: str
    label: str
    first: float
    first_lower: float
    first_upper: float
    total: float
    total_lower: float
    total_upper: float


class Effect(NamedTuple):
    """Elementary effects of one parameter; `half_width` is that of the 95 % interval of `mean_abs`.

    `noise` is the SD that Monte Carlo noise alone gives to an effect.
    """

    name: str
    address: str
    prior: str
    mean: float
    mean_abs: float
    half_width: float
    sd: float
    noise: float


class Findings(NamedTuple):
    """What an analysis found: its rows, most influential first, figures of the whole, and the options of a decision.

    `warning` is what must be known before relying on it.
    """

    rows: list[Any]
    figures: dict[str, float]
    points: int
    options: list[Any] = []  # noqa: RUF012 - never changed
    warning: str = ""


def one_way(parameters: Sequence[Parameter], evaluate: Evaluate) -> Findings:
    """Each parameter at its 5th and 95th percentile, the others as the scenario has them.

    Replicates have the same people in every point: the errors are those of differences within people.
    """
    ordered = sorted(parameters, key=lambda one: not one.is_treatment)  # these share the recruited people
    points: list[Settings] = [{}, *(one.at(p) for one in ordered for p in (LOW, HIGH))]
    values = evaluate(points)[:, :, 0]
    rows = []
    for k, one in enumerate(ordered):
        low, high = values[2 * k + 1], values[2 * k + 2]
        swing, error = _mean(high - low)
        ends = one.own, one.value(LOW), one.value(HIGH), float(low.mean()), float(high.mean())
        rows.append(Range(one.name, one.address, one.belief, one.label, one.unit, *ends, swing, error))
    base, error = _mean(values[0])
    rows.sort(key=lambda row: -abs(row.swing))
    return Findings(list(rows), {"base": base, "base_mcse": error}, len(points))


def _mean(x: Floats) -> tuple[float, float]:
    """Mean over replicates and its standard error."""
    error = float(x.std(ddof=1) / np.sqrt(len(x))) if len(x) > 1 else float("nan")
    return float(x.mean()), error


def sobol(parameters: Sequence[Parameter], evaluate: Evaluate, size: int, noise: Noise, seed: int = 1) -> Findings:
    """First and total order over the priors, which are taken as independent."""
    d = len(parameters)
    cube = designs.saltelli(size, d, seed)
    values = evaluate(at_quantiles(parameters, cube.reshape(-1, d)))[:, :, 0]
    found = sobol_indices(values.reshape(size, d + 2, -1), noise=noise)
    columns = _columns(found.first, found.total)
    rows = [
        Influence(one.name, one.address, one.belief, one.label, *(float(x[k]) for x in columns))
        for k, one in enumerate(parameters)
    ]
    rows.sort(key=lambda row: -row.total)
    figures = {
        "mean": found.mean,
        "sd": float(np.sqrt(max(found.variance, 0.0))),
        "noise_sd": float(np.sqrt(found.noise)),
        "noise_share": found.noise_share,
    }
    few = f"With {size} base points the intervals hold the truth in fewer than nine of ten cases: use 32 or more."
    return Findings(list(rows), figures, size * (d + 2), warning=few if size < designs.TRUSTED else "")


def _columns(first: object, total: object) -> list[Floats]:
    return [getattr(one, key) for one in (first, total) for key in ("value", "lower", "upper")]


def at_quantiles(parameters: Sequence[Parameter], cube: Floats) -> list[Settings]:
    """Settings of points given as quantiles of the priors : (n, parameters)."""
    columns = [one.quantile(cube[:, k]) for k, one in enumerate(parameters)]
    return [
        {
            place: x
            for one, value in zip(parameters, row, strict=True)
            for place, x in one.settings(float(value)).items()
        }
        for row in zip(*columns, strict=True)
    ]


def morris(parameters: Sequence[Parameter], evaluate: Evaluate, count: int, shared: bool, seed: int = 1) -> Findings:
    """Elementary effects between the 5th and the 95th percentile of each prior."""
    points = trajectories(count, len(parameters), seed)
    values = evaluate(at_quantiles(parameters, LOW + (HIGH - LOW) * points))[:, :, 0]
    found = elementary_effects(points, values, shared)
    columns = (found.mean, found.mean_abs, found.half_width, found.sd, found.noise)
    rows = [
        Effect(one.name, one.address, one.belief, *(float(x[k]) for x in columns)) for k, one in enumerate(parameters)
    ]
    rows.sort(key=lambda row: -row.mean_abs)
    return Findings(list(rows), {"trajectories": float(found.trajectories)}, len(points))
