"""The simulated people of a fit: their traits, and their untreated courses on the days that the data know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.errors import UsageError
from simulator.run import recorded
from simulator.studies.fit.hazard import is_by_truth
from simulator.studies.fit.people import MEASURED_RULES
from simulator.studies.twins.cohort import Cohort
from simulator.studies.twins.pool import CARRY_OVER_DAYS, needed_of, pool_scenario

if TYPE_CHECKING:
    from simulator.datasets import Note
    from simulator.language.scenario import Scenario
    from simulator.results.record import Arrays
    from simulator.studies.fit.people import People

Floats = NDArray[np.float64]
CHUNK = 16_384
EPOCH_DAYS = 28
"""The clock's rate is constant between days that are so far apart; see section 1 of docs/model.md."""
DENSITIES = ("clock", "regions")
ASIDE = ("adherence", "safety", "strata", "rules", "trial", "estimand", "sweep", "sensitivity", "decision", "person",
         "control", "ensemble")  # fmt: skip
"""Blocks that say nothing of untreated courses."""


class Crowd(NamedTuple):
    """Simulated people without treatment, m of them.

    Parameters
    ----------
    patients : traits, (m,) each. truth : quantities on the days of measurements, (1, m, day) each, as if alive.
    outputs : what the model has. time : [d] an epoch apart from baseline. clock : (m, time) disease time.
    score : (m, time) ALSFRS-R, where dropout depends on it. scenario : they were simulated with it.
    """

    patients: Arrays
    truth: Arrays
    outputs: frozenset[str]
    time: Floats
    clock: NDArray[np.float32]
    score: NDArray[np.float32] | None
    scenario: Scenario

    def has(self, name: str) -> bool:
        """Whether the model has a quantity."""
        return name in self.outputs

    @property
    def n(self) -> int:
        """Number of people."""
        return len(self.clock)


def crowd_scenario(scenario: Scenario, found: People) -> tuple[Scenario, list[Note]]:
    """The scenario of the crowd: no treatment, entry at baseline, rules on what screening measures taken out.

    Raises
    ------
    UsageError
        The scenario has no untreated arm, or a model without a likelihood.
    """
    if scenario.progression.model not in DENSITIES:
        names = ", ".join(DENSITIES)
        fact = f"fit knows the likelihood of the models {names} and linear, not {scenario.progression.model}"
        raise UsageError(f"{fact}. Choose another scenario, or --set progression.model={DENSITIES[0]}")
    arm = next((name for name, epochs in scenario.arms.items() if not epochs), None)
    if arm is None:
        fact = "the scenario has no arm without treatment, and untreated courses are fitted"
        raise UsageError(f"{fact}. Add one, such as untreated: []")
    last = float(max(found.end.max(), found.stayed.max()))
    end = int(np.ceil(max(last, found.past[-1]) / EPOCH_DAYS)) * EPOCH_DAYS + EPOCH_DAYS
    grid = range(0, end + 1, EPOCH_DAYS)
    cohort = Cohort(
        found.cases, 0, tuple(sorted({*found.past, *grid})), (end,), found.endpoint, found.end, found.event, ()
    )
    made = scenario.replace({**dict.fromkeys(ASIDE), "arms": {arm: []}, "treatments": {}})
    made, notes = pool_scenario(made, cohort, "alsfrs_r" if "alsfrs_r" in made.progression.OUTPUTS else "svc")
    if is_by_truth(scenario):
        made = made.replace({"attrition": scenario.content()["attrition"]})
    rule = made.entry.eligible
    if rule is not None:
        kept = {key: one for key, one in rule.model_dump().items() if one is not None and key not in MEASURED_RULES}
        made = made.replace({"entry.eligible": kept or None})
    return made, [note for note in notes if "rules of eligibility" not in note.what]


def crowd(
    scenario: Scenario, found: People, size: int, *, seed: int, threads: int | None, dropout: bool = False
) -> Crowd:
    """Simulate so many people."""
    wanted = sorted(needed_of(scenario, found.cases) | _screened(found))
    days = scenario.output.days or []
    grid = [day for day in days if day % EPOCH_DAYS == 0]
    parts = []
    for first in range(0, size, CHUNK):
        numbers = np.arange(first, min(first + CHUNK, size))
        record = recorded(scenario, seed=seed, threads=threads, numbers=numbers)
        at, epochs = np.searchsorted(record.time, found.past), np.searchsorted(record.time, grid)
        truth = {name: record.truth[name][:1][:, :, at].copy() for name in wanted if name in record.truth}
        score = record.truth["alsfrs_r"][0][:, epochs].copy() if dropout else None
        parts.append((record.patients, truth, record.truth["disease_time"][0][:, epochs].copy(), score))
        outputs = frozenset(record.truth) if record.outputs is None else record.outputs
    joined: Any = {key: np.concatenate([one[0][key] for one in parts]) for key in parts[0][0]}
    truths = {key: np.concatenate([one[1][key] for one in parts], axis=1) for key in parts[0][1]}
    clock = np.concatenate([one[2] for one in parts])
    score = np.concatenate([one[3] for one in parts]) if dropout else None
    return Crowd(joined, truths, outputs, np.array(grid, np.float64), clock, score, scenario)


def _screened(found: People) -> set[str]:
    """Quantities that screening measures."""
    looks = {"alsfrs_r": "alsfrs_r", "progression_rate": "alsfrs_r", "svc_percent": "svc", "nfl_plasma": "nfl_plasma"}
    return {name for key, name in looks.items() if found.rule is not None and getattr(found.rule, key) is not None}


def lifted(crowd: Crowd, scenario: Scenario, past: tuple[int, ...]) -> Crowd:
    """The crowd with what a visit reads too high after entry."""
    effect = float(scenario.visits.entry_effect_points.value)
    if not effect or "alsfrs_r" not in crowd.truth:
        return crowd
    lift = effect * (1 - np.exp(-np.array(past) / CARRY_OVER_DAYS))
    return crowd._replace(truth={**crowd.truth, "alsfrs_r": crowd.truth["alsfrs_r"] + lift.astype(np.float32)})
