"""Constants of time (model.md, first lines) and the type of a resolved scenario."""

from __future__ import annotations

from typing import Any

Numbers = dict[str, Any]

DAYS_PER_MONTH = 30.4375
DAYS_PER_YEAR = 365.25
EPOCH_DAYS = 28.0


def bound(value: Any, default: float) -> float:
    """The number, or the default where a bound is absent or null."""
    return default if value is None else float(value)
