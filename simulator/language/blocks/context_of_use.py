"""Block `context_of_use`: what the model is asked and what hangs on the answer, in the words of ICH M15."""

from __future__ import annotations

from typing import Literal

from simulator.language.parts import Text
from simulator.quantities import Part

Level = Literal["low", "medium", "high"]


class ContextOfUse(Part):
    """Question of interest, context of use, model influence and consequence of a wrong decision (ICH M15)."""

    question: Text
    context: Text | None = None
    model_influence: Level | None = None
    decision_consequence: Level | None = None
    model_risk: Level | None = None
    model_impact: Level | None = None
