"""Two results set side by side: the second minus the first, arm by arm and metric by metric."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from simulator.analysis import contrast
from simulator.analysis.intervals import mean_interval
from simulator.analysis.moments import Estimate
from simulator.errors import SimulatorError
from simulator.execution.version_check import other_versions
from simulator.measures.headline import headline_days
from simulator.measures.metrics import Metric, estimate, known, shown
from simulator.results import Result
from simulator.results.opening import open_run
from simulator.studies.replay import ABSOLUTE, RELATIVE
from simulator.studies.selection import asking
from simulator.tables.table import Table, notebook

MOST = 8
WORDS = ("title", "context_of_use.")
"""Addresses of what moves no number."""


class Difference(NamedTuple):
    """B minus A (their ratio for geometric means), with its 95 % Monte Carlo interval: by t, of a share normal."""

    arm: str
    metric: str
    label: str
    unit: str
    day: float
    a: float
    b: float
    estimate: float
    lower: float
    upper: float
    mcse: float
    n: int
    paired: bool
    digits: int


class Comparison(NamedTuple):
    """Two results and their differences."""

    a: str
    b: str
    paired: bool
    pairs: list[tuple[str, str]]
    rows: list[Difference]
    notes: list[str]

    def _repr_html_(self) -> str:
        means = "Differences are B less A, of geometric means B over A, ± Monte Carlo error."
        lines = (f"A: {self.a}", f"B: {self.b}", means)
        return notebook("B against A", *lines, notes=self.notes, more="".join(self._days()))

    def _days(self) -> Iterator[str]:
        """The differences of each day, the last one unfolded."""
        days = list(dict.fromkeys(row.day for row in self.rows))
        arms = list(dict.fromkeys(row.arm for row in self.rows))
        for day in days:
            cells: dict[str, dict[str, str]] = {}
            for row in (row for row in self.rows if row.day == day):
                shown = f"{row.estimate:.{row.digits}f} ± {row.mcse:.{row.digits}f}"
                cells.setdefault(f"{row.label}, {row.unit}", {})[row.arm] = shown
            rows = [[label, *(of.get(arm, "") for arm in arms)] for label, of in cells.items()]
            table = Table("", ["", *arms], rows).html()
            yield f"<details{' open' * (day == days[-1])}><summary>Day {day:g}</summary>{table}</details>"


def compare(a: Result | str | Path, b: Result | str | Path, days: Sequence[float] | None = None) -> Comparison:
    """Differences between two results, given as such or by file or folder, on the days given or on headline days.

    Both run with the same seed and patients kept: patient i of one is set against patient i of the other. Otherwise
    the two count as independent.

    Parameters
    ----------
    a, b : Result or path
        The results, or their files or folders.
    days : sequence of float, optional
        Days since baseline [d]; those of the headlines by default.

    Returns
    -------
    Comparison
        A row for each measure, pair of arms and day: `b` minus `a`, with its Monte Carlo error.

    Raises
    ------
    ResultError
        There is no such result.

    Examples
    --------
    >>> import simulator as sim
    >>> scenario = sim.load("analytic/constant_hazard")
    >>> a, b = (sim.simulate(scenario, patients=20, seed=seed) for seed in (1, 1))
    >>> sim.compare(a, b).paired
    True
    """
    first, second = (one if isinstance(one, Result) else open_run(one) for one in (a, b))
    for result in (first, second):
        result.need_one_vector("a comparison")
    pairs = _arm_pairs(first, second)
    wanted = _common_days(*(asking(one, days=days) for one in (first, second)))
    paired = first.seed == second.seed and first.is_full and second.is_full
    rows = [row for day in wanted for pair in pairs for row in _rows(first, second, pair, day)]
    others = other_versions(first.provenance(), second.provenance())
    versions = [_across(others, rows)] if others else []
    apart = list(dict.fromkeys(row.label for row in rows if paired and not row.paired))
    notes = [*versions, *_notes(first, second, paired, apart), *differing(first, second)]
    return Comparison(_called(a, first), _called(b, second), paired, pairs, rows, notes)


def _across(others: Sequence[str], rows: Sequence[Difference]) -> str:
    """What has another version, and how many differences are no larger than compilers alone may make them."""
    small = sum(abs(row.b - row.a) <= RELATIVE * abs(row.a) + ABSOLUTE for row in rows)
    what = f"for that alone numbers may differ by {RELATIVE:g} of their size or {ABSOLUTE:g}"
    return f"From A to B, {', '.join(others)}: {what}. Of {len(rows):,} differences {small:,} are no larger."


def _called(given: Result | str | Path, result: Result) -> str:
    """The title, after the place where there is one."""
    return result.title if isinstance(given, Result) else f"{given}: {result.title}"


def _arm_pairs(a: Result, b: Result) -> list[tuple[str, str]]:
    """Arms of the same name; two results with one arm each are set against each other whatever the names."""
    common = [(arm, arm) for arm in a.arms if arm in b.arms]
    if not common and len(a.arms) == len(b.arms) == 1:
        return [(a.arms[0], b.arms[0])]
    if not common:
        raise SimulatorError(
            f"no arm in common: {', '.join(a.arms)} and {', '.join(b.arms)}; rename the arms to compare"
        )
    return common


def _common_days(a: Result, b: Result) -> list[float]:
    """The headline days of either, as far as both results have that time; always the last that both have."""
    both = np.intersect1d(a.time, b.time)
    both = both[both > 0]
    if len(both) == 0:
        raise SimulatorError("no time in common; give both scenarios the same output.every_days")
    return sorted({*headline_days(a), *headline_days(b)} & set(both.tolist()) | {float(both[-1])})


def _rows(a: Result, b: Result, arms: tuple[str, str], day: float) -> Iterator[Difference]:
    shared = set(known(b))
    for metric in (metric for metric in known(a) if metric in shared):
        x, y = estimate(metric, a, arms[0], day), estimate(metric, b, arms[1], day)
        if x.n and y.n:
            found = contrast.difference(y, x, same_patients=a.seed == b.seed)
            yield _difference(metric, arms[1], day, (x, y), found)


def _difference(metric: Metric, arm: str, day: float, both: tuple[Estimate, Estimate], found: Estimate) -> Difference:
    low, high = mean_interval(found.value, found.mcse, np.inf if metric.unit == "%" else found.n)
    if metric.logarithm:
        low, high = np.exp(low), np.exp(high)
    a, b, difference = (shown(metric, one) for one in (*both, found))
    return Difference(
        arm,
        metric.name,
        metric.label,
        metric.unit,
        day,
        a.value,
        b.value,
        difference.value,
        float(low),
        float(high),
        difference.mcse,
        found.n,
        found.paired,
        metric.digits,
    )


def _notes(a: Result, b: Result, paired: bool, apart: list[str]) -> list[str]:
    """What the reader must know about how the two were set against each other; metrics `apart` were not."""
    if paired:
        shared = min(a.n_patients, b.n_patients)
        told = [f"Paired: the same seed, {shared:,} patients in both."]
        return told + ([f"Not paired, as of independent runs: {', '.join(apart)}."] if apart else [])
    reason = "seeds differ" if a.seed != b.seed else "a summary keeps no patients"
    return [f"Not paired ({reason}): the intervals are those of independent runs, wider than they need be."]


def differing(a: Result, b: Result) -> list[str]:
    """Each value that differs, by its address; nothing where this version cannot read one of the scenarios."""
    from simulator.language import ScenarioError

    try:
        first, second = (_values(result) for result in (a, b))
    except ScenarioError:
        return []
    addresses = [one for one in dict.fromkeys([*first, *second]) if not one.startswith(WORDS)]
    changed = [one for one in addresses if first.get(one) != second.get(one)]
    lines = [f"{one}: {_said(first.get(one))} in A, {_said(second.get(one))} in B" for one in changed[:MOST]]
    return lines + ([f"and {len(changed) - MOST} more values"] if len(changed) > MOST else [])


def _values(result: Result) -> dict[str, Any]:
    from simulator.language import parse
    from simulator.language.listing import values

    scenario = parse(str(result.attrs["scenario"]).encode("utf-8"), str(result.attrs["scenario_name"]))
    return {one.address: one.value for one in values(scenario)}


def _said(value: Any) -> str:
    """A value in a line; of what is not there, that it is not."""
    if value is None:
        return "none"
    return f"{value:g}" if isinstance(value, float) else str(value)
