"""What the arms of a trial come to, as text and for the JSON document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.analysis.replicates import Measure
from simulator.cli.tables import aligned
from simulator.studies.trial.html import pair, percent

if TYPE_CHECKING:
    from simulator.studies.trial.result import Trial

KEYS = ("comparisons", "comparisons_null")


def arms_text(trial: Trial) -> list[str]:
    """A table for each analysis, a row for each arm and the trial; nothing without comparisons."""
    if "comparisons" not in trial.groups:
        return []
    at, null = ({name: one.values for name, one in trial.groups.get(key, {}).items()} for key in KEYS)
    lines: list[str] = []
    for a, name in enumerate(at["analysis"]):
        arms = [(str(arm), (a, k)) for k, arm in enumerate(at["arm"])]
        claims = [f"{name}, by arm", "benefit, %", "no effect, %", "futility, %"]
        rows = [[arm, *_claims(at, null, place)] for arm, place in arms]
        error = percent(_of(null, "error", (a,))) if null else "–"
        lines += ["", *aligned([claims, *rows, ["any", percent(_of(at, "any", (a,))), error, ""]])]
        rows = [[arm, *_estimates(at, place)] for arm, place in arms]
        whole = ["all", "", "", pair(_of(at, "participants_all", (a,)), 0)]
        lines += ["", *aligned([[f"{name}, by arm", "truth", "estimate", "people"], *rows, whole])]
        if np.isfinite(at["trend"][a]) and at["trend"][a] > 0:
            found = f"A trend over the doses is found in {percent(_of(at, 'trend', (a,)))} %"
            lines.append(found + (f", without an effect in {percent(_of(null, 'trend', (a,)))} %." if null else "."))
    return [*lines, "no effect: where nothing works, claims of benefit; of any arm, of harm too."]


def _claims(at: Mapping[str, Any], null: Mapping[str, Any], place: tuple[int, int]) -> list[str]:
    """What is decided of an arm."""
    none = percent(_of(null, "benefit", place)) if null else "–"
    return [percent(_of(at, "benefit", place)), none, percent(_of(at, "futility", place))]


def _estimates(at: Mapping[str, Any], place: tuple[int, int]) -> list[str]:
    """What is found of an arm, beside its truth."""
    truth = pair(_of(at, "truth", place), 3) if "truth" in at else "–"
    return [truth, pair(_of(at, "value", place), 3), pair(_of(at, "participants", place), 0)]


def _of(at: Mapping[str, Any], name: str, place: tuple[int, ...]) -> Measure:
    return Measure(float(at[name][place]), float(at[f"{name}_mcse"][place]))


def arms_document(trial: Trial) -> dict[str, Any]:
    """The same as plain data."""
    return {
        key: {name: one.values.tolist() for name, one in trial.groups[key].items()}
        for key in KEYS
        if key in trial.groups
    }
