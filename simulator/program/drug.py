"""The drug given in doses of one arm as numbers; its mechanism says how."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np

from simulator.engine import propagators

if TYPE_CHECKING:
    from simulator.mechanisms import Dosed

F = np.float32
NEVER_GIVEN = [0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, *[0.0] * 20]
"""Constants of an arm without such a drug."""


def numbers(drug: Dosed | None) -> tuple[np.ndarray, list[float]]:
    """Propagators of one to seven days, and the fields of `effect.Drug` after the table."""
    if drug is None:
        return np.zeros((8, len(propagators.COLUMNS)), F), NEVER_GIVEN
    made = import_module(f"{type(drug).__module__.rpartition('.')[0]}.compile")
    return made.table(drug), made.constants(drug)
