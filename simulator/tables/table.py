"""A table of texts, and its HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple


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
        """The table as HTML of a notebook; every text is escaped."""
        caption = f"<caption>{escape(self.caption)}</caption>" if self.caption else ""
        head = "".join(f"<th>{escape(one)}</th>" for one in self.heads)
        head = f"<thead><tr>{head}</tr></thead>" if head else ""
        return f"<table>{caption}{head}<tbody>{''.join(map(_row, self.rows))}</tbody></table>"


def _row(row: Sequence[str]) -> str:
    first, *others = row
    return f"<tr><th>{escape(first)}</th>{''.join(f'<td>{escape(one)}</td>' for one in others)}</tr>"


def notebook(title: str, lead: str, table: Table, *, notes: Iterable[str] = (), foot: str = "", more: str = "") -> str:
    """What a notebook shows of an object: title, a paragraph, a table, a list of notes, small print; texts are escaped.

    `more` : HTML that stands last.
    """
    listed = "".join(f"<li>{escape(one)}</li>" for one in notes)
    parts = (
        f"<h4>{escape(title)}</h4>",
        f"<p>{escape(lead)}</p>" if lead else "",
        table.html(),
        f"<ul>{listed}</ul>" if listed else "",
        f"<p><small>{escape(foot)}</small></p>" if foot else "",
        more,
    )
    return f"<div>{''.join(parts)}</div>"
