"""How numbers of the headline are written, in a table of text as in one of HTML."""

from __future__ import annotations

import math

from simulator.units import DAYS_PER_MONTH


def fixed(value: float, digits: int) -> str:
    """A number with so many decimals, and no minus sign before a zero."""
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text


def with_error(value: float, mcse: float, digits: int) -> str:
    """A number and its Monte Carlo standard error: ± 0 is said only of what is certain, ? where it is not known."""
    if math.isnan(value):
        return "not reached"
    error = "?" if math.isnan(mcse) else fixed(mcse, digits)
    if mcse > 0 and float(error) == 0:
        error = f"{mcse:.{-math.floor(math.log10(mcse))}f}"
    return f"{fixed(value, digits)} ± {error}"


def when(day: float, capital: bool = True) -> str:
    """A day, with its week where it is a whole one."""
    text = f"day {day:g}" + (f" (week {day / 7:g})" if day % 7 == 0 else "")
    return text.capitalize() if capital else text


def after(day: float) -> str:
    """How long after baseline a day is, and its number."""
    months = day / DAYS_PER_MONTH
    return f"day {day:g}" if months < 2 else f"after {months:.0f} months (day {day:g})"
