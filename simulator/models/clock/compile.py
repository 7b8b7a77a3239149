"""From the `progression` section to the clock's numbers: the last place that sees a name."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from simulator.models.clock.kernels import PARAMETERS, ROWS, Clock

if TYPE_CHECKING:
    from simulator.language.people import Variant
    from simulator.models.clock.spec import ClockSpec
    from simulator.quantities import Distribution

F = np.float32
__all__ = ["PARAMETERS", "ROWS", "constants", "table_by_variant", "terms"]


Terms = tuple[np.float32, np.float32, np.float32, np.float32, np.float32]


def terms(distribution: Distribution) -> Terms:
    """A distribution as five numbers: log-normal or not, centre (log of the median), spread, low, high."""
    log, centre, spread, low, high = distribution.terms()
    return F(log), F(math.log(centre) if log else centre), F(spread), F(low), F(high)


def table_by_variant(spec: ClockSpec, variants: dict[str, Variant]) -> np.ndarray:
    """What differs by variant, in the order of the variants: terms of D50, listed, listed only below this D50."""
    limits = [v.listed_below_d50_months for v in variants.values()]
    below = [math.inf if limit is None else limit.value for limit in limits]
    listed = [v.listed_fast.value for v in variants.values()]
    d50 = [terms(spec.d50_months[name]) for name in variants]
    return np.array([[*row, *rest] for row, *rest in zip(d50, listed, below, strict=True)], F)


def constants(spec: ClockSpec) -> Clock:
    """Constants of the clock model."""
    rho, with_respiratory = spec.volatility.autocorrelation.value, spec.breathing.correlation_with_respiratory.value
    nfl, function, survival = spec.neurofilament, spec.function, spec.survival
    return Clock(
        rho=F(rho),
        innovation=F(math.sqrt(1 - rho**2)),
        sd_q=F(spec.volatility.log_sd),
        a=terms(function.steepness),
        log_limb=F(math.log(function.tau_limb)),
        log_axial=F(math.log(function.tau_axial)),
        sd_tau=F(function.tau_log_sd),
        log_lead=F(math.log(function.onset_factor)),
        v0=terms(spec.breathing.v0_percent),
        tau_v=terms(spec.breathing.tau),
        with_respiratory=F(with_respiratory),
        own=F(math.sqrt(1 - with_respiratory**2)),
        b=F(spec.breathing.steepness),
        m0_sd=F(spec.strength.m0_sd),
        loss=F(spec.strength.loss),
        fvc_offset=(F(0), F(0), F(0), F(-np.inf), F(np.inf)),
        kappa=F(survival.steepness),
        critical=F(survival.critical_svc_percent),
        epsilon=F(survival.state_share),
        background=F(nfl.background),
        log_growth=F(math.log1p(nfl.background_growth.value)),
        log_amplitude=F(math.log(nfl.amplitude)) if nfl.amplitude.value > 0 else F(-80),
        beta=F(nfl.speed_exponent),
        sd_eta=F(nfl.log_sd),
        lead=F(nfl.lead),
        rise=F(nfl.rise),
    )
