"""The summary as tidy rows: one estimate a row."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.analysis.intervals import mean_interval, reach, share_interval
from simulator.results.arrays import QUANTILES, Group
from simulator.results.variables import POSITIVE, SCORE, STAGES, SUMMARISED

if TYPE_CHECKING:
    from simulator.results.tree import Result

DRAWN = (0.05, 0.95)  # what lower and upper are over the draws of a run
_POSITIVE = frozenset(row.name for row in SUMMARISED if row.transform == "log")
_ENDS = {f"{row.name}_mean": row.ends for row in SUMMARISED} | {f"{row.name}_sd": (0, np.inf) for row in SUMMARISED}
_ENDS |= {"alsfrs_r_death0_mean": SCORE, "svc_death0_mean": POSITIVE}
_PROBABILITIES = ("survival", "event_free")


class Row(NamedTuple):
    """One estimate with its 95 % Monte Carlo interval; `time` in days since baseline."""

    scenario: str
    arm: str
    metric: str
    time: float
    estimate: float
    lower: float
    upper: float
    mcse: float
    n: int


class Series(NamedTuple):
    """One metric: estimates, their errors and the patients behind them, each (arm, time).

    `limits` : lower and upper, where they do not follow from the error.
    """

    name: str
    value: np.ndarray
    mcse: np.ndarray
    n: np.ndarray
    limits: tuple[np.ndarray, np.ndarray] | None = None


def summary_rows(result: Result) -> list[Row]:
    """Every estimate of the summary group: by arm, then metric, then time."""
    group = result.groups["summary"]
    alive, everybody = group["alive"].values, np.full_like(group["alive"].values, result.n_patients)
    series = [
        Series(name, group[name].values, group[f"{name}_mcse"].values, everybody)
        for name in (*_PROBABILITIES, "alsfrs_r_death0_mean", "serious_neurologic_share")
        if name in group
    ]
    for row in (row for row in SUMMARISED if result.has(row.of)):
        names = (f"{row.name}_mean", f"{row.name}_sd")
        series += [Series(name, group[name].values, group[f"{name}_mcse"].values, alive) for name in names]
        series += _quantile_series(group, row.name, alive)
    for stage, labels in STAGES.items():
        if (share := group.get(f"{stage}_share")) is not None:
            mcse = group[f"{stage}_share_mcse"].values
            series += [
                Series(f"{stage}_{label}_share", share.values[..., k], mcse[..., k], everybody)
                for k, label in enumerate(labels)
            ]
    rows = _drawn_rows if result.draws else _arm_rows
    return [row for a, arm in enumerate(result.arms) for row in rows(result, a, arm, series)]


def _quantile_series(group: Group, name: str, alive: np.ndarray) -> Iterator[Series]:
    """Quantiles of a variable; a result of an earlier version has no limits of them."""
    value, mcse = (group[f"{name}_{key}"].values for key in ("quantile", "quantile_mcse"))
    ends = [group.get(f"{name}_quantile_{end}") for end in ("lower", "upper")]
    for k, p in enumerate(QUANTILES):
        limits = (ends[0].values[..., k], ends[1].values[..., k]) if ends[0] and ends[1] else None
        yield Series(f"{name}_q{round(100 * p):02d}", value[..., k], mcse[..., k], alive, limits)


def _arm_rows(result: Result, a: int, arm: str, series: list[Series]) -> Iterator[Row]:
    times, title = result.time.tolist(), result.title
    for name, value, mcse, n, limits in series:
        lower, upper = (one[a] for one in limits) if limits else interval(name, value[a], mcse[a], n[a])
        columns = (times, value[a].tolist(), lower.tolist(), upper.tolist(), mcse[a].tolist(), n[a].tolist())
        for time, estimate, low, high, error, count in zip(*columns, strict=True):
            yield Row(title, arm, name, time, estimate, low, high, error, count)


def _drawn_rows(result: Result, a: int, arm: str, series: list[Series]) -> Iterator[Row]:
    """Over the draws of a run: median, 5th and 95th percentile, and the Monte Carlo error of one draw."""
    for name, value, mcse, n, _ in series:
        found = [column.tolist() for column in over_draws(value[:, a], mcse[:, a])]
        columns = (result.time.tolist(), *found, n[0, a].tolist())
        for time, estimate, lower, upper, one, count in zip(*columns, strict=True):
            yield Row(result.title, arm, name, time, estimate, lower, upper, one, count)


def over_draws(value: np.ndarray, mcse: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Median, 5th and 95th percentile over the first dimension, and the Monte Carlo error of one draw (RMS)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a metric that no draw has is NaN
        low, middle, high = np.nanquantile(value, (DRAWN[0], 0.5, DRAWN[1]), axis=0)
        return middle, low, high, np.sqrt(np.nanmean(mcse**2, axis=0))


def interval(metric: str, value: np.ndarray, mcse: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """95 % Monte Carlo interval of figures of n patients: Wilson's for shares; t, of the logarithm for ratios.

    What lies beyond the scale is cut off: an interval of a mean holds the truth as often without it.
    """
    if metric in _PROBABILITIES or metric.endswith("_share"):
        return share_interval(value * n, n)
    if metric.rsplit("_", 1)[0] in _POSITIVE:
        with np.errstate(invalid="ignore", divide="ignore"):
            factor = np.exp(reach(n) * mcse / value)
        return value / factor, value * factor
    lower, upper = mean_interval(value, mcse, n)
    least, most = _ENDS.get(metric, (-np.inf, np.inf))
    return np.maximum(lower, least), np.minimum(upper, most)
