"""Were the twins right: their forecasts beside what followed, and beside simple rivals on the same people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.analysis import forecasts
from simulator.analysis.forecasts import UNKNOWN, Figure, Forecast, Ratio
from simulator.analysis.mixed import Mixed, fit_mixed
from simulator.analysis.survival import kaplan_meier
from simulator.errors import UsageError, absent
from simulator.units import DAYS_PER_MONTH

if TYPE_CHECKING:
    from simulator.studies.twins.result import Twins

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
METHODS = {
    "twins": "the twins",
    "last": "last value carried forward",
    "line": "straight line through onset and the last value",
    "mean": "own last value and the changes of the others",
    "mixed": "linear mixed model fitted to the others",
}
"""Forecasts that are compared, the twins first."""
FULL, FOLDS = 48.0, 5
EVERY = float("nan")


class Row(NamedTuple):
    """A method on a day (NaN: all days together). `gain` is its CRPS less that of the twins, on the same values."""

    method: str
    day: float
    crps: Figure
    gain: Figure
    within_50: Figure
    within_80: Figure
    within_95: Figure
    slope: Figure


class Events(NamedTuple):
    """Forecasts of being free of the event on a day: Brier scores of the twins and of Kaplan–Meier of all."""

    day: float
    brier: Figure
    brier_of_all: Figure


class Calibration(NamedTuple):
    """What `calibration` found: rows by day and method, PIT of the twins (all days), events."""

    rows: tuple[Row, ...]
    pit: tuple[float, ...]
    events: tuple[Events, ...]
    concordance: Figure
    ratio: Ratio | None

    def row(self, method: str, day: float | None = None) -> Row:
        """The row of a method on a day, all days together by default."""
        return next(r for r in self.rows if r.method == method and (r.day == day or (day is None and r.day != r.day)))

    def document(self) -> dict[str, Any]:
        """Everything as plain data."""
        rows = [{**row._asdict(), "day": None if row.day != row.day else row.day} for row in self.rows]
        return self._asdict() | {"rows": rows}


def who_of(found: Twins, arms: Sequence[str] | None) -> Integers:
    """Positions of the matched participants of some arms of the data, of all by default."""
    people = found.participants
    if arms is not None and (unknown := set(arms) - {one.arm for one in people}):
        raise UsageError(absent("arm", min(unknown), sorted({one.arm for one in people})))
    return np.array([k for k in found.matched.tolist() if arms is None or people[k].arm in arms], np.int64)


def calibration(found: Twins, arms: Sequence[str] | None = None) -> Calibration:
    """Compare forecasts with what followed.

    Parameters
    ----------
    found : the twins; their untreated arm is compared.
    arms : arms of the data whose participants count, all by default: those who were not treated, or to no effect.
    """
    who = who_of(found, arms)
    seen = found.observed
    pairs = [(k, t) for k in who.tolist() for t in range(len(found.days)) if np.isfinite(seen[k, t])]
    made = {name: _forecasts(name, found, who, pairs) for name in METHODS} if pairs else {}
    clusters, at = np.array([k for k, _ in pairs], np.int64), np.array([t for _, t in pairs], np.int64)
    rows = []
    for t, day in [*enumerate(found.days.tolist()), (-1, EVERY)]:
        mine = np.flatnonzero(at == t) if t >= 0 else np.arange(len(pairs))
        if len(mine):
            own = [made["twins"][i] for i in mine]
            rows += [_row(name, day, [each[i] for i in mine], own, clusters[mine]) for name, each in made.items()]
    pit = tuple(forecasts.pit([one for one in made.get("twins", []) if np.isfinite(one.crps)]).tolist())
    return Calibration(tuple(rows), pit, *_events(found, who))


def _row(name: str, day: float, each: list[Forecast], own: list[Forecast], clusters: Integers) -> Row:
    """One method on one day."""
    crps, of_twins = (np.array([one.crps for one in some]) for some in (each, own))
    known = [one for one in each if np.isfinite(one.crps)]
    who = clusters[np.isfinite(crps)]
    spread = bool(known) and np.isfinite(known[0].below)
    half, most, nearly = (
        forecasts.mean(forecasts.covered(known, level), who) if spread else UNKNOWN for level in forecasts.LEVELS
    )
    return Row(
        name,
        day,
        forecasts.mean(crps, clusters),
        forecasts.mean(crps - of_twins, clusters),
        half,
        most,
        nearly,
        forecasts.slope(known, who) if known else UNKNOWN,
    )


def _forecasts(name: str, found: Twins, who: Integers, pairs: list[tuple[int, int]]) -> list[Forecast]:
    """The forecasts of a method for each value that came."""
    seen = found.observed
    if name == "twins":
        samples = {k: found.measured(k) for k in {k for k, _ in pairs}}
        return [forecasts.forecast(samples[k][:, t], float(seen[k, t])) for k, t in pairs]
    if name == "mixed":
        return _mixed(found, who, pairs)
    if name == "mean":
        change = seen - np.array([one.last for one in found.participants])[:, None]
        others = {t: np.array([k for k in who.tolist() if np.isfinite(change[k, t])]) for t in range(len(found.days))}
        return [
            forecasts.forecast(found.participants[k].last + change[others[t][others[t] != k], t], float(seen[k, t]))
            for k, t in pairs
        ]
    points = _points(name, found)
    return [_point(float(points[k, t]), float(seen[k, t])) for k, t in pairs]


def _point(point: float, y: float) -> Forecast:
    """A forecast without a distribution."""
    return forecasts.unknown(y, point, abs(point - y))


def _points(name: str, found: Twins) -> Floats:
    """(participant, day) the last value, or the straight line from onset, or from baseline where onset is not known."""
    days, people = found.days, found.participants
    last = np.array([one.last for one in people])[:, None] + np.zeros(len(days))
    if name == "last":
        return last
    since = np.array([one.months_since_onset for one in people]) * DAYS_PER_MONTH
    at, first = (np.array([getattr(one, key) for one in people]) for key in ("last_day", "first"))
    onset = np.isfinite(since) & (found.outcome == "alsfrs_r")
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.where(onset, (last[:, 0] - FULL) / (since + at), np.where(at > 0, (last[:, 0] - first) / at, np.nan))
    line = last + rate[:, None] * (days - at[:, None])
    return np.clip(line, 0, FULL) if found.outcome == "alsfrs_r" else line


def _mixed(found: Twins, who: Integers, pairs: list[tuple[int, int]]) -> list[Forecast]:
    """A mixed model of the other participants' values, in five parts, given one's own values until the day."""
    group = found.groups["history"]
    person, day, value = (group[name].values for name in ("person", "day", "value"))
    fold = dict(zip(who.tolist(), (np.arange(len(who)) % FOLDS).tolist(), strict=True))
    part = np.array([fold.get(int(k), -1) for k in person])
    models: dict[int, Mixed | None] = {}
    for number in range(FOLDS):
        others = (part >= 0) & (part != number) & (day >= 0)
        models[number] = fit_mixed(person[others], day[others] / DAYS_PER_MONTH, value[others])
    made = []
    for k, t in pairs:
        model, y = models[fold[k]], float(found.observed[k, t])
        if model is None:
            made.append(forecasts.unknown(y))
            continue
        own = (person == k) & (day >= 0) & (day <= found.until)
        mean, sd = model.predict(day[own] / DAYS_PER_MONTH, value[own], float(found.days[t]) / DAYS_PER_MONTH)
        made.append(forecasts.normal(mean, sd, y))
    return made


def _events(found: Twins, who: Integers) -> tuple[tuple[Events, ...], Figure, Ratio | None]:
    """Brier scores by day, concordance, and events observed over expected."""
    end, event = found.end
    known = who[np.isfinite(end[who])]
    if not found.endpoint or not len(known):
        return (), UNKNOWN, None
    time, happened, days = end[known], event[known], found.days
    each = [found.event_time(k) for k in known.tolist()]
    free = np.array([(one[:, None] > days).mean(axis=0) for one in each])
    rows = []
    for t, day in enumerate(days.tolist()):
        if (time > day).any():
            of_all = _km(time, happened, day)
            brier = forecasts.brier(free[:, t], time, happened, day)
            rows.append(Events(day, brier, forecasts.brier(np.full(len(time), of_all), time, happened, day)))
    expected = sum(map(expected_events, each, time.tolist()))
    ratio = forecasts.events(int(happened.sum()), expected)
    return tuple(rows), forecasts.concordance(1 - free[:, -1], time, happened), ratio


def expected_events(times: Floats, until: float) -> float:
    """The cumulative hazard of twins until a day: what is expected of a participant followed so long.

    Nelson and Aalen's sum. Twins who are the same simulated person count as one with their weight: taken as one after
    another they would make it −log(survival), which is too high where few people stand behind a participant.
    """
    day, count = np.unique(times[times <= until], return_counts=True)
    if not len(day):
        return 0.0
    before = np.concatenate([[0], np.cumsum(count)[:-1]])
    return float(np.sum(count / (len(times) - before)))


def _km(time: Floats, event: NDArray[np.bool_], day: float) -> float:
    curve = kaplan_meier(time, event)
    k = int(np.searchsorted(curve.time, day, side="right"))
    return float(curve.survival[k - 1]) if k else 1.0
