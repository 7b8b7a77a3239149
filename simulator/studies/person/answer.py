"""The answer of one person's run in sentences: how long in each arm, and what treatment gives the same twin."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from simulator.tables.numbers import fixed

if TYPE_CHECKING:
    from simulator.studies.person.portrait import Portrait, Spread

TIME, GAIN, SHARE = "event_free_months", "event_free_gain_months", "event_free_gain_share"


def sentences(found: Portrait) -> list[str]:
    """A sentence for each arm, then for each comparison."""
    return [*_times(found), *_gains(found)]


def _times(found: Portrait) -> Iterator[str]:
    """How long without death or ventilation, arm by arm."""
    for row in found.spreads:
        if row.outcome == TIME and not row.against:
            lived = f"half of the twins live {_middle(row)} months or more from now without permanent ventilation"
            yield f"{row.arm}: {lived} {_nine(row)}."


def _gains(found: Portrait) -> Iterator[str]:
    """What treatment gives the same twin."""
    shares = {(row.arm, row.against): row for row in found.chances if row.outcome == SHARE}
    for row in found.spreads:
        if row.outcome == GAIN and row.against:
            text = f"{row.arm} against {row.against}: half of the twins gain {_middle(row)} months or more {_nine(row)}"
            share = shares.get((row.arm, row.against))
            if share is not None:
                text += f"; {fixed(share.estimate, 1)} of 100 gain more than half a month (± {fixed(share.mcse, 1)})"
            yield f"{text}."


def _middle(row: Spread) -> str:
    return number(row.quantiles[2])


def _nine(row: Spread) -> str:
    """Nine of ten."""
    return f"(nine of ten between {number(row.quantiles[0])} and {number(row.quantiles[4])})"


def number(value: float) -> str:
    """A quantile with one decimal, in words where it has no value."""
    if math.isnan(value):
        return "nobody"
    return "beyond follow-up" if math.isinf(value) else fixed(value, 1)
