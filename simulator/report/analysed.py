"""What stands in the report of analyses of real people: estimates, arms, survival, what is estimated, pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from simulator.report.data import DataPage
from simulator.report.tables import Table
from simulator.results.notices import OF_PEOPLE
from simulator.studies.trial.estimands import alike
from simulator.studies.wording import fixed

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
    pictures = [(picture.kind, picture.svg()) for picture in map(found.plot.draw, found.plot.kinds)]
    return DataPage(found.title, lead, OF_PEOPLE, [str(note) for note in found.notes], pictures, list(_tables(told)))


def _tables(told: Mapping[str, Any]) -> Iterator[Table]:
    heads = ["", "measure", "estimate (95 %)", "p", "n", "left out"]
    yield Table("Estimates", heads, [_estimate(row) for row in told["analyses"]])
    rows = [[label, *(f"{arm[key]:,}" for arm in told["arms"])] for key, label in COUNTS.items()]
    rows.append(["mean days followed", *(fixed(arm["mean_days"], 0) for arm in told["arms"])])
    yield Table("Arms", ["", *(arm["name"] for arm in told["arms"])], rows)
    texts = alike({row["analysis"]: row["estimand"] for row in told["analyses"]})
    yield Table("What is estimated", ["", "estimand"], [[names, text] for names, text in texts.items()])


def _estimate(row: Mapping[str, Any]) -> list[str]:
    measure, left = row["measure"].format(unit="points"), f"{row['left_out']:,}"
    if row["estimate"] is None:
        return [row["analysis"], row["refused"] or measure, NONE, NONE, NONE, left]
    interval = f"{fixed(row['estimate'], 3)} ({fixed(row['lower'], 3)} to {fixed(row['upper'], 3)})"
    return [row["analysis"], measure, interval, f"{row['p']:.4f}", f"{row['n']:,}", left]
