"""From the `progression` section to the linear model's numbers: the last place that sees a name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from simulator.models.linear.kernels import PARAMETERS, ROWS, Linear
from simulator.models.terms import terms

if TYPE_CHECKING:
    from simulator.models.linear.spec import LinearSpec

F = np.float32
__all__ = ["PARAMETERS", "ROWS", "constants", "table_by_variant"]


def table_by_variant(spec: LinearSpec, listed: Mapping[str, tuple[float, float]]) -> np.ndarray:
    """What differs by variant, a row each: terms of the slope, probability to be fast, D50 below which it may be.

    `listed` : variant to the last two, in the order of the variants; an infinite D50 is no limit.
    """
    return np.array([[*terms(spec.slope_points_per_month[name]), *fast] for name, fast in listed.items()], F)


def constants(spec: LinearSpec) -> Linear:
    """Constants of the linear model."""
    breathing, survival, nfl = spec.breathing, spec.survival, spec.neurofilament
    return Linear(
        v0=terms(breathing.v0_percent),
        per_point=terms(breathing.percent_per_point),
        ratio=F(breathing.effect_ratio),
        fvc_offset=terms(breathing.fvc_offset_percent),
        rate=F(survival.rate_per_month),
        growth=F(survival.growth_per_month),
        alpha=F(survival.speed_exponent),
        epsilon=F(survival.state_share),
        background=F(nfl.background),
        log_growth=F(math.log1p(nfl.background_growth.value)),
        log_amplitude=F(math.log(nfl.amplitude)) if nfl.amplitude.value > 0 else F(-80),
        beta=F(nfl.speed_exponent),
        sd_eta=F(nfl.log_sd),
    )
