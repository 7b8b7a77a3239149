"""The median D50 of a variant, solved so that its simulated survival from onset meets a published row."""

from __future__ import annotations

from typing import NamedTuple

HORIZON_DAYS = 25_567  # 70 years: nobody is left


class Row(NamedTuple):
    """Which fact a variant's survival meets, and by which statistic the fact says it."""

    variant: str
    fact: str
    statistic: str


ROWS = (
    Row("p.Arg116Gly", "NH-15", "median"),
    Row("p.Asp91Ala", "NH-16", "median"),
    Row("p.Leu145Phe", "NH-17", "median"),
    Row("p.His47Arg", "ADD-169", "mean"),
    Row("p.Gly94Ala", "NH-29", "mean"),
    Row("p.Gly38Arg", "NH-30", "mean"),
    Row("p.Ile114Thr", "NH-31", "mean"),
)


def survival_months(variant: str, d50: float, statistic: str, *, patients: int = 20_000, model: str = "clock") -> float:
    """Mean or median time from onset to death or PAV, background mortality included, untreated.

    Parameters
    ----------
    variant : str
        Whose log-SD of D50, from the catalog, is used.
    d50 : float
        Median D50 in months.
    statistic : {"mean", "median"}
    patients : int
        Everybody enters at onset; the random numbers are the same for every `d50`.
    model : str
        Progression model with a D50.

    Returns
    -------
    float
        Months.
    """
    import numpy as np

    from simulator import catalog
    from simulator.language import load
    from simulator.run import simulate
    from simulator.units import DAYS_PER_MONTH

    known = catalog.entry("disease", "sod1")["progression"][model]["d50_months"]
    spread = known[variant]["lognormal"]["log_sd"]["value"]
    scenario = load(
        "natural_history",
        {
            "disease": {"catalog": "sod1", "variants": {variant: 1.0}},
            "progression": {"model": model, "d50_months": {variant: {"lognormal": {"median": d50, "log_sd": spread}}}},
            "follow_up_days": HORIZON_DAYS,
            "visits.every_days": HORIZON_DAYS,
            "output.every_days": HORIZON_DAYS,
        },
    )
    days = simulate(scenario, patients=patients).groups["events"]["event_free_time"].values[0]
    return float(getattr(np, statistic)(days)) / DAYS_PER_MONTH


def solve_d50(row: Row, *, patients: int = 20_000, model: str = "clock") -> float:
    """Median D50 in months at which the simulated statistic equals the published one, to three digits.

    Survival rises with D50 patient by patient because the random numbers stay, so a bracketing root finder is safe.
    """
    from scipy.optimize import brentq

    from simulator.catalog.facts import facts
    from simulator.units import MONTHS_PER_YEAR

    fact = facts()[row.fact]
    assert fact.value is not None, row.fact
    wanted = fact.value * (MONTHS_PER_YEAR if fact.unit == "years" else 1)

    def miss(d50: float) -> float:
        return survival_months(row.variant, d50, row.statistic, patients=patients, model=model) - wanted

    return float(f"{brentq(miss, wanted / 5, wanted * 4, rtol=1e-4):.3g}")
