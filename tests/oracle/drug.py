"""From dose to rate: an antisense oligonucleotide (model.md 5)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .patient import typical
from .units import DAYS_PER_YEAR, Numbers

Chain = tuple[float, float, float, float, float, float]
REST: Chain = (1.0, 0.0, 0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True)
class Drug:
    """Constants of model.md 5 for one patient, rates per day; `dose_unit` is C per mg."""

    k_c: float
    dose_unit: float
    i_max: float
    ec50: float
    k_s: float
    csf_share: float
    i_ref: float
    e_f: float
    k_t: float
    recovery_cap: float
    e_n: float
    f: float
    k_r: float
    k_x: float
    k_n: float
    waning: float = 0.0  # a day
    from_worst: bool = False


def make_drug(treatment: Numbers, response: tuple[float, float, float]) -> Drug:
    """The constants from a treatment of the scenario and the patient's EC50, E_N and E_F.

    ``C_n = 1/(k_C tau_ref)``: mean 1 at steady state on the reference dose and interval.
    ``I_ref = I_max/(1 + EC50_typical)``, where the typical EC50 is the distribution's median (or mean).
    """
    tissue, target = treatment["tissue"], treatment["target"]
    effect, marker = treatment["effect"], treatment["neurofilament"]
    ec50, e_n, e_f = response
    k_c = math.log(2.0) / tissue["half_life_days"]
    return Drug(
        k_c=k_c,
        dose_unit=k_c * tissue["reference_every_days"] / tissue["reference_dose_mg"],
        i_max=target["max_inhibition"],
        ec50=ec50,
        k_s=math.log(2.0) / target["half_life_days"],
        csf_share=target["csf_share"],
        i_ref=target["max_inhibition"] / (1.0 + typical(target["ec50"])),
        e_f=e_f,
        k_t=2.0 / effect["mean_transit_days"],
        recovery_cap=effect["recovery_cap"],
        e_n=e_n,
        f=marker["slow_share"],
        k_r=1.0 / marker["fast_days"],
        k_x=math.log(2.0) / marker["slow_half_life_days"],
        k_n=math.log(2.0) / marker["half_life_days"],
        waning=(effect.get("waning_per_year") or 0.0) / DAYS_PER_YEAR,
        from_worst=effect.get("recovery_from") == "worst",
    )


def chain_rates(drug: Drug, chain: Chain, c: float) -> Chain:
    """Time derivatives of (S, z1, z2, r, x, J) per day, given the tissue concentration C (model.md 5)."""
    s, z1, z2, r, x, j = chain
    inhibition = drug.i_max * c / (c + drug.ec50) if c > 0.0 else 0.0
    engagement = (1.0 - s) / drug.i_ref if drug.i_max > 0.0 else 0.0
    recovered = min((1.0 - drug.f) * r + drug.f * x, 1.25)
    return (
        drug.k_s * (1.0 - inhibition - s),
        drug.k_t * (engagement - z1),
        drug.k_t * (z1 - z2),
        drug.k_r * (engagement - r),
        drug.k_x * (r - x),
        drug.k_n * (1.0 - drug.e_n * recovered - j),
    )


def multiplier(drug: Drug | None, z2: float, addons: float, on_drug: float) -> float:
    """``m = 1 - E_F e^(-w t) z2``, t days since the first dose, times the add-ons where m >= 0 (model.md 5)."""
    m = 1.0 if drug is None else 1.0 - drug.e_f * math.exp(-drug.waning * on_drug) * z2
    return m * addons if m >= 0.0 else m
