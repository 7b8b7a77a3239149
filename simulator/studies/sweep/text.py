"""A sweep in words: the table of its outcomes, for terminals and notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulator.language.listing import unit_of
from simulator.results.notices import NOTICE
from simulator.studies.wording import fixed, with_error
from simulator.units import DAYS_PER_MONTH, how_many, minus

if TYPE_CHECKING:
    from simulator.studies.sweep.outcomes import Outcome
    from simulator.studies.sweep.result import Sweep

LINES = 40
"""Points that are listed one by one; of more, the range is told."""


class Table(NamedTuple):
    """Cells of a table, with their heads; the first `fixed` of a row say what it is about."""

    heads: list[str]
    rows: list[list[str]]
    fixed: int


def columns(sweep: Sweep) -> Table:
    """What each point sets, days in months too."""
    heads, cells = [], []
    for address in sweep.addresses:
        values = sweep.values(address)
        heads.append(titled(sweep, address))
        cells.append([_cell(value) for value in values])
        if address.endswith("_day") and values.dtype.kind in "if":
            heads.append("months")
            cells.append([f"{value / DAYS_PER_MONTH:.1f}" for value in values])
    return Table(heads, [[column[k] for column in cells] for k in range(sweep.n_points)], len(heads))


def titled(sweep: Sweep, address: str) -> str:
    """The name of what was varied, with its unit where the address ends with one."""
    unit = unit_of(address.rpartition(".")[2])
    return f"{sweep.label(address)}, {unit}" if unit else sweep.label(address)


def short(address: str) -> str:
    """The last words of an address, enough to know it by."""
    parts = [part for part in address.split(".") if not part.isdigit() and part not in ("normal", "lognormal")]
    return ".".join(parts[-2:])


def by_point(sweep: Sweep, outcomes: Sequence[Outcome]) -> Table:
    """A row for each point: what it sets, its outcomes with their errors."""
    head, rows, fixed_columns = columns(sweep)
    found = [cells(sweep, one) for one in outcomes]
    names = [letter(k) for k in range(len(outcomes))]
    return Table([*head, *names], [row + [column[k] for column in found] for k, row in enumerate(rows)], fixed_columns)


def cells(sweep: Sweep, outcome: Outcome) -> list[str]:
    """An outcome of every point as text, with its error."""
    failed = {one.point for one in sweep.failures}
    pairs = enumerate(zip(outcome.estimate, outcome.mcse, strict=True))
    return ["failed" if k in failed else with_error(value, error, outcome.digits) for k, (value, error) in pairs]


def ranges(sweep: Sweep, outcomes: Sequence[Outcome]) -> Table:
    """A row for each address and each outcome: least, median and most over the points; for outcomes a typical error."""
    rows = []
    for address in sweep.addresses:
        values = sweep.values(address)
        if values.dtype.kind in "if":
            rows.append([titled(sweep, address), *(f"{x:.4g}" for x in _three(values)), ""])
        else:
            rows.append([sweep.label(address), f"{len(set(values.tolist()))} values", "", "", ""])
    for k, one in enumerate(outcomes):
        error = float(np.nanmedian(one.mcse)) if np.isfinite(one.mcse).any() else float("nan")
        rows.append([letter(k), *(fixed(x, one.digits) for x in _three(one.estimate)), fixed(error, one.digits)])
    return Table(["", "least", "median", "most", "± of one"], rows, 1)


def _three(values: np.ndarray) -> list[float]:
    known = values[np.isfinite(values)]
    return [float(x) for x in np.quantile(known, [0, 0.5, 1])] if len(known) else [float("nan")] * 3


def letter(number: int) -> str:
    """A, B, … for the outcomes of a table."""
    return chr(ord("A") + number) if number < 26 else f"A{number}"


def _cell(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, (int, float, np.number)) else str(value)


def table(sweep: Sweep, outcomes: Sequence[Outcome]) -> Table:
    """The table that fits: point by point, or the ranges."""
    return by_point(sweep, outcomes) if sweep.n_points <= LINES else ranges(sweep, outcomes)


def about_errors(outcomes: Sequence[Outcome]) -> list[str]:
    """Sentences that say what the errors of differences are."""
    found = []
    paired = [one for one in outcomes if one.paired]
    if paired:
        count, reach = paired[0].replicates.shape[1], paired[0].reach
        found.append(f"Errors of differences are of {count} replicates: a 95 % interval reaches {reach:.1f} of them.")
    if any(one.wanted.against and not one.paired for one in outcomes):
        found.append("Errors of differences are not paired: upper bounds. Replicates make them paired.")
    return found


def html(sweep: Sweep) -> str:
    """HTML of a sweep; every text from a scenario is escaped."""
    outcomes = sweep.outcomes()
    shown = table(sweep, outcomes)
    head = "".join(f"<th>{escape(one)}</th>" for one in shown.heads)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in shown.rows)
    names = "".join(f"<li>{letter(k)}: {escape(one.label)}, {escape(one.unit)}</li>" for k, one in enumerate(outcomes))
    failed = "".join(f"<li>point {one.point} failed: {escape(one.message)}</li>" for one in sweep.failures[:LINES])
    foot = " ".join(["± is the Monte Carlo standard error.", *about_errors(outcomes), NOTICE])
    many = f"{how_many(sweep.n_points, 'points')}, {how_many(sweep.n_patients, 'patients')} in each arm"
    return minus(
        f"<div><h4>{escape(sweep.title)}</h4><p>{many}, {how_many(sweep.replicates, 'replicates')}, "
        f"seed {sweep.seed}; engine {escape(str(sweep.attrs['engine_version']))}, "
        f"scenario {escape(sweep.scenario_sha256[:12])}</p><ul>{names}</ul>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        f"{f'<ul>{failed}</ul>' if failed else ''}"
        f"<p><small>{foot}</small></p></div>"
    )
