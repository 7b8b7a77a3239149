"""A study's figures as tidy rows: one figure a row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.analysis.replicates import Measure, mean
from simulator.studies.trial.groups import SIDES
from simulator.studies.trial.measures import MEASURES
from simulator.studies.trial.replicates import COUNTED

if TYPE_CHECKING:
    from simulator.studies.trial.result import Trial

Z_95 = 1.959963984540054
SHARES = frozenset({"estimable", "coverage", "rejection", "right_sign", "type_one_error", "null_coverage"})
EVERYBODY = ""


class Row(NamedTuple):
    """One figure of an analysis on a day of analysis, with its 95 % Monte Carlo interval."""

    scenario: str
    analysis: str
    metric: str
    time: float
    estimate: float
    lower: float
    upper: float
    mcse: float
    n: int


def rows(trial: Trial) -> list[Row]:
    """By analysis, then day; at the end what is not of an analysis."""
    found = [row for name in trial.analyses for day in trial.days for row in _analysis(trial, name, day)]
    return found + [row for day in trial.days for row in (*_population(trial, day), *_counts(trial, day))]


def _analysis(trial: Trial, name: str, day: float) -> Iterator[Row]:
    values = trial.estimates(name, day)["value"]
    figures = {"truth": trial.truth(name, day), "mean": mean(values[np.isfinite(values)])}
    figures |= {key: trial.measure(name, key, day) for key in MEASURES}
    figures |= {f"needed_{100 * target:g}": one for target, one in trial.needed(name, day).items()}
    if "power" in trial.groups:
        a, d, group = trial.analyses.index(name), trial.days.index(day), trial.groups["power"]
        for k, size in enumerate(group["size"].values.tolist()):
            figures[f"power_{size}"] = Measure(
                float(group["value"].values[a, d, k]), float(group["mcse"].values[a, d, k])
            )
    for metric, one in figures.items():
        yield _row(trial, name, metric, day, one)


def _population(trial: Trial, day: float) -> Iterator[Row]:
    """Facts from potential outcomes."""
    if "population" not in trial.groups:
        return
    group, d = trial.groups["population"], trial.days.index(day)
    for k, name in enumerate(group["quantity"].values):
        pair = Measure(float(group["value"].values[k, d]), float(group["mcse"].values[k, d]))
        yield _row(trial, EVERYBODY, f"population_{name}", day, pair)


def _counts(trial: Trial, day: float) -> Iterator[Row]:
    for name in COUNTED:
        for side, word in enumerate(SIDES):
            yield _row(trial, EVERYBODY, f"{name}_{word}", day, trial.count(name, side, day))
    yield _row(trial, EVERYBODY, "missing_share", day, trial.missing(day))
    yield _row(trial, EVERYBODY, "duration_days", day, trial.duration(day))


def _row(trial: Trial, name: str, metric: str, day: float, one: Measure) -> Row:
    low, high = one.value - Z_95 * one.mcse, one.value + Z_95 * one.mcse
    if metric in SHARES or metric.startswith("power_"):
        low, high = max(low, 0.0), min(high, 1.0)
    behind = {"truth": "people", "population": "people", "needed": "size_replicates", "power": "size_replicates"}
    key = behind.get(metric.partition("_")[0], "")
    n = int(trial.attrs[key]) if key else trial.replicates
    return Row(trial.title, name, metric, day, one.value, low, high, one.mcse, n)
