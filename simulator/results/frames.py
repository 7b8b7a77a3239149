"""Tidy tables of patients and of groups of patients, with units; how death is counted has a name."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.intervals import quantile_shares, share_error, share_interval
from simulator.errors import absent
from simulator.results.arrays import QUANTILES
from simulator.results.errors import ChoiceError
from simulator.results.summary import beyond
from simulator.results.tidy import interval
from simulator.results.variables import SUMMARISED, Summarised
from simulator.units import DAYS_PER_MONTH

if TYPE_CHECKING:
    import pandas

    from simulator.results.tree import Result

Floats = NDArray[np.float64]
DEATHS = {
    "alive": "missing from death on: figures are of survivors",
    "as_if_alive": "followed beyond death, which is hypothetical",
    "death_zero": "0 from death on: nobody is left out",
}
"""Estimands of death."""
ZERO = ("alsfrs_r", "svc")
"""What has 0 as its worst value, with the domains of the first."""
GROUPING = ("stratum", "variant", "sex", "onset_site", "allocated_arm", "fast_variant")


class GroupRow(NamedTuple):
    """One estimate of a group of patients with its 95 % Monte Carlo interval; `time` in days since baseline."""

    scenario: str
    group: str
    arm: str
    metric: str
    time: float
    estimate: float
    lower: float
    upper: float
    mcse: float
    n: int


def frame(
    result: Result, name: str, death: str, arms: Iterable[str] | None, days: Iterable[float] | None
) -> pandas.DataFrame:
    """A row for each arm, patient and day (see `Result.frame`)."""
    import pandas

    group = _full(result, "a frame of patients")
    truth = group["truth"]
    if name not in truth or truth[name].values.ndim != 3:
        known = [key for key, one in truth.items() if one.values.ndim == 3]
        raise ChoiceError(absent("outcome", name, known, where="the truth"))
    a, t = arm_places(result, arms), time_places(result, days)
    values, alive = _counted(result, name, death, a, t)
    shape = (len(a), result.n_patients, len(t))
    people, time = group["patients"], result.time[t]

    def each(column: Any, axis: int) -> Any:
        return np.broadcast_to(np.expand_dims(column, [k for k in range(3) if k != axis]), shape).ravel()

    columns = {
        "arm": each(np.array(result.arms, object)[a], 0),
        "patient": each(people["patient"].values, 1),
        "stratum": each(people["stratum"].values, 1),
        "variant": each(people["variant"].values, 1),
        "day": each(time, 2),
        "month": each(time / DAYS_PER_MONTH, 2),
        "alive": alive.ravel(),
        name: values.ravel(),
    }
    found = pandas.DataFrame(columns)
    found.attrs = {
        "units": {"day": "d", "month": "months", name: truth[name].attrs["units"]},
        "long_name": truth[name].attrs["long_name"].removesuffix("" if death == "as_if_alive" else ", as if alive"),
        "death": f"{death}: {DEATHS[death]}",
    }
    return found


def _full(result: Result, what: str) -> Any:
    """The groups, where patients count alike and were kept, at one parameter vector."""
    result.need_one_vector(what)
    if not result.is_full:
        raise ChoiceError(f"{what} needs patients, and this result kept sums. Run again with output full")
    return result.groups


def _counted(result: Result, name: str, death: str, a: list[int], t: list[int]) -> tuple[Floats, NDArray[np.bool_]]:
    """Values with the dead as the estimand says, and who is alive: (arms, patients, times)."""
    if death not in DEATHS:
        told = "; ".join(f"{key}, {meaning}" for key, meaning in DEATHS.items())
        raise ChoiceError(f"there is no estimand {death!r} of death. Choose {told}")
    values = result.groups["truth"][name].values[np.ix_(a, range(result.n_patients), t)].astype(np.float64)
    dead = result.groups["events"]["death_time"].values[a][:, :, None] <= result.time[t]
    if death == "alive":
        values = np.where(dead, np.nan, values)
    elif death == "death_zero":
        if not name.startswith(ZERO):
            raise ChoiceError(f"{name} has no worst value 0. Choose alive or as_if_alive")
        values = np.where(dead, 0.0, values)
    return values, ~dead


def arm_places(result: Result, arms: Iterable[str] | None) -> list[int]:
    """Positions of arms; of all by default."""
    names = list(result.arms if arms is None else arms)
    if wrong := [name for name in names if name not in result.arms]:
        raise ChoiceError(absent("arm", wrong[0], result.arms))
    return [result.arms.index(name) for name in names]


def time_places(result: Result, days: Iterable[float] | None) -> list[int]:
    """Positions of days of output; of all by default."""
    kept = [float(day) for day in result.time]
    wanted = kept if days is None else [float(day) for day in days]
    for day in wanted:
        if day not in kept:
            near = sorted(sorted(kept, key=lambda one: abs(one - day))[:6])
            told = ", ".join(f"{one:g}" for one in near)
            raise ChoiceError(f"day {day:g} is no day of output. Choose from {told} and others")
    return [kept.index(day) for day in wanted]


def group_rows(
    result: Result, by: str, arms: Iterable[str] | None = None, days: Iterable[float] | None = None
) -> list[GroupRow]:
    """The summary of each group of patients: shares, means and quantiles, as the metrics of the whole are called.

    Raises
    ------
    ChoiceError
        There is no such grouping, arm or day; patients were not kept, or are weighed.
    """
    groups = _full(result, "a summary by group")
    if result.weight is not None:
        raise ChoiceError("twins of one person are weighed, not grouped. Leave out by")
    people = groups["patients"]
    if by not in people or by not in GROUPING:
        raise ChoiceError(
            f"patients are not grouped by {by!r}. Choose {', '.join(one for one in GROUPING if one in people)}"
        )
    codes, flags = people[by].values, str(people[by].attrs.get("flag_meanings", "")).split()
    a, t = arm_places(result, arms), time_places(result, days)
    rows: list[GroupRow] = []
    for value in sorted(set(codes.tolist())):
        text = flags[value] if flags else str(value)
        who = codes == value
        for arm in a:
            rows += _group(result, (result.title, text, result.arms[arm]), arm, who, t)
    return rows


def _group(result: Result, where: tuple[str, str, str], arm: int, who: Any, t: list[int]) -> Iterator[GroupRow]:
    """Every metric of one group in one arm."""
    events, time = result.groups["events"], result.time[t]
    alive = ~(events["death_time"].values[arm, who][:, None] <= time)
    over = events["event_free_time"].values[arm, who][:, None] <= time
    ended = (events["event"].values[arm, who] > 0)[:, None] & over
    for name, inside in (("survival", alive), ("event_free", ~ended)):
        yield from _shares(where, name, time, inside)
    truth = result.groups["truth"]
    for row in (row for row in SUMMARISED if row.of in truth):
        whole = truth[row.of].values[arm][who].astype(np.float64)
        x = np.log(whole) if row.transform == "log" else whole
        x = (x - x[:, :1] if row.since else x)[:, t]
        yield from _moments(where, row.name, time, np.where(alive, x, np.nan), row)
        if row.name in ZERO:
            zero = np.where(alive, whole[:, t], 0.0)
            yield from _moments(where, f"{row.name}_death0", time, zero, row)


def _shares(where: tuple[str, str, str], name: str, time: Floats, inside: Any) -> Iterator[GroupRow]:
    n = len(inside)
    count = inside.sum(axis=0)
    low, high = share_interval(count, n)
    for k, day in enumerate(time.tolist()):
        error = float(share_error(count[k], n))
        yield GroupRow(*where, name, day, float(count[k] / n), float(low[k]), float(high[k]), error, n)


def _moments(where: tuple[str, str, str], name: str, time: Floats, x: Floats, row: Summarised) -> Iterator[GroupRow]:
    """Mean and quantiles with their errors; of logarithms the geometric mean."""
    log = row.transform == "log"
    for k, day in enumerate(time.tolist()):
        known = np.sort(x[np.isfinite(x[:, k]), k])
        n = len(known)
        if not n:
            continue
        mean, error = float(known.mean()), float(known.std(ddof=1) / np.sqrt(n)) if n > 1 else math.nan
        point, error = (math.exp(mean), math.exp(mean) * error) if log else (mean, error)
        ends = interval(f"{row.name}_mean", *(np.array(one) for one in (point, error, n)))
        yield GroupRow(*where, f"{name}_mean", day, point, float(ends[0]), float(ends[1]), error, n)
        p = np.array(QUANTILES)
        half, shares = np.sqrt(p * (1 - p) / n), quantile_shares(p, n)
        about = np.quantile(known, np.clip(np.stack([p, p - half, p + half, *shares]), 0, 1))
        about = np.exp(about) if log else about
        limits = beyond(about[3:], shares, row.ends)
        error_of = (about[2] - about[1]) / 2 if n > 1 else np.full(len(p), math.nan)
        for j, share in enumerate(QUANTILES):
            point, low, high, error = (float(one) for one in (about[0, j], *limits[:, j], error_of[j]))
            yield GroupRow(*where, f"{name}_q{round(100 * share):02d}", day, point, low, high, error, n)


def chosen(rows: Sequence[Any], result: Result, arms: Any, days: Any) -> list[Any]:
    """Rows of these arms and days."""
    names = {result.arms[k] for k in arm_places(result, arms)}
    kept = {float(result.time[k]) for k in time_places(result, days)}
    return [row for row in rows if row.arm in names and row.time in kept]
