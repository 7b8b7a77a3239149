"""What stands in the report of analyses of real people: estimates, arms, survival, what is estimated, pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from simulator.report.captions import figure
from simulator.report.data import DataPage
from simulator.report.kinds import AnalysedKind
from simulator.results.notices import OF_PEOPLE
from simulator.studies.trial.estimands import alike
from simulator.tables.numbers import fixed
from simulator.tables.table import Table
from simulator.units import how_many

if TYPE_CHECKING:
    from simulator.studies.analysed import Analysed

NONE = "–"
COUNTS = {"participants": "participants", "events": "with the event", "left": "left before, without it"} | {
    "not_measured": "not measured at the last visit, without it"
}


def analysed_content(found: Analysed) -> DataPage:
    """The report; numbers of single participants are not in it."""
    told = found.document()
    lead = f"{found.outcome} to day {found.day:g}, last visit day {found.visit:g}; event: {found.endpoint or 'none'}."
    names = {AnalysedKind.forest: "analyses", AnalysedKind.survival: "free"}
    pictures = [figure(names[kind], found.plot.draw(kind).svg()) for kind in found.plot.kinds]
    main, *tables = _tables(told)
    notes = [str(note) for note in found.notes]
    sentences = [_sentence(row) for row in told["analyses"]]
    return DataPage(found.title, lead, OF_PEOPLE, notes, pictures, tables, "What the analyses find", sentences, [main])


def _sentence(row: Mapping[str, Any]) -> str:
    """What one analysis finds; why it finds nothing."""
    name, _, unit = row["measure"].format(unit="points").partition(", ")
    if row["estimate"] is None:
        return f"{row['analysis']}: no {name}. {row['refused'] or ''}".strip()
    value, low, high = (fixed(row[key], 2) for key in ("estimate", "lower", "upper"))
    left = f", {row['left_out']:,} left out" if row["left_out"] else ""
    who = f"{how_many(row['n'], 'participants')}{left}"
    return f"{row['analysis']}: {name} {value} {unit}".rstrip() + f" (95 % {low} to {high}), p = {row['p']:.4f}; {who}."


def _tables(told: Mapping[str, Any]) -> Iterator[Table]:
    heads = ["", "measure", "estimate (95 %)", "p", "n", "left out"]
    yield Table("Estimates", heads, [_estimate(row) for row in told["analyses"]])
    rows = [[label, *(f"{arm[key]:,}" for arm in told["arms"])] for key, label in COUNTS.items()]
    rows.append(["mean days followed", *(fixed(arm["mean_days"], 0) for arm in told["arms"])])
    yield Table("Arms", ["", *(arm["name"] for arm in told["arms"])], rows)
    texts = alike({row["analysis"]: row["estimand"] for row in told["analyses"]})
    yield Table("What is estimated", ["", "estimand"], [[names, text] for names, text in texts.items()], words=True)


def _estimate(row: Mapping[str, Any]) -> list[str]:
    measure, left = row["measure"].format(unit="points"), f"{row['left_out']:,}"
    if row["estimate"] is None:
        return [row["analysis"], row["refused"] or measure, NONE, NONE, NONE, left]
    interval = f"{fixed(row['estimate'], 3)} ({fixed(row['lower'], 3)} to {fixed(row['upper'], 3)})"
    return [row["analysis"], measure, interval, f"{row['p']:.4f}", f"{row['n']:,}", left]
