"""Rows as CSV, values as JSON can say them."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable
from typing import Any


def csv_text(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Rows as CSV that is safe to open in a spreadsheet; what is not there, NaN among it, is an empty cell."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return stream.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.7g}" if math.isfinite(value) else ""
    return safe_cell(value) if isinstance(value, str) else str(value)


def safe_cell(text: str) -> str:
    """Text without control characters, and with a quote before what a spreadsheet would take for a formula."""
    clean = text if text.isprintable() else "".join(one if one.isprintable() else " " for one in text)
    return f"'{clean}" if clean.startswith(("=", "+", "-", "@")) else clean


def without_nan(value: Any) -> Any:
    """The value as JSON can say it: NaN and infinity are null, named tuples are objects."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if hasattr(value, "_asdict"):
        return {key: without_nan(one) for key, one in value._asdict().items()}
    if isinstance(value, dict):
        return {key: without_nan(one) for key, one in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [without_nan(one) for one in value]
    return value
