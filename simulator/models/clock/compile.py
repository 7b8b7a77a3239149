"""From the `progression` section to the clock's numbers: the last place that sees a name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from simulator.models.clock.kernels import PARAMETERS, ROWS, Clock
from simulator.models.terms import terms

if TYPE_CHECKING:
    from simulator.models.clock.spec import ClockSpec, Covariates

F = np.float32
__all__ = ["PARAMETERS", "ROWS", "constants", "table_by_variant"]


def table_by_variant(spec: ClockSpec, listed: Mapping[str, tuple[float, float]]) -> np.ndarray:
    """What differs by variant, a row each: terms of D50, probability to be listed as fast, D50 below which it may be.

    `listed` : variant to the last two, in the order of the variants; an infinite D50 is no limit.
    """
    return np.array([[*terms(spec.d50_months[name]), *fast] for name, fast in listed.items()], F)


def log_factors(known: Covariates | None) -> tuple[np.float32, np.float32, np.float32]:
    """What bulbar onset, being a woman and a decade of age at onset add to ln D50; without the section, nothing."""
    if known is None:
        return F(0), F(0), F(0)
    return F(known.bulbar_onset), F(known.women), F(known.decade_of_age)


def constants(spec: ClockSpec) -> Clock:
    """Constants of the clock model."""
    rho, with_respiratory = spec.volatility.autocorrelation.value, spec.breathing.correlation_with_respiratory.value
    nfl, function, survival = spec.neurofilament, spec.function, spec.survival
    bulbar, women, decade = log_factors(spec.covariates)
    return Clock(
        by_bulbar=bulbar,
        by_women=women,
        by_decade=decade,
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
        fvc_offset=terms(spec.breathing.fvc_offset_percent),
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
