"""A table of texts, and its HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

from simulator.units import minus


class Table(NamedTuple):
    """A table: caption, heads of the columns, rows whose first `fixed` cells say what they are about.

    `parts`: rows that begin a new part; `words`: cells are sentences, which wrap.
    """

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    parts: tuple[int, ...] = ()
    words: bool = False
    fixed: int = 1

    def html(self) -> str:
        """The table as HTML of a notebook, escaped; cells stay on one line unless they are sentences."""
        caption = f"<caption>{escape(self.caption)}</caption>" if self.caption else ""
        head = "".join(f"<th>{escape(one)}</th>" for one in self.heads)
        head = f"<thead><tr>{head}</tr></thead>" if head else ""
        style = "" if self.words else ' style="white-space:nowrap"'
        return f"<table>{caption}{head}<tbody>{''.join(_row(row, style) for row in self.rows)}</tbody></table>"


def _row(row: Sequence[str], style: str) -> str:
    first, *others = row
    return f"<tr><th>{escape(first)}</th>{''.join(f'<td{style}>{escape(one)}</td>' for one in others)}</tr>"


def notebook(title: str, *parts: str | Table, notes: Iterable[object] = (), foot: str = "", more: str = "") -> str:
    """What a notebook shows of an object: title, paragraphs and tables, a list of notes, small print.

    All is escaped, and negative numbers have minus signs.

    `more` : HTML that stands last.
    """
    body = "".join(one.html() if isinstance(one, Table) else f"<p>{escape(one)}</p>" for one in parts if one)
    listed = "".join(f"<li>{escape(str(one))}</li>" for one in notes)
    listed = f"<ul>{listed}</ul>" if listed else ""
    small = f"<p><small>{escape(foot)}</small></p>" if foot else ""
    return minus(f"<div><h4>{escape(title)}</h4>{body}{listed}{small}") + f"{more}</div>"
