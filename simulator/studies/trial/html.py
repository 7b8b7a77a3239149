"""A study of a trial as a notebook shows it: a line for each analysis and day, the truth beside the estimates."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from simulator.analysis.replicates import Measure
from simulator.analysis.trial.registry import analysis
from simulator.results.notices import NOTICE
from simulator.results.variables import variable
from simulator.studies.trial.measures import POWER
from simulator.studies.wording import fixed
from simulator.units import minus

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
    head = "".join(f"<th>{escape(one)}</th>" for one in heads)
    body = "".join(
        f"<tr><th>{escape(name)}, day {day:g}</th>"
        + "".join(f"<td>{escape(cell.text)}</td>" for cell in table(trial, name, day))
        + "</tr>"
        for day in trial.days
        for name in trial.analyses
    )
    notes = "".join(f"<li>{escape(text)}</li>" for text in trial.warnings)
    experimental, control = trial.arms
    return minus(
        f"<div><h4>{escape(trial.title)}</h4>"
        f"<p>{trial.replicates:,} replicates of {trial.size:,} participants, {escape(experimental)} against "
        f"{escape(control)}, seed {trial.seed}; engine {escape(str(trial.attrs['engine_version']))}, scenario "
        f"{escape(str(trial.attrs['scenario_sha256'])[:12])}</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        f"{f'<ul>{notes}</ul>' if notes else ''}"
        f"<p><small>± is the Monte Carlo standard error. {NOTICE}</small></p></div>"
    )
