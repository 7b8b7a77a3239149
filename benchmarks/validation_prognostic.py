"""Section of the validation of trials: prognostic scores, under the true model and under wrong ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.spatial import cKDTree

import simulator as sim
from benchmarks.validation_base import AT, NO_EFFECT, SEED, study
from simulator.analysis.replicates import share
from simulator.replicate import Replicator, compiled
from simulator.studies.trial.decision import claims_at_end
from simulator.studies.trial.plan import Plan, TrialOptions, plan
from simulator.studies.trial.population import looked_at, lossless
from simulator.studies.trial.prognostic import changed, learnt
from simulator.studies.trial.scores import predictors
from simulator.studies.trial.study import null_of

PLAIN, SCORED = ("ancova", "ancova_nfl", "mmrm"), ("ancova_prognostic", "mmrm_prognostic")
AGAINST = {"ancova_nfl": "ancova", "ancova_prognostic": "ancova", "mmrm_prognostic": "mmrm"}
MODELS: dict[str, Any] = {
    "true": None,
    "ensemble": {"draws": 20},
    "all_alike": {"set": {"progression.d50_months.other.lognormal.log_sd": 0.05}},
    "generic": {"scenario": "generic_als"},
}
"""Where scores are learnt: the true model, 20 vectors of the ensemble, all of one speed, ALS of every cause."""
BRAKE = {
    "treatments": {"brake": {"kind": "rate_multiplier", "value": 0.75}},
    "arms": {"treated": [{"treatments": ["brake"], "from_day": 0}], "placebo": []},
    "control": "placebo",
    "visits": {"every_days": 84, "assessments": ["alsfrs_r", "svc", "nfl_plasma"]},
    "follow_up_days": 364,
    "trial": {"size": 200, "allocation": {"treated": 1, "placebo": 1}, "analysis_days": [336]},
}
NEIGHBOURS = 100


def prognostic(replicates: int = 1000) -> dict[str, Any]:
    """Size, power and effective sample size of analyses with scores; how well the scores know what happens."""
    valor = sim.load("valor_extension").replace({"follow_up_days": 210, "trial.analysis_days": [196]})
    generic = sim.load("generic_als").replace(BRAKE)
    trials = {
        "valor": (valor, valor.replace(NO_EFFECT), MODELS),
        "generic": (generic, generic.replace({"treatments.brake.value": 1}), {"true": None}),
    }
    out: dict[str, Any] = {"replicates": replicates}
    for key, (drug, null, models) in trials.items():
        out[key] = {"scores": _known(drug)}
        for model, block in models.items():
            names = (*PLAIN, *SCORED) if model == "true" else SCORED
            done = {
                what: study(one.replace({"trial.prognostic": block}), TrialOptions(names), replicates)
                for what, one in (("drug", drug), ("null", null))
            }
            rows = {what: {name: one.of(name, one.work.plan.days[0]) for name in names} for what, one in done.items()}
            if model == "true":
                plain = {what: dict(each) for what, each in rows.items()}
            out[key][model] = {name: _figures(done["drug"].work.plan, name, rows, plain) for name in names}
    return out


def _figures(planned: Plan, name: str, rows: Any, plain: Any) -> dict[str, Any]:
    """Rejections without an effect, power with the drug, and what the score is worth in participants."""
    found: dict[str, Any] = {
        "rejection": [*share(rows["null"][name][:, AT["p"]] <= 0.05)],
        "power": [*share(claims_at_end(planned, name, rows["drug"][name]).benefit)],
        "sd": float(np.nanstd(rows["drug"][name][:, 0], ddof=1)),
    }
    if name in AGAINST:
        other = AGAINST[name]
        found["gain"] = gain(rows["drug"][name][:, 0], plain["drug"][other][:, 0])
        found["gain_null"] = gain(rows["null"][name][:, 0], plain["null"][other][:, 0])
    return found


def gain(values: np.ndarray, plain: np.ndarray) -> list[float]:
    """By how much the variance of other estimates of the same replicates is larger, as a share, and its error.

    Of pairs of normal variables with correlation r the logarithm of the ratio of variances has the variance
    4 (1 - r²)/(n - 1).
    """
    both = np.isfinite(values) & np.isfinite(plain)
    ratio = float(plain[both].var() / values[both].var())
    r = np.corrcoef(values[both], plain[both])[0, 1]
    return [ratio - 1, ratio * float(np.sqrt(4 * (1 - r**2) / (both.sum() - 1)))]


def _known(scenario: Any) -> dict[str, float]:
    """Share of the variance of true changes that scores explain in other people, and that neighbours do."""
    planned = plan(scenario, TrialOptions(SCORED))
    emulator = learnt(null_of(scenario), planned, SEED)
    assert emulator is not None
    own = looked_at(lossless(null_of(planned.scenario)), planned)
    space, parts = Replicator(compiled([own], 2_500)), []
    for number in range(10):
        seen = space.population(SEED, 20_000 + number)
        x = (predictors(seen, emulator.measures) - emulator.centre) / emulator.spread
        parts.append((x, changed(seen, "alsfrs_r")[:, -1], emulator.expected(seen)[:, -1]))
    x, y, expected = (np.concatenate(one) for one in zip(*parts, strict=True))
    train, test = slice(0, 20_000), slice(20_000, None)
    x = np.nan_to_num(x)

    def explained(forecast: np.ndarray) -> float:
        return float(1 - ((y[test] - forecast) ** 2).mean() / y[test].var())

    def line(columns: np.ndarray) -> np.ndarray:
        z = np.column_stack([np.ones(len(x)), columns])
        return np.asarray(z[test] @ np.linalg.lstsq(z[train], y[train], rcond=None)[0])

    near = cKDTree(x[train]).query(x[test], k=NEIGHBOURS)[1]
    return {
        "people": len(y[test]),
        "baseline": explained(line(x[:, :1])),
        "lines": explained(line(x)),
        "scores": explained(expected[test]),
        "neighbours": explained(y[train][near].mean(axis=1)),
    }
