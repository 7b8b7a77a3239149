"""The result of twins: who was matched, the pool, who of it are whose twins, what was measured of the participants."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.errors import UsageError, absent
from simulator.results.arrays import Group
from simulator.results.files import Writer, text_writer
from simulator.results.kinds import TWINS
from simulator.results.notices import OF_PEOPLE
from simulator.results.study import GroupedResult
from simulator.tables.files import csv_text
from simulator.tables.table import Table, notebook

Floats = NDArray[np.float64]
PROBABILITIES = (0.05, 0.25, 0.5, 0.75, 0.95)


class Participant(NamedTuple):
    """A participant: text `reason` says why there are no twins, "" where there are. See `Twins.participants`."""

    id: str
    arm: str
    matched: bool
    effective: float
    share: float
    first: float
    last: float
    last_day: float
    months_since_onset: float
    treatment_start_day: float
    end: float
    event: bool
    reason: str


class Course(NamedTuple):
    """A row of the table: a participant in an arm on a day.

    `mean` and quantiles `q…` are of the truth among twins alive that day, `m…` of the next measurement (noise, rounding
    and limits as visits have them); `mean_as_if_alive` is over all twins; probabilities are to be free of the event.
    """

    id: str
    arm: str
    day: float
    mean: float
    mean_as_if_alive: float
    q05: float
    q25: float
    q50: float
    q75: float
    q95: float
    m05: float
    m25: float
    m50: float
    m75: float
    m95: float
    alive: float
    event_free: float
    measured: float


class Mean(NamedTuple):
    """Means over participants in an arm on a day; `measured` is of the `n` who were measured."""

    arm: str
    day: float
    mean: float
    m05: float
    m95: float
    event_free: float
    n: int
    measured: float


class Twins(GroupedResult):
    """Untreated and treated courses of each participant of a data set: distributions, in the form of twins.

    `groups` maps a group to its named arrays: `participants`; `pool`, simulated people on days and in arms; `chosen`,
    (participant, twin) positions in the pool; `observed`, what was measured of the participants on these days.
    """

    kind = TWINS

    @property
    def arms(self) -> tuple[str, ...]:
        """Arms of the scenario."""
        return tuple(str(name) for name in self.groups["pool"]["arm"].values)

    @property
    def days(self) -> Floats:
        """[d] days since baseline on which courses are told."""
        return np.asarray(self.groups["pool"]["time"].values, np.float64)

    @property
    def outcome(self) -> str:
        """What courses are of."""
        return str(self.attrs["outcome"])

    @property
    def endpoint(self) -> str:
        """The time to an event of the data; "" where they have none."""
        return str(self.attrs["endpoint"])

    @property
    def until(self) -> int:
        """Day until which measurements were matched."""
        return int(self.attrs["until_day"])

    @property
    def control(self) -> str:
        """The arm that stands for the participants without treatment: the first without epochs, else the control."""
        return str(self.attrs["untreated"])

    @property
    def notes(self) -> list[str]:
        """What was set aside, computed or assumed."""
        return list(json.loads(self.attrs["notes"]))

    @property
    def draws(self) -> int:
        """Parameter vectors behind the twins; 1 where the scenario's own stand alone."""
        return int(self.attrs["draws"])

    @cached_property
    def participants(self) -> list[Participant]:
        """Everybody of the data."""
        group = self.groups["participants"]
        columns = [group[name].values.tolist() for name in Participant._fields]
        kinds = (str, str, bool, *[float] * 8, bool, str)
        return [
            Participant(*(kind(x) for kind, x in zip(kinds, row, strict=True))) for row in zip(*columns, strict=True)
        ]

    @property
    def matched(self) -> NDArray[np.int64]:
        """Positions of the participants who have twins."""
        return np.flatnonzero(self.groups["participants"]["matched"].values)

    @property
    def followed(self) -> bool:
        """Whether anything was measured after matching of somebody who has twins."""
        return bool(np.isfinite(self.observed[self.matched]).any())

    @property
    def unmatched(self) -> list[Participant]:
        """Who has no twins, with the reason."""
        return [one for one in self.participants if not one.matched]

    @property
    def observed(self) -> Floats:
        """(participant, day) what was measured, NaN where nothing was."""
        return np.asarray(self.groups["observed"]["value"].values, np.float64)

    @property
    def end(self) -> tuple[Floats, NDArray[np.bool_]]:
        """(participant,) [d] day of the event or of last contact, and whether it was the event."""
        group = self.groups["participants"]
        return np.asarray(group["end"].values, np.float64), group["event"].values > 0

    def arm_number(self, arm: str | None = None) -> int:
        """Position of an arm; the untreated one by default."""
        name = self.control if arm is None else arm
        if name not in self.arms:
            raise UsageError(absent("arm", name, self.arms, where="the scenario"))
        return self.arms.index(name)

    def chosen(self, participant: int) -> NDArray[np.int64]:
        """(twin,) positions in the pool of a participant's twins."""
        return self.groups["chosen"]["member"].values[participant]

    def draw_of(self, participant: int) -> NDArray[np.int32]:
        """(twin,) the parameter vector of each twin."""
        return self.groups["pool"]["draw"].values[self.chosen(participant)]

    def event_time(self, participant: int, arm: str | None = None) -> Floats:
        """(twin,) [d] day of the event that the data have, infinite where follow-up ends first."""
        return self._event_times[self.arm_number(arm)][self.chosen(participant)]

    @cached_property
    def _event_times(self) -> Floats:
        """(arm, member)."""
        pool = self.groups["pool"]
        if self.endpoint == "death":
            death = pool["death_time"].values
            return np.where(np.isnan(death), np.inf, death)
        return np.where(pool["event"].values > 0, pool["event_free_time"].values, np.inf)

    def measured(self, participant: int, arm: str | None = None) -> Floats:
        """(twin, day) a measurement of each twin, NaN after death or where none can be had."""
        return self._of("measured", participant, arm)

    def truth(self, participant: int, arm: str | None = None) -> Floats:
        """(twin, day) the truth of each twin, as if alive."""
        return self._of("course", participant, arm)

    def alive(self, participant: int, arm: str | None = None) -> NDArray[np.bool_]:
        """(twin, day) who is alive."""
        death = self.groups["pool"]["death_time"].values[self.arm_number(arm)][self.chosen(participant)]
        return ~(death[:, None] <= self.days)

    def _of(self, name: str, participant: int, arm: str | None) -> Floats:
        values = self.groups["pool"][name].values[self.arm_number(arm)]
        return np.asarray(values[self.chosen(participant)], np.float64)

    def courses(self) -> Iterator[Course]:
        """A row for each matched participant, arm and day."""
        days = self.days
        for k in self.matched.tolist():
            for arm in self.arms:
                alive, truth = self.alive(k, arm), self.truth(k, arm)
                told = quantiles(np.where(alive, truth, np.nan)), quantiles(self.measured(k, arm))
                mean = average(np.where(alive, truth, np.nan))
                free = (self.event_time(k, arm)[:, None] > days).mean(axis=0)
                for t, day in enumerate(days.tolist()):
                    numbers = (
                        *(mean[t], truth[:, t].mean(), *told[0][:, t], *told[1][:, t]),
                        *(alive[:, t].mean(), free[t], self.observed[k, t]),
                    )
                    yield Course._make((self.participants[k].id, arm, day, *map(float, numbers)))

    def means(self) -> list[Mean]:
        """Means over matched participants, by arm and day, beside what was measured of them."""
        each: dict[tuple[str, float], list[Course]] = {}
        for row in self.courses():
            each.setdefault((row.arm, row.day), []).append(row)
        found = []
        for (arm, day), rows in each.items():
            told = np.array([(row.mean, row.m05, row.m95, row.event_free) for row in rows])
            seen = np.array([row.measured for row in rows if np.isfinite(row.measured)])
            own = float(seen.mean()) if len(seen) else float("nan")
            found.append(Mean._make((arm, day, *average(told).tolist(), len(seen), own)))
        return found

    def scores(self, day: float | None = None, arm: str | None = None) -> Floats:
        """(participant,) a prognostic score: the expected change from baseline to a day, as if alive.

        Parameters
        ----------
        day : one of `days`, the last by default.
        arm : the untreated one by default.

        Returns
        -------
        ndarray
            NaN for who has no twins.
        """
        t = self.day_number(day)
        found = np.full(len(self.participants), np.nan)
        for k in self.matched.tolist():
            found[k] = self.truth(k, arm)[:, t].mean() - self.participants[k].first
        return found

    def day_number(self, day: float | None) -> int:
        """Position of a day; the last by default."""
        if day is None:
            return len(self.days) - 1
        if day not in self.days:
            raise UsageError(f"courses are not told on day {day:g}, but on {', '.join(f'{d:g}' for d in self.days)}")
        return int(np.searchsorted(self.days, day))

    def table(self) -> tuple[Sequence[str], Iterable[Iterable[Any]]]:
        """Courses of all who were matched: participant, arm and day down."""
        return Course._fields, list(self.courses())

    def score_table(self) -> tuple[Sequence[str], Iterable[Iterable[Any]]]:
        """A row a participant: why not matched, effective number, scores to use as covariates."""
        free = np.full(len(self.participants), np.nan)
        for k in self.matched.tolist():
            free[k] = np.mean(self.event_time(k) > self.days[-1])
        heads = ("id", "arm", "matched", "reason", "effective", f"score_day_{self.days[-1]:g}", "event_free")
        rows = [
            (one.id, one.arm, int(one.matched), one.reason, one.effective, score, own)
            for one, score, own in zip(self.participants, self.scores().tolist(), free.tolist(), strict=True)
        ]
        return heads, rows

    def files(self) -> list[tuple[str, Writer]]:
        """The files of its folder, apart from the manifest."""
        return [*super().files(), ("scores.csv", text_writer(csv_text(*self.score_table())))]

    def __repr__(self) -> str:
        return (
            f"<Twins of {len(self.matched):,} of {len(self.participants):,} participants of {self.attrs['data']}, "
            f"{self.groups['chosen']['member'].values.shape[1]:,} each, arms {', '.join(self.arms)}>"
        )

    def _repr_html_(self) -> str:
        rows = [[row.arm, *(f"{one:.4g}" for one in row[1:])] for row in self.means()]
        return notebook(self.title, "", Table("", Mean._fields, rows), notes=self.lines())

    def lines(self) -> list[str]:
        """What was matched, in a few lines."""
        effective = np.array([self.participants[k].effective for k in self.matched])
        middle = f"{np.median(effective):,.0f} (least {effective.min():,.0f})" if len(effective) else "none"
        return [
            f"{self.attrs['data']}: {len(self.matched):,} of {len(self.participants):,} participants have twins",
            f"measurements to day {self.until} matched; {self.outcome} on days "
            + ", ".join(f"{day:g}" for day in self.days),
            f"effective number of simulated people behind a participant: median {middle}",
            *self.notes,
            OF_PEOPLE,
        ]


def quantiles(values: Floats) -> Floats:
    """(probability, day) of values : (twin, day), NaN left out: the smallest value at which p is reached."""
    ordered = np.sort(values, axis=0)  # NaN last
    count = np.isfinite(values).sum(axis=0)
    at = np.maximum(np.ceil(np.outer(PROBABILITIES, count) - 1e-9).astype(int) - 1, 0)
    found = np.take_along_axis(ordered, at, axis=0)
    return np.where(count > 0, found, np.nan)


def average(values: Floats) -> Floats:
    """(day,) mean of values : (twin, day), NaN left out; NaN where nothing is there."""
    count = np.isfinite(values).sum(axis=0)
    return np.divide(np.nansum(values, axis=0), count, out=np.full(values.shape[1], np.nan), where=count > 0)


def strings(lines: Sequence[str]) -> Group:
    """Lines of text as a group."""
    from simulator.results.arrays import Named, names_of

    return {"line": Named(("row",), names_of(tuple(lines)), {"units": "1", "long_name": "line of the table"})}
