"""How far the parameters leave the answer of a run open: the same people, few of them, at vectors of the ensemble.

A run computes this beside its own numbers and keeps it as the attribute `parameters`; nothing else depends on it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulator.errors import SimulatorError
from simulator.measures.headline import main_day
from simulator.measures.metrics import estimate, known
from simulator.results import Result
from simulator.results.summary import summary_group
from simulator.results.tidy import DRAWN
from simulator.studies.selection import asking

if TYPE_CHECKING:
    from simulator.language import Scenario

ATTRIBUTE = "parameters"
DRAWS, PATIENTS = 40, 200
"""Vectors, and patients at each. The same people are in all: what their number adds is common to every vector."""
ANSWERING = ("alsfrs_r_change_death0", "kings_4_or_dead", "event_free")
"""Metrics of the answer that sums can give."""


class Ranges(NamedTuple):
    """Figures of one day at each vector: by metric, then arm. Without any, `why_not` says why."""

    day: float
    draws: int
    patients: int
    values: dict[str, dict[str, list[float]]]
    why_not: str = ""

    def of(self, metric: str, arm: str, against: str = "") -> tuple[float, float]:
        """The 5th and 95th percentile over vectors of an arm, or of its difference from another; NaN if not known."""
        found = self.values.get(metric, {})
        if arm not in found or (against and against not in found):
            return float("nan"), float("nan")
        values = np.array(found[arm]) - (np.array(found[against]) if against else 0.0)
        low, high = np.quantile(values, DRAWN)
        return float(low), float(high)

    @property
    def source(self) -> str:
        """Where the ranges come from, or why there are none."""
        if self.why_not:
            return f"The range of the parameters is not known: {self.why_not}."
        return (
            f"Parameters: 5th to 95th percentile over {self.draws} vectors of the calibrated ensemble, the same "
            f"{self.patients} people at each."
        )


def with_ranges(result: Result, scenario: Scenario, days: Any = None) -> Result:
    """The result, with the ranges on its main day as an attribute."""
    found = _ranges(asking(result, None, days), scenario)
    text = json.dumps(found._asdict(), ensure_ascii=False)
    return Result(lambda: result.attrs | {ATTRIBUTE: text}, result.groups)


def stored_ranges(result: Result) -> Ranges:
    """The ranges that a result holds for its main day, or why there are none."""
    day, text = main_day(result), str(result.attrs.get(ATTRIBUTE, ""))
    if not text:
        return _none(day, "only `als-sim run` computes it")
    found = Ranges(**json.loads(text))
    if found.day != day and not found.why_not:
        return _none(day, f"it was computed for day {found.day:g}; run again with --days {day:g}")
    return found


def figures_at(each: Sequence[Result], arms: Sequence[str], day: float) -> dict[str, dict[str, list[float]]]:
    """By metric, then arm, at each vector."""
    metrics = [metric for metric in known(each[0]) if metric.name in ANSWERING]
    return {
        metric.name: {arm: [round(estimate(metric, one, arm, day).value, 4) for one in each] for arm in arms}
        for metric in metrics
    }


def _none(day: float, why_not: str) -> Ranges:
    return Ranges(day, 0, 0, {}, why_not)


def _ranges(result: Result, scenario: Scenario) -> Ranges:
    """Simulated anew, sums only, with the seed of the result."""
    from simulator.studies.calibrate.apply import drawn_scenarios
    from simulator.studies.calibrate.errors import CalibrationError

    day = main_day(result)
    if result.n_patients < PATIENTS:
        return _none(day, f"it takes a run of {PATIENTS} patients or more")
    try:
        each = [_sums(one, result.seed) for one in drawn_scenarios(scenario, DRAWS)]
    except CalibrationError as error:
        return _none(day, str(error).partition(". ")[0])
    except SimulatorError as error:
        return _none(day, f"at some vector of the ensemble nothing can be simulated ({error})")
    return Ranges(day, DRAWS, PATIENTS, figures_at(each, result.arms, day))


def _sums(scenario: Scenario, seed: int) -> Result:
    """The summary of a few people without the quantiles, which take longer than the people."""
    from simulator.run import recorded

    record = recorded(scenario, patients=PATIENTS, seed=seed, output="summary")
    record.sums.counts = record.sums.counts[..., :0]
    return Result({"n_patients": PATIENTS}, {"summary": summary_group(record)})
