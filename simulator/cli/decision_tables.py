"""The economics of a decision on the terminal: at most 80 columns."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from simulator.language import Scenario
from simulator.studies.decide.base import Base, basis
from simulator.studies.decide.result import Decided
from simulator.studies.decide.tables import Cell, Table, shown
from simulator.tables.text import WIDTH, aligned, clean, short

ACROSS = 3
"""Options side by side."""


def base_text(base: Base, scenario: Scenario) -> str:
    """Costs and effects of the options, what each gains at what price, and what must be known."""
    lines = ["", *wrap(f"Decision: {basis(scenario)}", WIDTH), "", *_outcomes(base.table("outcomes"))]
    lines += [*increments_text(base.table("incremental"))]
    for text in base.warnings:
        lines += wrap(f"Warning: {clean(text)}", WIDTH)
    return "\n".join(lines)


def _outcomes(table: Table) -> Iterator[str]:
    """Numbers down, discounted above undiscounted; options across, as many as fit."""
    for some in (table.rows[k : k + ACROSS] for k in range(0, len(table.rows), ACROSS)):
        body = [["a patient", *(short(str(row[0])) for row in some)]]
        for k in range(1, len(table.columns), 2):
            digits = table.columns[k].digits
            body.append([table.heads[k], *(_pair(row[k], row[k + 1], digits) for row in some)])
        yield from (*aligned(body), "")


def increments_text(table: Table) -> Iterator[str]:
    """Options in order of QALYs, with what each gains over the one before that is left."""
    extra, worth = ("extra costs", "extra QALYs", "ICER"), ("net benefit", "extra net benefit")
    money = table.columns[_at(table, "net benefit")].unit
    body = [["in order of QALYs", f"extra {money}", "extra QALYs", f"{money} a QALY"]]
    benefit = [["", f"net benefit, {money}", f"over versus, {money}", "net health, QALYs"]]
    for row in table.rows:
        name, versus, _ = (short(str(cell)) for cell in row[:3])
        body.append([_who(row), *(_figure(table, row, head) if versus else "" for head in extra)])
        over = [_figure(table, row, head) if versus or head == worth[0] else "" for head in worth]
        benefit.append([name, *over, _figure(table, row, "net health benefit")])
    yield from (*aligned(body), "", *aligned(benefit), "")
    yield "± is the Monte Carlo error; als-sim decide adds what is not known of the model."


def _at(table: Table, head: str) -> int:
    """The place of a column."""
    return [one.name for one in table.columns].index(head)


def _figure(table: Table, row: list[Cell], head: str) -> str:
    """A figure with its Monte Carlo error."""
    k = _at(table, head)
    return _pair(row[k], row[k + 1], table.columns[k].digits)


def _who(row: list[Cell]) -> str:
    """An option, with what it is set against or why it is not."""
    name, versus, status = (short(str(cell)) for cell in row[:3])
    return f"{name} vs {versus}" if versus else f"{name}{f', {status}' if status else ''}"


def _n(cell: Cell, digits: int = 0) -> str:
    return shown(cell, digits)


def _pair(value: Cell, error: Cell, digits: int) -> str:
    return f"{shown(value, digits)} ± {shown(error, digits) or '?'}"


def decision_text(found: Decided) -> str:
    """A decision: what the options come to, at what price, how sure that is, and what knowing more is worth."""
    lines = [clean(found.title), *wrap(found.basis, WIDTH), "", *wrap(clean(" ".join(found.answer)), WIDTH), ""]
    lines += [*_outcomes(found.tables["outcomes"])]
    lines += [*_uncertain(found), "", *_sure(found), "", *_worth(found.tables["information"])]
    for name in ("study", "prices", "stopping", "severity", "subgroups", "scenarios", "budget"):
        if name in found.tables:
            lines += ["", *_table(found.tables[name])]
    if found.fixed:
        lines += ["", *wrap(f"Not drawn, for they have no prior: {', '.join(found.fixed)}", WIDTH)]
    for text in found.warnings:
        lines += wrap(f"Warning: {clean(text)}", WIDTH)
    return "\n".join([*lines, *wrap(found.notice, WIDTH)])


def _uncertain(found: Decided) -> Iterator[str]:
    """The incremental table, Monte Carlo error and spread over the parameters apart."""
    body, table = [["in order of QALYs", "", "value", "±", "SD"]], found.tables["incremental"]
    money = table.columns[_at(table, "net benefit")].unit
    for row in table.rows:
        who = _who(row)
        for head in ("extra costs", "extra QALYs", "ICER", "net benefit", "net health benefit"):
            k = _at(table, head)
            if row[1] or head.startswith("net"):
                label = head.replace("health benefit", "health")
                body.append([who, label, *(_n(row[j], table.columns[k].digits) for j in (k, k + 1, k + 2))])
                who = ""
    yield f"Costs and net benefit in {money}, ICER in {money} a QALY, net health in QALYs;"
    yield "± is the Monte Carlo error, SD the spread over what is uncertain:"
    yield from aligned(body)


def _sure(found: Decided) -> Iterator[str]:
    """How often each option is the best, at a few thresholds, and what choosing it loses."""
    accepted, lost = found.tables["acceptability"], found.tables["loss"]
    some = sorted({0, len(accepted.rows) // 4, len(accepted.rows) // 2, 3 * len(accepted.rows) // 4,
                   len(accepted.rows) - 1})  # fmt: skip
    money = lost.columns[-1].unit
    yield f"Share of draws in which an option is the best ({money} expected to be lost by it),"
    yield f"by what a QALY is worth in {money}; EVPI in {money} a patient:"
    body = [["a QALY", *(short(name) for name in found.options), "frontier", "EVPI"]]
    for k in some:
        row, loss = accepted.rows[k], lost.rows[k]
        shares = [f"{100 * float(x or 0):.0f} % ({_n(y)})" for x, y in zip(row[1:-2], loss[1:-1], strict=True)]
        body.append([_n(row[0]), *shares, short(str(row[-2])), _n(loss[-1])])
    yield from aligned(body)


def _worth(table: Table) -> Iterator[str]:
    """What knowing more is worth: what is above its floor."""
    shown_rows = [row for row in table.rows if row[2] and (row[4] is None or float(row[2]) > float(row[4]))]
    body = [[short(str(row[0])), _n(row[2]) if row[3] is None else _pair(row[2], row[3], 0)] for row in shown_rows]
    yield from aligned([[table.caption, table.columns[2].unit], *body])
    left = len(table.rows) - len(shown_rows)
    yield from wrap(f"{f'{left} others are not above what noise gives. ' if left else ''}{table.note}", WIDTH)


def _table(table: Table) -> Iterator[str]:
    """Any table; where it is wider than the page, each row is a paragraph."""
    joined = table.joined()
    lines = list(aligned([joined[0], *([short(cell) for cell in row] for row in joined[1:])]))
    yield table.caption
    if table.rows and max(map(len, lines)) <= WIDTH:
        yield from lines
    else:
        for row in joined[1:]:
            pairs = [f"{head} {cell}" for head, cell in zip(joined[0][1:], row[1:], strict=True) if cell]
            yield from wrap(f"{row[0]}: {'; '.join(pairs)}", WIDTH, initial_indent="  ", subsequent_indent="    ")
    yield from wrap(table.note, WIDTH)
