"""A study's figures as tidy rows: one figure a row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from simulator.analysis.replicates import Measure
from simulator.studies.trial.groups import SIDES
from simulator.studies.trial.measures import MEASURES, POWER
from simulator.studies.trial.rows import COUNTED

if TYPE_CHECKING:
    from simulator.studies.trial.result import Trial

EVERYBODY = ""
BEHIND = {"truth": "people", "population": "people", "needed": "size_replicates"}
"""Attribute with the number behind a figure, by the first word of its name; the others are of all replicates."""


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


def measured(trial: Trial, name: str, day: float) -> dict[str, Measure]:
    """The measures of an analysis by what they are called: over draws power is assurance."""
    return {trial.power_word if key == POWER else key: trial.measure(name, key, day) for key in MEASURES}


def _analysis(trial: Trial, name: str, day: float) -> Iterator[Row]:
    figures = {"truth": trial.truth(name, day), "mean": trial.mean(name, day), **measured(trial, name, day)}
    figures |= {f"needed_{100 * target:g}": one for target, one in trial.needed(name, day).items()}
    for metric, one in figures.items():
        yield _row(trial, name, metric, day, one)
    for size, one in trial.power(name, day).items():
        yield _row(trial, name, f"{trial.power_word}_{size}", day, one)


def _population(trial: Trial, day: float) -> Iterator[Row]:
    """Facts from potential outcomes."""
    if "population" in trial.groups:
        for name in trial.groups["population"]["quantity"].values:
            yield _row(trial, EVERYBODY, f"population_{name}", day, trial.fact(str(name), day))


def _counts(trial: Trial, day: float) -> Iterator[Row]:
    for name in COUNTED:
        for side, word in enumerate(SIDES):
            yield _row(trial, EVERYBODY, f"{name}_{word}", day, trial.count(name, side, day))
    yield _row(trial, EVERYBODY, "missing_share", day, trial.missing(day))
    yield _row(trial, EVERYBODY, "duration_days", day, trial.duration(day))


def _row(trial: Trial, name: str, metric: str, day: float, one: Measure) -> Row:
    first, line, _ = metric.partition("_")
    key = "size_replicates" if line and first == trial.power_word else BEHIND.get(first, "")
    count = int(trial.attrs[key]) if key else trial.replicates
    return Row(trial.title, name, metric, day, one.value, one.lower, one.upper, one.mcse, count)
