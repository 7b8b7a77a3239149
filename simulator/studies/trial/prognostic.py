"""Prognostic scores inside replicates: the untreated change that a model expects of each participant at baseline.

Twins of every participant of every replicate would take hours. What they say is a function of what is measured at
baseline, the conditional mean of the change; here it is learnt once, by least squares on all products of two measures,
from simulated people who are in no replicate, and then read off. Least squares finds the conditional mean from changes
themselves, without a twin of anybody; `docs/trial_validation.md` sets it beside the twins and beside neighbours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.analysis.trial.data import SCORE, Floats
from simulator.errors import SimulatorError
from simulator.language.faults import Problem, ScenarioError
from simulator.language.loading import bundled, load
from simulator.replicate import ReplicateData, Replicator, compiled
from simulator.run import REPLICATES
from simulator.studies.trial.plan import cut
from simulator.studies.trial.population import looked_at, lossless
from simulator.studies.trial.scores import Emulator, predictors, products

if TYPE_CHECKING:
    from simulator.language.blocks.prognostic import Prognostic
    from simulator.language.scenario import Scenario
    from simulator.studies.trial.plan import Options, Plan

ANALYSES = ("ancova_prognostic", "mmrm_prognostic", "ancova_twins")
PART = 2_500
"""People simulated together."""


def needed(analyses: tuple[str, ...], options: Options) -> bool:
    """Whether an analysis takes the score."""
    return any(name in ANALYSES or SCORE in options.get(name, {}).get("covariates", ()) for name in analyses)


def learnt(scenario: Scenario, plan: Plan, seed: int) -> Emulator | None:
    """The scores of a plan; None where no analysis takes them.

    Parameters
    ----------
    scenario : that of the plan before it was cut, in which no treatment has an effect; the trial's block `prognostic`
        may name another, or change it.
    plan : what is analysed.
    seed : of the study.

    Raises
    ------
    ScenarioError
        The block contradicts the scenario that it changes.
    """
    if plan.scenario.trial is None or not needed(plan.analyses, plan.options):
        return None
    block = plan.scenario.trial.prognostic
    scenarios = [looked_at(lossless(one), plan) for one in _models(scenario, plan, block)]
    parts = max(-(-(block.people if block else 20_000) // PART), len(scenarios))
    space = Replicator(compiled(scenarios, PART))
    measures = tuple(plan.scenario.visits.assessments)
    rows, changes, day = [], [], np.zeros(0)
    for part in range(parts):
        seen = space.population(seed, _apart(part, len(scenarios)))
        rows.append(predictors(seen, measures).copy())
        changes.append(changed(seen, plan.outcome))
        day = seen.nominal_day
    return fitted((plan.outcome, measures), day, np.concatenate(rows), np.concatenate(changes))


def _apart(part: int, draws: int) -> int:
    """The number of a part of people who are in no replicate, nor among those in whom truth is looked up."""
    first = REPLICATES // 2
    return first + -first % draws + part


def fitted(names: tuple[str, tuple[str, ...]], day: Floats, rows: Floats, changes: Floats) -> Emulator:
    """The emulator, by the names of outcome and measures, from predictors : (n, k) and changes : (n, v)."""
    centre, spread = np.nanmean(rows, axis=0), np.nanstd(rows, axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    coefficients = np.linalg.lstsq(products((rows - centre) / spread), changes, rcond=None)[0]
    return Emulator(*names, day, centre, spread, np.asarray(coefficients, np.float64))


def changed(seen: ReplicateData, outcome: str) -> Floats:
    """(n, v) the true function at the visits, as if alive, less what was measured at baseline; all arms are alike."""
    at = np.searchsorted(seen.time, seen.nominal_day)
    return np.asarray(seen.truth[outcome][0][:, at] - seen.observed[outcome][0][:, :1], np.float64)


def _models(scenario: Scenario, plan: Plan, block: Prognostic | None) -> list[Scenario]:
    """The scenarios from which scores are learnt, without effects: the trial's own unless its block says otherwise."""
    from simulator.studies.calibrate.apply import drawn_scenarios

    base = scenario
    try:
        if block is not None and block.scenario is not None:
            base = _other(block.scenario, plan)
        if block is not None and block.set is not None:
            base = base.replace(block.set)
    except ScenarioError as error:
        path = ("trial", "prognostic", "scenario" if block and block.scenario and not block.set else "set")
        problem = Problem(path, f"it cannot be simulated: {error}", "Correct it")
        raise SimulatorError(str(plan.scenario.fault(problem))) from None
    drawn = list(drawn_scenarios(base, block.draws)) if block is not None and block.draws else [base]
    days = plan.scenario.trial.analysis_days if plan.scenario.trial else []
    return [cut(one, days) for one in drawn]


def _other(name: str, plan: Plan) -> Scenario:
    """People of another scenario, untreated, at the visits of the trial."""
    own, trial = plan.scenario, plan.scenario.trial
    lead_in = None if trial is None or trial.lead_in is None else {"days": trial.lead_in.days}
    absent = ("person", "attrition", "safety", "estimand", "sweep", "sensitivity", "decision", "rules", "strata")
    if name not in bundled():
        fact = f"there is no bundled scenario {name}"
        raise SimulatorError(
            str(own.fault(Problem(("trial", "prognostic", "scenario"), fact, "als-sim list shows them")))
        )
    other = load(name)
    settings: dict[str, Any] = {
        **dict.fromkeys(absent),
        "treatments": {},
        "control": None,
        "arms": {arm: [] for arm in own.arms},
        "visits": {**other.visits.model_dump(), **{
            key: getattr(own.visits, key) for key in ("every_days", "days", "jitter_days", "assessments", "scoring")}},
        "follow_up_days": own.follow_up_days,
        "output": {"every_days": own.follow_up_days},
        "trial": {
            "size": PART,
            "allocation": dict.fromkeys(own.arms, 1),
            "analysis_days": list(trial.analysis_days) if trial else [],
            "lead_in": lead_in,
        },
    }  # fmt: skip
    return other.replace(settings)
