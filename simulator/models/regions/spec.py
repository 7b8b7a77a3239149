"""What the `progression` section says when the model is `regions`.

The equations are in docs/model_regions.md; the symbols of that page are given with each value.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import model_validator

from simulator.models.clock.spec import (
    ClockSpec,
    Covariates,
    Neurofilament,
    Strength,
    Survival,
    Volatility,
    check_threshold,
)
from simulator.models.specification import Specification
from simulator.quantities import Correlation, Distribution, LogFactor, NotNegative, Part, PositiveDistribution


class LaterOnset(Part):
    """Disease time at which a region begins (o_k) that does not lead."""

    limb: NotNegative
    bulbar: NotNegative
    respiratory: NotNegative


class Function(Part):
    """ALSFRS-R domains `F_k = 12 / (1 + ((u - o_k)/tau_k)^2)`; the region that leads has o_k = 0."""

    tau: PositiveDistribution
    later_onset: LaterOnset


class Breathing(Part):
    """Slow vital capacity `SVC = V0 / (1 + (u/tau_V)^2)`, forced `FVC = SVC - d_F` [% predicted]."""

    v0_percent: PositiveDistribution
    tau: PositiveDistribution
    correlation_with_respiratory: Correlation
    fvc_offset_percent: Distribution


class Diagnosis(Part):
    """Disease time at which diagnosis is due (u_dx), and months until it is made and the centre knows (lag).

    The time from diagnosis to entry into a study goes with D50 to the power `wait_exponent`.
    """

    disease_time: PositiveDistribution
    lag_months: PositiveDistribution
    wait_exponent: NotNegative


class RegionsSpec(Specification):
    """The disease clock with regions that begin one after another, and with diagnosis on the clock."""

    BY_VARIANT: ClassVar[tuple[str, ...]] = ("d50_months",)
    OUTPUTS: ClassVar[tuple[str, ...]] = ClockSpec.OUTPUTS
    SCORES_ITEMS: ClassVar[bool] = True
    PRESYMPTOMATIC: ClassVar[bool] = True
    DIAGNOSES: ClassVar[bool] = True

    model: Literal["regions"]
    d50_months: dict[str, PositiveDistribution]
    cohort_log_shift: LogFactor
    covariates: Covariates | None = None
    volatility: Volatility
    function: Function
    breathing: Breathing
    strength: Strength
    survival: Survival
    diagnosis: Diagnosis
    neurofilament: Neurofilament

    @model_validator(mode="after")
    def _threshold(self) -> RegionsSpec:
        check_threshold(self.survival.critical_svc_percent.value, self.breathing.v0_percent.lowest)
        return self
