"""A study of a trial as a notebook shows it: a line for each analysis and day, the truth beside the estimates."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from simulator.analysis.replicates import Measure
from simulator.analysis.trial.registry import analysis
from simulator.results.notices import NOTICE
from simulator.results.variables import variable
from simulator.studies.trial.measures import POWER
from simulator.tables.numbers import fixed
from simulator.tables.table import Table, notebook

if TYPE_CHECKING:
    from simulator.studies.trial.result import Trial

NONE = "–"
UNITS = {"svc": "% predicted", "hhd": "z", "sod1_csf": "× baseline"}
"""Units of outcomes where the table of variables has none to print."""


class Cell(NamedTuple):
    """A figure, its Monte Carlo error, and as text."""

    head: str
    text: str


def table(trial: Trial, name: str, day: float) -> list[Cell]:
    """The figures of an analysis that everybody wants to see, for a terminal, a notebook and the report."""
    shares = [(f"{trial.power_word}, %", POWER), ("covered, %", "coverage"), ("type I, %", "type_one_error")]
    return [
        Cell("truth", pair(trial.truth(name, day), 3)),
        Cell("mean estimate", pair(trial.mean(name, day), 3)),
        Cell("bias", pair(trial.measure(name, "bias", day), 3)),
        Cell("SD", pair(trial.measure(name, "empirical_se", day), 3)),
        Cell("SE", pair(trial.measure(name, "model_se", day), 3)),
        *(Cell(head, percent(trial.measure(name, key, day))) for head, key in shares),
    ]


def unit(trial: Trial) -> str:
    """The unit of the outcome."""
    outcome = str(trial.arguments["outcome"])
    return UNITS.get(outcome, variable("observed", outcome).unit)


def named(trial: Trial, name: str) -> str:
    """An analysis with the unit of its estimates."""
    one = analysis(name)
    if one.scale == "log":
        return f"{name}, log"
    measure = one.measure.format(unit=unit(trial)).removeprefix("difference of ")
    return f"{name}, {measure.rpartition(', ')[2]}"


def pair(one: Measure, digits: int, *, error: bool = True) -> str:
    """A figure ± its error."""
    if math.isnan(one.value):
        return NONE
    return fixed(one.value, digits) + (f" ± {fixed(one.mcse, digits)}" if error and not math.isnan(one.mcse) else "")


def percent(one: Measure) -> str:
    """A share in percent."""
    return pair(Measure(100 * one.value, 100 * one.mcse), 1)


def people(one: Measure, limit: int) -> str:
    """A number of participants."""
    if math.isinf(one.value):
        return f"> {limit:,}"
    if math.isnan(one.value):
        return NONE
    return f"{one.value:,.0f}" + ("" if math.isnan(one.mcse) else f" ± {one.mcse:,.0f}")


def html(trial: Trial) -> str:
    """HTML of a study; every text from a scenario is escaped."""
    heads = ["", *(cell.head for cell in table(trial, trial.analyses[0], trial.days[0]))]
    rows = [
        [f"{name}, day {day:g}", *(cell.text for cell in table(trial, name, day))]
        for day in trial.days
        for name in trial.analyses
    ]
    who = f"{trial.replicates:,} replicates of {trial.size:,} participants, {' against '.join(trial.arms)}"
    made = f"engine {trial.attrs['engine_version']}, scenario {str(trial.attrs['scenario_sha256'])[:12]}"
    foot = f"± is the Monte Carlo standard error. {NOTICE}"
    lead = f"{who}, seed {trial.seed}; {made}"
    return notebook(trial.title, lead, Table("", heads, rows), notes=trial.warnings, foot=foot)
