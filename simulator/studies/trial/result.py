"""The result of a trial that was run many times: groups of named arrays, like those of a run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.analysis.replicates import Measure, mean
from simulator.results.kinds import TRIAL
from simulator.results.study import GroupedResult
from simulator.studies.trial.replicates import ESTIMATED

if TYPE_CHECKING:
    from simulator.studies.trial.summary import Row

UNKNOWN = Measure(float("nan"), float("nan"))


class Trial(GroupedResult):
    """What a trial finds when it is run many times.

    `groups` maps a group to its named arrays; `attrs` says what was run. `plot` draws: `trial.plot.forest()`.
    """

    kind = TRIAL

    @property
    def size(self) -> int:
        """Participants enrolled in each replicate."""
        return int(self.attrs["size"])

    @property
    def arms(self) -> tuple[str, str]:
        """Experimental arm and control."""
        return str(self.attrs["experimental"]), str(self.attrs["control"])

    @property
    def analyses(self) -> tuple[str, ...]:
        """Names of the analyses."""
        return tuple(str(name) for name in self.groups["estimates"]["analysis"].values)

    @property
    def days(self) -> tuple[float, ...]:
        """Days of analysis."""
        return tuple(self.groups["estimates"]["analysis_day"].values.tolist())

    @property
    def replicates(self) -> int:
        """Number of replicates."""
        return len(self.groups["estimates"]["replicate"].values)

    @property
    def estimand(self) -> dict[str, Any] | None:
        """What the trial is to estimate, where the scenario says so: the five attributes of ICH E9(R1)."""
        return dict(json.loads(self.attrs["estimand"])) if self.attrs["estimand"] else None

    @property
    def estimands(self) -> dict[str, dict[str, Any]]:
        """What each analysis estimates, by its name."""
        return dict(json.loads(self.attrs["estimands"]))

    def estimates(self, analysis: str, day: float | None = None, group: str = "estimates") -> dict[str, np.ndarray]:
        """The estimates of an analysis on a day, the first by default, (replicate,): value, se, lower, upper, p, n.

        `group` is `null` for the trial without an effect.
        """
        a, d = self._place(analysis, day)
        return {name: self.groups[group][name].values[:, a, d] for name in ESTIMATED}

    def measure(self, analysis: str, name: str, day: float | None = None) -> Measure:
        """A measure of `simulator.studies.trial.measures.MEASURES`, with its Monte Carlo error."""
        group, (a, d) = self.groups["performance"], self._place(analysis, day)
        m = [str(one) for one in group["measure"].values].index(name)
        return Measure(float(group["value"].values[a, d, m]), float(group["mcse"].values[a, d, m]))

    def truth(self, analysis: str, day: float | None = None) -> Measure:
        """The true value of what an analysis estimates, over all draws."""
        if "truth" not in self.groups:
            return UNKNOWN
        (a, d), group = self._place(analysis, day), self.groups["truth"]
        value, error = group["value"].values[:, a, d], group["mcse"].values[:, a, d]
        return Measure(float(value.mean()), float(np.sqrt((error**2).sum()) / len(error)))

    def needed(self, analysis: str, day: float | None = None) -> dict[float, Measure]:
        """Participants needed for each power that was asked for."""
        if "needed" not in self.groups:
            return {}
        (a, d), group = self._place(analysis, day), self.groups["needed"]
        pairs = zip(group["value"].values[a, d], group["mcse"].values[a, d], strict=True)
        return {float(t): Measure(float(v), float(e)) for t, (v, e) in zip(group["target"].values, pairs, strict=True)}

    def count(self, name: str, side: int, day: float | None = None) -> Measure:
        """A count of an arm (0 experimental, 1 control), mean over replicates."""
        d = 0 if day is None else self.days.index(day)
        return mean(self.groups["counts"][name].values[:, d, side])

    def missing(self, day: float | None = None, side: int | None = None) -> Measure:
        """Share of participants without the event who were not measured at the last visit; of an arm, or of both."""
        d, group = 0 if day is None else self.days.index(day), self.groups["counts"]
        sides = [0, 1] if side is None else [side]
        absent, events, there = (
            group[name].values[:, d][:, sides].sum(axis=-1) for name in ("missing", "events", "participants")
        )
        return mean(absent / np.maximum(there - events, 1))

    def duration(self, day: float | None = None) -> Measure:
        """Days of the calendar from the first enrolment until everybody's analysis is in."""
        d = 0 if day is None else self.days.index(day)
        return mean(self.groups["counts"]["duration_days"].values[:, d])

    def summary_rows(self) -> list[Row]:
        """All figures as tidy rows."""
        from simulator.studies.trial.summary import rows

        return rows(self)

    def table(self) -> tuple[Sequence[str], Iterable[Iterable[Any]]]:
        """All figures: analysis, metric, day, estimate, interval, Monte Carlo standard error, n."""
        from simulator.studies.trial.summary import Row

        return Row._fields, self.summary_rows()

    def _place(self, name: str, day: float | None) -> tuple[int, int]:
        if name not in self.analyses:
            raise KeyError(f"no analysis {name!r}; there are {', '.join(self.analyses)}")
        if day is not None and day not in self.days:
            raise KeyError(f"no day {day:g}; there are {', '.join(f'{one:g}' for one in self.days)}")
        return self.analyses.index(name), 0 if day is None else self.days.index(day)

    def __repr__(self) -> str:
        return (
            f"<Trial {self.title!r}: {self.replicates:,} replicates of {self.size:,} participants, "
            f"{', '.join(self.analyses)}, seed {self.seed}>"
        )

    def _repr_html_(self) -> str:
        from simulator.studies.trial.html import html

        return html(self)
