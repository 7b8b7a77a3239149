"""The report of the evidence: every published row beside its simulated twin, as one HTML file."""

from __future__ import annotations

from simulator.report.captions import CAPTIONS as FIGURES
from simulator.report.captions import Figure
from simulator.report.data import DataPage
from simulator.report.rendering import rendered
from simulator.studies.evidence import cells
from simulator.studies.evidence.pictures import draw
from simulator.studies.evidence.scoreboard import pictures
from simulator.studies.evidence.study import Evidence, shares
from simulator.tables.table import Table

NAME = "report.html"
NOTICE = "Agreement with published rows is no proof: some of them were used to choose the values. For research."
CAPTIONS = {"calibration": "In sample: calibration rows", "validation": "Out of sample: validation rows"}


def evidence_content(found: Evidence) -> DataPage:
    """What stands in the report: the answer, how well rows agree, curves, tables."""
    inside, outside = (shares(found.scores, role, True) for role in cells.ROLES)
    lead = (
        f"{outside.rows} published rows that no value was fitted to: {outside.within_2:.0%} lie within 2 standard "
        f"errors of the simulated figure; of {inside.rows} rows used for calibration, {inside.within_2:.0%}. Values: "
        f"{found.values}."
    )
    tables = [_table(caption, cells.table(found.scores, role)) for role, caption in CAPTIONS.items()]
    tables += [
        _table("Not simulated", cells.missing(found)),
        _table("Known conflicts", cells.conflicts(found)),
        _table("The article's claims", cells.claims(found)),
    ]
    drawn = [Figure(name, draw(name, found.scores), FIGURES["curve"]) for name in pictures() if _has(found, name)]
    notes = [
        "z = (simulated − published)/√(SE² + MCSE²), without a term for the model's own discrepancy; ± is the Monte "
        "Carlo standard error. An error of the design is a lower bound. Recalled rows were not read in the source.",
    ]
    kept = [table for table in tables if table.rows]
    told = cells.agreement(found.scores)
    return DataPage("Evidence: published and simulated", lead, NOTICE, notes, drawn, kept, "How well it agrees", told)


def _has(found: Evidence, name: str) -> bool:
    """Whether a point of the curve is among the scores."""
    return any(score.id.startswith(f"{name}/") for score in found.scores)


def _table(caption: str, rows: list[list[str]]) -> Table:
    return Table(caption, rows[0], rows[1:])


def evidence_files(found: Evidence) -> dict[str, str]:
    """The report, as a file to write."""
    return {NAME: rendered("data.html.j2", evidence_content(found))}
