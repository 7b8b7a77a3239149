"""Who a candidate is: variant, sex, site of onset and the parameters of the model (model.md 2-6, 10)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from .philox import EVENT, KIND, TRAIT, Keys
from .units import Numbers, bound

DOMAINS = ("bulbar", "fine_motor", "gross_motor", "respiratory")
SITES = ("bulbar", "upper_limb", "lower_limb")


@dataclass
class Person:
    """One candidate; `time_since_onset` (months), `age` (years) and `u0` are those at entry, set by recruiting.

    So are `onset_day` (of the untreated onset, days since baseline) and `at_risk_from` (age in years from which
    background mortality counts). `falls_ill` is false for carriers who never do; `delay_months` leads to diagnosis.
    `onsets` are the disease times at which regions begin, `u_dx` that of diagnosis, where the model has them.
    """

    variant: str
    fast_variant: bool
    sex: int
    site: str
    age_at_onset: float
    d50: float
    tau: tuple[float, ...]
    a: float
    v0: float
    tau_v: float
    scale: float
    eta: float
    m0: float
    d_f: float
    z_entry: float
    drugs: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    u0: float = 0.0
    time_since_onset: float = 0.0
    age: float = 0.0
    z_volatility: float | None = None
    falls_ill: bool = True
    delay_months: float = math.inf
    onset_day: float = 0.0
    onsets: tuple[float, ...] = (0.0,) * 4
    u_dx: float = math.inf
    at_risk_from: float = 0.0


def draw(distribution: Any, z: float) -> float:
    """Value of a distribution at a standard normal: ``centre + spread Z`` or its exponential, clipped to its bounds."""
    if not isinstance(distribution, dict):
        return float(distribution)
    kind, terms = next(iter(distribution.items()))
    if kind == "normal":
        value = terms["mean"] + terms["sd"] * z
    elif kind == "lognormal":
        value = math.exp(math.log(terms["median"]) + terms["log_sd"] * z)
    else:
        raise ValueError(f"unknown distribution {kind}")
    return min(max(value, bound(terms.get("low"), -math.inf)), bound(terms.get("high"), math.inf))


def typical(distribution: Any) -> float:
    """Value at Z = 0: the number, the mean or the median."""
    return draw(distribution, 0.0)


def choose(shares: dict[str, float], uniform: float) -> str:
    """First class whose cumulative share exceeds the uniform; the last one if rounding leaves none."""
    total = 0.0
    for name, share in shares.items():
        total += share
        if total > uniform:
            return name
    return list(shares)[-1]


def _taus(progression: Numbers, site: str, normals: tuple[float, ...]) -> tuple[float, ...]:
    """The four tau: limb or axial median, own log-normal spread, leading region x onset factor (model.md 2)."""
    rules = progression["function"]
    leading = dict(zip(SITES, DOMAINS[:3], strict=True))[site]
    values = []
    for name, z in zip(DOMAINS, normals, strict=True):
        median = rules["tau_limb"] if name in ("fine_motor", "gross_motor") else rules["tau_axial"]
        factor = rules["onset_factor"] if name == leading else 1.0
        values.append(median * math.exp(rules["tau_log_sd"] * z) * factor)
    return tuple(values)


def effect_on_rate(effect: Numbers, z: float, d50: float) -> float:
    """E_F: a clipped normal, or ``most / (1 + e^-x)``, x = logit median + sd Z + gamma ln(D50/25) (model.md 5)."""
    form = effect.get("logistic")
    if form is None:
        return draw({"normal": effect}, z)
    odds = math.log(form["median"] / (1.0 - form["median"])) + form["log_odds_sd"] * z
    return float(form["most"] / (1.0 + math.exp(-odds - form["speed_exponent"] * math.log(d50 / 25.0))))


def _responses(
    numbers: Numbers, normals: tuple[float, float, float], d50: float
) -> dict[str, tuple[float, float, float]]:
    """(EC50, E_N, E_F) for each antisense treatment, from the same three normals (model.md 5)."""
    z_ec50, z_n, z_own = normals
    found = {}
    for name, treatment in numbers["treatments"].items():
        if treatment["kind"] == "antisense":
            rho = treatment["neurofilament"]["correlation_with_effect"]
            z_f = rho * z_n + math.sqrt(1.0 - rho * rho) * z_own
            e_n = draw({"normal": treatment["neurofilament"]}, z_n)
            found[name] = (
                draw(treatment["target"]["ec50"], z_ec50),
                e_n,
                effect_on_rate(treatment["effect"], z_f, d50),
            )
    return found


def is_fast(variant: Numbers, d50: float, uniform: float) -> bool:
    """Carries a variant of the trial's list: ``U < listed_fast``, and D50 below the limit where one is set (10)."""
    return uniform < variant["listed_fast"] and d50 < bound(variant.get("listed_below_d50_months"), math.inf)


