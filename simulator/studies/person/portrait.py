"""A person's courses in numbers: quantiles by arm and time, chances, gain of treatment, what is reported of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulator.analysis import contrast, moments
from simulator.analysis.moments import Estimate
from simulator.measures.metrics import View, time_index
from simulator.results import Result
from simulator.results.arrays import QUANTILES
from simulator.results.notices import NOTICE
from simulator.units import DAYS_PER_MONTH

if TYPE_CHECKING:
    from simulator.language.blocks.person import Account, Person

Floats = NDArray[np.float64]
YEAR_MONTHS, NEAR_DAYS = 12, 16
"""Days within which a visit stands for a day that is told: half a month."""


class Spread(NamedTuple):
    """5, 25, 50, 75 and 95 % of twins in an arm, or of their differences arm minus `against`, with errors.

    `months` from now is None where the outcome has no time; a time that follow-up does not reach is infinite.
    """

    outcome: str
    label: str
    unit: str
    arm: str
    against: str
    months: float | None
    quantiles: tuple[float, ...]
    mcse: tuple[float, ...]
    effective: float


class Chance(NamedTuple):
    """A probability, or a mean with its unit, and its Monte Carlo error."""

    outcome: str
    label: str
    unit: str
    arm: str
    against: str
    months: float | None
    estimate: float
    mcse: float


class AccountItem(NamedTuple):
    """What is reported of the person, the share of twins who do at least as well, and the `middle` one of them."""

    quote: str
    arm: str
    outcome: str
    label: str
    unit: str
    months: float | None
    value: float
    middle: float
    at_least_as_well: float
    mcse: float


class Known(NamedTuple):
    """A published fact to stand beside the twins."""

    id: str
    quantity: str
    population: str
    value: float
    unit: str
    source: str
    read_in_source: bool


class Portrait(NamedTuple):
    """All of one person."""

    title: str
    twins: int
    looked_at: int
    share_that_fits: float
    method: str
    effective: float
    seed: int
    follow_up_days: float
    engine_version: str
    scenario_sha256: str
    arms: tuple[str, ...]
    spreads: list[Spread]
    chances: list[Chance]
    told: list[AccountItem]
    together: list[Chance]
    known: list[Known]
    warnings: tuple[str, ...]
    notice: str = NOTICE


def is_portrait(result: Result) -> bool:
    """Whether a result is one person's and kept the twins."""
    return result.is_full and "weight" in result.groups["patients"]


def portrait(result: Result) -> Portrait:
    """The numbers of a result of one person."""
    person = _person(result)
    told = list(_account(result, person)) if person else []
    found = result.screening
    return Portrait(
        result.title,
        result.n_patients,
        int(found["twins_looked_at"]),
        float(found["share_that_fits"]),
        str(found["method"]),
        float(found["effective_sample_size"]),
        result.seed,
        result.follow_up_days,
        result.engine_version,
        result.scenario_sha256,
        result.arms,
        list(_spreads(result)),
        list(_chances(result)),
        told,
        list(_together(result, person)) if person else [],
        list(_known(person)) if person else [],
        result.warnings,
    )


def _person(result: Result) -> Person | None:
    """What the stored scenario says of the person; None where this version cannot read it."""
    from simulator.language import ScenarioError, parse

    try:
        return parse(str(result.attrs["scenario"]).encode("utf-8"), str(result.attrs["scenario_name"])).person
    except ScenarioError:
        return None


def _pairs(result: Result) -> list[tuple[str, str]]:
    """Each arm, and the arms set against each other."""
    return [(arm, "") for arm in result.arms] + result.contrasts


def _spreads(result: Result) -> Iterator[Spread]:
    """ALSFRS-R with death = 0, among survivors and as measured, by time; event-free time from now and from onset."""
    weight = _weight(result)
    for day in result.analysis_days:
        months = round(day / DAYS_PER_MONTH, 1)
        for arm, against in _pairs(result):
            x = _less(result, arm, against, lambda r, a, day=day: death_as_zero(r, a, day))
            yield _spread(x, weight, ("alsfrs_r_death0", "ALSFRS-R, death = 0", "points"), (arm, against), months)
            alive, level = _survivors(result, arm, against, day)
            names = ("alsfrs_r_survivors", "ALSFRS-R, survivors", "points")
            yield _spread(level[alive], weight[alive], names, (arm, against), months)
        for arm in result.arms:
            seen = _measured(result, arm, day)
            if seen is not None:
                known = np.isfinite(seen)
                names = ("alsfrs_r_measured", "ALSFRS-R as a visit measures it, survivors", "points")
                yield _spread(seen[known], weight[known], names, (arm, ""), months)
    onset = result.groups["patients"]["time_since_onset"].values.astype(np.float64)
    for arm, _ in [pair for pair in _pairs(result) if not pair[1]]:
        months_free = event_free_months(result, result.arm_index(arm))
        names = ("event_free_months", "From now to death or PAV", "months")
        yield _spread(months_free, weight, names, (arm, ""), None)
        names = ("event_free_from_onset_months", "From onset to death or PAV", "months")
        yield _spread(onset + months_free, weight, names, (arm, ""), None)
    for arm, against in [pair for pair in _pairs(result) if pair[1]]:
        x = _less(result, arm, against, _restricted)
        names = ("event_free_gain_months", "Event-free time gained", "months")
        yield _spread(x, weight, names, (arm, against), None)


