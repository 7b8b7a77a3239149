"""What the `progression` section says when the model is `clock`.

The equations are in docs/model.md; the symbols of that page are given with each value.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import model_validator

from simulator.models.specification import Specification
from simulator.quantities import (
    Correlation,
    Distribution,
    InsideOne,
    LogFactor,
    NotNegative,
    Part,
    Positive,
    PositiveDistribution,
    Share,
    fault,
)


class Volatility(Part):
    """Random speed `q` of 28-day epochs: log-SD (s_q) and correlation of neighbours (rho)."""

    log_sd: NotNegative
    autocorrelation: InsideOne


class Function(Part):
    """ALSFRS-R domains `F_k = 12 / (1 + (u/tau_k)^a)`; the site of onset has its tau times `onset_factor`."""

    steepness: PositiveDistribution
    tau_limb: Positive
    tau_axial: Positive
    tau_log_sd: NotNegative
    onset_factor: Positive


class Breathing(Part):
    """Slow vital capacity `SVC = V0 / (1 + (u/tau_V)^b)`, forced `FVC = SVC - d_F` [% predicted]."""

    v0_percent: PositiveDistribution
    tau: PositiveDistribution
    correlation_with_respiratory: Correlation
    steepness: Positive
    fvc_offset_percent: Distribution


class Strength(Part):
    """Hand-held dynamometry megascore `M0 - loss (1 - (F_fine + F_gross)/24)` [z]."""

    m0_sd: NotNegative
    loss: NotNegative


class Covariates(Part):
    """Logarithms of factors of D50: bulbar onset, women, a decade of age at onset above 50 years."""

    bulbar_onset: LogFactor
    women: LogFactor
    decade_of_age: LogFactor


class Survival(Part):
    """Death or permanent ventilation: cumulative hazard `(u/L)^kappa` (kappa = steepness), epsilon = state_share."""

    steepness: Positive
    critical_svc_percent: Positive
    state_share: Share
    pav_probability: Share
    months_after_pav: Positive


class Neurofilament(Part):
    """Plasma NfL `N_bg(age) + A (12/D50)^beta exp(eta) psi(u) J` [pg/mL], rising from u = -lead (kappa0)."""

    background: NotNegative
    background_growth: InsideOne
    amplitude: NotNegative
    speed_exponent: NotNegative
    log_sd: NotNegative
    lead: NotNegative
    rise: Positive


def check_threshold(critical: float, lowest: float) -> None:
    """L exists only where the person's own V0 is above the critical SVC."""
    if lowest <= critical:
        raise fault(
            f"v0_percent may be as low as {lowest:g}, not above survival.critical_svc_percent ({critical:g})",
            "Give v0_percent a low above it",
            "breathing.v0_percent",
        )


class ClockSpec(Specification):
    """The disease clock: `du/dt = q m / D50`, and everything a visit sees is a function of `u`."""

    BY_VARIANT: ClassVar[tuple[str, ...]] = ("d50_months",)
    OUTPUTS: ClassVar[tuple[str, ...]] = (
        "alsfrs_r",
        "alsfrs_r_bulbar",
        "alsfrs_r_fine_motor",
        "alsfrs_r_gross_motor",
        "alsfrs_r_respiratory",
        "svc",
        "hhd",
        "nfl_plasma",
        "disease_time",
        "kings_stage",
        "mitos_stage",
        "ft9_stage",
    )
    SCORES_ITEMS: ClassVar[bool] = True
    PRESYMPTOMATIC: ClassVar[bool] = True

    model: Literal["clock"]
    d50_months: dict[str, PositiveDistribution]
    covariates: Covariates | None = None
    volatility: Volatility
    function: Function
    breathing: Breathing
    strength: Strength
    survival: Survival
    neurofilament: Neurofilament

    @model_validator(mode="after")
    def _threshold(self) -> ClockSpec:
        check_threshold(self.survival.critical_svc_percent.value, self.breathing.v0_percent.lowest)
        return self
