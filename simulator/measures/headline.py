"""What a reader wants to see first of a run: the metrics by arm, the differences, survival from onset, screening."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from simulator.analysis import contrast, moments, survival
from simulator.analysis.moments import Estimate
from simulator.measures.metrics import EVERYBODY, Metric, View, estimate, known, shown, time_index
from simulator.results import Result
from simulator.results.notices import NOTICE
from simulator.units import DAYS_PER_MONTH, DAYS_PER_YEAR, MONTHS_PER_YEAR

YEARS = (1, 2, 5, 10, 20, 50)
"""Years after baseline that are shown where a scenario asks about no day."""


QUARTILES = ((0.25, "lower quartile"), (0.5, "median"), (0.75, "upper quartile"))


def _unused(view: View) -> Estimate:
    raise NotImplementedError("this metric is not read from one arm at one time")


_BOTH = Metric("alsfrs_r_change_survivors_of_both", "ALSFRS-R change, alive in both", "points", _unused, _unused)
_MEDIAN = Metric("event_free_from_onset_median", "Median from onset to death or PAV", "months", _unused, _unused)
_SPREAD = Metric("event_free_from_onset_sd", "SD of time from onset to death or PAV", "years", _unused, _unused)


class Row(NamedTuple):
    """One number of the headline. `against` is empty unless it is a difference, arm minus against (or their ratio)."""

    kind: str  # arm, difference, onset or trigger
    metric: str
    label: str
    unit: str
    arm: str
    against: str
    group: str  # stratum, or variant for survival from onset; empty: everybody
    day: float  # NaN where it has no day
    estimate: float
    mcse: float
    n: int
    paired: bool
    digits: int


class Headline(NamedTuple):
    """The headline of a run."""

    title: str
    patients: int
    seed: int
    arms: tuple[str, ...]
    follow_up_days: float
    engine_version: str
    scenario_sha256: str
    output: str
    rows: list[Row]
    screening: dict[str, Any]
    warnings: tuple[str, ...]
    main_day: float
    notice: str = NOTICE


def headline(result: Result) -> Headline:
    """The headline of a result, full or summary; of one over draws see `simulator.studies.draws`."""
    result.need_one_vector("a headline")
    attrs = result.attrs
    return Headline(
        result.title,
        result.n_patients,
        result.seed,
        result.arms,
        result.follow_up_days,
        str(attrs["engine_version"]),
        str(attrs["scenario_sha256"]),
        str(attrs["output"]),
        [*_rows(result), *_onset_rows(result), *_carrier_rows(result)],
        result.screening,
        result.warnings,
        main_day(result),
    )


def headline_days(result: Result) -> tuple[float, ...]:
    """The days of output nearest to those that the scenario asks about, or to whole years; always the last."""
    last = float(result.time[-1])
    years = tuple(DAYS_PER_YEAR * years for years in YEARS)
    found = {float(result.time[time_index(result, day)]) for day in result.named_days or years if day <= last}
    return tuple(sorted({*found, last} - {0.0})) or (last,)


def main_day(result: Result) -> float:
    """The last day that the scenario asks about, or else the last: what one table or picture shows."""
    asked = [float(result.time[time_index(result, day)]) for day in result.named_days if day <= result.time[-1]]
    return max(asked, default=0.0) or float(result.time[-1])


class Part(NamedTuple):
    """A part of the patients with its name; the first part is everybody, without a name."""

    name: str
    who: Any


def _parts(result: Result) -> list[Part]:
    """Everybody, then the strata, where patients were kept."""
    if not result.is_full:
        return [Part("", EVERYBODY)]
    strata = result.groups["patients"]["stratum"].values
    parts = [Part(name, strata == name) for name in result.strata]
    return [Part("", EVERYBODY), *(part for part in parts if part.who.any())]


def _rows(result: Result) -> Iterator[Row]:
    """The arms and their differences: by day, part and metric."""
    pairs = result.contrasts
    metrics = known(result)
    for day in headline_days(result):
        for part in _parts(result):
            for metric in metrics:
                if metric.by_stratum or not part.name:
                    yield from _metric_rows(result, metric, pairs, day, part)
                if metric.name == "alsfrs_r_change_survivors" and result.is_full and not part.name:
                    yield from (_both_row(result, pair, day) for pair in pairs)


def _metric_rows(result: Result, metric: Metric, pairs: list[tuple[str, str]], day: float, part: Part) -> Iterator[Row]:
    """One metric in each arm, and its differences: the same patients are in all arms."""
    by_arm = {arm: estimate(metric, result, arm, day, part.who) for arm in result.arms}
    for arm, found in by_arm.items():
        if found.n:
            yield _row("arm", metric, (arm, ""), day, shown(metric, found), group=part.name)
    unit = "ratio of arms" if metric.logarithm else metric.unit
    for a, b in pairs:
        if by_arm[a].n and by_arm[b].n:
            found = shown(metric, contrast.difference(by_arm[a], by_arm[b], same_patients=True))
            yield _row("difference", metric._replace(unit=unit), (a, b), day, found, group=part.name)


def _both_row(result: Result, pair: tuple[str, str], day: float) -> Row:
    """The difference over those who are alive in both arms."""
    a, b = (View(result, result.arm_index(arm), time_index(result, day)) for arm in pair)
    found = contrast.survivors_of_both(a.change("alsfrs_r"), b.change("alsfrs_r"), a.alive, b.alive, weight=a.weight)
    return _row("difference", _BOTH, pair, day, found._replace(paired=True))


def _row(kind: str, metric: Metric, arms: tuple[str, str], day: float, found: Estimate, *, group: str = "") -> Row:
    return Row(
        kind,
        metric.name,
        metric.label,
        metric.unit,
        *arms,
        group,
        day,
        found.value,
        found.mcse,
        found.n,
        found.paired,
        metric.digits,
    )


def _carrier_rows(result: Result) -> Iterator[Row]:
    """From the trigger on, where people enter before onset."""
    for found in rows(result, result.contrasts):
        metric = Metric(found.metric, found.label, found.unit, _unused, _unused, digits=found.digits)
        yield _row("trigger", metric, found.arms, float("nan"), found.estimate, group=found.group)


def _onset_rows(result: Result) -> Iterator[Row]:
    """Event-free survival from onset by variant, where everybody enters at onset."""
    if not result.is_full or result.weight is not None:
        return
    if np.any(result.groups["patients"]["time_since_onset"].values != 0):
        return
    variants = result.groups["patients"]["variant"].values
    events = result.groups["events"]
    names, counts = np.unique(variants, return_counts=True)
    for variant in [str(name) for name in names[np.argsort(-counts, kind="stable")]]:
        inside = variants == variant
        for k, arm in enumerate(result.arms):
            time, event = (events[name].values[k, inside] for name in ("event_free_time", "event"))
            yield from _from_onset(time, event > 0, (arm, ""), variant)


def _from_onset(time: Any, happened: Any, arms: tuple[str, str], variant: str) -> Iterator[Row]:
    middle = survival.median(survival.kaplan_meier(time, happened))
    found = moments.scaled(Estimate(middle.value, middle.mcse, len(time)), 1 / DAYS_PER_MONTH)
    yield _row("onset", _MEDIAN, arms, float("nan"), found, group=variant)
    if happened.all():
        spread = moments.scaled(moments.standard_deviation(time), 1 / DAYS_PER_YEAR)
        yield _row("onset", _SPREAD, arms, float("nan"), spread, group=variant)


class CarrierEstimate(NamedTuple):
    """One number: metric, label, unit, arm and the arm against it, variant, estimate, digits."""

    metric: str
    label: str
    unit: str
    arms: tuple[str, str]
    group: str
    estimate: Estimate
    digits: int


def quantile(x: Any, p: float) -> Estimate:
    """A quantile of x, and half the distance between those one binomial standard error of p to either side.

    That of one value has no error.
    """
    if len(x) == 0:
        return Estimate(float("nan"), float("nan"), 0)
    error = np.sqrt(p * (1 - p) / len(x))
    value, below, above = np.quantile(x, [p, max(p - error, 0), min(p + error, 1)])
    return Estimate(float(value), float(above - below) / 2 if len(x) > 1 else float("nan"), len(x))


def rows(result: Result, pairs: list[tuple[str, str]]) -> Iterator[CarrierEstimate]:
    """From the trigger to onset by variant; onset and its delay by arm. Nothing where nobody enters before onset.

    The trigger is that of the first arm; time to onset is the one without treatment, also beyond the end of follow-up.
    Who never falls ill never meets the trigger, or by a chance measurement only: such a time is infinite.
    """
    if not result.is_full or result.weight is not None or "trigger_time" not in result.groups["events"]:
        return
    events, patients = result.groups["events"], result.groups["patients"]
    if "onset_time" not in events:
        return
    trigger = events["trigger_time"].values[0]
    onset = np.nan_to_num(-patients["time_since_onset"].values.astype(np.float64) * DAYS_PER_MONTH, nan=np.inf)
    variants = patients["variant"].values
    names, counts = np.unique(variants, return_counts=True)
    for variant in [str(name) for name in names[np.argsort(-counts, kind="stable")]]:
        months = ((onset - trigger) / DAYS_PER_MONTH)[(variants == variant) & np.isfinite(trigger)]
        for p, name in QUARTILES:
            label = f"Untreated time from trigger to onset, {name}"
            metric = f"trigger_to_onset_{name.split()[0]}"
            yield CarrierEstimate(metric, label, "months", (result.arms[0], ""), variant, quantile(months, p), 2)
    yield from _onset_within_a_year(result, trigger, pairs)


def _onset_within_a_year(result: Result, trigger: Any, pairs: list[tuple[str, str]]) -> Iterator[CarrierEstimate]:
    """Share of those whose year after the trigger lies in follow-up and alive, in whom the disease begins within it."""
    events, year = result.groups["events"], MONTHS_PER_YEAR * DAYS_PER_MONTH
    asked = trigger + year <= result.follow_up_days
    about = ("onset_within_a_year", "Onset within a year of the trigger", "%")
    found = {
        arm: moments.scaled(
            moments.proportion_over(
                events["onset_time"].values[k] <= trigger + year, asked, result.weight, events["onset_time"].values[k]
            ),
            100,
        )
        for k, arm in enumerate(result.arms)
    }
    if not asked.any():
        return
    for arm, share in found.items():
        yield CarrierEstimate(*about, (arm, ""), "", share, 1)
    for a, b in pairs:
        yield CarrierEstimate(*about, (a, b), "", contrast.difference(found[a], found[b], same_patients=True), 1)
