"""Simulated cohorts beside the observed one: visual predictive checks, and normalised prediction errors.

A replicate takes one twin of each participant. What the data lack, it lacks: visits that a participant missed or that
come after dropout. Who died has no more visits, in the data and in a replicate each by their own death.

References
----------
Holford (2005), PAGE 14, abstract 738 (VPC). Bergstrand et al. (2011), doi:10.1208/s12248-011-9255-z (prediction
correction, here in its additive form). Brendel et al. (2006), doi:10.1007/s11095-006-9067-5 (npde).
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.forecasts import UNKNOWN, Figure
from simulator.analysis.survival import kaplan_meier
from simulator.studies.twins.calibration import who_of
from simulator.studies.twins.result import average

if TYPE_CHECKING:
    from simulator.studies.twins.result import Twins

Floats = NDArray[np.float64]
QUANTILES = (0.1, 0.5, 0.9)
REPLICATES, INTERVAL, TICKS = 500, (0.025, 0.975), 60


class Predictive(NamedTuple):
    """Observed quantiles beside those of simulated cohorts, and survival.

    Parameters
    ----------
    name : the stratum. n : participants.
    days : (day,) [d]. counts : (day,) values observed.
    observed : (quantile, day) of the 10, 50 and 90 %. low, high : (quantile, day) where 95 % of replicates have them.
    time : (tick,) [d]. free : (tick,) observed event-free probability, Kaplan–Meier. free_low, free_high : (tick,).
    """

    name: str
    n: int
    days: Floats
    counts: NDArray[np.int64]
    observed: Floats
    low: Floats
    high: Floats
    time: Floats
    free: Floats
    free_low: Floats
    free_high: Floats


def predictive(found: Twins, arms: Sequence[str] | None = None, *, corrected: bool = False) -> Predictive:
    """A visual predictive check of the participants of some arms of the data.

    Parameters
    ----------
    found : the twins. arms : arms of the data, all by default.
    corrected : values less what is expected of the participant, plus the median expectation of the day, so that
        participants who differ at baseline are comparable.
    """
    who = who_of(found, arms)
    seen = found.observed[who]
    values = np.stack([found.measured(k)[:REPLICATES] for k in who.tolist()])  # (participant, replicate, day)
    end, event = found.end[0][who], found.end[1][who]
    gone = event[:, None] & (end[:, None] <= found.days)
    values = np.where((np.isfinite(seen) | gone)[:, None, :], values, np.nan)
    if corrected:
        expected = np.stack([average(found.measured(k)) for k in who.tolist()])
        middle = np.nanmedian(np.where(np.isfinite(seen), expected, np.nan), axis=0)
        seen, values = seen + middle - expected, values + (middle - expected)[:, None, :]
    kept = np.isfinite(seen).sum(axis=0) > 1
    each = _quantiles(np.moveaxis(values, 1, 0)[:, :, kept])
    low, high = np.nanquantile(each, INTERVAL, axis=0) if kept.any() else np.empty((2, len(QUANTILES), 0))
    time, free, free_low, free_high = _survival(found, who, end, event)
    name = "+".join(arms) if arms else "all"
    counts = np.isfinite(seen).sum(axis=0)[kept]
    return Predictive(name, len(who), found.days[kept], counts, _quantiles(seen[None][:, :, kept])[0], low, high,
                      time, free, free_low, free_high)  # fmt: skip


def _quantiles(values: Floats) -> Floats:
    """(replicate, quantile, day) of values : (replicate, participant, day), NaN left out."""
    ordered, count = np.sort(values, axis=1), np.isfinite(values).sum(axis=1)
    at = np.maximum(np.ceil(np.multiply.outer(QUANTILES, count) - 1e-9).astype(int) - 1, 0)
    found = np.take_along_axis(ordered, np.moveaxis(at, 0, 1), axis=1)
    return np.where(count[:, None, :] > 0, found, np.nan)


def _survival(found: Twins, who: NDArray[np.int64], end: Floats, event: NDArray[np.bool_]) -> tuple[Floats, ...]:
    """Kaplan–Meier of the data, and where 95 % of replicates have it; nobody is followed longer than in the data."""
    known = np.flatnonzero(np.isfinite(end))
    if not found.endpoint or not len(known):
        return (np.empty(0),) * 4
    last = float(end[known].max())
    time = np.linspace(found.until, last, TICKS)
    limit = np.where(event[known], last, end[known])
    twins = np.stack([found.event_time(k)[:REPLICATES] for k in who[known].tolist()], axis=1)
    each = np.array([_curve(np.minimum(own, limit), own <= limit, time) for own in twins])
    low, high = np.quantile(each, INTERVAL, axis=0)
    return time, _curve(end[known], event[known], time), low, high


def _curve(end: Floats, event: NDArray[np.bool_], time: Floats) -> Floats:
    """Kaplan–Meier at these times."""
    curve = kaplan_meier(end, event)
    return np.concatenate([[1.0], curve.survival])[np.searchsorted(curve.time, time, side="right")]


class Errors(NamedTuple):
    """Normalised prediction distribution errors: standard normal and independent where the twins are right."""

    mean: Figure
    sd: Figure
    values: Floats


def npde(found: Twins, arms: Sequence[str] | None = None) -> Errors:
    """Decorrelated prediction errors of each participant's values, by twins alive at the last of them."""
    errors: list[float] = []
    people = 0
    for k in who_of(found, arms).tolist():
        seen = found.observed[k]
        days = np.flatnonzero(np.isfinite(seen))
        sample = found.measured(k)[:, days]
        sample = sample[np.isfinite(sample).all(axis=1)]
        if len(days) and len(sample) > 10 * len(days):
            people += 1
            errors += _decorrelated(sample, seen[days])
    z = np.array(errors)
    n = len(z)
    if n < 3:
        return Errors(UNKNOWN, UNKNOWN, z)
    sd = float(z.std(ddof=1))
    return Errors(Figure(float(z.mean()), sd / np.sqrt(n), n), Figure(sd, sd / np.sqrt(2 * (n - 1)), n), z)


def _decorrelated(sample: Floats, y: Floats) -> list[float]:
    """One person's errors: values and twins are made uncorrelated, then ranked day by day."""
    covariance = np.atleast_2d(np.cov(sample, rowvar=False)) + 1e-9 * np.eye(len(y))
    turn = np.linalg.inv(np.linalg.cholesky(covariance))
    own, others = turn @ (y - sample.mean(axis=0)), (sample - sample.mean(axis=0)) @ turn.T
    n, normal = len(sample), NormalDist()
    ranks = ((others < own).sum(axis=0) + 0.5 * (others == own).sum(axis=0) + 0.5) / (n + 1)
    return [normal.inv_cdf(float(one)) for one in ranks]
