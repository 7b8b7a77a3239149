"""Sections of the validation of trials: controls that are borrowed, and decisions by posterior probabilities."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import simulator as sim
from benchmarks.validation_base import SEED, band, study
from simulator.analysis.replicates import mean, share
from simulator.analysis.trial.data import Group, TrialData, until
from simulator.analysis.trial.registry import ANALYSES, analysis
from simulator.replicate import Replicator, compiled
from simulator.studies.trial import sequential
from simulator.studies.trial.comparisons.figures import WHY
from simulator.studies.trial.entering import most, patients
from simulator.studies.trial.plan import TrialOptions, plan
from simulator.studies.trial.prognostic import learnt
from simulator.studies.trial.rows import ARM, WHOLE, observed
from simulator.studies.trial.sequential import BENEFIT, FUTILITY
from simulator.studies.trial.study import null_of

DRIFTS = (-1.0, -0.5, 0.0, 0.5, 1.0)
"""How much better the trial's own controls fare than the earlier ones, in SDs of a participant (log rates: as such)."""
BORROWING = tuple(name for name, one in ANALYSES.items() if one.borrows is not None)
DAY, GROUPS, PEOPLE, SIZE = 168, 3, 40, 60
NO_EFFECT = {"treatments.drug.value": 1.0}


def _base(size: int = SIZE) -> Any:
    return sim.load("centaur").replace({"trial.size": size})


class Trials:
    """Replicates of a scenario as a trial sees them, with prognostic scores."""

    def __init__(self, scenario: Any) -> None:
        planned = plan(scenario, TrialOptions(["ancova_prognostic"], days=[DAY]))
        self.plan = planned._replace(prognostic=learnt(null_of(scenario), planned, SEED))
        self.space = Replicator(compiled([planned.scenario], patients([planned.scenario], planned.size, SEED)))

    def data(self, number: int) -> TrialData:
        """Replicate `number`."""
        seen = self.space.replicate(SEED, number, most(self.plan.scenario, self.plan.size))
        return until(observed(self.plan, seen), DAY)


def _controls() -> tuple[float, float, float]:
    """Mean and SD of the change of controls, and events a year, of many of the trial's people."""
    trials = Trials(_base(6000).replace(NO_EFFECT))
    data = trials.data(0)
    change = data.change[:, -1]
    change = change[np.isfinite(change)]
    return float(change.mean()), float(change.std(ddof=1)), float(data.event.sum() / (data.time.sum() / 365.25))


def _earlier(rng: np.random.Generator, truth: tuple[float, float, float], drift: float) -> tuple[Group, ...]:
    """Earlier controls as they come: worse by the drift than the trial's own."""
    mean_, sd, rate = truth
    years = PEOPLE * DAY / 365.25
    found = mean_ - drift * sd + sd / PEOPLE**0.5 * rng.normal(size=GROUPS)
    events = rng.poisson(rate * np.exp(drift) * years, GROUPS)
    return tuple(Group(str(k), float(DAY), float(found[k]), sd, PEOPLE, float(events[k]), years) for k in range(GROUPS))


def _found(data: TrialData, earlier: tuple[Group, ...], truth: Any, drift: float) -> Iterator[tuple[str, Any]]:
    if drift == 0:
        for name in ("ancova", "ancova_prognostic"):
            yield name, analysis(name).run(data)
        yield "event_rate_alone", analysis("event_rate_map").run(data._replace(earlier=earlier), borrowed=0.0)
    worse = None if data.expected is None else data.expected - drift * truth[1]
    for name in BORROWING:
        yield name, analysis(name).run(data._replace(earlier=earlier, expected=worse))


def borrowing(replicates: int = 1000) -> dict[str, Any]:
    """Claims of benefit above a probability of 0.975, by how far earlier controls are from the trial's own."""
    truth, out = _controls(), {"replicates": replicates, "band": band(0.025, replicates)}
    for key, scenario in (("null", _base().replace(NO_EFFECT)), ("drug", _base())):
        trials, rows = Trials(scenario), {}
        for number in range(replicates):
            data = trials.data(number)
            for d, drift in enumerate(DRIFTS):
                earlier = _earlier(np.random.default_rng([SEED, number, d]), truth, drift)
                for name, one in _found(data, earlier, truth, drift):
                    better = (one.value > 0) == (one.scale == "identity")
                    borrowed = one.method.rsplit("count as ", 1)[-1].split()[0] if "count as" in one.method else "0"
                    told = (better and one.p <= 0.05, not better and one.p <= 0.05, one.value, one.se, float(borrowed))
                    rows.setdefault(f"{name} {drift:g}", []).append(told)
        out[key] = {label: _figures(np.array(found, np.float64)) for label, found in rows.items()}
    return out | {"controls": {"mean": truth[0], "sd": truth[1], "events_a_year": truth[2]}}


