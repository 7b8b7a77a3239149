"""Outcomes of a sweep: one number for each point, with its Monte Carlo error."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.analysis import intervals
from simulator.analysis.moments import Estimate
from simulator.errors import absent
from simulator.measures.metrics import Metric, View
from simulator.measures.metrics import known as known_of
from simulator.studies.sweep.errors import SweepError
from simulator.units import DAYS_PER_MONTH

if TYPE_CHECKING:
    from simulator.studies.sweep.result import Sweep

Floats = NDArray[np.float64]
USUAL = ("event_free_months", "alsfrs_r_change_death0", "serious_neurologic")
MONTHS = "event_free_time_mean"  # kept in days, shown in months


class OutcomeChoice(NamedTuple):
    """Which outcome: a metric of an arm, or its difference from another arm, on a day (the last by default)."""

    metric: str
    arm: str
    against: str = ""
    day: float | None = None
    label: str = ""


class Outcome(NamedTuple):
    """An outcome of every point.

    `estimate`, `mcse` : (n_points,), NaN where the point failed; `replicates` : (n_points, n_replicates), the estimate
    of each replicate, on the scale of adding (the logarithm where `logarithm`, of which `estimate` is the exponential).
    `paired`: the error knows that both arms have the same people. It then comes from the replicates, and a 95 %
    interval reaches `reach` times as far, by t.
    """

    wanted: OutcomeChoice
    label: str
    unit: str
    digits: int
    estimate: Floats
    mcse: Floats
    replicates: Floats
    logarithm: bool
    paired: bool

    @property
    def reach(self) -> float:
        """How many errors a 95 % interval reaches to either side."""
        return float(intervals.reach(self.replicates.shape[1] if self.paired else np.inf))


def outcomes(sweep: Sweep, wanted: Sequence[OutcomeChoice] | None = None) -> list[Outcome]:
    """Several outcomes: those given, those of the scenario's block, or the usual ones of every arm and contrast.

    None where every point failed.
    """
    if not sweep.arms:
        return []
    asked = wanted or [OutcomeChoice(*row) for row in json.loads(str(sweep.attrs["outcomes"]))]
    if not asked:
        known = {metric.name for metric in metrics(sweep)}
        asked = [one for name in USUAL if name in known for one in everywhere(sweep, name)]
    return [outcome(sweep, one.metric, (one.arm, one.against), one.day, one.label) for one in asked]


def everywhere(sweep: Sweep, metric: str) -> list[OutcomeChoice]:
    """A metric of every arm and contrast."""
    return [OutcomeChoice(metric, *pair) for pair in [*((arm, "") for arm in sweep.arms), *sweep.result(0).contrasts]]


def metrics(sweep: Sweep) -> tuple[Metric, ...]:
    """The metrics of the headline that some model of the sweep has the variable for."""
    return known_of(sweep.result(0))


def outcome(sweep: Sweep, metric: str, arms: tuple[str, str], day: float | None = None, label: str = "") -> Outcome:
    """One outcome of every point.

    The error of a difference is that of a pair where there are replicates: the standard deviation of the difference
    over replicates, divided by the root of their number. With one replicate the sums do not say how two arms go
    together, and the error is that of independent people, an upper bound. So it is where both shares are 0 or 1 in
    every replicate, which do not differ then, but would with more people.

    Raises
    ------
    SweepError
        There is no such metric or arm, or every point failed.
    """
    if not sweep.arms:
        raise SweepError("every point of the sweep failed; `failures` says why. Correct that, try them again")
    arm, against = arms
    at = -1 if day is None else int(np.abs(sweep.time - day).argmin())
    when = float(sweep.time[at])
    value, error, about = _of_arm(sweep, metric, arm, at)
    paired, edge = False, _at_edge(value, about)
    if against:
        other, other_error, _ = _of_arm(sweep, metric, against, at)
        edge &= _at_edge(other, about)
        value, error = value - other, np.hypot(error, other_error)
    spread = np.sqrt((error**2).sum(axis=1)) / error.shape[1]
    if against and sweep.replicates > 1:
        own, paired = value.std(axis=1, ddof=1) / np.sqrt(value.shape[1]), True
        spread = np.where(edge, spread, own)
    mean = value.mean(axis=1)
    if about.logarithm:
        mean = np.exp(mean)
        spread = mean * spread
    unit = "ratio of arms" if against and about.logarithm else about.unit
    wanted = OutcomeChoice(metric, arm, against, when, label)
    name = label or _label(about, wanted)
    return Outcome(wanted, name, unit, about.digits, mean, spread, value, about.logarithm, paired)


def _at_edge(value: Floats, metric: Metric) -> NDArray[np.bool_]:
    """Points with a share of 0 or 1 in every replicate."""
    return (metric.unit == "%") & ((value == 0) | (value == 100)).all(axis=1)


def _label(metric: Metric, wanted: OutcomeChoice) -> str:
    who = f"{wanted.arm} minus {wanted.against}" if wanted.against else wanted.arm
    return f"{metric.label}, {who}, day {wanted.day:g}"


def _of_arm(sweep: Sweep, name: str, arm: str, at: int) -> tuple[Floats, Floats, Metric]:
    """Estimates and errors of one arm : (n_points, n_replicates), and what the metric is."""
    if arm not in sweep.arms:
        raise SweepError(absent("arm", arm, sweep.arms))
    known = {metric.name: metric for metric in metrics(sweep)}
    if name in known:
        return _read(sweep, known[name], arm, at)
    if f"{name}_mcse" not in sweep.group:
        there = sorted(key.removesuffix("_mcse") for key in sweep.group if key.endswith("_mcse"))
        raise SweepError(absent("metric", name, [*known, *there]))
    array = sweep.group[name]
    if "arm" not in array.dims or set(array.dims) - {"point", "replicate", "arm", "time"}:
        raise SweepError(f"{name!r} is not one number for each arm and day. Choose another metric")
    value, error = (_cut(sweep, key, arm, at) for key in (name, f"{name}_mcse"))
    about = Metric(name, array.attrs["long_name"], array.attrs["units"], _unused, _unused)
    if name == MONTHS:
        about = about._replace(label="Event-free time", unit="months")
        value, error = value / DAYS_PER_MONTH, error / DAYS_PER_MONTH
    return value, error, about


def _unused(view: View) -> Estimate:
    raise NotImplementedError("this metric is read from the arrays of the sweep")


def _cut(sweep: Sweep, name: str, arm: str, at: int) -> Floats:
    """An array of one arm on one day : (n_points, n_replicates)."""
    array = sweep.group[name]
    values = np.take(array.values, sweep.arms.index(arm), axis=array.dims.index("arm"))
    if "time" in array.dims:
        values = values[..., at]
    return values.reshape(sweep.n_points, sweep.replicates).astype(np.float64)


def _read(sweep: Sweep, metric: Metric, arm: str, at: int) -> tuple[Floats, Floats, Metric]:
    """A metric of the headline, from the summary of each point."""
    shape = (sweep.n_points, sweep.replicates)
    value, error = np.full(shape, np.nan), np.full(shape, np.nan)
    failed = {failure.point for failure in sweep.failures}
    k = sweep.arms.index(arm)
    for point in sorted(set(range(sweep.n_points)) - failed):
        for replicate in range(sweep.replicates):
            found = metric.summary(View(sweep.result(point, replicate), k, at % len(sweep.time)))
            value[point, replicate], error[point, replicate] = found.value, found.mcse
    if metric.unit == "%":  # of everybody; a share of 0 or 1 has an error too
        error = 100 * intervals.share_error(value / 100 * sweep.n_patients, sweep.n_patients)
    return value, error, metric
