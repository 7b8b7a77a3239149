"""The course of one replicate: what each look finds, which arms it stops, who comes after it.

At a look those who have reached the first day of analysis since the look before are a stage: their analysis is that of
a trial of its own. Those who are randomised but have not reached it belong to the next stage, in their arms.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from math import ceil
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.trial import combination, mams
from simulator.analysis.trial.sequential import OBRIEN_FLEMING, Boundaries, efficacy
from simulator.engine.allocation import NOBODY
from simulator.language.comparisons import Stages
from simulator.replicate import ReplicateData
from simulator.studies.trial.comparisons import allocating, resizing
from simulator.studies.trial.comparisons.arms import SE, By, Compared, arms_of, compare, data_of, everybody_on
from simulator.studies.trial.comparisons.dropping import UNSAFE, dropped
from simulator.studies.trial.comparisons.platform import followed
from simulator.studies.trial.comparisons.single_stage import claims
from simulator.studies.trial.decision import level
from simulator.studies.trial.plan import Plan, against_control
from simulator.studies.trial.rows import ARM, ESTIMATED
from simulator.studies.trial.sequential import (
    BENEFIT,
    FUTILITY,
    HARM,
    NOTHING,
    Rules,
    boundaries,
    posterior_of,
    spending,
)

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
UNDECIDED, TOLD = ARM.index("undecided"), ARM.index("participants") + 1


@dataclass
class State:
    """What is known and decided so far; people by their place, arms by theirs."""

    by: By
    stages: Stages
    seen: ReplicateData
    day: Floats  # (n,) randomisation, of everybody who may be enrolled
    arm: NDArray[np.int8]  # (n,) label of the arm, NOBODY if not enrolled
    there: Bools  # (k,) arms that go on
    size: int
    rows: Floats  # (k, ARM)
    response: Floats  # (k + 1,) shares of the arms and of the control, by response
    z: list[Floats] = field(default_factory=list)  # of the stages: (side, hypothesis)
    own: list[Floats] = field(default_factory=list)  # of the stages: (k,) statistics of the arms, or NaN
    rejected: Bools | None = None  # (side, hypothesis) at any look

    @property
    def plan(self) -> Plan:
        """The plan of the trial."""
        return self.by.plan

    @property
    def as_allocated(self) -> ReplicateData:
        """The replicate with the arms as they are allocated."""
        return self.seen._replace(patients={**self.seen.patients, "allocated_arm": self.arm})


class Claimed(NamedTuple):
    """(k,) arms of which benefit, and harm, is claimed; their statistics so far; the bound at the end."""

    benefit: Bools
    harm: Bools
    z: Floats
    critical: float


def follow(plan: Plan, name: str, seen: ReplicateData, seed: int, number: int) -> tuple[Floats, Floats]:
    """(k, ARM) and (WHOLE,) of one replicate by one analysis."""
    written = plan.scenario.trial.comparisons if plan.scenario.trial else None
    assert written is not None
    if written.platform is not None:
        return followed(By(plan, name, number), seen, seed)
    return _at_once(plan, name, seen, number) if written.stages is None else _staged(plan, name, seen, seed, number)


def _at_once(plan: Plan, name: str, seen: ReplicateData, number: int) -> tuple[Floats, Floats]:
    """One analysis of everybody."""
    written, arms = plan.scenario.trial.comparisons, arms_of(plan)  # type: ignore[union-attr]
    by, n = By(plan, name, number), len(seen.patients["allocated_arm"])
    found = compare(by, seen, np.ones(n, np.bool_), np.ones(len(arms), np.bool_))
    doses = np.array([written.trend.doses[arm].value for arm in arms]) if written and written.trend else None
    assert written is not None
    test = level(plan)
    benefit, harm, trend = claims(written, found, doses, test.two_sided)
    why = np.where(benefit, BENEFIT, np.where(harm & (test.sides == 2), HARM, NOTHING))
    allocated, names = seen.patients["allocated_arm"], list(plan.scenario.arms)
    number_of = [float((allocated == names.index(arm)).sum()) for arm in arms]
    last = float(everybody_on(plan, seen).max()) + plan.days[0]
    rows = np.full((len(arms), len(ARM)), np.nan)
    rows[:, :TOLD] = np.column_stack([found.rows, why, np.zeros(len(arms)), np.isnan(found.z), number_of])
    return rows, _whole(plan, allocated, last, 0, trend)


def _staged(plan: Plan, name: str, seen: ReplicateData, seed: int, number: int) -> tuple[Floats, Floats]:
    """Stage after stage, until no arm is left or the size is reached."""
    trial = plan.scenario.trial
    assert trial is not None
    assert trial.comparisons is not None
    assert trial.comparisons.stages is not None
    stages, arms = trial.comparisons.stages, arms_of(plan)
    arm = seen.patients["allocated_arm"].astype(np.int8).copy()
    arm[plan.size :] = NOBODY
    rows = np.full((len(arms), len(ARM)), np.nan)
    rows[:, UNDECIDED] = 0
    there, by = np.ones(len(arms), np.bool_), By(plan, name, number)
    state = State(by, stages, seen, everybody_on(plan, seen), arm, there, plan.size, rows, np.zeros(0))
    shares = (*(one.value for one in stages.shares), 1.0)
    before, today, look = -np.inf, 0.0, 0
    for look in range(len(shares)):
        today = _day(state, shares[look])
        stage = (state.arm >= 0) & (state.day + plan.days[0] > before) & (state.day + plan.days[0] <= today)
        _analyse(state, look, (stage, today), shares)
        if look == len(shares) - 1 or not state.there.any():
            break
        _go_on(state, today, np.random.default_rng([seed % 2**63, number, look]))
        before = today
    ended = (state.arm >= 0) & (state.day <= today)
    names = list(plan.scenario.arms)
    state.rows[:, TOLD - 1] = [(ended & (state.arm == names.index(one))).sum() for one in arms]
    return state.rows, _whole(plan, np.where(ended, state.arm, NOBODY), today, look)


def _whole(plan: Plan, allocated: NDArray[np.int8], day: float, looks: int, trend: float = np.nan) -> Floats:
    """(WHOLE,) of a trial that ends on a day, with (n,) the arms of its participants."""
    control = list(plan.scenario.arms).index(against_control(plan.scenario)[1])
    return np.array([(allocated >= 0).sum(), day, looks, trend, (allocated == control).sum()], np.float64)


def _day(state: State, share: float) -> float:
    """Day of the calendar on which that share of those who are to be enrolled has reached the analysis."""
    reach = np.sort((state.day + state.plan.days[0])[state.arm >= 0])
    return float(reach[min(ceil(share * len(reach) - 1e-9), len(reach)) - 1])


def _analyse(state: State, look: int, now: tuple[Bools, float], shares: tuple[float, ...]) -> None:
    """Estimates at a look, and which arms end there."""
    plan, (stage, today) = state.plan, now
    so_far = (state.arm >= 0) & (state.day + plan.days[0] <= today)
    whole = compare(state.by, state.as_allocated, so_far, state.there)
    test = plan.scenario.trial.comparisons.test  # type: ignore[union-attr]
    if test == "posterior":
        benefit, harm, z, critical = _by_posterior(state, whole, look, shares)
        futile = state.there & (z <= _posterior(plan, shares).futility[look])
    elif test == "mams":
        benefit, harm, z, critical = _by_bounds(state, whole, look, shares)
        futile = state.there & (z <= _mams(plan, shares).lower[look])
    else:
        own = whole if look == 0 else compare(state.by, state.as_allocated, stage, state.there)
        benefit, harm, z, critical = _by_stages(state, own, look, shares)
        futile = np.zeros_like(benefit)
    undecided = state.there & np.isnan(z)
    two_sided = level(plan).sides == 2
    why = np.where(benefit, BENEFIT, np.where(harm & two_sided, HARM, NOTHING))
    last = look == len(shares) - 1
    if not last:
        if state.stages.drop is not None:
            hopeless, harmed = dropped(state.stages.drop, z, shares[look], critical, state.there & (why == NOTHING))
            futile, why = futile | hopeless, np.where((why == NOTHING) & harmed, UNSAFE, why)
        why = np.where((why == NOTHING) & futile, FUTILITY, why)
    stops = last or (benefit.any() and not state.stages.goes_on)
    ending = state.there & ((why != NOTHING) | stops)
    state.rows[ending, : len(ESTIMATED)] = whole.rows[ending]
    state.rows[ending, len(ESTIMATED) : len(ESTIMATED) + 2] = np.column_stack([why, np.full(len(why), look)])[ending]
    state.rows[:, UNDECIDED] += undecided
    state.there = state.there & ~ending
    if look == 0 and state.stages.resize is not None and state.there.any():
        _resize(state, so_far, z, shares[0], critical)
    if state.stages.allocate is not None:
        state.response = _by_response(state, whole)


def _by_stages(state: State, own: Compared, look: int, shares: tuple[float, ...]) -> Claimed:
    """Claims by the closed test of combined stages."""
    plan = state.plan
    of = combination.members(len(own.z))
    several = plan.scenario.trial.comparisons.test  # type: ignore[union-attr]
    state.z.append(np.array([combination.stage_z(side * own.z, own.loading, of, several) for side in (1, -1)]))
    t = np.array(shares[: look + 1])
    together = combination.combined(np.stack(state.z, axis=-1), t)[..., -1]
    bounds = _bounds(level(plan).two_sided, state.stages, shares)
    state.rejected = (together >= bounds[look]) | (False if state.rejected is None else state.rejected)
    benefit, harm = (combination.closed(one, of) & state.there for one in state.rejected)
    state.own.append(own.z)
    return Claimed(benefit, harm, combination.known_so_far(np.stack(state.own, axis=-1), t), float(bounds[-1]))


def _by_bounds(
    state: State, whole: Compared, look: int, shares: tuple[float, ...]
) -> tuple[Bools, Bools, Floats, float]:
    """The same by the bounds of several arms and stages, of all who have been analysed so far."""
    bounds = _mams(state.plan, shares)
    z, up, end = whole.z, bounds.upper[look], float(bounds.upper[-1])
    return Claimed(state.there & (z >= up), state.there & (-z >= up), z, end)


def _by_posterior(state: State, whole: Compared, look: int, shares: tuple[float, ...]) -> Claimed:
    """The same by posterior probabilities, of all who have been analysed so far; of harm there is no claim."""
    bounds = _posterior(state.plan, shares)
    benefit = state.there & (whole.z >= bounds.efficacy[look])
    return Claimed(benefit, np.zeros_like(benefit), whole.z, float(bounds.efficacy[-1]))


def _posterior(plan: Plan, shares: tuple[float, ...]) -> Boundaries:
    trial = plan.scenario.trial
    assert trial is not None
    assert trial.posterior is not None
    return boundaries(Rules(0.05, OBRIEN_FLEMING, posterior=posterior_of(trial.posterior)), shares)


def _mams(plan: Plan, shares: tuple[float, ...]) -> mams.Bounds:
    trial = plan.scenario.trial
    assert trial is not None
    assert trial.comparisons is not None
    assert trial.comparisons.stages is not None
    arms, control = against_control(plan.scenario)
    stages, ratio = trial.comparisons.stages, trial.block[arms[0]] / trial.block[control]
    lower = -np.inf if stages.lower is None else stages.lower.value
    return _mams_bounds(len(arms), shares, level(plan).two_sided / 2, stages.shape or "triangular", (ratio, lower))


@lru_cache(maxsize=64)
def _mams_bounds(
    arms: int, shares: tuple[float, ...], alpha: float, shape: str, more: tuple[float, float]
) -> mams.Bounds:
    ratio, lower = more
    return mams.boundaries(arms, np.array(shares), alpha, shape, ratio=ratio, fixed=lower)  # type: ignore[arg-type]


def _bounds(two_sided: float, stages: Stages, shares: tuple[float, ...]) -> Floats:
    return _spent(two_sided, spending(stages.spending), shares)


@lru_cache(maxsize=64)
def _spent(two_sided: float, how: object, shares: tuple[float, ...]) -> Floats:
    return efficacy(shares, alpha=two_sided, spending=how)  # type: ignore[arg-type]


def _resize(state: State, so_far: Bools, z: Floats, share: float, critical: float) -> None:
    """Another size; who is enrolled beyond the planned size is allocated as the others are."""
    rule, plan = state.stages.resize, state.plan
    assert rule is not None
    if rule.blinded is not None:
        data = [data_of(plan, state.as_allocated, arm, so_far) for arm in arms_of(plan)]
        wanted = resizing.blinded(rule.blinded, [one for one in data if one is not None], plan.size)
    else:
        assert rule.promising is not None
        best = float(np.fmax.reduce(z[state.there]))
        known = np.isfinite(best)  # without an estimate the size stays
        wanted = resizing.promising(rule.promising, best, share, critical, plan.size) if known else plan.size
    state.size = min(resizing.within(wanted, plan.size, rule.most.value), len(state.arm))
    more = slice(plan.size, state.size)
    state.arm[more] = state.seen.patients["allocated_arm"][more]


def _by_response(state: State, whole: Compared) -> Floats:
    """(k + 1,) shares of the arms, and of the control, by how likely each arm is the best."""
    rule, trial = state.stages.allocate, state.plan.scenario.trial
    assert rule is not None
    assert trial is not None
    _, control = against_control(state.plan.scenario)
    share = rule.control_share.value if rule.control_share else trial.block[control] / sum(trial.block.values())
    known = state.there & np.isfinite(whole.z) & (whole.rows[:, SE] > 0)
    chance = np.zeros(len(known))
    if known.any():
        chance[known] = allocating.best(whole.better[known], whole.rows[known, SE], whole.loading[known])
    elif state.there.any():
        chance[state.there] = 1 / state.there.sum()
    return allocating.weights(chance, rule.power.value, share) if chance.any() else np.append(chance, 1.0)


def _go_on(state: State, today: float, rng: np.random.Generator) -> None:
    """Who comes after the look: in the arms that go on."""
    trial, names = state.plan.scenario.trial, list(state.plan.scenario.arms)
    assert trial is not None
    arms, control = against_control(state.plan.scenario)
    labels = np.array([names.index(one) for one in (*arms, control)], np.int8)
    later = np.flatnonzero((state.day > today) & (np.arange(len(state.arm)) < state.size))
    if state.stages.allocate is not None:
        state.arm[later] = labels[allocating.drawn(state.response, len(later), rng)]
        return
    gone = labels[:-1][~state.there]
    if state.stages.places == "empty":
        state.arm[later[np.isin(state.arm[later], gone)]] = NOBODY
        return
    ratio = [trial.block[one] if go else 0 for one, go in zip((*arms, control), (*state.there, True), strict=True)]
    if len(gone):
        strata = state.seen.patients["stratum"][later]
        for one in np.unique(strata):
            mine = later[strata == one]
            state.arm[mine] = labels[allocating.places(ratio, len(mine), rng)]
