"""What stands in the report of a sensitivity analysis or of the value of information; the template lays it out."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from simulator.report.captions import figure
from simulator.report.content import NOT_STATED, Page, Pair, asked, words
from simulator.report.evidence import evidence
from simulator.report.stored_scenario import stored_scenario
from simulator.tables.numbers import fixed, with_error
from simulator.tables.table import Table
from simulator.version import __version__

if TYPE_CHECKING:
    from simulator.studies.sensitivity.document import Sensitivity

MOST = 3  # values that the answer names
NOTES = {
    "oneway": "Each value at the 5th and at the 95th percentile of its prior, the others as they are. ± is the Monte "
    "Carlo standard error of the difference.",
    "sobol": "Shares of the variance over the priors, with 95 % bootstrap intervals. First order: the value alone. "
    "Total: with its interactions. Priors count as independent; what is near 0 may come out below it.",
    "morris": "Effect: the change of the outcome per range, from the 5th to the 95th percentile. A large SD: curvature "
    "or interactions, beyond what noise alone gives.",
    "ensemble": "Shares of the variance over draws of the calibrated ensemble. Alone: what a value says on its own, "
    "with what it shares with others. Added: what it adds to all others in straight lines.",
    "evpi": "EVPI: what knowing everything would add to the net benefit of a patient; EVPPI: what knowing one value or "
    "a group would. What is not above the noise floor cannot be told from nothing.",
}


def sensitivity_content(found: Sensitivity) -> Page:
    """The report: which values move the outcome, or what knowing them is worth."""
    scenario, fault = stored_scenario(found)
    return Page(
        title=f"{found.title}: {'value of information' if found.method == 'evpi' else 'sensitivity'}",
        lead=_lead(found),
        notice=found.notice,
        asked=[one for one in asked(scenario) if one.text != NOT_STATED],
        arms=[],
        main=TABLES[found.method](found),
        note=NOTES[found.method],
        evidence=evidence(scenario) if scenario else None,
        unreadable=fault,
        warnings=(found.warning,) if found.warning else (),
        pictures=[figure(str(kind), found.plot.draw(kind).svg()) for kind in found.plot.kinds],
        tables=[],
        scenario_yaml=found.scenario,
        citations=[],
        provenance=[
            Pair("Scenario", f"{found.scenario_name}, SHA-256 {found.scenario_sha256}"),
            Pair("Seed", str(found.seed)),
            Pair("Arguments", words(found.arguments)),
            Pair("Computed by", f"als-simulator {found.engine_version}"),
            Pair("Report by", f"als-simulator {__version__}"),
        ],
        answer=[ANSWERS[found.method](found)],
    )


def _lead(found: Sensitivity) -> str:
    unit = f", {found.unit}" if found.unit else ""
    points = f"{found.points:,} points" if found.points > 1 else "1 point"
    people = "the same people" if found.random_numbers == "common" else "other people"
    each = f"{points} × {found.replicates} replicates × {found.patients:,} patients, {people} in each"
    return f"Outcome: {found.label}{unit}. {each}."


def _called(row: Any) -> str:
    """The label of a value, where it has one, else its name."""
    return getattr(row, "label", "") or str(row.name)


def _first(found: Sensitivity, key: str) -> str:
    """The values that are first in the order of the analysis, with a figure each."""
    rows = [row for row in found.rows if getattr(row, key) == getattr(row, key) and getattr(row, key) != 0][:MOST]
    return "; ".join(f"{_called(row)} ({getattr(row, key):.2f})" for row in rows) or "none"


def _moved(found: Sensitivity) -> str:
    d, moved = found.digits, [row for row in found.rows if row.swing != 0][:MOST]
    base = with_error(found.figures["base"], found.figures["base_mcse"], d)
    each = [f"{_called(row)}, from {fixed(row.at_low, d)} to {fixed(row.at_high, d)}" for row in moved]
    return f"As the scenario has it: {base}. What moves it most: {'; '.join(each) or 'nothing'}."


def _shares(found: Sensitivity) -> str:
    figures, d = found.figures, found.digits
    whole = f"Mean {fixed(figures['mean'], d)}, SD over the priors {fixed(figures['sd'], d)}"
    return f"{whole}. The largest shares of the variance, with interactions: {_first(found, 'total')}."


def _effects(found: Sensitivity) -> str:
    rows = [row for row in found.rows if row.mean_abs != 0][:MOST]
    each = "; ".join(f"{_called(row)} ({fixed(row.mean_abs, found.digits)})" for row in rows) or "none"
    return f"The largest changes per range of a prior: {each}."


def _drawn(found: Sensitivity) -> str:
    figures, d = found.figures, found.digits
    low, middle, high = (fixed(figures[key], d) for key in ("p5", "p50", "p95"))
    return (
        f"Median {middle}, 5th to 95th percentile {low} to {high}. The largest shares of the variance, alone: "
        f"{_first(found, 'alone')}."
    )


def _worth(found: Sensitivity) -> str:
    figures, best = found.figures, found.options[int(found.figures["best"])]
    shown = [row.name for row in found.rows if row.evppi > 0 and not row.evppi <= row.floor][:MOST]
    return (
        f"Best on average: {best.name}. Perfect information is worth {figures['evpi']:,.0f} ± "
        f"{_known(figures['evpi_se'], 0)} {found.unit} a patient. Most worth knowing: "
        f"{', '.join(shown) or 'no single value'}."
    )


def _known(value: float, digits: int) -> str:
    return "?" if math.isnan(value) else f"{value:,.{digits}f}"


def _ranges(found: Sensitivity) -> list[Table]:
    d, unit = found.digits, f", {found.unit}" if found.unit else ""
    heads = ["", "5th percentile", "95th", f"outcome at the 5th{unit}", "at the 95th", "difference"]
    body = [
        [
            f"{_called(row)}{f', {row.unit}' if row.unit and row.unit != '1' else ''}",
            *(f"{row.low:.3g}", f"{row.high:.3g}", fixed(row.at_low, d), fixed(row.at_high, d)),
            fixed(row.swing, d) if math.isnan(row.mcse) else with_error(row.swing, row.mcse, d),
        ]
        for row in found.rows
    ]
    return [Table("One value at a time, the most influential first", heads, body)]


def _indices(found: Sensitivity) -> list[Table]:
    def cells(row: Any, key: str) -> list[str]:
        value, low, high = (getattr(row, name) for name in (key, f"{key}_lower", f"{key}_upper"))
        return [f"{value:.3f}", f"{low:.2f} to {high:.2f}"]

    body = [[_called(row), *cells(row, "first"), *cells(row, "total")] for row in found.rows]
    heads = ["", "first order", "95 % interval", "total", "95 % interval"]
    return [Table("Sobol' indices: shares of the variance", heads, body)]


def _elementary(found: Sensitivity) -> list[Table]:
    d, unit = found.digits, f", {found.unit}" if found.unit else ""
    keys = ("mean_abs", "half_width", "mean", "sd", "noise")
    body = [[row.name, *(_known(getattr(row, key), d) for key in keys)] for row in found.rows]
    return [Table("Elementary effects", ["", f"mean |effect|{unit}", "± 95 %", "mean", "SD", "noise"], body)]


def _alone(found: Sensitivity) -> list[Table]:
    body = [[row.name, f"{row.alone:.3f} ± {_known(row.alone_se, 3)}", f"{row.added:.3f}"] for row in found.rows]
    return [Table("Shares of the variance over draws", ["", "alone", "added to the others"], body)]


def _information(found: Sensitivity) -> list[Table]:
    options = [
        [
            one.name,
            *(f"{one.life_years:.3f}", f"{one.qalys:.3f}", f"{one.costs:,.0f}"),
            *(f"{one.net_benefit:,.0f} ± {_known(one.se, 0)}", f"{one.best:.0%}"),
        ]
        for one in found.options
    ]
    heads = ["", "life years", "QALYs", f"costs, {found.unit}", f"net benefit, {found.unit}", "best in"]
    rows = [[row.name, f"{row.evppi:,.0f} ± {_known(row.se, 0)}", _known(row.floor, 0)] for row in found.rows]
    return [
        Table("Options, means over draws", heads, options),
        Table("Worth of knowing, a patient", ["", f"EVPPI, {found.unit}", "noise floor"], rows),
    ]


ANSWERS: dict[str, Callable[[Sensitivity], str]] = {
    "oneway": _moved,
    "sobol": _shares,
    "morris": _effects,
    "ensemble": _drawn,
    "evpi": _worth,
}
TABLES: dict[str, Callable[[Sensitivity], list[Table]]] = {
    "oneway": _ranges,
    "sobol": _indices,
    "morris": _elementary,
    "ensemble": _alone,
    "evpi": _information,
}
