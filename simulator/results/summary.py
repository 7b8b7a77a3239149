"""The summary group, from the streaming sums: the same code for a full run and for one that kept nothing else.

Means, SDs and quantiles are over survivors (not dead at that day). Variables added as logarithms come out as geometric
means, geometric SDs (a factor) and quantiles. Every estimate has its Monte Carlo standard error beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.intervals import quantile_shares, share_error
from simulator.results import arrays
from simulator.results.arrays import Group, Named
from simulator.results.record import Record, SumsLike
from simulator.results.variables import STAGES, SUMMARISED, Summarised

Floats = NDArray[np.float64]
ARM_TIME = ("arm", "time")
FEW = 2
"""So few lie at one distance from their mean, whatever the spread: their SD has no error."""
_PROBABILITIES = np.array(arrays.QUANTILES)


class Moments(NamedTuple):
    """Of one variable over the survivors, on the scale it was added on: (arm, time)."""

    n: Floats
    mean: Floats
    sd: Floats
    mean_mcse: Floats
    sd_mcse: Floats


def summary_group(record: Record) -> Group:
    """The group `summary` of a run."""
    group: Group = {
        **arrays.arm_coordinate(record.arms),
        **arrays.time_coordinates(record.time),
        **arrays.quantile_coordinate(),
        **arrays.ending_coordinate(),
    }
    if record.sums.stages is not None:
        group |= arrays.stage_coordinates(systems(record.has))
    return group | estimates(record.sums, record.has)


def systems(has: Callable[[str], bool]) -> dict[str, tuple[str, ...]]:
    """The systems of stages that a model has, with their labels."""
    return {name: labels for name, labels in STAGES.items() if has(name)}


def estimates(sums: SumsLike, has: Callable[[str], bool]) -> Group:
    """Every estimate that the sums give, with its error.

    Sums without bins give neither quantiles nor SDs. Sums may have dimensions before `arm`, such as the points of a
    sweep: the arrays have them too, the names of the dimensions do not. `has` says which variables the model has.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        group = _counts(sums)
        for index, row in enumerate(row for row in SUMMARISED if has(row.of)):
            group |= _variable(sums, index, row)
            if row.name == "alsfrs_r":
                group |= _death_as_zero(sums, index)
        group |= _event_free_time(sums)
        if sums.serious is not None:
            text = "probability to have had a serious neurologic adverse event"
            group |= _share("serious_neurologic_share", np.cumsum(sums.serious, axis=-1), sums.n_patients, text)
        if sums.stages is not None:
            group |= _occupancy(sums, sums.stages, systems(has))
    return group


def _described(dims: tuple[str, ...], values: NDArray[np.generic], unit: str, long_name: str) -> Named:
    return Named(dims, values, {"units": unit, "long_name": long_name})


def _pair(name: str, value: Floats, mcse: Floats, unit: str, text: str, *, dims: tuple[str, ...] = ARM_TIME) -> Group:
    """An estimate and its Monte Carlo standard error, each a variable."""
    return {
        name: _described(dims, value, unit, text),
        f"{name}_mcse": _described(dims, mcse, unit, f"{text}: Monte Carlo standard error"),
    }


def _counts(sums: SumsLike) -> Group:
    n = sums.n_patients
    group: Group = {
        "alive": _described(ARM_TIME, np.asarray(sums.alive, np.int64), "1", "patients alive"),
        "at_risk": _described(ARM_TIME, np.asarray(sums.event_free, np.int64), "1", "patients alive and free of PAV"),
        "ended": _described(
            ("arm", "ending"), np.asarray(sums.ended, np.int64), "1", "patients by what ended follow-up"
        ),
    }
    for name, count, text in (
        ("survival", sums.alive, "probability to be alive"),
        ("event_free", sums.event_free, "probability to be alive and free of permanent assisted ventilation"),
    ):
        group |= _share(name, count, n, text)
    return group


def _share(name: str, count: NDArray[np.int64], n: int, text: str) -> Group:
    """A share of all patients and its error."""
    return _pair(name, np.asarray(count) / n, share_error(count, n), "1", text)


def _variable(sums: SumsLike, index: int, row: Summarised) -> Group:
    moments = _moments(sums, index)
    log = row.transform == "log"
    name, unit, text = row.name, row.unit, f"{row.long_name}, survivors"
    mean, mean_mcse = _back(moments.mean, moments.mean_mcse, log)
    kind = "geometric " if log else ""
    group = _pair(f"{name}_mean", mean, mean_mcse, unit, f"{text}: {kind}mean")
    if not sums.counts.shape[-1]:
        return group  # no histogram was kept: neither quantiles nor the error of an SD
    sd, sd_mcse = _back(moments.sd, moments.sd_mcse, log)
    points, points_mcse, *limits = _quantiles(sums, index, moments.n, row)
    quantile, quantile_mcse = _back(points, points_mcse, log)
    group |= _pair(f"{name}_sd", sd, sd_mcse, "1" if log else unit, f"{text}: {kind}SD")
    group |= _pair(f"{name}_quantile", quantile, quantile_mcse, unit, f"{text}: quantile", dims=(*ARM_TIME, "quantile"))
    for end, limit in zip(("lower", "upper"), limits, strict=True):
        words = f"{text}: quantile, {end} limit of its 95 % Monte Carlo interval"
        group[f"{name}_quantile_{end}"] = _described((*ARM_TIME, "quantile"), limit, unit, words)
    group[f"{name}_quantile"].attrs.update(bin_width=float(sums.width[index]), bin_scale=row.transform)
    return group


def _back(value: Floats, mcse: Floats, log: bool) -> tuple[Floats, Floats]:
    """From the scale of adding to that of reporting (delta method)."""
    return (np.exp(value), np.exp(value) * mcse) if log else (value, mcse)


