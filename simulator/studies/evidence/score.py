"""From targets to scores: simulate each run once, compute each figure, set it beside what was published."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.analysis import contrast
from simulator.analysis.intervals import Z_95
from simulator.analysis.moments import Estimate
from simulator.catalog.facts import Fact, Point
from simulator.catalog.targets import Run, Target, Targets, published, targets
from simulator.studies.evidence.sample import Figure, Sample
from simulator.studies.evidence.statistics import LOGARITHMIC, STATISTICS, SURVIVAL_QUANTILES

if TYPE_CHECKING:
    from simulator.language import Scenario
    from simulator.results import Result

SEED = 20260101


class Score(NamedTuple):
    """A target: what was published and what is simulated, in the published unit.

    `z` is (simulated − published)/√(se² + mcse²), None where there is no standard error. `se_kind`: published,
    derived (from the interval, an SD, a binomial, the quantile of a survival curve) or design (the simulated sampling
    SD at the published number of participants).
    """

    id: str
    role: str
    published: float | None
    interval: tuple[float, float] | None
    se: float | None
    se_kind: str | None
    simulated: float | None
    mcse: float | None
    z: float | None
    verdict: str


class Simulated(NamedTuple):
    """A figure in the published unit: value, Monte Carlo error, sampling SD at the published numbers (NaN: unknown)."""

    value: float
    mcse: float
    design: float


class Runs:
    """The runs that targets read, each simulated when first asked for.

    Parameters
    ----------
    change : callable, optional
        From the name of a run and its scenario to the scenario that is simulated, such as with other parameters.
    patients : float
        Share of the patients that the table names.
    table : mapping, optional
        The runs by name; those of the targets by default.
    """

    def __init__(
        self,
        change: Callable[[str, Scenario], Scenario] | None = None,
        patients: float = 1.0,
        table: Mapping[str, Run] | None = None,
    ) -> None:
        self._change, self._share = change, patients
        self._table = targets().runs if table is None else table
        self._done: dict[str, tuple[Scenario, Result]] = {}

    def __getitem__(self, name: str) -> tuple[Scenario, Result]:
        if name not in self._done:
            from simulator.run import simulate

            run = self._table[name]
            scenario = scenario_of(run)
            scenario = self._change(name, scenario) if self._change else scenario
            patients = max(1, int(run.patients * self._share))
            self._done[name] = scenario, simulate(scenario, patients=patients, seed=SEED)
        return self._done[name]


def scenario_of(run: Run) -> Scenario:
    """The scenario of a run, with what the run sets."""
    from simulator.language import load

    return load(run.scenario, run.set)


def sample(target: Target, runs: Runs, arm: str) -> Sample:
    """The patients whom a target counts, in an arm of its run."""
    scenario, result = runs[target.run]
    people = result.groups["patients"]
    who = np.ones(result.n_patients, bool)
    if target.group:
        key = "stratum" if target.group in result.strata else "variant"
        who = people[key].values == target.group
    return Sample(result, scenario, target, arm or result.arms[0], who)


def simulated(target: Target, runs: Runs) -> Simulated:
    """The figure of a target; a difference (a ratio where the statistic is logarithmic) if it has `against`."""
    if target.statistic == "interval_width":
        same = simulated(target.model_copy(update={"statistic": "mean_change", "estimand": "as_if_alive"}), runs)
        return Simulated(2 * Z_95 * same.design, 0.0, float("nan"))
    found, sizes = figures(target, runs)
    variance = sum(each.person / size if size else np.nan for each, size in zip(found, sizes, strict=True))
    estimate = found[0].estimate
    if len(found) == 2:
        estimate = contrast.difference(estimate, found[1].estimate, same_patients=True)
    return in_published_unit(target, estimate, float(np.sqrt(variance)))


def figures(target: Target, runs: Runs) -> tuple[list[Figure], list[float | None]]:
    """The figure of each arm, and how many participants it had (None: unknown)."""
    arms = [arm for arm in (target.arm, target.against) if arm] or [""]
    enrolled = targets().enrolled.get(target.group, {})
    found = [STATISTICS[target.statistic](sample(target, runs, arm)) for arm in arms]
    return found, [enrolled.get(arm) if target.against else target.n for arm in arms]


def in_published_unit(target: Target, estimate: Estimate, design: float) -> Simulated:
    """A figure in the published unit; errors by the delta method."""
    value, slope = estimate.value, target.factor
    if target.statistic in LOGARITHMIC:
        ratio = float(np.exp(value))
        shown, sign = {
            "percent_lower": (100 * (1 - ratio), 100.0),
            "percent_change": (100 * (ratio - 1), 100.0),
        }.get(target.scale or "ratio", (ratio, 1.0))
        return Simulated(shown, sign * ratio * estimate.mcse, sign * ratio * design)
    return Simulated(slope * value, abs(slope) * estimate.mcse, abs(slope) * design)


def score(target: Target, runs: Runs) -> Score:
    """One target beside its row."""
    row = published(target.id)
    value = row.sd if isinstance(row, Fact) and target.id.endswith("/sd") else row.value
    found = simulated(target.model_copy(update={"n": target.n or row.n}), runs)
    interval = None if target.id.endswith("/sd") else _interval(target, row)
    kind_of = "ci95" if isinstance(row, Point) or target.interval_of else row.interval_kind
    is_ci = kind_of == "ci95"
    se, kind = standard_error(target, row, interval if is_ci else None, found)
    z = None
    if value is not None and se is not None and np.isfinite(found.value):
        z = (found.value - value) / float(np.hypot(se, found.mcse))
    words = verdict(found.value, interval, "interval" if is_ci else str(kind_of), z)
    return Score(target.id, row.role, value, interval, se, kind, found.value, found.mcse, z, words)


def _interval(target: Target, row: Fact | Point) -> tuple[float, float] | None:
    return published(target.interval_of).interval if target.interval_of else row.interval


def standard_error(
    target: Target, row: Fact | Point, ci95: tuple[float, float] | None, found: Simulated
) -> tuple[float | None, str | None]:
    """The standard error of a published value, and where it comes from."""
    if isinstance(target.se, float):
        return target.se, "published"
    derived = _of_interval(target, row, ci95) if ci95 else _of_spread(target, row, found)
    if derived is not None:
        return derived, "derived"
    return (found.design, "design") if np.isfinite(found.design) and found.design > 0 else (None, None)


def _of_interval(target: Target, row: Fact | Point, ci95: tuple[float, float]) -> float:
    """From a 95 % interval; that of a ratio is taken on the logarithm."""
    if target.statistic in LOGARITHMIC and target.scale is None and row.value is not None:
        return row.value * float(np.log(ci95[1] / ci95[0])) / (2 * Z_95)
    return (ci95[1] - ci95[0]) / (2 * Z_95)


def _of_spread(target: Target, row: Fact | Point, found: Simulated) -> float | None:
    """From an SD, a proportion, or the density at the quantile of a survival curve; None where there is neither."""
    if not row.n or target.se == "design":
        return None
    if isinstance(row, Fact) and row.sd is not None and target.statistic.endswith("_mean"):
        return row.sd / float(np.sqrt(row.n))
    if target.statistic.endswith("_sd") and np.isfinite(found.design):
        return found.design  # by the shape simulated: an SD of skewed times is twice as uncertain as of a normal
    if target.statistic in _PROPORTIONS and row.value is not None:
        return _binomial(target, row.value, row.n)
    is_quantile = target.statistic in SURVIVAL_QUANTILES and not target.against and np.isfinite(found.design)
    return found.design if is_quantile else None


_PROPORTIONS = {
    "event_free": 1.0,
    "event_percent": 100.0,
    "percent_not_declined": 100.0,
    "in_follow_up": None,
    "percent_gone": 100.0,
}


def _binomial(target: Target, value: float, n: float) -> float:
    """Binomial SE of a share, a per cent or a count; none or all of n counts as half a person."""
    whole = _PROPORTIONS[target.statistic] or n
    p = min(max(value / whole, 0.5 / (n + 1)), 1 - 0.5 / (n + 1))
    return whole * float(np.sqrt(p * (1 - p) / n))


def verdict(value: float, interval: tuple[float, float] | None, kind: str, z: float | None) -> str:
    """Inside or outside the published interval; without one, or beside a range of people, how far in SE."""
    far = z is not None and abs(z) > 3.5
    if interval is not None and (kind == "interval" or z is None):
        inside = interval[0] <= value <= interval[1]
        return f"{'inside' if inside else 'outside'} {kind}" + (", beyond 3.5 SE" if far else "")
    if z is None:
        return "no standard error"
    return "beyond 3.5 SE" if far else "within 2 SE" if abs(z) <= 2 else "beyond 2 SE"


def all_scores(runs: Runs, chosen: Iterable[str] | None = None) -> list[Score]:
    """Scores of the targets (all by default), then the rows that cannot be simulated, with the reason."""
    every: Targets = targets()
    wanted = every.targets if chosen is None else {key: every.targets[key] for key in chosen}
    done = [score(target, runs) for target in wanted.values()]
    return done if chosen is not None else [*done, *not_simulated(every.not_simulated)]


def not_simulated(reasons: Mapping[str, str]) -> list[Score]:
    """The rows that the model does not express."""
    rows = [(published(key), key, reason) for key, reason in reasons.items()]
    return [
        Score(key, row.role, row.value, row.interval, None, None, None, None, None, f"not simulated: {reason}")
        for row, key, reason in rows
    ]
