"""Invented trials for the tests of analyses: lines with noise, events driven by the same rates. Not a model of ALS."""

import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np

from simulator.analysis.trial.data import Group, TrialData, trial_data
from simulator.units import DAYS_PER_MONTH

GOLDEN = Path(__file__).parents[1] / "golden"


class Invented(NamedTuple):
    """What an invented trial is made of; with 0 for gaps, hazard and dropout everything is seen."""

    n: int = 108
    visits: int = 8
    log_rate_ratio: float = 0.0
    log_hazard_ratio: float = 0.0
    gaps: float = 0.03
    hazard: float = 0.02
    dropout: float = 0.02


USUAL = Invented()
COMPLETE = Invented(gaps=0.0, hazard=0.0, dropout=0.0)


def invented(seed: int, of: Invented = USUAL) -> TrialData:
    """A trial with 2 : 1 allocation, two strata that differ in speed, neurofilament that tells of it, earlier controls.

    Everybody's rate is multiplied by the rate ratio; the hazard per month is `hazard` × rate, times the
    hazard ratio when treated, which changes no function. Dropout follows the last
    measured change: missing at random.
    """
    rng = np.random.default_rng(seed)
    n, planned = of.n, 28.0 * np.arange(of.visits)
    arm = rng.permutation(np.arange(n) % 3 > 0).astype(np.int64)
    stratum = rng.integers(0, 2, n)
    speed = rng.normal(size=n)
    rate = (0.9 + 0.25 * speed) * np.exp(0.4 * stratum + of.log_rate_ratio * arm)
    day = np.where(planned > 0, planned + rng.integers(-5, 6, (n, of.visits)), 0.0)
    months = day / DAYS_PER_MONTH
    score = 37 + 5 * rng.normal(size=(n, 1)) - rate[:, None] * months + 1.5 * rng.normal(size=day.shape)
    hazard = of.hazard * np.maximum(rate, 0) * np.exp(of.log_hazard_ratio * arm)
    with np.errstate(divide="ignore", invalid="ignore"):
        happens = rng.exponential(1, n) / hazard * DAYS_PER_MONTH
    steps = rng.random(day.shape) < of.dropout * np.exp(-0.1 * (score - score[:, :1]))
    left = np.where(steps[:, 1:].any(axis=1), planned[1:][steps[:, 1:].argmax(axis=1)] + 7.0, planned[-1] + 7.0)
    event = happens <= left
    seen = (rng.random(day.shape) >= of.gaps) & (day <= np.minimum(happens, left)[:, None])
    seen[:, 0] = True
    log_nfl = 4 + 0.5 * speed + 0.4 * rng.normal(size=n)
    found = trial_data(
        arm=arm,
        stratum=stratum,
        nominal_day=planned,
        day=np.where(seen, day, np.nan),
        outcome=np.where(seen, score, np.nan),
        time=np.ceil(np.minimum(happens, left)),
        event=event,
        covariates={"log_nfl": log_nfl},
    )
    earlier = (Group("earlier", planned[-1], -7.0, 3.0, 40, 6, 20.0),)
    return found._replace(expected=scores(log_nfl, of.visits), earlier=earlier)


def scores(log_nfl: np.ndarray, visits: int) -> np.ndarray:
    """(n, v) prognostic scores: lines whose slope rises with neurofilament."""
    return -0.9 * np.exp(0.4 * (log_nfl[:, None] - 4)) * np.arange(visits)


def golden_trial() -> TrialData:
    """The data of tests/golden/trial.csv, which R analysed."""
    with (GOLDEN / "trial.csv").open() as file:
        rows = list(csv.DictReader(file))
    columns = {name: np.array([float(row[name] or "nan") for row in rows]) for name in rows[0]}
    return trial_data(
        arm=columns["arm"],
        stratum=columns["stratum"],
        nominal_day=28.0 * np.arange(8),
        day=np.stack([columns[f"d{visit}"] for visit in range(8)], axis=1),
        outcome=np.stack([columns[f"y{visit}"] for visit in range(8)], axis=1),
        time=columns["time"],
        event=columns["event"],
        covariates={"log_nfl": columns["log_nfl"]},
    )
