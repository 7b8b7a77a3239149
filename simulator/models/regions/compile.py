"""From the `progression` section to the model's numbers: the last place that sees a name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from simulator.models.clock.compile import log_factors
from simulator.models.regions.kernels import PARAMETERS, ROWS, Regions
from simulator.models.terms import Terms, terms

if TYPE_CHECKING:
    from simulator.models.regions.spec import RegionsSpec

F = np.float32
__all__ = ["PARAMETERS", "ROWS", "constants", "table_by_variant"]


def table_by_variant(spec: RegionsSpec, listed: Mapping[str, tuple[float, float]]) -> np.ndarray:
    """What differs by variant, a row each: terms of D50, probability to be listed as fast, D50 below which it may be.

    `listed` : variant to the last two, in the order of the variants; an infinite D50 is no limit.
    """
    shift = spec.cohort_log_shift.value
    return np.array([[*_shifted(terms(spec.d50_months[name]), shift), *fast] for name, fast in listed.items()], F)


def _shifted(known: Terms, shift: float) -> Terms:
    """The distribution of `exp(shift)` times the value: everybody of a cohort is that much slower."""
    log, centre, spread, low, high = known
    factor = F(math.exp(shift))
    if log:
        return log, F(centre + shift), spread, low * factor, high * factor
    return log, centre * factor, spread * factor, low * factor, high * factor


def constants(spec: RegionsSpec) -> Regions:
    """Constants of the model."""
    rho, with_respiratory = spec.volatility.autocorrelation.value, spec.breathing.correlation_with_respiratory.value
    nfl, later, survival = spec.neurofilament, spec.function.later_onset, spec.survival
    bulbar, women, decade = log_factors(spec.covariates)
    return Regions(
        by_bulbar=bulbar,
        by_women=women,
        by_decade=decade,
        rho=F(rho),
        innovation=F(math.sqrt(1 - rho**2)),
        sd_q=F(spec.volatility.log_sd),
        tau=terms(spec.function.tau),
        o_limb=F(later.limb),
        o_bulbar=F(later.bulbar),
        o_respiratory=F(later.respiratory),
        v0=terms(spec.breathing.v0_percent),
        tau_v=terms(spec.breathing.tau),
        with_respiratory=F(with_respiratory),
        own=F(math.sqrt(1 - with_respiratory**2)),
        m0_sd=F(spec.strength.m0_sd),
        loss=F(spec.strength.loss),
        fvc_offset=terms(spec.breathing.fvc_offset_percent),
        kappa=F(survival.steepness),
        critical=F(survival.critical_svc_percent),
        epsilon=F(survival.state_share),
        u_dx=terms(spec.diagnosis.disease_time),
        lag=terms(spec.diagnosis.lag_months),
        wait_exponent=F(spec.diagnosis.wait_exponent),
        background=F(nfl.background),
        log_growth=F(math.log1p(nfl.background_growth.value)),
        log_amplitude=F(math.log(nfl.amplitude)) if nfl.amplitude.value > 0 else F(-80),
        beta=F(nfl.speed_exponent),
        sd_eta=F(nfl.log_sd),
        lead=F(nfl.lead),
        rise=F(nfl.rise),
    )
