"""What the family of claims of a trial comes to, as text and for the JSON document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.analysis.replicates import Measure
from simulator.studies.trial.html import percent
from simulator.tables.text import aligned

if TYPE_CHECKING:
    from simulator.studies.trial.result import Trial


def family_text(trial: Trial) -> list[str]:
    """A row for each claim, any and all; nothing without a family."""
    found = trial.family
    if not found:
        return []
    none = all(np.isnan(error.value) for _, error in found.values())
    heads = [f"claims, {trial.attrs['procedure']}", f"{trial.power_word}, %", *([] if none else ["error, %"])]
    rows = [[claim, percent(power), *([] if none else [percent(error)])] for claim, (power, error) in found.items()]
    return ["", *aligned([heads, *rows])]


def family_document(trial: Trial) -> dict[str, Any]:
    """The same as plain data."""
    if not trial.family:
        return {}
    rows = [
        {"claim": claim, trial.power_word: power._asdict(), "error": _known(error)}
        for claim, (power, error) in trial.family.items()
    ]
    return {"family": {"procedure": trial.attrs["procedure"], "claims": rows}}


def _known(one: Measure) -> dict[str, float] | None:
    return None if np.isnan(one.value) else one._asdict()
