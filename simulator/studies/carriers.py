"""What a run of carriers is asked first: how long from the trigger to onset untreated, and who falls ill after it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from simulator.analysis import contrast, moments
from simulator.analysis.moments import Estimate
from simulator.results import Result
from simulator.units import DAYS_PER_MONTH, MONTHS_PER_YEAR

QUARTILES = ((0.25, "lower quartile"), (0.5, "median"), (0.75, "upper quartile"))


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
    for arm, estimate in found.items():
        yield CarrierEstimate(*about, (arm, ""), "", estimate, 1)
    for a, b in pairs:
        yield CarrierEstimate(*about, (a, b), "", contrast.difference(found[a], found[b], same_patients=True), 1)
