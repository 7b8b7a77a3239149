"""Prognostic scores as a function of what is measured at baseline."""

from __future__ import annotations

from itertools import combinations_with_replacement
from typing import NamedTuple

import numpy as np

from simulator.analysis.trial.data import Floats
from simulator.replicate import LEAD_IN_CHANGE, ReplicateData

LOGARITHMS = ("nfl_plasma", "sod1_csf")
FARTHEST = 4.0
"""Standard deviations from the mean beyond which a measure counts as if it were there."""
HIGHEST, LEAST_LOST, LEAST_MONTHS = 48.0, 0.5, 0.5
SITES = 3


class Emulator(NamedTuple):
    """The expected change as a function of what is measured at baseline.

    Parameters
    ----------
    outcome : what changes. measures : what visits measure, of which the baseline is taken.
    day : (v,) [d] visits since baseline.
    centre, spread : (k,) of the predictors.
    coefficients : (1 + k + k (k + 1)/2, v) of 1, the predictors, and their products.
    """

    outcome: str
    measures: tuple[str, ...]
    day: Floats
    centre: Floats
    spread: Floats
    coefficients: Floats

    def expected(self, seen: ReplicateData) -> Floats:
        """(n, v) the change from baseline that is expected at the visits."""
        return self.terms(seen) @ self.coefficients

    def terms(self, seen: ReplicateData) -> Floats:
        """(n, term) 1, the predictors, and their products."""
        return products((predictors(seen, self.measures) - self.centre) / self.spread)


def predictors(seen: ReplicateData, measures: tuple[str, ...]) -> Floats:
    """(n, k) what a trial knows of participants at baseline, where arms are alike; NaN where not measured."""
    people = seen.patients
    measured = {name: seen.observed[name][0, :, 0].astype(np.float64) for name in measures if name in seen.observed}
    columns = [np.log(np.maximum(one, 1e-6)) if name in LOGARITHMS else one for name, one in measured.items()]
    months = np.maximum(people["time_since_onset"].astype(np.float64), LEAST_MONTHS)
    columns += [people["age"].astype(np.float64), people["sex"].astype(np.float64), np.log(months)]
    columns += [(people["onset_site"] == site).astype(np.float64) for site in range(1, SITES)]
    if "alsfrs_r" in measured:
        columns.append(np.log(np.maximum(HIGHEST - measured["alsfrs_r"], LEAST_LOST) / months))
    if LEAD_IN_CHANGE in people:
        columns.append(people[LEAD_IN_CHANGE].astype(np.float64))
    return np.column_stack(columns)


def products(x: Floats) -> Floats:
    """(n, 1 + k + k (k + 1)/2) of predictors in SD : (n, k): 1, each, each pair; who lacks one is average."""
    x = np.clip(np.nan_to_num(x, nan=0.0), -FARTHEST, FARTHEST)
    one, two = np.array(list(combinations_with_replacement(range(x.shape[1]), 2))).T
    return np.column_stack([np.ones(len(x)), x, x[:, one] * x[:, two]])


def of_participants(emulator: Emulator, seen: ReplicateData, places: tuple[int, ...]) -> Floats:
    """(n, v) the scores of those who are allocated to these arms."""
    return emulator.expected(seen)[np.isin(seen.patients["allocated_arm"], places)]
