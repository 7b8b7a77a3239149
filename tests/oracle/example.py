"""Resolved scenarios as plain numbers, and short cuts, for the tests of the oracle itself."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

from .run import simulate
from .units import Numbers

SEED = 20_250_101
KAPPA, EPSILON = 12.0, 0.45

_DISEASE: Numbers = {
    "name": "SOD1-ALS",
    "variants": {
        "p.Ala5Val": {"share": 0.12, "listed_fast": 1.0},
        "other": {"share": 0.88, "listed_fast": 0.6, "listed_below_d50_months": 40.0},
    },
    "age_at_onset": {"normal": {"mean": 49.7, "sd": 12.3, "low": 18.0}},
    "men": 0.57,
    "onset_site": {"bulbar": 0.08, "upper_limb": 0.27, "lower_limb": 0.65},
    "background_mortality": {"multiplier": 1.0, "log_rate": -10.2, "per_year_of_age": 0.095, "women": 0.65},
}

_PROGRESSION: Numbers = {
    "model": "clock",
    "d50_months": {
        "p.Ala5Val": {"lognormal": {"median": 11.8, "log_sd": 0.33}},
        "other": {"lognormal": {"median": 77.0, "log_sd": 1.25}},
    },
    "volatility": {"log_sd": 0.38, "autocorrelation": 0.93},
    "function": {
        "steepness": {"lognormal": {"median": 3.7, "log_sd": 0.12}},
        "tau_limb": 0.78,
        "tau_axial": 1.63,
        "tau_log_sd": 0.30,
        "onset_factor": 0.50,
    },
    "breathing": {
        "v0_percent": {"normal": {"mean": 98.0, "sd": 16.0, "low": 60.0, "high": 140.0}},
        "tau": {"lognormal": {"median": 1.0, "log_sd": 0.22}},
        "correlation_with_respiratory": 0.6,
        "steepness": 1.9,
    },
    "strength": {"m0_sd": 0.6, "loss": 1.6},
    "survival": {
        "steepness": 12.0,
        "critical_svc_percent": 39.5,
        "state_share": 0.45,
        "pav_probability": 0.12,
        "months_after_pav": 20.0,
    },
    "neurofilament": {
        "background": 9.0,
        "background_growth": 0.02,
        "amplitude": 300.0,
        "speed_exponent": 0.90,
        "log_sd": 0.45,
        "lead": 0.80,
        "rise": 1.5,
    },
}

_TOFERSEN: Numbers = {
    "kind": "antisense",
    "regimen": {"dose_mg": 100.0, "loading_days": [0.0, 14.0, 28.0], "every_days": 28.0, "missed_dose": "label"},
    "tissue": {"half_life_days": 28.0, "reference_dose_mg": 100.0, "reference_every_days": 28.0},
    "target": {
        "max_inhibition": 0.72,
        "ec50": {"lognormal": {"median": 0.60, "log_sd": 0.35}},
        "half_life_days": 25.0,
        "csf_share": 0.80,
    },
    "effect": {"mean": 0.78, "sd": 0.41, "low": -0.1, "high": 1.35, "mean_transit_days": 91.0, "recovery_cap": 0.30},
    "neurofilament": {
        "mean": 0.80,
        "sd": 0.14,
        "low": 0.0,
        "high": 0.97,
        "correlation_with_effect": 0.5,
        "slow_share": 0.17,
        "fast_days": 14.0,
        "slow_half_life_days": 280.0,
        "half_life_days": 9.5,
    },
}

_NOISE: Numbers = {
    "alsfrs_r_points": 1.6,
    "svc_percent": 5.0,
    "hhd": 0.12,
    "nfl_log_sd": 0.12,
    "sod1_log_sd": 0.12,
    "nfl_llq": 2.0,
}


def trial() -> Numbers:
    """A trial like the reference scenario: three arms, two strata, entry by disease time, referral, eligibility."""
    return copy.deepcopy(
        {
            "schema_version": 1,
            "title": "oracle",
            "patients": 30,
            "disease": _DISEASE,
            "progression": _PROGRESSION,
            "entry": {
                "disease_time": {"normal": {"mean": 0.46, "sd": 0.22, "low": 0.06, "high": 1.3}},
                "referral_months": 9.0,
                "eligible": {"alsfrs_r": {"min": 19.0, "max": 47.0}, "time_since_onset_months": {"max": 150.0}},
            },
            "strata": {
                "faster": {
                    "share": 0.556,
                    "when": [
                        {"variant": "fast", "progression_rate": {"min": 0.2}},
                        {"progression_rate": {"min": 0.9}},
                    ],
                    "eligible": {"svc_percent": {"min": 65.0}},
                },
                "slower": {"share": 0.444, "eligible": {"svc_percent": {"min": 50.0}}},
            },
            "treatments": {"tofersen": _TOFERSEN},
            "arms": {
                "untreated": [],
                "early_start": [{"treatments": ["tofersen"], "from_day": 0.0}],
                "delayed_start": [{"treatments": ["tofersen"], "from_day": 196.0}],
            },
            "visits": {
                "every_days": 28.0,
                "assessments": ["alsfrs_r", "svc", "hhd", "nfl_plasma", "sod1_csf"],
                "entry_effect_points": 1.0,
                "jitter_days": 5.0,
                "missing": 0.03,
                "noise": _NOISE,
            },
            "follow_up_days": 1096.0,
        }
    )


def plain() -> Numbers:
    """Closed-form case: entry at onset, no volatility, no background mortality, no strata, no visits but the first."""
    numbers = trial()
    numbers["entry"] = {"at_onset": True}
    del numbers["strata"]
    numbers["progression"]["volatility"]["log_sd"] = 0.0
    numbers["disease"]["background_mortality"]["multiplier"] = 0.0
    numbers["visits"]["every_days"] = 100_000.0
    return numbers


def change(numbers: Numbers, address: str, value: Any) -> Numbers:
    """Set the value at a dotted address, in place."""
    *path, last = address.split(".")
    block = numbers
    for name in path:
        block = block[name]
    block[last] = value
    return numbers


def addon_arm(numbers: Numbers, kind: str, value: float, **epoch: float) -> Numbers:
    """One arm, `arm`, with an add-on treatment alone."""
    numbers["treatments"]["addon"] = {"kind": kind, "value": value}
    numbers["arms"] = {"arm": [{"treatments": ["addon"], "from_day": 0.0, **epoch}]}
    return numbers


def strong_drug() -> Numbers:
    """The trial with a drug that soon turns the rate negative in everyone."""
    numbers = trial()
    numbers["treatments"]["tofersen"]["effect"] |= {"mean": 1.35, "sd": 0.0}
    return change(numbers, "treatments.tofersen.effect.mean_transit_days", 45.0)


def one(numbers: Numbers, number: int, **options: Any) -> dict[str, Any]:
    """What `simulate` gives for one patient."""
    return simulate(numbers, [number], SEED, **options)[0]


@cache
def cohort() -> list[dict[str, Any]]:
    """Eight patients of the trial in all three arms."""
    return simulate(trial(), 8, SEED)