def _restricted(result: Result, arm: int) -> Floats:
    return np.asarray(result.groups["events"]["event_free_time"].values[arm] / DAYS_PER_MONTH)


def _less(result: Result, arm: str, against: str, read: Any) -> Floats:
    """An outcome of every twin in an arm, less that in another."""
    x: Floats = read(result, result.arm_index(arm))
    return x - read(result, result.arm_index(against)) if against else x


def _survivors(result: Result, arm: str, against: str, day: float) -> tuple[NDArray[np.bool_], Floats]:
    """Who is alive, in both arms of a difference, and their scores."""
    views = [View(result, result.arm_index(one), time_index(result, day)) for one in (arm, against) if one]
    alive = np.all([view.alive for view in views], axis=0)
    scores = [view.truth("alsfrs_r") for view in views]
    return alive, scores[0] - scores[1] if against else scores[0]


def _measured(result: Result, arm: str, day: float) -> Floats | None:
    """The score of every twin as the visit nearest to a day measures it; NaN for the dead, None where none is near."""
    observed = result.groups["observed"]
    if "alsfrs_r" not in observed:
        return None
    visits = observed["nominal_day"].values.astype(np.float64)
    v = int(np.abs(visits - day).argmin())
    if abs(visits[v] - day) > NEAR_DAYS or visits[v] <= 0:
        return None
    return np.asarray(observed["alsfrs_r"].values[result.arm_index(arm)][:, v], np.float64)


def _weight(result: Result) -> Floats:
    return np.asarray(result.groups["patients"]["weight"].values, np.float64)


def _spread(
    x: Floats, weight: Floats, names: tuple[str, str, str], arms: tuple[str, str], months: float | None
) -> Spread:
    found = quantiles(x, QUANTILES, weight)
    return Spread(*names, *arms, months, tuple(found.value.tolist()), tuple(found.mcse.tolist()), found.effective)


def _chances(result: Result) -> Iterator[Chance]:
    """Probability to be event-free by time; share who gain and mean gain of each treated arm."""
    weight = _weight(result)
    for day in result.analysis_days:
        months = round(day / DAYS_PER_MONTH, 1)
        for arm, against in _pairs(result):
            found = _free(result, arm, day, weight)
            if against:
                found = contrast.difference(found, _free(result, against, day, weight), same_patients=True)
            yield Chance("event_free", "Event-free", "%", arm, against, months, found.value, found.mcse)
    for arm, against in [pair for pair in _pairs(result) if pair[1]]:
        gain = _less(result, arm, against, _restricted)
        mean, share = moments.mean(gain, weight), moments.scaled(moments.proportion(gain > 0.5, weight), 100)
        label = "Event-free time gained within follow-up, mean"
        yield Chance("event_free_gain_mean", label, "months", arm, against, None, mean.value, mean.mcse)
        label = "Gain more than half a month"
        yield Chance("event_free_gain_share", label, "%", arm, against, None, share.value, share.mcse)


def _free(result: Result, arm: str, day: float, weight: Floats) -> Estimate:
    """Per cent event-free by a day."""
    view = View(result, result.arm_index(arm), time_index(result, day))
    return moments.scaled(moments.proportion(~view.ended(), weight, view.so_far), 100)


def _as_well(result: Result, one: Account) -> tuple[Floats, NDArray[np.bool_]]:
    """The outcome of every twin, and who does at least as well as is told."""
    months = None if one.months is None else one.months.value
    x = value_of(result, result.arm_index(one.arm), one.outcome, months)
    return x, x >= one.value.value if OUTCOMES[one.outcome].more_is_better else x <= one.value.value


def _account(result: Result, person: Person) -> Iterator[AccountItem]:
    weight = _weight(result)
    for one in person.account or []:
        x, well = _as_well(result, one)
        outcome, months = OUTCOMES[one.outcome], None if one.months is None else one.months.value
        share = moments.scaled(moments.proportion(well, weight), 100)
        middle = float(quantiles(x, [0.5], weight).value[0])
        yield AccountItem(
            one.quote, one.arm, one.outcome, outcome.label, outcome.unit, months, one.value.value, middle,
            share.value, share.mcse,
        )  # fmt: skip


def _together(result: Result, person: Person) -> Iterator[Chance]:
    """Share of twins who do at least as well in all that is told of an arm."""
    weight = _weight(result)
    for arm in dict.fromkeys(one.arm for one in person.account or []):
        parts = [_as_well(result, one)[1] for one in person.account or [] if one.arm == arm]
        found = moments.scaled(moments.proportion(np.all(parts, axis=0), weight), 100)
        label = f"At least as well in all {len(parts)} at once" if len(parts) > 1 else "At least as well"
        yield Chance("account", label, "%", arm, "", None, found.value, found.mcse)


