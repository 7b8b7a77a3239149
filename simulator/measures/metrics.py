"""The headline metrics: one table, read by the headline of a run and by the comparison of two."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.analysis import contrast, moments
from simulator.analysis.intervals import share_error
from simulator.analysis.moments import Estimate
from simulator.errors import UsageError
from simulator.results import Result
from simulator.results.variables import KINGS
from simulator.units import DAYS_PER_MONTH

Floats = NDArray[np.float64]
UNKNOWN = Estimate(float("nan"), float("nan"), 0)


EVERYBODY = slice(None)


class View(NamedTuple):
    """One arm at one time of a full result; `who` are the patients looked at, a mask or everybody."""

    result: Result
    arm: int
    at: int
    who: Any = EVERYBODY

    @property
    def day(self) -> float:
        """Days since baseline."""
        return float(self.result.time[self.at])

    @property
    def alive(self) -> NDArray[np.bool_]:
        """Who is not dead (a patient with PAV is alive)."""
        return ~(self.events("death_time") <= self.day)

    def truth(self, name: str, at: int | None = None) -> Floats:
        """A variable of the truth at this time, or at another."""
        values = self.result.groups["truth"][name].values[self.arm, :, self.at if at is None else at]
        return values[self.who].astype(np.float64)

    @property
    def weight(self) -> Any:
        """Weights of twins of one person; None where patients count alike."""
        found = self.result.weight
        return None if found is None else found[self.who]

    def events(self, name: str) -> NDArray[Any]:
        """A variable of the events."""
        return self.result.groups["events"][name].values[self.arm, self.who]

    @property
    def so_far(self) -> Floats:
        """Event-free days by this time."""
        return np.minimum(self.events("event_free_time").astype(np.float64), self.day)

    def change(self, name: str) -> Floats:
        """Change from baseline."""
        return self.truth(name) - self.truth(name, 0)

    def ended(self) -> NDArray[np.bool_]:
        """Who has died or has PAV by this time."""
        return (self.events("event") > 0) & (self.events("event_free_time") <= self.day)


class Metric(NamedTuple):
    """A headline metric: from patients (`full`), and from the summary where it can be.

    `logarithm`: the estimate is of a mean logarithm and is shown as exp of it; a difference is then a ratio.
    `of`: what the result must have for it, nothing for survival. `by_stratum`: shown for each stratum too.
    """

    name: str
    label: str
    unit: str
    full: Callable[[View], Estimate]
    summary: Callable[[View], Estimate]
    logarithm: bool = False
    digits: int = 2
    by_stratum: bool = False
    of: str = ""


def known(result: Result) -> tuple[Metric, ...]:
    """The metrics of a result: those of what it has; stages where there is no score; own doses."""
    stages = () if result.has("alsfrs_r") else STAGE_METRICS
    doses = (DOSES,) if own_calendars(result) else ()
    metrics = (*stages, *METRICS, *doses)
    return tuple(metric for metric in metrics if not metric.of or result.has(metric.of))


def _as_if_alive(view: View) -> Estimate:
    return moments.mean(view.change("alsfrs_r"), view.weight)


def _survivors_change(name: str) -> Callable[[View], Estimate]:
    return lambda view: moments.mean_over(view.change(name), view.alive, view.weight)


def _death_as_zero(view: View) -> Estimate:
    score = contrast.with_death_as_zero(view.truth("alsfrs_r"), view.alive)
    return moments.mean(score - view.truth("alsfrs_r", 0), view.weight)


def _survivors_log_ratio(view: View) -> Estimate:
    ratio = np.log(view.truth("nfl_plasma")) - np.log(view.truth("nfl_plasma", 0))
    return moments.mean_over(ratio, view.alive, view.weight)


def _survivors_log_sod1(view: View) -> Estimate:
    return moments.mean_over(np.log(view.truth("sod1_csf")), view.alive, view.weight)


def _late_stage(view: View) -> Estimate:
    stage = view.result.groups["truth"]["kings_stage"].values[view.arm, :, view.at][view.who]
    return moments.scaled(moments.proportion(stage >= KINGS.index("4A"), view.weight), 100)


def _summary_late_stage(view: View) -> Estimate:
    share = view.result.groups["summary"]["kings_stage_share"].values[view.arm, view.at, KINGS.index("4A") :].sum()
    n = view.result.worth
    return Estimate(100 * float(share), 100 * float(share_error(share * n, n)), view.result.n_patients)


def _event_free(view: View) -> Estimate:
    return moments.scaled(moments.proportion(~view.ended(), view.weight, view.so_far), 100)


def _serious(view: View) -> Estimate:
    """Share of people who have had a serious neurologic event by then; certainly none before the first dose."""
    events = {name: array.values for name, array in view.result.groups["adverse_events"].items()}
    mine = (events["arm"] == view.arm) & (events["serious"] > 0)
    first = np.full(view.result.n_patients, np.inf)
    np.minimum.at(first, events["patient"][mine], events["day"][mine])
    first = np.where(first <= view.day, first, np.inf)[view.who]
    found = moments.scaled(moments.proportion(np.isfinite(first), view.weight, first), 100)
    doses = view.result.groups["doses"]
    given = (doses["arm"].values == view.arm) & (doses["day"].values < view.day)
    return found if given.any() else found._replace(mcse=0.0)


def _event_free_months(view: View) -> Estimate:
    mean = moments.restricted_mean(view.events("event_free_time"), view.day, view.weight)
    return moments.scaled(mean, 1 / DAYS_PER_MONTH)


def _read(name: str, factor: float = 1.0, logarithm: bool = False) -> Callable[[View], Estimate]:
    """The reader of an estimate that the summary group holds."""

    def read(view: View) -> Estimate:
        group = view.result.groups["summary"]
        value, mcse = (float(group[key].values[view.arm, view.at]) for key in (name, f"{name}_mcse"))
        everybody = name in ("event_free", "survival", "serious_neurologic_share")
        n = view.result.n_patients if everybody else int(group["alive"].values[view.arm, view.at])
        return Estimate(np.log(value), mcse / value, n) if logarithm else Estimate(factor * value, factor * mcse, n)

    return read


def _summary_death_as_zero(view: View) -> Estimate:
    """Change of the mean level; the error is an upper bound, because the summary does not pair day with baseline."""
    group = view.result.groups["summary"]
    level = group["alsfrs_r_death0_mean"].values[view.arm]
    mcse = group["alsfrs_r_death0_mean_mcse"].values[view.arm]
    error = float(np.hypot(mcse[view.at], mcse[0]))
    return Estimate(float(level[view.at] - level[0]), error, view.result.n_patients)


def _summary_event_free_months(view: View) -> Estimate:
    curve = view.result.survival(view.result.arms[view.arm])
    return Estimate(*curve.rmst(view.day / DAYS_PER_MONTH), view.result.n_patients)


def not_summed(view: View) -> Estimate:
    """The reader of a measure that sums do not hold: a summary run has none of it."""
    return UNKNOWN


STAGE_METRICS = (
    Metric(
        "kings_4_or_dead",
        "King's stage 4 or dead",
        "%",
        _late_stage,
        _summary_late_stage,
        digits=1,
        by_stratum=True,
        of="kings_stage",
    ),
)


def _doses(view: View) -> Estimate:
    """Doses given so far, over everybody; nothing where nobody has had one."""
    doses = view.result.groups["doses"]
    mine = (doses["arm"].values == view.arm) & (doses["day"].values <= view.day)
    count = np.bincount(doses["patient"].values[mine], minlength=view.result.n_patients)[view.who]
    return moments.mean(count, view.weight) if mine.any() else UNKNOWN


METRICS = [
    Metric(
        "alsfrs_r_change_as_if_alive",
        "ALSFRS-R change, as if alive",
        "points",
        _as_if_alive,
        not_summed,
        by_stratum=True,
        of="alsfrs_r",
    ),
    Metric(
        "alsfrs_r_change_survivors",
        "ALSFRS-R change, survivors",
        "points",
        _survivors_change("alsfrs_r"),
        _read("alsfrs_r_change_mean"),
        of="alsfrs_r",
    ),
    Metric(
        "alsfrs_r_change_death0",
        "ALSFRS-R change, death = 0",
        "points",
        _death_as_zero,
        _summary_death_as_zero,
        of="alsfrs_r",
    ),
    Metric(
        "svc_change", "SVC change, survivors", "% pred.", _survivors_change("svc"), _read("svc_change_mean"), of="svc"
    ),
    Metric(
        "nfl_plasma_ratio",
        "NfL / baseline, survivors",
        "ratio",
        _survivors_log_ratio,
        _read("nfl_plasma_ratio_mean", logarithm=True),
        logarithm=True,
        digits=3,
        of="nfl_plasma",
    ),
    Metric(
        "sod1_csf",
        "CSF SOD1 / baseline, survivors",
        "ratio",
        _survivors_log_sod1,
        _read("sod1_csf_mean", logarithm=True),
        logarithm=True,
        digits=3,
    ),
    Metric("event_free", "Event-free", "%", _event_free, _read("event_free", 100.0), digits=1, by_stratum=True),
    Metric(
        "serious_neurologic",
        "Serious neurologic event",
        "%",
        _serious,
        _read("serious_neurologic_share", 100.0),
        digits=1,
        of="serious_neurologic",
    ),
    Metric("event_free_months", "Event-free time so far", "months", _event_free_months, _summary_event_free_months),
]


def register(metric: Metric) -> Metric:
    """Add a measure from outside the package: the headline of a run and `compare` show it for every arm.

    Parameters
    ----------
    metric : Metric
        Its name must be new.

    Returns
    -------
    Metric
        The same.

    Raises
    ------
    UsageError
        Another measure has the name.
    """
    if any(one.name == metric.name for one in (*STAGE_METRICS, *METRICS, DOSES)):
        raise UsageError(f"there is a measure {metric.name} already. Choose another name")
    METRICS.append(metric)
    return metric


DOSES = Metric("doses", "Doses given so far", "doses", _doses, not_summed)
"""Shown where an arm's patients get their doses on days of their own."""


def own_calendars(result: Result) -> bool:
    """Whether some arm's doses fall on more days than any of its patients has had doses."""
    if not result.is_full:
        return False
    doses = {name: array.values for name, array in result.groups["doses"].items()}
    for arm in np.unique(doses["arm"]):
        mine = doses["arm"] == arm
        if len(np.unique(doses["day"][mine])) > np.bincount(doses["patient"][mine]).max():
            return True
    return False


def estimate(metric: Metric, result: Result, arm: str, day: float, who: Any = EVERYBODY) -> Estimate:
    """A metric of an arm on a day, on the scale of adding (the logarithm for ratios); `who` needs a full result."""
    view = View(result, result.arm_index(arm), time_index(result, day), who)
    return metric.full(view) if result.is_full else metric.summary(view)


def shown(metric: Metric, found: Estimate) -> Estimate:
    """The estimate as it is reported."""
    return moments.exponential(found) if metric.logarithm else found


def time_index(result: Result, day: float) -> int:
    """Index of the time nearest to a day."""
    return int(np.abs(result.time - day).argmin())
