"""Statistics of what was measured in each person: slopes of a study's own visits, their spread and correlation.

A measure gives one number a person, NaN where the study could not have computed it. Rows that summarise individual data
are set beside summaries of these.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from simulator.analysis import contrast, moments
from simulator.analysis.moments import Estimate
from simulator.studies.evidence.sample import Figure, Floats, Sample, figure
from simulator.units import DAYS_PER_MONTH

MONTH_3, MONTH_12 = 3 * DAYS_PER_MONTH, 12 * DAYS_PER_MONTH
TEN_ITEMS, TWELVE_ITEMS = 40.0, 48.0
HALF_A_YEAR = 180.0


def _visits(s: Sample) -> tuple[Floats, Floats]:
    """Days and scores of the ten-item scale at every visit, NaN where it was not held.

    PRO-ACT's older scale has one item of breathing instead of three: the measured total less two thirds of the true
    respiratory domain, in whole points, because unchanged scores are counted.
    """
    observed, arm = s.result.groups["observed"], s.result.arm_index(s.arm)
    day, score = (observed[name].values[arm][s.who].astype(float) for name in ("day", "alsfrs_r"))
    breathing = np.stack([s.truth("alsfrs_r_respiratory", one) for one in observed["nominal_day"].values], axis=1)
    return np.where(np.isfinite(score), day, np.nan), np.rint(score - 2 / 3 * breathing)


def _first_after(day: Floats, score: Floats, limit: float) -> tuple[Floats, Floats]:
    """Day and score of the first visit after a day; NaN where there is none."""
    after = np.nan_to_num(day, nan=-1.0) > limit
    at = after.argmax(axis=1)
    rows = np.arange(len(day))
    found = after.any(axis=1)
    return np.where(found, day[rows, at], np.nan), np.where(found, score[rows, at], np.nan)


def later_slope(s: Sample) -> Floats:
    """Points a month from the first visit after month 3 to the first after month 12, as the DREAM challenge had it."""
    day, score = _visits(s)
    (start, first), (end, last) = _first_after(day, score, MONTH_3), _first_after(day, score, MONTH_12)
    return (last - first) / (end - start) * DAYS_PER_MONTH


def early_slope(s: Sample) -> Floats:
    """Points a month from the first to the last visit of three months, of people seen after month 12."""
    day, score = _visits(s)
    early = day <= MONTH_3
    rows, last = np.arange(len(day)), early.shape[1] - 1 - early[:, ::-1].argmax(axis=1)
    slope = (score[rows, last] - score[:, 0]) / np.where(last > 0, day[rows, last] - day[:, 0], np.nan)
    return np.where(np.isfinite(later_slope(s)), slope * DAYS_PER_MONTH, np.nan)


def past_slope(s: Sample) -> Floats:
    """Points lost a month from onset to the visits of the first three months, of people seen after month 12."""
    day, score = _visits(s)
    early = day <= MONTH_3
    lost = TEN_ITEMS - np.nanmean(np.where(early, score, np.nan), axis=1)
    months = s.people("time_since_onset") + np.nanmean(np.where(early, day, np.nan), axis=1) / DAYS_PER_MONTH
    return np.where(np.isfinite(later_slope(s)), lost / months, np.nan)


def rate_at_entry(s: Sample) -> Floats:
    """Points lost a month from onset to the first visit."""
    return (TWELVE_ITEMS - s.observed("alsfrs_r", 0)) / s.people("time_since_onset")


def delay_of_diagnosis(s: Sample) -> Floats:
    """Months from onset to diagnosis, of people alive then: those of entry where the run enters at diagnosis."""
    if "diagnosis_disease_time" not in s.result.groups["patients"]:
        return s.people("time_since_onset").astype(float)
    return _diagnosed(s)[0]


def rate_at_diagnosis(s: Sample) -> Floats:
    """Points lost a month from onset to diagnosis, measured once."""
    if "diagnosis_disease_time" not in s.result.groups["patients"]:
        return rate_at_entry(s)
    months, true = _diagnosed(s)
    noise = np.random.default_rng(1).normal(0, s.noise("alsfrs_r"), len(true))
    return (TWELVE_ITEMS - np.rint(np.clip(true + noise, 0, TWELVE_ITEMS))) / months


def _diagnosed(s: Sample) -> tuple[Floats, Floats]:
    """Months from onset to diagnosis and the true score there, of people who enter at onset; disease time is a line
    between days of the grid.
    """
    days, due = s.result.time.astype(float), s.people("diagnosis_disease_time").astype(float)
    clock = np.stack([s.truth("disease_time", day) for day in days], axis=1)
    score = np.stack([s.truth("alsfrs_r", day) for day in days], axis=1)
    crossed = np.array([np.interp(u, line, days, right=np.nan) for u, line in zip(due, clock, strict=True)])
    day = crossed + s.people("diagnosis_lag")
    day = np.where((day < s.events("death_time")) | np.isnan(s.events("death_time")), day, np.nan)
    true = np.array([np.interp(one, days, line) for one, line in zip(day, score, strict=True)])
    return day / DAYS_PER_MONTH, true


def slope_change(s: Sample) -> Floats:
    """Points lost a month from the first visit to the target's day, less those from onset to the first visit."""
    since = (s.observed("alsfrs_r", 0) - s.observed("alsfrs_r", s.target.day)) / s.target.day * DAYS_PER_MONTH
    return since - rate_at_entry(s)


