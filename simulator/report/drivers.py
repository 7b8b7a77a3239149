"""Which values this answer follows: rank correlations over the vectors that its ranges come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.results import Result
from simulator.studies.draws import own_ranges
from simulator.studies.ranges import ANSWERING, Ranges, stored_ranges

if TYPE_CHECKING:
    from simulator.language.scenario import Scenario

LEAST, OVER = 0.5, 40
"""Of 26 independent values over 40 vectors, one reaches it by chance in about 3 % of answers."""
MOST = 5


class Driver(NamedTuple):
    """A value of the scenario, the rank correlation of the answer with it, and what it is called in words."""

    address: str
    correlation: float
    label: str = ""


class Drivers(NamedTuple):
    """The values that one difference follows, the closest first: from a correlation of `least` on."""

    about: str
    draws: int
    rows: list[Driver]
    least: float = LEAST


def drivers(result: Result, scenario: Scenario) -> Drivers | None:
    """Of the first comparison's first figure; None where there are no ranges."""
    from simulator.studies.calibrate.apply import drawn_settings
    from simulator.studies.calibrate.errors import CalibrationError

    found = own_ranges(result) if result.draws else stored_ranges(result)
    metric = next((name for name in ANSWERING if name in found.values), "")
    if not metric:
        return None
    arm, against = result.contrasts[0] if result.contrasts else (result.arms[0], "")
    answer, least = _answer(found, metric, arm, against), least_of(found.draws)
    try:
        settings = list(drawn_settings(scenario, found.draws))
    except CalibrationError:
        return None
    labels = _labels(scenario)
    rows: dict[float, Driver] = {}
    for address in settings[0]:
        values = np.array([one[address] for one in settings])
        r = correlation(values, answer)
        driver = Driver(address, r, labels.get(address, ""))
        rows.setdefault(round(abs(r), 9), driver)  # a share and its rest are one value
    near = sorted(
        (row for row in rows.values() if abs(row.correlation) >= least), key=lambda row: -abs(row.correlation)
    )
    return Drivers(f"{arm} against {against}" if against else arm, found.draws, near[:MOST], least)


def least_of(draws: int) -> float:
    """The least correlation that is told: over fewer vectors than 40 chance gives larger ones, as 1/sqrt(n - 1)."""
    return max(LEAST, min(1.0, LEAST * ((OVER - 1) / max(draws - 1, 1)) ** 0.5))


def _labels(scenario: Scenario) -> dict[str, str]:
    """What the calibrated values are called, by address."""
    from simulator.language.calibrated import calibration_in, places

    content = scenario.content()
    spec = calibration_in(content)
    return {} if spec is None else {place.address: spec.parameters[place.number].label for place in places(content)}


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
