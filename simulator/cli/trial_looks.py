"""What the looks of a trial come to, as text and for the JSON document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.cli.tables import aligned

if TYPE_CHECKING:
    from simulator.studies.trial.result import Trial

SHARES = ("benefit", "harm", "futility")
MOST_SIZES = 5
"""Columns of a line of 80; of more sizes some are shown, all are in the result."""


def looks_text(trial: Trial) -> list[str]:
    """Boundaries by look, then what each analysis comes to, with and without an effect; nothing without looks."""
    if "interim" not in trial.groups:
        return []
    at = {name: one.values for name, one in trial.groups["interim"].items()}
    heads = ["look", "calendar day", "randomised", "arrived", "|Z| for benefit", "Z, futility"]
    rows = [
        [str(k), *(f"{at[name][k - 1]:.0f}" for name in ("calendar_day", "randomised", "reached")),
         f"{at['efficacy'][k - 1]:.3f}", _or_dash(at["futility_bound"][k - 1])]
        for k in at["look"]
    ]  # fmt: skip
    rows[-1][0] = "end"
    return ["", *aligned([heads, *rows]), "", *_outcomes(trial)]


def _outcomes(trial: Trial) -> list[str]:
    """A row for each analysis, and one more for it without an effect."""
    heads = ["with looks", "benefit, %", "harm, %", "futile, %", "people", "days", "estimate"]
    rows = []
    for key, label in (("interim", ""), ("interim_null", " (no effect)")):
        at = {name: one.values for name, one in trial.groups.get(key, {}).items()}
        for a, name in enumerate(at.get("analysis", ())):
            shares = [f"{100 * at[one][a]:.1f} ± {100 * at[one + '_mcse'][a]:.1f}" for one in SHARES]
            rest = [f"{at['participants'][a]:.1f}", f"{at['days'][a]:.0f}", f"{at['value'][a]:.3f}"]
            rows.append([f"{name}{label}", *shares, *rest])
    return list(aligned([heads, *rows]))


def sizes_text(trial: Trial, day: float) -> list[str]:
    """Power in percent by the number of participants, where sizes were asked for."""
    if "power" not in trial.groups:
        return []
    group, d = trial.groups["power"], trial.days.index(day)
    sizes, value, mcse = (group[name].values for name in ("size", "value", "mcse"))
    shown = range(0, len(sizes), -(-len(sizes) // MOST_SIZES))
    rows = [["power, %, with participants", *(f"{sizes[s]:,}" for s in shown)]]
    for a, name in enumerate(trial.analyses):
        rows.append([f"  {name}", *(f"{100 * value[a, d, s]:.0f} ± {100 * mcse[a, d, s]:.0f}" for s in shown)])
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
