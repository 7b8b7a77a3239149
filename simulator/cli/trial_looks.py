"""What the looks of a trial come to, as text and for the JSON document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.analysis.replicates import Measure
from simulator.studies.trial.html import pair, percent
from simulator.tables.text import aligned

if TYPE_CHECKING:
    from simulator.studies.trial.result import Trial

SHARES = ("benefit", "harm", "futility")
CALENDAR = (("calendar_day", 0), ("randomised", 1), ("reached", 1))
ENDS = (("participants", 1), ("days", 0))
"""What has a Monte Carlo error, and its digits."""
MOST_SIZES = 5
"""Columns of a line of 80; of more sizes some are shown, all are in the result."""


def looks_text(trial: Trial) -> list[str]:
    """Boundaries by look, then what each analysis comes to, with and without an effect; nothing without looks."""
    if "interim" not in trial.groups:
        return []
    at = {name: one.values for name, one in trial.groups["interim"].items()}
    heads = ["look", "calendar day", "randomised", "arrived", "info, %", "|Z| benefit", "Z, futility"]
    rows = [
        [str(k), *(_with_error(at, name, k - 1, digits) for name, digits in CALENDAR),
         f"{100 * at['information_at'][0, k - 1]:.0f}", _or_dash(at["efficacy"][0, k - 1]),
         _or_dash(at["futility_bound"][0, k - 1])]
        for k in at["look"]
    ]  # fmt: skip
    rows[-1][0] = "end"
    of = [f"Information and bounds of {at['analysis'][0]}."] * (len(at["analysis"]) > 1)
    return ["", *aligned([heads, *rows]), *of, "", *_outcomes(trial)]


def _outcomes(trial: Trial) -> list[str]:
    """Why trials end, and what they come to: a row for each analysis, and one more for it without an effect."""
    why = [["with looks", *(f"{word}, %" for word in SHARES)]]
    ends = [["at the end", "people", "days"]]
    values = [["at the end", "estimate", "median unbiased", "held, %"]]
    for key, label in (("interim", ""), ("interim_null", " (no effect)")):
        at = {name: one.values for name, one in trial.groups.get(key, {}).items()}
        for a, name in enumerate(at.get("analysis", ())):
            shares = (Measure(at[one][a], at[f"{one}_mcse"][a]) for one in SHARES)
            why.append([f"{name}{label}", *map(percent, shares)])
            held = percent(Measure(at["covered"][a], at["covered_mcse"][a]))
            ends.append([f"{name}{label}", *(_with_error(at, one, a, digits) for one, digits in ENDS)])
            values.append([f"{name}{label}", *(_with_error(at, one, a, 3) for one in ("value", "median")), held])
    return [*aligned(why), "", *aligned(ends), "", *aligned(values)]


def _with_error(at: Mapping[str, Any], name: str, place: int, digits: int) -> str:
    return pair(Measure(float(at[name][place]), float(at[f"{name}_mcse"][place])), digits)


def sizes_text(trial: Trial, day: float) -> list[str]:
    """Power in percent by the number of participants, where sizes were asked for."""
    if "power" not in trial.groups:
        return []
    sizes = trial.groups["power"]["size"].values.tolist()
    shown = sizes[:: -(-len(sizes) // MOST_SIZES)]
    rows = [[f"{trial.power_word}, %, with participants", *(f"{size:,}" for size in shown)]]
    for name in trial.analyses:
        found = trial.power(name, day)
        rows.append([f"  {name}", *(f"{100 * found[s].value:.0f} ± {100 * found[s].mcse:.0f}" for s in shown)])
    return ["", *aligned(rows)]


def _or_dash(value: float) -> str:
    return f"{value:.3f}" if np.isfinite(value) else "–"


def looks_document(trial: Trial) -> dict[str, Any]:
    """The groups of the looks as plain data."""
    return {
        key: {name: one.values.tolist() for name, one in trial.groups[key].items()}
        for key in ("interim", "interim_null")
        if key in trial.groups
    }
