"""Checks of `entry.data`: participants whom the scenario cannot let in are named before anything runs."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from typing import Any

from simulator.language.blocks.entering import MEASURES, Data
from simulator.language.check import reads
from simulator.language.faults import Path, Problem, printable
from simulator.units import MONTHS_PER_YEAR

AT: Path = ("entry", "data")
SITES = ("bulbar", "upper_limb", "lower_limb", "limb", "spinal")
SEXES = {"m": 0, "man": 0, "male": 0, "f": 1, "w": 1, "woman": 1, "female": 1}
RULED = {"alsfrs_r": "alsfrs_r", "svc_percent": "svc_percent", "nfl_plasma": "nfl_plasma"} | {
    "time_since_onset_months": "months_since_onset",
    "age_years": "age",
}
"""Rules of entry, and the column of a participant that they look at."""


@reads("entry", "disease", "strata", "person")
def _contradictions(scenario: Any) -> Iterator[Problem]:
    """What says otherwise than the data who the people are."""
    data = scenario.entry.data
    if data is None:
        return
    if scenario.strata is not None:
        fact = "strata share people out, and the data say who they are"
        yield Problem(("strata",), fact, "Remove strata, or entry.data")
    if scenario.person is not None:
        yield Problem(("person",), "one person is simulated, and entry.data has others", "Remove person or entry.data")
    if scenario.entry.referral_months is not None:
        fact = "who was referred is in the data"
        yield Problem(("entry", "referral_months"), fact, "Remove referral_months")
    yield from _participants(scenario, data)


def _participants(scenario: Any, data: Data) -> Iterator[Problem]:
    """What each must say, and what contradicts the rules of entry; one problem of each kind."""
    rows, variants = data.rows, list(scenario.disease.variants)
    kinds = (
        ("has a variant that the scenario lacks", f"Variants: {', '.join(variants)}",
         lambda row: _unknown(row, variants)),
        ("has another sex than man and woman", "Write man or woman, or leave it empty",
         lambda row: bool(row["sex"]) and row["sex"].lower() not in SEXES),
        ("has another site of onset than the known ones", f"Sites: {', '.join(SITES)}",
         lambda row: bool(row["onset_site"]) and site_of(row) not in SITES),
        ("was older at onset than at entry, or not born", "Correct age or months_since_onset", _too_young),
    )  # fmt: skip
    if scenario.entry.time_since_onset_months is None:
        lacking = [row["id"] for row in rows if not row["months_since_onset"]]
        yield from _said(lacking, "has no time since onset", "Add it, or entry.time_since_onset_months for such people")
    for measure in data.match:
        lacking = [row["id"] for row in rows if not row[measure]]
        remedy = f"Add it, leave them out, or leave {measure} out of entry.data.match"
        yield from _said(lacking, f"has no {MEASURES[measure]} on day 0", remedy)
    for fact, remedy, wrong in kinds:
        yield from _said([row["id"] for row in rows if wrong(row)], fact, remedy)
    rule = scenario.entry.eligible
    for name, column in RULED.items():
        bounds = None if rule is None else getattr(rule, name)
        if bounds is not None:
            low, high = (default if x is None else x.value for x, default in ((bounds.min, -inf), (bounds.max, inf)))
            out = [row["id"] for row in rows if row[column] and not low <= float(row[column]) <= high]
            fact = f"is not eligible: {name} is outside {low:g} to {high:g}"
            yield from _said(out, fact, "Loosen entry.eligible, or leave them out of the data")


def _said(who: list[str], fact: str, remedy: str) -> Iterator[Problem]:
    if who:
        more = f", and {len(who) - 1} more" if len(who) > 1 else ""
        yield Problem(AT, f"participant {printable(who[0])} {fact}{more}", remedy)


def _unknown(row: dict[str, str], variants: list[str]) -> bool:
    return bool(row["variant"]) and len(variants) > 1 and row["variant"] not in variants


def _too_young(row: dict[str, str]) -> bool:
    return bool(row["age"] and row["months_since_onset"]) and (
        float(row["age"]) <= float(row["months_since_onset"]) / MONTHS_PER_YEAR
    )


def site_of(row: dict[str, str]) -> str:
    """The site of onset as scenarios call it."""
    return row["onset_site"].lower().replace(" ", "_")