def _figures(rows: np.ndarray) -> dict[str, Any]:
    return {
        "benefit": [*share(rows[:, 0] > 0)[:2]],
        "harm": [*share(rows[:, 1] > 0)[:2]],
        "mean": [*mean(rows[:, 2])[:2]],
        "sd": float(rows[:, 2].std(ddof=1)),
        "se": float(np.sqrt((rows[:, 3] ** 2).mean())),
        "borrowed": [*mean(rows[:, 4])[:2]],
    }


RULES: dict[str, dict[str, Any]] = {
    "no look": {"benefit": 0.975},
    "benefit above 0.99 at looks": {"benefit": 0.975, "at_looks": 0.99},
    "the same, futile below a probability of 0.3": {
        "benefit": 0.975, "at_looks": 0.99, "futility": {"probability": 0.3}},
    "the same, futile below a predictive probability of 0.1": {
        "benefit": 0.975, "at_looks": 0.99, "futility": {"predictive": 0.1}},
    "futility alone, predictive probability below 0.1": {"benefit": 0.975, "futility": {"predictive": 0.1}},
}  # fmt: skip
LOOKS = [0.333, 0.667]
TWO_ARMS = {"ancova": 1, "rate_ratio_posterior": 5}
"""Analyses, and in which part of the trials they are done."""
ARMS = {"none": {f"treatments.{arm}.value": 1.0 for arm in ("low", "middle", "high")}, "drug": {}}


def posterior(replicates: int = 2000) -> dict[str, Any]:
    """Two arms (CENTAUR's 138, two looks) and four (dose finding): claims, stops, people, days."""
    out: dict[str, Any] = {"replicates": replicates, "two_arms": {}, "arms": {}}
    for name, part in TWO_ARMS.items():
        for key, change in (("null", NO_EFFECT), ("drug", {})):
            looked = {"trial.interim": {"shares": LOOKS}, "trial.posterior": {"benefit": 0.975}}
            base = sim.load("centaur").replace({**change, **looked})
            done = study(base, TrialOptions([name]), replicates // part)
            for label, rule in RULES.items():
                trial = base.replace({"trial.posterior": rule}).trial
                assert trial is not None
                at = sequential.stopped(sequential.rules(trial.interim, trial.posterior), name, done.found, 0)
                of = sequential.operating(at, len(LOOKS))
                figures = {one: [*getattr(of, one)[:2]] for one in ("benefit", "futility", "participants", "days")}
                early = [*share(at.look < len(LOOKS))[:2]]
                out["two_arms"].setdefault(f"{name}: {label}", {})[key] = {**figures, "early": early, "n": len(at.look)}
    return out | {"arms": _several(replicates // 2)}


def _several(replicates: int) -> dict[str, Any]:
    """The doses of 120 people, half-way an arm ends above 0.99 or below 0.2, at the end above 0.975."""
    rule = {"benefit": 0.975, "at_looks": 0.99, "futility": {"probability": 0.2}}
    written = {"test": "posterior", "stages": {"shares": [0.5], "goes_on": True, "places": "others"}}
    changed = {"trial.size": 120, "trial.accrual_per_month": [{"rate": 4}]}
    base = sim.load("dose_finding").replace({**changed, "trial.posterior": rule, "trial.comparisons": written})
    out: dict[str, Any] = {"replicates": replicates}
    for key, change in ARMS.items():
        rows = study(base.replace(change), TrialOptions(["ancova"]), replicates).found
        why = rows.arms[:, 0, :, WHY]
        early = (rows.arms[:, 0, :, ARM.index("look")] == 0) & (why != 0)
        out[key] = {
            "each": [[*share(one)[:2]] for one in (why == BENEFIT).T],
            "any": [*share((why == BENEFIT).any(axis=1))[:2]],
            "futile": [[*share(one)[:2]] for one in (why == FUTILITY).T],
            "early": [[*share(one)[:2]] for one in early.T],
            "participants": [*mean(rows.course[:, 0, WHOLE.index("participants")])[:2]],
            "days": [*mean(rows.course[:, 0, WHOLE.index("days")])[:2]],
        }
    return out
