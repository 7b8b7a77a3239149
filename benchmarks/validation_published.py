"""Section of the validation of trials: CENTAUR's result among trials of its size, and how its people differ."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import minimize

import simulator as sim
from benchmarks.validation_base import AT, SEED, spread, study
from simulator.analysis.replicates import share
from simulator.studies.trial.decision import claims_at_end
from simulator.studies.trial.plan import TrialOptions

PUBLISHED = {"alsfrs_r": (36.0, 5.5), "rate": (0.94, 0.49), "months": (13.5, 3.8)}
"""Mean and SD at baseline, of all in the analysis (Paganoni et al. 2020, doi:10.1056/NEJMoa1916945, table 1)."""
DIFFERENCE, P, DAYS_PER_MONTH, DAY, PEOPLE = 0.42, 0.03, 365.25 / 12, 168, 8000
MATCHED = {
    "as_in_the_scenario": (),
    "score": ("alsfrs_r",),
    "rate": ("rate",),
    "score_rate_months": ("alsfrs_r", "rate", "months"),
}


def published(replicates: int = 1000) -> dict[str, Any]:
    """Power and estimates of `centaur`; the points that its people lose a month, by whom of CENTAUR's they are like."""
    names = ["random_slope", "ancova", "mmrm", "joint_rank"]
    scenario = sim.load("centaur")
    done = study(scenario, TrialOptions(names), replicates)
    out: dict[str, Any] = {"replicates": replicates, "people": PEOPLE, "published": {"difference": DIFFERENCE, "p": P}}
    for name in names:
        rows = done.of(name, DAY)
        out[name] = {
            "power": [*share(claims_at_end(done.work.plan, name, rows).benefit)],
            "p_at_or_below_published": [*share((rows[:, AT["p"]] <= P) & (rows[:, 0] > 0))],
            **spread(rows[:, 0]),
        }
    slopes = done.of("random_slope", DAY)[:, 0]
    out["random_slope"]["at_or_above_published"] = [*share(slopes >= DIFFERENCE)]
    return out | {"matched": _matched(scenario)}


def _matched(scenario: Any) -> dict[str, Any]:
    """Baseline, and what is lost a month on placebo and drug as if alive, of people weighted to be like CENTAUR's."""
    seen = sim.simulate(scenario.replace({"trial": None}), patients=PEOPLE, seed=SEED).groups
    arms = [list(scenario.arms).index(name) for name in ("placebo", "drug")]
    score = seen["observed"]["alsfrs_r"].values[arms[0]][:, 0].astype(np.float64)
    months = seen["patients"]["time_since_onset"].values.astype(np.float64)
    here = {"alsfrs_r": score, "rate": (48 - score) / months, "months": months}
    last = int(np.argmin(abs(seen["truth"]["time"].values - DAY)))
    course = seen["truth"]["alsfrs_r"].values[arms].astype(np.float64)
    lost = (course[..., 0] - course[..., last]) / (DAY / DAYS_PER_MONTH)
    out: dict[str, Any] = {}
    for label, wanted in MATCHED.items():
        weight = _weights([here[name] for name in wanted], [PUBLISHED[name] for name in wanted])
        out[label] = {name: _moments(values, weight) for name, values in here.items()}
        out[label] |= {"lost": [float(weight @ one) for one in lost], "effective": float(1 / (weight @ weight))}
    return out


def _moments(values: np.ndarray, weight: np.ndarray) -> list[float]:
    mean = float(weight @ values)
    return [mean, float(np.sqrt(weight @ (values - mean) ** 2))]


def _weights(columns: list[np.ndarray], wanted: list[tuple[float, float]]) -> np.ndarray:
    """(n,) weights of the least information with which the columns have the wanted means and SDs; they add up to 1."""
    if not columns:
        return np.full(PEOPLE, 1 / PEOPLE)
    gaps = [x for one, (mean, sd) in zip(columns, wanted, strict=True) for x in (one - mean, one**2 - mean**2 - sd**2)]
    table = np.column_stack([gap / gap.std() for gap in gaps])

    def total(tilt: np.ndarray) -> float:
        return float(np.logaddexp.reduce(table @ tilt))

    tilted = np.exp(table @ minimize(total, np.zeros(len(gaps)), method="BFGS").x)
    return np.asarray(tilted / tilted.sum())
