"""The scoreboard as a page, with the curves as pictures."""

from __future__ import annotations

from collections.abc import Sequence

from simulator.studies.evidence import cells
from simulator.studies.evidence.pictures import draw
from simulator.studies.evidence.study import Evidence
from simulator.version import __version__

INTRODUCTION = """# Scoreboard

Made by `als-sim evidence -o DIR`, version {version}; do not edit.

z = (simulated − published)/√(SE² + MCSE²), never with a term for the model's own discrepancy; ± is the Monte Carlo
standard error. The published value's own error is *published*, *derived* (from a 95 % interval, an SD, a binomial, the
quantile of a survival curve) or that of the *design*: the simulated sampling SD at the published number of
participants, which knows nothing of assays that drift and is a lower bound. Figures are of the catalog's {values}
values. "Recalled" rows were not read in the source.

Points of one curve are correlated: agreement is counted by rows, and again with each curve counting as one row.
A simulated benefit is not a proven one.
"""


def page(found: Evidence) -> str:
    """The page in Markdown: in-sample and out-of-sample apart."""
    parts = [INTRODUCTION.format(version=__version__, values=found.values)]
    parts += ["## Agreement\n", *(f"* {line}" for line in cells.agreement(found.scores)), ""]
    parts += ["## In sample: calibration rows\n", *_table(cells.table(found.scores, "calibration")), ""]
    parts += ["## Out of sample: validation rows\n", *_table(cells.table(found.scores, "validation")), ""]
    parts += ["## Curves\n", *(f"![{name}](scoreboard/{name}.svg)\n" for name in pictures())]
    parts += ["## Not simulated\n", *_table(cells.missing(found)), ""]
    parts += ["## Known conflicts\n", *_table(cells.conflicts(found)), ""]
    parts += ["## The article's claims\n", *_table(cells.claims(found)), ""]
    parts += ["## Readings\n", *(f"* {line}" for line in cells.readings())]
    return "\n".join(parts) + "\n"


def pictures() -> list[str]:
    """Names of the pictures of curves."""
    from simulator.catalog.targets import CURVES

    return list(CURVES)


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """A table in Markdown."""
    head, *body = ([cell.replace("|", "\\|") for cell in row] for row in rows)
    return [_line(head), _line(["---"] * len(head)), *map(_line, body)]


def _line(row: Sequence[str]) -> str:
    return "| " + " | ".join(row) + " |"


def files(found: Evidence) -> dict[str, str]:
    """Contents of scoreboard.md and scoreboard/*.svg by their names.

    Raises
    ------
    ModuleNotFoundError
        matplotlib is missing.
    """
    drawn = {f"scoreboard/{name}.svg": draw(name, found.scores) for name in pictures()}
    return {"scoreboard.md": page(found)} | drawn
