"""What the `progression` section says when the model is `linear`.

The equations are in docs/model_linear.md; the symbols of that page are given with each value.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from simulator.models.specification import Specification
from simulator.quantities import Distribution, InsideOne, NotNegative, Part, PositiveDistribution, Share


class StraightBreathing(Part):
    """Vital capacity `SVC = V0 - g b x_V`, `FVC = SVC - d_F` [% predicted]; g: percent_per_point, rho: effect_ratio."""

    v0_percent: PositiveDistribution
    percent_per_point: PositiveDistribution
    effect_ratio: NotNegative
    fvc_offset_percent: Distribution


class GompertzSurvival(Part):
    """Hazard `R w v lambda exp(gamma v t)` a month, `v = (b/1 point a month)^alpha`, `w = epsilon + (1 - epsilon) m+`.

    lambda = rate_per_month, gamma = growth_per_month, alpha = speed_exponent, epsilon = state_share.
    """

    rate_per_month: NotNegative
    growth_per_month: NotNegative
    speed_exponent: NotNegative
    state_share: Share
    pav_probability: Share
    months_after_pav: NotNegative


class LevelNeurofilament(Part):
    """Plasma NfL `N_bg(age) + A (b/1 point a month)^beta exp(eta) J` [pg/mL]: level without treatment."""

    background: NotNegative
    background_growth: InsideOne
    amplitude: NotNegative
    speed_exponent: NotNegative
    log_sd: NotNegative


class LinearSpec(Specification):
    """Straight lines: ALSFRS-R falls from 48 by b points a month of untreated disease, vital capacity with it."""

    BY_VARIANT: ClassVar[tuple[str, ...]] = ("slope_points_per_month",)
    OUTPUTS: ClassVar[tuple[str, ...]] = ("alsfrs_r", "svc", "nfl_plasma", "disease_time")
    SCORES_ITEMS: ClassVar[bool] = False

    model: Literal["linear"]
    slope_points_per_month: dict[str, PositiveDistribution]
    breathing: StraightBreathing
    survival: GompertzSurvival
    neurofilament: LevelNeurofilament
