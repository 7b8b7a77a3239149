"""From the `progression` section to the multistate model's numbers: the last place that sees a name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from simulator.models.multistate.kernels import PARAMETERS, ROWS, Multistate
from simulator.models.terms import terms

if TYPE_CHECKING:
    from simulator.models.multistate.spec import MultistateSpec

F = np.float32
__all__ = ["PARAMETERS", "ROWS", "constants", "table_by_variant"]


def table_by_variant(spec: MultistateSpec, listed: Mapping[str, tuple[float, float]]) -> np.ndarray:
    """What differs by variant, a row each: terms of D50, probability to be listed as fast, D50 below which it may be.

    `listed` : variant to the last two, in the order of the variants; an infinite D50 is no limit.
    """
    return np.array([[*terms(spec.d50_months[name]), *fast] for name, fast in listed.items()], F)


def constants(spec: MultistateSpec) -> Multistate:
    """Constants of the multistate model; rates are per unit of disease time."""
    rho, rates = spec.volatility.autocorrelation.value, spec.stages
    reference = rates.reference_d50_months.value
    return Multistate(
        rho=F(rho),
        innovation=F(math.sqrt(1 - rho**2)),
        sd_q=F(spec.volatility.log_sd),
        leave_1=F(rates.leave_1_per_month.value * reference),
        leave_2=F(rates.leave_2_per_month.value * reference),
        leave_3=F(rates.leave_3_per_month.value * reference),
        leave_4=F(rates.leave_4_per_month.value * reference),
        epsilon=F(spec.survival.state_share),
    )
