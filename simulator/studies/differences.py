"""In which values two results' scenarios differ."""

from __future__ import annotations

from typing import Any

from simulator.results import Result

MOST = 8
WORDS = ("title", "context_of_use.")
"""Addresses of what moves no number."""


def differing(a: Result, b: Result) -> list[str]:
    """Each value that differs, by its address; nothing where this version cannot read one of the scenarios."""
    from simulator.language import ScenarioError

    try:
        first, second = (_values(result) for result in (a, b))
    except ScenarioError:
        return []
    addresses = [one for one in dict.fromkeys([*first, *second]) if not one.startswith(WORDS)]
    changed = [one for one in addresses if first.get(one) != second.get(one)]
    lines = [f"{one}: {_said(first.get(one))} in A, {_said(second.get(one))} in B" for one in changed[:MOST]]
    return lines + ([f"and {len(changed) - MOST} more values"] if len(changed) > MOST else [])


def _values(result: Result) -> dict[str, Any]:
    from simulator.language import parse
    from simulator.language.listing import values

    scenario = parse(str(result.attrs["scenario"]).encode("utf-8"), str(result.attrs["scenario_name"]))
    return {one.address: one.value for one in values(scenario)}


def _said(value: Any) -> str:
    """A value in a line; of what is not there, that it is not."""
    if value is None:
        return "none"
    return f"{value:g}" if isinstance(value, float) else str(value)