def falls_ill(numbers: Numbers, keys: Keys, variant: str) -> bool:
    """Whether a carrier ever falls ill, ``U < penetrance``; people who enter at or after onset have (model.md 7)."""
    if numbers["entry"].get("presymptomatic_at_age") is None:
        return True
    return keys.uniforms(EVENT, 1)[3] < numbers["disease"]["variants"][variant]["penetrance"]


def diagnostic_delay(variant: Numbers, keys: Keys) -> float:
    """Months from onset to diagnosis; infinite where the disease has no such delay."""
    delay = variant.get("diagnostic_delay_months")
    return math.inf if delay is None else draw(delay, keys.normals(TRAIT, 4)[0])


def _hazard_scale(v0: float, tau_v: float, progression: Numbers) -> float:
    """L, the disease time at which SVC reaches V_c: ``tau_V (V0/V_c - 1)^(1/b)`` (model.md 4)."""
    excess = v0 / progression["survival"]["critical_svc_percent"] - 1.0
    if excess <= 0.0:
        raise ValueError("V0 must lie above the critical SVC")
    return tau_v * excess ** (1.0 / progression["breathing"].get("steepness", 2.0))


def draw_person(numbers: Numbers, keys: Keys) -> Person:
    """A candidate before the day of entry, from the streams TRAIT and KIND."""
    from . import regions

    disease, progression = numbers["disease"], numbers["progression"]
    u_variant, u_sex, u_site, u_fast = keys.uniforms(KIND, 0)
    z = [value for index in range(4) for value in keys.normals(TRAIT, index)]
    variant = choose({name: entry["share"] for name, entry in disease["variants"].items()}, u_variant)
    site = choose({name: disease["onset_site"][name] for name in SITES}, u_site)
    age = draw(disease["age_at_onset"], z[12])
    slower = progression.get("cohort_log_shift", 0.0)
    known = progression.get("covariates") or {"bulbar_onset": 0.0, "women": 0.0, "decade_of_age": 0.0}
    slower += known["bulbar_onset"] * (site == "bulbar") + known["women"] * (u_sex >= disease["men"])
    slower += known["decade_of_age"] * (age - 50.0) / 10.0
    d50 = draw(progression["d50_months"][variant], z[0]) * math.exp(slower)
    in_turn = regions.of(progression)
    breathing = progression["breathing"]
    shared = breathing["correlation_with_respiratory"]
    v0 = draw(breathing["v0_percent"], z[6])
    tau_v = draw(breathing["tau"], shared * z[4] + math.sqrt(1.0 - shared * shared) * z[7])
    return Person(
        variant=variant,
        fast_variant=is_fast(disease["variants"][variant], d50, u_fast),
        sex=0 if u_sex < disease["men"] else 1,
        site=site,
        age_at_onset=age,
        d50=d50,
        tau=regions.taus(progression, tuple(z[1:5])) if in_turn else _taus(progression, site, tuple(z[1:5])),
        onsets=regions.onsets(progression, site) if in_turn else (0.0,) * 4,
        a=regions.EXPONENT if in_turn else draw(progression["function"]["steepness"], z[5]),
        v0=v0,
        tau_v=tau_v,
        scale=_hazard_scale(v0, tau_v, progression),
        eta=progression["neurofilament"]["log_sd"] * z[11],
        m0=progression["strength"]["m0_sd"] * z[13],
        d_f=draw(breathing.get("fvc_offset_percent", {"normal": {"mean": 1.5, "sd": 3.0}}), z[14]),
        z_entry=z[15],
        falls_ill=falls_ill(numbers, keys, variant),
        delay_months=diagnostic_delay(disease["variants"][variant], keys),
        drugs=_responses(numbers, (z[8], z[9], z[10]), d50),
    )
