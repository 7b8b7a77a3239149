"""Section of the validation of trials: a platform beside the same regimens one after another, in the same people."""

from __future__ import annotations

from typing import Any

import numpy as np

import simulator as sim
from benchmarks.validation_base import band, study
from simulator.analysis.replicates import mean, mean_known, share
from simulator.studies.trial.comparisons.figures import until_found, without_effect
from simulator.studies.trial.plan import TrialOptions
from simulator.studies.trial.rows import ARM, WHOLE
from simulator.studies.trial.sequential import BENEFIT, FUTILITY, HARM

WHY = ARM.index("why")
NONE = {"treatments.e.value": 1.0}
PLATFORM = "trial.comparisons.platform"
ALIKE = {f"{PLATFORM}.apart": None}
"""E shares placebos as the others do."""
IN_TURN = {
    "trial.size": 1400,
    "trial.allocation": {"placebo": 1, "a": 1, "b": 1, "c": 1, "d": 1, "e": 1},
}
TURNS = {"in_turn": 0, "controls": "own"}
LOOKS = {"every_days": 84, "drop": {"predictive_power": 0.05}}
SLOW = {"trial.accrual_per_month": [{"rate": 20}]}
DESIGNS: dict[str, dict[str, Any]] = {
    "shared controls, looks": ALIKE,
    "shared controls, looks, E apart": {},
    "concurrent controls, looks": {**ALIKE, f"{PLATFORM}.controls": "concurrent"},
    "shared controls, no looks": {**ALIKE, f"{PLATFORM}.looks": None},
    "two arms in turn, 1 : 1, no looks": {**IN_TURN, PLATFORM: TURNS},
    "two arms in turn, 1 : 1, looks": {**IN_TURN, PLATFORM: {**TURNS, "looks": LOOKS}},
}
SLOWER: dict[str, dict[str, Any]] = {
    "shared controls, looks, 20 a month": {**ALIKE, **SLOW},
    "two arms in turn, 1 : 1, no looks, 20 a month": {**IN_TURN, PLATFORM: TURNS, **SLOW},
}
DRIFT = {**ALIKE, **NONE, f"{PLATFORM}.drift_per_year": 3.0, f"{PLATFORM}.looks": None}
DRIFTS: dict[str, dict[str, Any]] = {
    "concurrent": {**DRIFT, f"{PLATFORM}.controls": "concurrent"},
    "concurrent, a linear model": {
        **DRIFT,
        f"{PLATFORM}.controls": "concurrent",
        f"{PLATFORM}.drift_model": "linear",
    },
    "shared": DRIFT,
    "shared, a linear model": {**DRIFT, f"{PLATFORM}.drift_model": "linear"},
}


def platforms(replicates: int = 1000) -> dict[str, Any]:
    """Errors where nothing works; power, people and days to the claim where the last of five regimens works."""
    out: dict[str, Any] = {"replicates": replicates, "band": band(0.05, replicates)}
    for label, change in {**DESIGNS, **SLOWER}.items():
        out[label] = {"drug": _figures(change, replicates)}
    for label, change in DESIGNS.items():
        out[label]["none"] = _figures(change | NONE, replicates)
    return out | {"drift": {label: _figures(change, replicates) for label, change in DRIFTS.items()}}


def _figures(change: dict[str, Any], replicates: int) -> dict[str, Any]:
    scenario = sim.load("healey").replace(change)
    done = study(scenario, TrialOptions(["ancova"]), replicates)
    arms, course = done.found.arms[:, 0], done.found.course[:, 0]
    until = until_found(scenario, arms, course)
    why, idle = arms[..., WHY], np.flatnonzero(without_effect(scenario))
    low, high = band(0.05, replicates)
    errors = [share(one) for one in np.isin(why[:, idle], (BENEFIT, HARM)).T]
    return {
        "error_each": [[*one] for one in errors],
        "inside": [bool(low <= one.value <= high) for one in errors],
        "error_any": [*share(np.isin(why[:, idle], (BENEFIT, HARM)).any(axis=1))],
        "benefit_each": [[*share(one == BENEFIT)] for one in why.T],
        "futility_each": [[*share(one == FUTILITY)] for one in why.T],
        "value_each": [[*mean_known(one)] for one in arms[..., 0].T],
        "controls_each": [[*mean(one)] for one in arms[..., ARM.index("controls")].T],
        "participants": [*mean(course[:, WHOLE.index("participants")])],
        "on_control": [*mean(course[:, WHOLE.index("on_control")])],
        "years": [*mean(course[:, WHOLE.index("days")] / 365.25)],
        "found": [*share(until.found)],
        "found_years": [*mean_known(np.where(until.found, until.days, np.nan) / 365.25)],
        "participants_then": [*mean(until.participants)],
        "on_control_then": [*mean(until.on_control)],
    }
