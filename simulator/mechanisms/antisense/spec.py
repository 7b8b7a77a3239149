"""An antisense oligonucleotide, as people write it. Section 5 of docs/model.md."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from simulator.mechanisms.mechanism import Dosed
from simulator.quantities import (
    Correlation,
    NotNegative,
    OpenShare,
    Part,
    Positive,
    PositiveDistribution,
    Quantity,
    Share,
    ordered,
)


class Tissue(Part):
    """Drug in tissue: half-life, and the regimen whose steady state is concentration 1."""

    half_life_days: Positive
    reference_dose_mg: Positive
    reference_every_days: Positive


class Target(Part):
    """Inhibition `I_max C / (C + EC50)` of the target's synthesis, and the share of its fall that CSF shows."""

    max_inhibition: Share
    ec50: PositiveDistribution
    half_life_days: Positive
    csf_share: Share


class Clipped(Part):
    """A normal between people, clipped to [low, high]."""

    mean: Quantity
    sd: NotNegative
    low: Quantity
    high: Quantity

    _range = model_validator(mode="after")(ordered)


class Logistic(Part):
    """E_F = most / (1 + exp(-(logit median + log_odds_sd Z + speed_exponent ln(D50/25 months)))): between 0 and most.

    With a positive `speed_exponent` the drug does less in those whose disease is fast.
    """

    median: OpenShare
    log_odds_sd: NotNegative
    speed_exponent: Quantity
    most: NotNegative


class Effect(Clipped):
    """Effect E_F on the rate of the clock, its delay, and the cap on improvement.

    Where `logistic` is written it says how E_F differs between people, and the clipped normal is not read. With
    `waning_per_year` w the effect is E_F e^(-w t), t years after the first dose. The cap counts from the disease time
    of the first dose, or, with `recovery_from: worst`, from the highest so far: more than that share stays lost.
    """

    mean_transit_days: Positive
    recovery_cap: NotNegative
    recovery_from: Literal["first_dose", "worst"] | None = None
    waning_per_year: NotNegative | None = None
    logistic: Logistic | None = None


class NeurofilamentEffect(Clipped):
    """Effect E_N on neurofilament, and how it follows target engagement."""

    correlation_with_effect: Correlation
    slow_share: Share
    fast_days: Positive
    slow_half_life_days: Positive
    half_life_days: Positive


class Antisense(Dosed):
    """An antisense oligonucleotide: dose, tissue, target, rate of the clock, neurofilament."""

    kind: Literal["antisense"]
    tissue: Tissue
    target: Target
    effect: Effect
    neurofilament: NeurofilamentEffect

    def without_effect(self) -> dict[str, float]:
        """See `Mechanism.without_effect`: what it does to its target stays.

        Returns
        -------
        dict of str to float
            Values by their address in the section.
        """
        none = {"effect.mean": 0.0, "effect.sd": 0.0}
        return none if self.effect.logistic is None else none | {"effect.logistic.most": 0.0}
