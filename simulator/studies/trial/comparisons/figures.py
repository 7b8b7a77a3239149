"""What the comparisons of a trial come to: each arm, any of them, people and days; with an effect and without."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.replicates import UNKNOWN, Clusters, Measure, mean, mean_known, share
from simulator.results.arrays import Group, Named, names_of
from simulator.studies.trial.comparisons.dropping import UNSAFE
from simulator.studies.trial.plan import against_control, compared, platform_of
from simulator.studies.trial.population import Truth
from simulator.studies.trial.rows import ARM, WHOLE, Block
from simulator.studies.trial.sequential import BENEFIT, FUTILITY, HARM

if TYPE_CHECKING:
    from simulator.language.scenario import Scenario
    from simulator.mechanisms.mechanism import Mechanism
    from simulator.studies.trial.blocks import Work

Floats = NDArray[np.float64]
VALUE, WHY, LOOK, UNDECIDED, PARTICIPANTS = map(ARM.index, ("value", "why", "look", "undecided", "participants"))
OF_ARM = {
    "benefit": "share of replicates that claim benefit of the arm",
    "harm": "share that claim harm",
    "unsafe": "share that drop the arm for harm, which claims nothing",
    "futility": "share that drop the arm for futility",
    "undecided": "share in which the arm has no estimate at a look or at the end: nothing is decided of it there",
    "value": "estimate where the arm ended, mean",
    "participants": "participants of the arm, mean",
    "look": "look at which the arm ended, mean; 0 is the first",
}
OF_REGIMEN = {
    "opened": "day of the calendar on which its first participant enters, mean",
    "ended": "day of the calendar on which it is analysed or a look ends it, mean",
    "controls": "controls with whom it is compared, mean",
}
OF_PLATFORM = {
    "on_control": "participants randomised to control, mean",
    "found": "share of replicates in which a regimen that has an effect is claimed",
    "found_days": "day of the calendar on which the first of them is claimed, mean of those replicates",
    "participants_then": "participants randomised by the first claim of a regimen that has an effect, or in all, mean",
    "on_control_then": "those of them on control, mean",
    "days_then": "day of that claim, or on which the last regimen ends, mean",
}
OF_TRIAL = {
    "any": "share of replicates that claim benefit of any arm",
    "error": "share that claim benefit or harm of any arm without an effect; no value where every arm has one",
    "participants_all": "participants randomised, mean",
    "days": "day of the calendar on which the trial ends, mean",
    "trend": "share that find a trend over the doses; no value where none is looked for",
}


def figures(work: Work, found: Block, truth: Truth | None) -> Group:
    """The group of a study; truth where it was looked up."""
    plan = work.plan
    arms = found.arms  # (r, analysis, arm, ARM)
    of_arm = {name: _each(arms, name, work.draw) for name in OF_ARM}
    group: Group = {
        "analysis": Named(("analysis",), names_of(plan.analyses), {"units": "1", "long_name": "analysis"}),
        "arm": Named(("arm",), names_of(compared(plan)), {"units": "1", "long_name": "arm against control"}),
    }
    for name, rows in of_arm.items():
        group |= _named(name, ("analysis", "arm"), rows, OF_ARM[name])
    for name, words in OF_TRIAL.items():
        group |= _named(name, ("analysis",), _whole(work, found, name), words)
    if platform_of(plan) is not None:
        group |= _platform(work, found)
    if truth is not None:
        values = truth.arms.mean(axis=0)
        error = truth.arms_mcse[0] if len(truth.arms) == 1 else truth.arms.std(axis=0, ddof=1) / len(truth.arms) ** 0.5
        for suffix, one in (("", values), ("_mcse", error)):
            told = {"units": "1", "long_name": "true value of the estimand"}
            group["truth" + suffix] = Named(("analysis", "arm"), np.asarray(one), told)
    return group


def _platform(work: Work, found: Block) -> Group:
    """When regimens open and end, and what it takes until one that has an effect is claimed."""
    arms, draw = _by(found.arms), work.draw
    group: Group = {}
    for name, words in OF_REGIMEN.items():
        column = arms[..., ARM.index(name)]
        rows = [[mean_known(np.where(np.isfinite(one), one, np.nan), draw) for one in of.T] for of in column]
        group |= _named(name, ("analysis", "arm"), rows, words)
    per = [until_found(work.plan.scenario, one, found.course[:, a]) for a, one in enumerate(arms)]
    each = {
        "on_control": [mean(one, draw) for one in _by(found.course)[..., WHOLE.index("on_control")]],
        "found": [share(one.found, draw) for one in per],
        "found_days": [mean_known(np.where(one.found, one.days, np.nan), draw) for one in per],
        "participants_then": [mean(one.participants, draw) for one in per],
        "on_control_then": [mean(one.on_control, draw) for one in per],
        "days_then": [mean(one.days, draw) for one in per],
    }
    for name, words in OF_PLATFORM.items():
        group |= _named(name, ("analysis",), each[name], words)
    return group


class Until(NamedTuple):
    """(r,) whether a regimen that has an effect is claimed; day, participants, those on control then, or at the end."""

    found: NDArray[np.bool_]
    days: Floats
    participants: Floats
    on_control: Floats


def until_found(scenario: Scenario, arms: Floats, course: Floats) -> Until:
    """What it takes until the first true claim; arms : (r, arm, ARM), course : (r, WHOLE) of an analysis."""
    true = (arms[..., WHY] == BENEFIT) & ~without_effect(scenario)
    made, rows = true.any(axis=1), np.arange(len(arms))
    first = np.where(true, arms[..., ARM.index("ended")], np.inf).argmin(axis=1)

    def then(of_arm: str, of_trial: str) -> Floats:
        return np.where(made, arms[rows, first, ARM.index(of_arm)], course[:, WHOLE.index(of_trial)])

    pairs = (("ended", "days"), ("enrolled_then", "participants"), ("on_control_then", "on_control"))
    return Until(made, *(then(*pair) for pair in pairs))


def _each(arms: Floats, name: str, draw: Clusters) -> list[list[Measure]]:
    """(analysis, arm) a figure of the arms."""
    codes = {"benefit": BENEFIT, "harm": HARM, "unsafe": UNSAFE, "futility": FUTILITY}
    columns = {"value": VALUE, "participants": PARTICIPANTS, "look": LOOK}
    if name in codes:
        return [[share(one[:, WHY] == codes[name], draw) for one in np.moveaxis(of, 1, 0)] for of in _by(arms)]
    if name == "undecided":
        return [[share(one[:, UNDECIDED] > 0, draw) for one in np.moveaxis(of, 1, 0)] for of in _by(arms)]
    of_known = mean_known if name == "value" else mean
    return [[of_known(one[:, columns[name]], draw) for one in np.moveaxis(of, 1, 0)] for of in _by(arms)]


def _by(arms: Floats) -> Floats:
    return np.moveaxis(arms, 1, 0)


def _whole(work: Work, found: Block, name: str) -> list[Measure]:
    """(analysis,) a figure of the trial."""
    why, draw = _by(found.arms)[..., WHY], work.draw
    if name == "any":
        return [share((one == BENEFIT).any(axis=1), draw) for one in why]
    if name == "error":
        null = without_effect(work.plan.scenario)
        made = [np.isin(one[:, null], (BENEFIT, HARM)).sum(axis=1) > 0 for one in why]
        return [share(one, draw) if null.any() else UNKNOWN for one in made]
    course = np.moveaxis(found.course, 1, 0)
    if name == "trend":
        trial = work.plan.scenario.trial
        if trial is None or trial.comparisons is None or trial.comparisons.trend is None:
            return [UNKNOWN for _ in why]
        from simulator.studies.trial.decision import level

        p = course[..., WHOLE.index("trend_p")]
        return [share(one <= level(work.plan).two_sided / 2, draw) for one in p]
    column = WHOLE.index("participants" if name == "participants_all" else "days")
    return [mean(one[:, column], draw) for one in course]


def without_effect(scenario: Scenario) -> NDArray[np.bool_]:
    """(k,) arms against control that differ from it by nothing but treatments that do nothing."""
    arms, control = against_control(scenario)
    idle = {name for name, one in scenario.treatments.items() if _idle(one)}

    def given(arm: str) -> list[object]:
        each = ([one for one in epoch.treatments if one not in idle] for epoch in scenario.arms[arm])
        left = zip(scenario.arms[arm], each, strict=True)
        return [epoch.model_copy(update={"treatments": some}) for epoch, some in left if some]

    return np.array([given(arm) == given(control) for arm in arms])


def _idle(treatment: Mechanism) -> bool:
    """Whether the treatment's values are those of one that does nothing."""
    return all(
        getattr(found := reduce(getattr, address.split("."), treatment), "value", found) == value
        for address, value in treatment.without_effect().items()
    )


def _named(name: str, dims: tuple[str, ...], rows: object, words: str) -> Group:
    values = np.array(rows, np.float64)  # (..., the parts of a Measure)
    unit = "d" if words.startswith("day ") else "1"
    return {
        name + suffix: Named(dims, np.ascontiguousarray(values[..., k]), {"units": unit, "long_name": words})
        for k, suffix in enumerate(("", "_mcse", "_lower", "_upper"))
    }
