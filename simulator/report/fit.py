"""What stands in the report of a fit: how well it explains the people, the fitted values, shrinkage, the picture."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from simulator.report.captions import figure
from simulator.report.data import DataPage
from simulator.results.notices import OF_PEOPLE
from simulator.tables.table import Table

if TYPE_CHECKING:
    from simulator.studies.fit.result import Estimate, Fit

NONE = "–"
ANSWERS = ("log-likelihood", "NOT CONVERGED")


def fit_content(found: Fit) -> DataPage:
    """The report of a fit; numbers of single participants are not in it."""
    lines = found.lines()
    pictures = [figure(picture.kind, picture.svg()) for picture in map(found.plot.draw, found.plot.kinds)]
    main, *rest = tables_of(found)
    first = [line for line in lines[1:-1] if line.startswith(ANSWERS)]
    notes = [line for line in lines[1:-1] if line not in first]
    told = [f"{line[0].upper()}{line[1:]}." for line in first]
    return DataPage(found.title, f"{lines[0]}.", OF_PEOPLE, notes, pictures, rest, "What the data say", told, [main])


def tables_of(found: Fit) -> list[Table]:
    """The fitted values, and how much of each random effect people's own data do not show."""
    heads = ["", "start", "fitted", "95 % interval", "SD over prior's", "Monte Carlo error"]
    shrunk = [[name, f"{100 * share:.0f} %"] for name, share in found.shrinkage.items()]
    return [
        Table("Fitted values", heads, [_row(one) for one in found.parameters]),
        Table("Shrinkage", ["", "of the variance"], shrunk),
    ]


def _row(one: Estimate) -> list[str]:
    name = f"{one.address} [{one.unit}]" if one.unit else one.address
    interval = f"{one.lower:.3g} to {one.upper:.3g}" if isfinite(one.se) else NONE
    left, noise = (f"{x:.2f}" if isfinite(x) else NONE for x in (one.left, one.mc))
    return [name, f"{one.start:.3g}" if isfinite(one.start) else NONE, f"{one.estimate:.3g}", interval, left, noise]