def _middles(sums: SumsLike, index: int, bins: int) -> Floats:
    return sums.low[index] + sums.width[index] * (np.arange(bins) + 0.5)


def _moments(sums: SumsLike, index: int) -> Moments:
    """Mean and SD from the sums; the fourth moment, for the error of the SD, from the middles of the bins.

    One survivor has a mean and neither SD nor error; of two the SD has no error.
    """
    n = np.where(sums.alive > 0, sums.alive, np.nan).astype(np.float64)
    mean = sums.total[..., index] / sums.scale[index] / n
    square = sums.square[..., index] / sums.square_scale[index] / n
    variance = np.maximum(square - mean**2, 0) * n / np.where(n > 1, n - 1, np.nan)
    bins = sums.counts.shape[-1]
    distance = _middles(sums, index, bins) - mean[..., None]
    fourth = np.einsum("...b,...b->...", sums.counts[..., index, :].astype(np.float64), distance**4) / n
    sd = np.sqrt(variance)
    sd_mcse = np.where(sd > 0, np.sqrt(np.maximum(fourth - variance**2, 0) / n) / (2 * sd), 0.0)
    return Moments(n, mean, sd, sd / np.sqrt(n), np.where(n > FEW, sd_mcse, np.nan))


def _quantiles(sums: SumsLike, index: int, n: Floats, row: Summarised) -> tuple[Floats, Floats, Floats, Floats]:
    """Quantiles, linear within a bin, their errors, and their 95 % limits on the scale of reporting.

    The error is half of Woodruff's interval, Q(p + e) − Q(p − e) with e = sqrt(p (1 − p)/n): the usual e over the
    density, without the noise of a density read from one bin. A single value has none. The limits are his interval
    too: no value beyond the scale, and its end where so few have no limit, which may be infinite.
    """
    shape = (*n.shape, len(_PROBABILITIES))
    value, mcse, lower, upper = (np.full(shape, np.nan) for _ in range(4))
    edges = sums.low[index] + sums.width[index] * np.arange(sums.counts.shape[-1] + 1)
    for arm, time in np.argwhere(n > 0):
        below = np.concatenate([[0.0], np.cumsum(sums.counts[arm, time, index])]) / n[arm, time]
        error = np.sqrt(_PROBABILITIES * (1 - _PROBABILITIES) / n[arm, time])
        ends = quantile_shares(_PROBABILITIES, n[arm, time])
        targets = np.clip(np.stack([_PROBABILITIES - error, _PROBABILITIES, _PROBABILITIES + error, *ends]), 0, 1)
        found = np.interp(targets, *_inside(below, edges))
        value[arm, time] = found[1]
        mcse[arm, time] = (found[2] - found[0]) / 2 if n[arm, time] > 1 else np.nan
        limits = np.exp(found[3:]) if row.transform == "log" else found[3:]
        lower[arm, time], upper[arm, time] = beyond(limits, ends, row.ends)
    return value, mcse, lower, upper


def beyond(limits: Floats, shares: Sequence[Floats], ends: tuple[float, float]) -> Floats:
    """Limits of quantiles : (2, n); where their share is 0 or 1 the end of the scale, infinite where it has none."""
    lower = np.where(shares[0] > 0, limits[0], ends[0])
    return np.stack([lower, np.where(shares[1] < 1, limits[1], ends[1])])


def _inside(below: Floats, edges: Floats) -> tuple[Floats, Floats]:
    """Without the empty bins before the first and after the last value, where the distribution function is flat."""
    first = int(np.searchsorted(below, 0.0, side="right")) - 1
    last = int(np.searchsorted(below, below[-1], side="left"))
    return below[first : last + 1], edges[first : last + 1]


def _error(mean: Floats, square: Floats, n: int) -> Floats:
    """Error of the mean of all patients; that of one has none."""
    return np.sqrt(np.maximum(square - mean**2, 0) / (n - 1)) if n > 1 else np.full_like(mean, np.nan)


def _death_as_zero(sums: SumsLike, index: int) -> Group:
    """Mean ALSFRS-R, variable `index` of the sums, of all patients when the dead count as 0 points."""
    n = sums.n_patients
    mean = sums.total[..., index] / sums.scale[index] / n
    square = sums.square[..., index] / sums.square_scale[index] / n
    mcse = _error(mean, square, n)
    return _pair("alsfrs_r_death0_mean", mean, mcse, "points", "ALSFRS-R total, all patients, 0 after death: mean")


def _occupancy(sums: SumsLike, living: NDArray[np.int64], systems: Mapping[str, tuple[str, ...]]) -> Group:
    """Share of all patients in each stage of the systems that the model has; who is not alive has died."""
    n, dead = sums.n_patients, (sums.n_patients - np.asarray(sums.alive))[..., None]
    group: Group = {}
    for k, name in enumerate(STAGES):
        if (labels := systems.get(name)) is None:
            continue
        count = np.concatenate([living[..., k, : len(labels) - 1], dead], axis=-1)
        dims, text = (*ARM_TIME, name.removesuffix("_stage")), f"share of patients by {name.replace('_', ' ')}"
        group |= _pair(f"{name}_share", count / n, share_error(count, n), "1", text, dims=dims)
    return group


def _event_free_time(sums: SumsLike) -> Group:
    n = sums.n_patients
    mean = sums.restricted / sums.restricted_scale / n
    square = sums.restricted_square / sums.restricted_square_scale / n
    mcse = _error(mean, square, n)
    text = "event-free time within follow-up: mean"
    return _pair("event_free_time_mean", mean, mcse, "d", text, dims=("arm",))
