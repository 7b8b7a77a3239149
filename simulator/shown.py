"""Small tables and lists of HTML, as a notebook shows an object. Every text is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape


def heading(text: str) -> str:
    """A heading over what follows."""
    return f"<h4>{escape(text)}</h4>"


def paragraph(text: str) -> str:
    """A line of text."""
    return f"<p>{escape(text)}</p>"


def items(texts: Iterable[object]) -> str:
    """A list; nothing where there is nothing to list."""
    found = "".join(f"<li>{escape(str(text))}</li>" for text in texts)
    return f"<ul>{found}</ul>" if found else ""


def grid(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table whose first column names the rows; cells stay on one line."""
    head = "".join(f"<th>{escape(one)}</th>" for one in heads)
    body = ""
    for first, *others in rows:
        cells = "".join(f'<td style="white-space:nowrap">{escape(str(one))}</td>' for one in others)
        body += f"<tr><th>{escape(str(first))}</th>{cells}</tr>"
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
