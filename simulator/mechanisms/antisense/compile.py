"""An antisense drug as the numbers of `simulator.engine.effect`: its propagators, the constants of its effect."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from simulator.engine import propagators
from simulator.models.terms import terms
from simulator.units import DAYS_PER_YEAR

if TYPE_CHECKING:
    import numpy as np

    from simulator.mechanisms.antisense.spec import Antisense, Effect


def table(drug: Antisense) -> np.ndarray:
    """Propagators of one to seven days.

    Parameters
    ----------
    drug : Antisense
        Its section.

    Returns
    -------
    ndarray of float32, shape (8, columns)
        Row h for a step of h days.
    """
    per_day, nfl = propagators.half_life, drug.neurofilament
    return propagators.table(
        propagators.Rates(
            tissue=per_day(drug.tissue.half_life_days.value),
            sod1=per_day(drug.target.half_life_days.value),
            delay=2 / drug.effect.mean_transit_days.value,
            fast=1 / nfl.fast_days.value,
            slow=per_day(nfl.slow_half_life_days.value),
            nfl=per_day(nfl.half_life_days.value),
        )
    )


def constants(drug: Antisense) -> list[float]:
    """Fields of `effect.Drug` after the table.

    Parameters
    ----------
    drug : Antisense
        Its section.

    Returns
    -------
    list of float
        In the order of `effect.Drug`.
    """
    tissue, target, nfl, effect = drug.tissue, drug.target, drug.neurofilament, drug.effect
    turnover = propagators.half_life(tissue.half_life_days.value) * tissue.reference_every_days.value
    dose = drug.regimen.dose_mg.value / tissue.reference_dose_mg.value * turnover
    ec50 = terms(target.ec50)
    typical = math.exp(ec50[1]) if ec50[0] else float(ec50[1])
    most, rho = target.max_inhibition.value, nfl.correlation_with_effect.value
    response = [nfl.mean, nfl.sd, nfl.low, nfl.high, effect.mean, effect.sd, effect.low, effect.high]
    correlation = [rho, math.sqrt(1 - rho**2), nfl.slow_share.value, effect.recovery_cap.value]
    head = [dose, 1 + typical if most > 0 else 0.0, *map(float, ec50), most / (1 + typical), target.csf_share.value]
    lasting = [0.0 if effect.waning_per_year is None else effect.waning_per_year.value / DAYS_PER_YEAR]
    keeps = [float(effect.recovery_from == "worst")]
    return [*head, *map(float, response), *correlation, *_logistic(effect), *lasting, *keeps]


def _logistic(effect: Effect) -> list[float]:
    """Fields of the logistic form of the effect; `most` below 0 where it is a clipped normal."""
    form = effect.logistic
    if form is None:
        return [-1.0, 0.0, 0.0, 0.0]
    logit = math.log(form.median.value / (1 - form.median.value))
    return [form.most.value, logit, form.log_odds_sd.value, form.speed_exponent.value]
