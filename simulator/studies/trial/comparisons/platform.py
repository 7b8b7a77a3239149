"""A platform: the controls that its regimens share, its looks, and what each regimen and all of them come to."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.trial.sequential import by_posterior
from simulator.replicate import ReplicateData
from simulator.studies.trial.comparisons.arms import By, Compared, compare, everybody_on
from simulator.studies.trial.comparisons.dropping import UNSAFE, dropped
from simulator.studies.trial.comparisons.regimens import Course, walk
from simulator.studies.trial.comparisons.single_stage import claims
from simulator.studies.trial.decision import level
from simulator.studies.trial.plan import ENROLMENT, Plan, against_control, platform_of
from simulator.studies.trial.rows import ARM, ESTIMATED, WHOLE
from simulator.studies.trial.sequential import BENEFIT, FUTILITY, HARM, NOTHING, posterior_of

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
REGIMEN, OUTCOME, YEAR = "regimen", "alsfrs_r", 365.25
FOUND = len(ESTIMATED)
SHARES_LEVEL = ("bonferroni", "holm", "hochberg")


def entered(plan: Plan, came: ReplicateData, seed: int, number: int) -> ReplicateData:
    """The replicate with everybody in a regimen, in an arm of it and on the day that he enters, if no look ends any."""
    return as_entered(plan, came, walk(plan, came, seed, number))


def as_entered(plan: Plan, came: ReplicateData, at: Course) -> ReplicateData:
    """The replicate as its course has it, with what better care keeps, in proportion to the time since entry."""
    platform = platform_of(plan)
    assert platform is not None
    seen = came._replace(
        patients={**came.patients, "allocated_arm": at.arm.copy(), ENROLMENT: at.day.copy(), REGIMEN: at.regimen.copy()}
    )
    if platform.drift_per_year is None or OUTCOME not in seen.observed:
        return seen
    years = np.where(np.isfinite(at.day), at.day, 0.0)[:, None] / YEAR
    total = seen.observed[OUTCOME] + platform.drift_per_year.value * years * seen.nominal_day / plan.days[0]
    return seen._replace(observed={**seen.observed, OUTCOME: np.clip(total, 0, 48).astype(np.float32)})


def compared_in(plan: Plan, seen: ReplicateData, k: int) -> Bools:
    """(n,) who is compared for regimen number `k`: its arm, and the controls that count for it."""
    platform, names = platform_of(plan), list(plan.scenario.arms)
    assert platform is not None
    arms, control = against_control(plan.scenario)
    allocated, day, regimen = (seen.patients[key] for key in ("allocated_arm", ENROLMENT, REGIMEN))
    mine, controls = regimen == k, allocated == names.index(control)
    apart = [place for place, name in enumerate(arms) if name in (platform.apart or ())]
    if platform.controls == "own" or k in apart:
        controls = controls & mine
    elif mine.any():  # known when the last of the regimen has entered
        first = day[mine].min() if platform.controls == "concurrent" else -np.inf
        controls = controls & (day >= first) & (day <= day[mine].max()) & ~np.isin(regimen, apart)
    return np.asarray(controls | (allocated == names.index(arms[k])))


def followed(by: By, came: ReplicateData, seed: int) -> tuple[Floats, Floats]:
    """(k, ARM) and (WHOLE,) of one replicate by one analysis."""
    plan, at = by.plan, walk(by.plan, came, seed, by.number)
    looks = _Looks(by, came, at)
    if looks.rule is not None:
        at = walk(plan, came, seed, by.number, looks)
    seen = as_entered(plan, came, at)
    arms, control = against_control(plan.scenario)
    rows, z, loading = looks.rows, np.full(len(arms), np.nan), np.zeros(len(arms))
    for k in np.flatnonzero(np.invert(at.stopped)).tolist():
        found = compare(by, seen, compared_in(plan, seen, k), np.arange(len(arms)) == k)
        rows[k, :FOUND], z[k], loading[k] = found.rows[k], found.z[k], found.loading[k]
        rows[k, ARM.index("undecided")] += np.isnan(found.z[k])
    written, test = plan.scenario.trial.comparisons, level(plan)  # type: ignore[union-attr]
    assert written is not None
    benefit, harm, _ = claims(written, Compared(rows[:, :FOUND], z, loading), None, test.two_sided)
    why = np.where(benefit, BENEFIT, np.where(harm & (test.sides == 2), HARM, NOTHING))
    rows[:, ARM.index("why")] = np.where(at.stopped, rows[:, ARM.index("why")], why)
    _count(plan, seen, at, rows)
    allocated = seen.patients["allocated_arm"]
    whole = dict.fromkeys(WHOLE, np.nan)
    whole |= {"participants": (allocated >= 0).sum(), "days": max(at.ended), "looks": looks.held}
    whole["on_control"] = (allocated == list(plan.scenario.arms).index(control)).sum()
    return rows, np.array([float(whole[name]) for name in WHOLE])


def _count(plan: Plan, seen: ReplicateData, at: Course, rows: Floats) -> None:
    """Who took part in each regimen and by its end, and when that was."""
    arms, control = against_control(plan.scenario)
    names, allocated, day = list(plan.scenario.arms), seen.patients["allocated_arm"], seen.patients[ENROLMENT]
    on_control = allocated == names.index(control)
    for k, arm in enumerate(arms):
        mine, by_then = allocated == names.index(arm), day <= at.ended[k]
        numbers = {
            "participants": mine.sum(),
            "opened": day[at.regimen == k].min(initial=np.inf),
            "ended": at.ended[k],
            "controls": (compared_in(plan, seen, k) & on_control & by_then).sum(),
            "enrolled_then": by_then.sum(),
            "on_control_then": (by_then & on_control).sum(),
        }
        rows[k, [ARM.index(name) for name in numbers]] = list(numbers.values())


class _Looks:
    """The looks of a replicate: the rule that all trials have, at the information that a regimen has then.

    Parameters
    ----------
    by, came : the analysis, and the replicate as people come.
    plain : the course without looks, which is the plan: how many there will be to compare.
    """

    def __init__(self, by: By, came: ReplicateData, plain: Course) -> None:
        platform = platform_of(by.plan)
        assert platform is not None
        self.by, self.came, self.rule, self.held = by, came, platform.looks, 0
        self.number = len(plain.opens)
        self.rows = np.full((self.number, len(ARM)), np.nan)
        self.rows[:, [ARM.index("look"), ARM.index("undecided")]] = 0
        seen = as_entered(by.plan, came, plain) if self.rule else came
        everybody = np.ones(len(plain.day), np.bool_)
        self.planned = [self._information(seen, k, everybody) if self.rule else 0.0 for k in range(self.number)]

    def __call__(self, at: Course, today: float) -> list[int]:
        """Regimens that end at the look."""
        assert self.rule is not None
        plan, self.held = self.by.plan, self.held + 1
        seen = as_entered(plan, self.came, at)
        since = today - everybody_on(plan, seen)
        ending = []
        for k in at.running(today):
            share = self._information(seen, k, since >= plan.days[0]) / self.planned[k]
            if share <= 0 or share < self.rule.least_share.value:
                continue
            kept = compared_in(plan, seen, k)
            found = compare(self.by, seen, kept, np.arange(self.number) == k, since)
            if why := self._why(found, k, min(share, 0.99)):
                self.rows[k, :FOUND], self.rows[k, ARM.index("why")] = found.rows[k], why
                ending.append(k)
            else:
                self.rows[k, ARM.index("look")] += 1
            self.rows[k, ARM.index("undecided")] += np.isnan(found.z[k])
        return ending

    def _why(self, found: Compared, k: int, share: float) -> int:
        """Why a regimen ends; 0 where it goes on."""
        from scipy.special import ndtri

        assert self.rule is not None
        trial = self.by.plan.scenario.trial
        assert trial is not None
        assert trial.comparisons is not None
        hopeless, harmed = False, False
        if self.rule.drop is not None:
            parts = self.number if trial.comparisons.test in SHARES_LEVEL else 1
            critical = -float(ndtri(level(self.by.plan).two_sided / 2 / parts))
            futile, worse = dropped(self.rule.drop, found.z, share, critical, np.arange(self.number) == k)
            hopeless, harmed = bool(futile[k]), bool(worse[k])
        if trial.posterior is not None:
            benefit, _, least, predictive = posterior_of(trial.posterior)
            bounds = by_posterior((share, 1.0), benefit, None, least=least, predictive=predictive)
            hopeless |= bool(found.z[k] < bounds.futility[0])
        return UNSAFE if harmed else FUTILITY if hopeless else 0

    def _information(self, seen: ReplicateData, k: int, reached: Bools) -> float:
        """What those who have reached the analysis tell, as the inverse of the variance of a difference of means."""
        plan, allocated = self.by.plan, seen.patients["allocated_arm"]
        arms, control = against_control(plan.scenario)
        who, names = compared_in(plan, seen, k) & reached, list(plan.scenario.arms)
        mine, controls = ((who & (allocated == names.index(name))).sum() for name in (arms[k], control))
        return float(mine * controls / max(mine + controls, 1))