def gain_over_half_a_year(s: Sample) -> Floats:
    """Largest gain between two visits at least 180 days apart, the nearest such pairs, by the target's day."""
    observed, arm = s.result.groups["observed"], s.result.arm_index(s.arm)
    day, score = (observed[name].values[arm][s.who].astype(float) for name in ("day", "alsfrs_r"))
    best = np.full(len(day), np.nan)
    for k in range(day.shape[1]):
        far = (day - day[:, [k]] >= HALF_A_YEAR) & (day <= s.target.day) & np.isfinite(score)
        at, rows = far.argmax(axis=1), np.arange(len(day))
        best = np.fmax(best, np.where(far.any(axis=1), score[rows, at] - score[:, k], np.nan))
    return best


MEASURES: dict[str, Callable[[Sample], Floats]] = {
    measure.__name__: measure
    for measure in (
        later_slope,
        early_slope,
        past_slope,
        rate_at_entry,
        rate_at_diagnosis,
        delay_of_diagnosis,
        slope_change,
        gain_over_half_a_year,
    )
}


def _measured(s: Sample) -> Floats:
    values = MEASURES[s.target.endpoint](s)
    return values[np.isfinite(values)]


def person_mean(s: Sample) -> Figure:
    """Mean of a measure."""
    values = _measured(s)
    return figure(moments.mean(values), len(values))


def person_sd(s: Sample) -> Figure:
    """SD of a measure between people."""
    values = _measured(s)
    return figure(moments.standard_deviation(values), len(values))


def person_quantile(s: Sample) -> Figure:
    """Quantile `level` of a measure; its spread from the density between neighbouring quantiles."""
    values, p = _measured(s), s.target.level
    step = min(0.05, p / 2, (1 - p) / 2)
    low, value, high = np.quantile(values, [p - step, p, p + step])
    spread = float(np.sqrt(p * (1 - p)) * (high - low) / (2 * step))
    return figure(Estimate(float(value), spread / np.sqrt(len(values)), len(values)), len(values))


def percent_not_negative(s: Sample) -> Figure:
    """Per cent of people whose measure is 0 or more."""
    values = _measured(s)
    return figure(moments.scaled(moments.proportion(values >= 0), 100), len(values))


def percent_positive(s: Sample) -> Figure:
    """Per cent of people whose measure is above 0."""
    values = _measured(s)
    return figure(moments.scaled(moments.proportion(values > 0), 100), len(values))


def _both(s: Sample) -> tuple[Floats, Floats]:
    """Points lost a month before and during a study."""
    past, later = past_slope(s), -later_slope(s)
    kept = np.isfinite(past) & np.isfinite(later)
    return past[kept], later[kept]


def correlation_of_slopes(s: Sample) -> Figure:
    """Pearson correlation of the slope before the study with that of months 3 to 12; both count as losses."""
    past, later = _both(s)
    x, y = ((v - v.mean()) / v.std() for v in (past, later))
    r = float(np.mean(x * y))
    return figure(moments.from_influence(r, x * y - r * (x**2 + y**2) / 2), len(past))


def ratio_of_slopes(s: Sample) -> Figure:
    """Median slope before the study over the median slope of months 3 to 12."""
    past, later = (_median_with_influence(v) for v in _both(s))
    assert past.influence is not None
    assert later.influence is not None
    ratio = past.value / later.value
    influence = past.influence / later.value - ratio * later.influence / later.value
    return figure(moments.from_influence(ratio, influence), len(influence))


def _median_with_influence(values: Floats) -> Estimate:
    low, value, high = np.quantile(values, [0.45, 0.5, 0.55])
    return moments.from_influence(float(value), 0.5 * (high - low) / 0.1 * np.sign(values - value))


GROUPS: dict[str, tuple[str, float]] = {"bulbar": ("onset_site", 0), "men": ("sex", 0)}
"""Groups of people: a variable of the patients and the code that belongs to the group."""


def difference_of_groups(s: Sample) -> Figure:
    """Mean of a measure in the group `of`, less that in everybody else."""
    name, code = GROUPS[s.target.of]
    values, inside = MEASURES[s.target.endpoint](s), s.people(name) == code
    kept = np.isfinite(values)
    first, second = (moments.mean(values[kept & who]) for who in (inside, ~inside))
    return figure(contrast.independent(first, second), int(kept.sum()))