def _known(person: Person) -> Iterator[Known]:
    from simulator.catalog.facts import facts

    for name in person.published or []:
        fact = facts()[name]
        value = float("nan") if fact.value is None else fact.value
        yield Known(fact.id, fact.quantity, fact.population, value, fact.unit, fact.cited, fact.read_in_source)


class Outcome(NamedTuple):
    """An outcome: label, unit, and whether more of it is better; the dead have the worst there is."""

    label: str
    unit: str
    more_is_better: bool = True


OUTCOMES = {
    "alsfrs_r": Outcome("ALSFRS-R", "points"),
    "alsfrs_r_change": Outcome("change of ALSFRS-R from now", "points"),
    "svc_percent": Outcome("SVC", "% pred."),
    "fvc_percent": Outcome("FVC", "% pred."),
    "fvc_percent_lowest": Outcome("lowest FVC until then", "% pred."),
    "nfl_plasma": Outcome("plasma NfL", "pg/mL", more_is_better=False),
    "nfl_plasma_ratio": Outcome("plasma NfL, ratio to now", "ratio", more_is_better=False),
    "event_free_from_onset_months": Outcome("time from onset without death or PAV", "months"),
    "survival_from_onset_months": Outcome("time from onset to death", "months"),
}


def death_as_zero(result: Result, arm: int, day: float) -> Floats:
    """ALSFRS-R of every twin, 0 after death."""
    view = View(result, arm, time_index(result, day))
    return np.where(view.alive, view.truth("alsfrs_r"), 0.0)


def event_free_months(result: Result, arm: int) -> Floats:
    """Months from now without death or PAV; infinite where follow-up ends first."""
    events = result.groups["events"]
    happened = events["event"].values[arm] > 0
    return np.where(happened, events["event_free_time"].values[arm] / DAYS_PER_MONTH, np.inf)


def value_of(result: Result, arm: int, outcome: str, months: float | None) -> Floats:
    """An outcome of every twin; the dead have minus infinity, or infinity where less is better."""
    since = result.groups["patients"]["time_since_onset"].values.astype(np.float64)
    if outcome == "event_free_from_onset_months":
        return since + event_free_months(result, arm)
    if outcome == "survival_from_onset_months":
        death = result.groups["events"]["death_time"].values[arm] / DAYS_PER_MONTH
        return since + np.where(np.isnan(death), np.inf, death)
    view = View(result, arm, time_index(result, (months or 0.0) * DAYS_PER_MONTH))
    worst = -np.inf if OUTCOMES[outcome].more_is_better else np.inf
    return np.where(view.alive, _at(view, outcome), worst)


def _at(view: View, outcome: str) -> Floats:
    """An outcome at a time, as if alive."""
    if outcome.startswith("alsfrs_r"):
        return view.change("alsfrs_r") if outcome.endswith("_change") else view.truth("alsfrs_r")
    if outcome.startswith("nfl_plasma"):
        return view.truth("nfl_plasma") / (view.truth("nfl_plasma", 0) if outcome.endswith("_ratio") else 1.0)
    if outcome == "svc_percent":
        return view.truth("svc")
    offset = view.result.groups["patients"]["fvc_offset"].values.astype(np.float64)
    if outcome == "fvc_percent":
        return view.truth("svc") - offset
    until = view.result.groups["truth"]["svc"].values[view.arm, :, : view.at + 1]
    return until.min(axis=1).astype(np.float64) - offset


class Quantiles(NamedTuple):
    """Quantiles, their Monte Carlo standard errors, and the effective number of patients behind them."""

    value: Floats
    mcse: Floats
    effective: float


def quantiles(x: ArrayLike, probabilities: ArrayLike, weight: ArrayLike | None = None) -> Quantiles:
    """Quantiles of x : (n,), the smallest value at which the weighted distribution function reaches p.

    The error is half of Q(p + e) - Q(p - e), e = sqrt(p (1 - p)/n) with the effective n = (sum w)²/sum w². Infinite
    values are values; a quantile that is infinite has no error, nor has that of a single value.
    """
    values, p = np.asarray(x, np.float64), np.asarray(probabilities, np.float64)
    if len(values) == 0:
        return Quantiles(np.full(p.shape, np.nan), np.full(p.shape, np.nan), 0.0)
    w = np.ones(len(values)) if weight is None else np.asarray(weight, np.float64)
    order = np.argsort(values, kind="stable")
    below = np.cumsum(w[order]) / w.sum()
    effective = float(w.sum() ** 2 / np.sum(w**2))
    error = np.sqrt(p * (1 - p) / effective)
    low, middle, high = (
        values[order][np.minimum(np.searchsorted(below, q - 1e-12), len(values) - 1)]
        for q in (np.maximum(p - error, 0), p, np.minimum(p + error, 1))
    )
    with np.errstate(invalid="ignore"):
        known = np.isfinite(middle) & (effective > 1 + 1e-9)
        return Quantiles(middle, np.where(known, (high - low) / 2, np.nan), effective)
