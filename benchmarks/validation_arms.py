"""Several arms against a control, stages, and estimates after looks: errors, power, people."""

from __future__ import annotations

from typing import Any

import numpy as np

import simulator as sim
from benchmarks.validation_base import NO_EFFECT, band, study
from simulator.analysis.replicates import mean, share
from simulator.studies.trial import sequential
from simulator.studies.trial.plan import TrialOptions
from simulator.studies.trial.rows import ARM, WHOLE
from simulator.studies.trial.sequential import BENEFIT, HARM

WHY = ARM.index("why")
NONE = {f"treatments.{name}.value": 1.0 for name in ("low", "middle", "high")}
TWO_WORK = {"treatments.low.value": 1.0, "treatments.middle.value": 0.4, "treatments.high.value": 0.4}
TREND = {
    "doses": {"low": 20, "middle": 60, "high": 100},
    "shapes": [{"form": "linear"}, {"form": "emax", "parameter": 40}, {"form": "exponential", "parameter": 60}],
}


def _stages(**more: Any) -> dict[str, Any]:
    return {"shares": [0.5], **more}


DESIGNS: dict[str, dict[str, Any]] = {
    "Dunnett": {"test": "dunnett"},
    "step-down Dunnett": {"test": "step_down"},
    "trend, then step-down": {"test": "step_down", "trend": TREND},
    "bounds of MAMS, triangular": {"test": "mams", "stages": _stages(shape="triangular")},
    "bounds of MAMS, O'Brien–Fleming": {"test": "mams", "stages": _stages(shape="obrien_fleming")},
    "stages, futility by conditional power": {"stages": _stages(drop={"conditional_power": 0.1})},
    "stages, the best goes on with all places": {"stages": _stages(drop={"keep_best": 1}, places="others")},
    "stages, promising zone": {"stages": _stages(resize={"promising": {"least": 0.3, "power": 0.9}, "most": 1.5})},
    "stages, blinded size by the SD": {"stages": _stages(resize={"blinded": {"sd": 4.0}, "most": 1.5})},
    "stages, response-adaptive": {"stages": _stages(allocate={"power": 1.0})},
}


def arms(replicates: int = 1000) -> dict[str, Any]:
    """Familywise error where nothing works and where two arms of three work; power of any arm; people and days."""
    change = {"trial.size": 120, "trial.accrual_per_month": [{"rate": 4}]}
    base = sim.load("dose_finding").replace(change)
    low, high = band(0.05, replicates)
    out: dict[str, Any] = {"replicates": replicates, "band": [low, high]}
    for label, written in DESIGNS.items():
        scenario = base.replace({"trial.comparisons": written})
        none, two, drug = (_run(scenario.replace(effect), replicates) for effect in (NONE, TWO_WORK, {}))
        error = share(_made(none, (BENEFIT, HARM)).any(axis=1))
        out[label] = {
            "none": [*error],
            "none_each": [[*share(one)] for one in _made(none, (BENEFIT, HARM)).T],
            "inside": bool(error.value <= high),
            "two_work": [*share(_made(two, (BENEFIT, HARM))[:, 0])],
            "any": [*share(_made(drug, (BENEFIT,)).any(axis=1))],
            "each": [[*share(one)] for one in _made(drug, (BENEFIT,)).T],
            "participants": [*mean(drug.found.course[:, 0, WHOLE.index("participants")])],
            "days": [*mean(drug.found.course[:, 0, WHOLE.index("days")])],
            "on_best": [*mean(drug.found.arms[:, 0, 2, ARM.index("participants")])],
        }
        if "trend" in written:
            p = none.found.course[:, 0, WHOLE.index("trend_p")], drug.found.course[:, 0, WHOLE.index("trend_p")]
            out[label]["trend"] = [[*share(one <= 0.025)] for one in p]
    return out | {"after_looks": _after_looks(replicates)}


def _run(scenario: Any, replicates: int) -> Any:
    return study(scenario, TrialOptions(["ancova"]), replicates)


def _made(done: Any, codes: tuple[int, ...]) -> np.ndarray:
    return np.isin(done.found.arms[:, 0, :, WHY], codes)


def _after_looks(replicates: int) -> dict[str, Any]:
    """`group_sequential` without futility: the level by information, and estimates that know of the looks."""
    out = {}
    for label, effect in (("drug", {}), ("none", NO_EFFECT)):
        scenario = sim.load("group_sequential").replace({**effect, "trial.interim.futility": None})
        done = study(scenario, TrialOptions(["ancova", "joint_rank"]), replicates)
        written = sequential.rules(scenario.trial.interim)  # type: ignore[union-attr]
        for a, name in enumerate(done.work.plan.analyses):
            true = 0.0 if label == "none" else float(np.nanmean(done.found.estimates[:, a, 0, 0]))
            for information in ("analysis", "participants"):
                rules = written._replace(information=information)
                at = sequential.stopped(rules, name, done.found, a)
                after = sequential.estimated_after(rules, at, name)
                found = sequential.operating(at, 2, None, after, true)
                out[f"{label} {name} {information}"] = {
                    key: [*one] if hasattr(one, "mcse") else [[*each] for each in one]
                    for key, one in found._asdict().items()
                } | {"fixed": true}
    return out
