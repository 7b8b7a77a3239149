"""Which values this answer follows: rank correlations over the vectors that its ranges come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.results import Result
from simulator.studies.ranges import ANSWERING, Ranges, stored_ranges

if TYPE_CHECKING:
    from simulator.language.scenario import Scenario

LEAST = 0.5
"""Of 26 independent values over 40 vectors, one reaches it by chance in about 3 % of answers."""
MOST = 5


class Driver(NamedTuple):
    """A value of the scenario, and the rank correlation of the answer with it."""

    address: str
    correlation: float


class Drivers(NamedTuple):
    """The values that one difference follows, the closest first."""

    about: str
    draws: int
    rows: list[Driver]


def drivers(result: Result, scenario: Scenario) -> Drivers | None:
    """Of the first comparison's first figure; None where there are no ranges."""
    from simulator.studies.calibrate.apply import drawn_settings
    from simulator.studies.calibrate.errors import CalibrationError

    found = stored_ranges(result)
    metric = next((name for name in ANSWERING if name in found.values), "")
    if not metric:
        return None
    arm, against = result.contrasts[0] if result.contrasts else (result.arms[0], "")
    answer = _answer(found, metric, arm, against)
    try:
        settings = list(drawn_settings(scenario, found.draws))
    except CalibrationError:
        return None
    rows: dict[float, Driver] = {}
    for address in settings[0]:
        values = np.array([one[address] for one in settings])
        r = correlation(values, answer)
        rows.setdefault(round(abs(r), 9), Driver(address, r))  # a share and its rest are one value
    near = sorted(
        (row for row in rows.values() if abs(row.correlation) >= LEAST), key=lambda row: -abs(row.correlation)
    )
    return Drivers(f"{arm} against {against}" if against else arm, found.draws, near[:MOST])


def _answer(found: Ranges, metric: str, arm: str, against: str) -> np.ndarray:
    values = np.array(found.values[metric][arm])
    return values - np.array(found.values[metric][against]) if against else values


def correlation(x: np.ndarray, y: np.ndarray) -> float:
    """Spearman's rank correlation; 0 where one of them does not vary."""
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return 0.0
    a, b = (_ranks(one) for one in (x, y))
    return float(np.corrcoef(a, b)[0, 1])


def _ranks(x: np.ndarray) -> np.ndarray:
    """Ranks, the mean of them where values are equal."""
    _, place, count = np.unique(x, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return (last - (count - 1) / 2)[place]
