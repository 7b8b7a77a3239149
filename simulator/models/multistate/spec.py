"""What the `progression` section says when the model is `multistate`.

The equations are in docs/model_multistate.md; the symbols of that page are given with each value.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from simulator.models.clock.spec import Volatility
from simulator.models.specification import Specification
from simulator.quantities import NotNegative, Part, Positive, PositiveDistribution, Share


class StageRates(Part):
    """Rates a month of leaving King's stages 1, 2, 3 and 4 (for death) in a person whose D50 is the reference."""

    reference_d50_months: Positive
    leave_1_per_month: Positive
    leave_2_per_month: Positive
    leave_3_per_month: Positive
    leave_4_per_month: Positive


class ChainSurvival(Part):
    """Share epsilon of the last rate that treatment does not touch; PAV instead of death at the end of the chain."""

    state_share: Share
    pav_probability: Share
    months_after_pav: NotNegative


class MultistateSpec(Specification):
    """King's stages 1 to 4 and death: a Markov chain in disease time `u`, `du/dt = q m+ / D50`."""

    BY_VARIANT: ClassVar[tuple[str, ...]] = ("d50_months",)
    OUTPUTS: ClassVar[tuple[str, ...]] = ("disease_time", "kings_stage")
    SCORES_ITEMS: ClassVar[bool] = False

    model: Literal["multistate"]
    d50_months: dict[str, PositiveDistribution]
    volatility: Volatility
    stages: StageRates
    survival: ChainSurvival
