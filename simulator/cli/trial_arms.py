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
        heads = [f"{name}, by arm", "truth", "estimate", "benefit, %", "no effect, %", "futility, %", "people"]
        rows = [[str(arm), *_arm(at, null, (a, k))] for k, arm in enumerate(at["arm"])]
        error = percent(_of(null, "error", (a,))) if null else ""
        whole = ["any", "", "", percent(_of(at, "any", (a,))), error, "", pair(_of(at, "participants_all", (a,)), 0)]
        lines += ["", *aligned([heads, *rows, whole])]
        if np.isfinite(at["trend"][a]) and at["trend"][a] > 0:
            found = f"A trend over the doses is found in {percent(_of(at, 'trend', (a,)))} %"
            lines.append(found + (f", without an effect in {percent(_of(null, 'trend', (a,)))} %." if null else "."))
    return [*lines, "no effect: claims of benefit of the arm, of benefit or harm of any, where nothing has an effect."]


def _arm(at: Mapping[str, Any], null: Mapping[str, Any], place: tuple[int, int]) -> list[str]:
    """The cells of an arm."""
    truth = pair(_of(at, "truth", place), 3) if "truth" in at else "–"
    cells = [truth, pair(_of(at, "value", place), 3), percent(_of(at, "benefit", place))]
    cells += [percent(_of(null, "benefit", place)) if null else "–", percent(_of(at, "futility", place))]
    return [*cells, pair(_of(at, "participants", place), 0)]


def _of(at: Mapping[str, Any], name: str, place: tuple[int, ...]) -> Measure:
    return Measure(float(at[name][place]), float(at[f"{name}_mcse"][place]))


def arms_document(trial: Trial) -> dict[str, Any]:
    """The same as plain data."""
    return {
        key: {name: one.values.tolist() for name, one in trial.groups[key].items()}
        for key in KEYS
        if key in trial.groups
    }
