"""The result of a trial that was run many times: groups of named arrays, like those of a run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.analysis.intervals import mean_interval
from simulator.analysis.replicates import UNKNOWN, Measure, mean, mean_known
from simulator.errors import absent
from simulator.results.arrays import Group
from simulator.results.kinds import TRIAL
from simulator.results.study import GroupedResult
from simulator.studies.trial.rows import ESTIMATED

if TYPE_CHECKING:
    from simulator.studies.trial.summary import Row


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
    def vectors(self) -> np.ndarray | None:
        """(replicate,) the vector of the ensemble that each takes; None where there are no draws."""
        found = self.groups["estimates"].get("vector")
        return None if found is None else found.values

    @property
    def power_word(self) -> str:
        """What the share that claims benefit is called: averaged over draws of the parameters it is assurance."""
        return "power" if self.vectors is None else "assurance"

    @property
    def a_power(self) -> str:
        """The same with its article."""
        return "a power" if self.vectors is None else "an assurance"

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

        Parameters
        ----------
        analysis : str
            Its name, such as `ancova`.
        day : float, optional
            Day of analysis [d]; the first by default.
        group : {"estimates", "null"}
            The trial as it is, or without an effect.

        Returns
        -------
        dict of str to ndarray, shape (n_replicates,)
            By the names above; NaN where nothing could be estimated.
        """
        a, d = self._place(analysis, day)
        return {name: self.groups[group][name].values[:, a, d] for name in ESTIMATED}

    def measure(self, analysis: str, name: str, day: float | None = None) -> Measure:
        """A measure of `simulator.studies.trial.measures.MEASURES`, with its Monte Carlo error.

        Parameters
        ----------
        analysis : str
            Its name, such as `ancova`.
        name : str
            One of MEASURES, such as `power`.
        day : float, optional
            Day of analysis [d]; the first by default.

        Returns
        -------
        Measure
            Value and Monte Carlo standard error.
        """
        group = self.groups["performance"]
        m = [str(one) for one in group["measure"].values].index(name)
        return _at(group, (*self._place(analysis, day), m))

    def mean(self, analysis: str, day: float | None = None) -> Measure:
        """The mean of the estimates of an analysis.

        Parameters
        ----------
        analysis : str
            Its name, such as `ancova`.
        day : float, optional
            Day of analysis [d]; the first by default.

        Returns
        -------
        Measure
            Value and Monte Carlo standard error.
        """
        return mean_known(self.estimates(analysis, day)["value"], self.vectors)

    def truth(self, analysis: str, day: float | None = None) -> Measure:
        """The true value of what an analysis estimates; over draws their mean, whose error is that over draws.

        Parameters
        ----------
        analysis : str
            Its name, such as `ancova`.
        day : float, optional
            Day of analysis [d]; the first by default.

        Returns
        -------
        Measure
            Value and Monte Carlo standard error.
        """
        if "truth" not in self.groups:
            return UNKNOWN
        (a, d), group = self._place(analysis, day), self.groups["truth"]
        value, error = group["value"].values[:, a, d], group["mcse"].values[:, a, d]
        return mean(value) if len(value) > 1 else _of_parts(value[0], error[0], int(self.attrs["truth_parts"]))

    def fact(self, name: str, day: float | None = None) -> Measure:
        """A fact of the population by its name in `simulator.analysis.trial.truth.QUANTITIES`.

        Parameters
        ----------
        name : str
            One of QUANTITIES.
        day : float, optional
            Day of analysis [d]; the first by default.

        Returns
        -------
        Measure
            Value and Monte Carlo standard error.
        """
        group, d = self.groups["population"], 0 if day is None else self.days.index(day)
        k = [str(one) for one in group["quantity"].values].index(name)
        draws = len(self.groups["truth"]["draw"].values)
        count = draws if draws > 1 else int(self.attrs["truth_parts"])
        return _of_parts(group["value"].values[k, d], group["mcse"].values[k, d], count)

    def power(self, analysis: str, day: float | None = None) -> dict[int, Measure]:
        """The power at each size that was looked at.

        Parameters
        ----------
        analysis : str
            Its name, such as `ancova`.
        day : float, optional
            Day of analysis [d]; the first by default.

        Returns
        -------
        dict of int to Measure
            Power by size.
        """
        if "power" not in self.groups:
            return {}
        (a, d), group = self._place(analysis, day), self.groups["power"]
        return {size: _at(group, (a, d, k)) for k, size in enumerate(group["size"].values.tolist())}

    def needed(self, analysis: str, day: float | None = None) -> dict[float, Measure]:
        """Participants needed for each power that was asked for.

        Parameters
        ----------
        analysis : str
            Its name, such as `ancova`.
        day : float, optional
            Day of analysis [d]; the first by default.

        Returns
        -------
        dict of float to Measure
            Participants by power.
        """
        if "needed" not in self.groups:
            return {}
        (a, d), group = self._place(analysis, day), self.groups["needed"]
        return {target: _at(group, (a, d, k)) for k, target in enumerate(group["target"].values.tolist())}

    @property
    def family(self) -> dict[str, tuple[Measure, Measure]]:
        """Power and error without an effect of each claim of the trial's family, of any, of all; {} without one.

        The error of a claim counts claims of harm too where the test has two sides.
        """
        group = self.groups.get("family")
        if group is None:
            return {}
        parts = [[group[f"{kind}_{name}"].values for name in Measure._fields] for kind in ("power", "error")]
        return {
            str(claim): (Measure(*(x[k] for x in parts[0])), Measure(*(x[k] for x in parts[1])))
            for k, claim in enumerate(group["claim"].values)
        }

    def count(self, name: str, side: int, day: float | None = None) -> Measure:
        """A count of an arm (0 experimental, 1 control), mean over replicates.

        Parameters
        ----------
        name : str
            Such as `events`.
        side : int
            0 experimental, 1 control.
        day : float, optional
            Day of analysis [d]; the first by default.

        Returns
        -------
        Measure
            Value and Monte Carlo standard error.
        """
        d = 0 if day is None else self.days.index(day)
        return mean(self.groups["counts"][name].values[:, d, side], self.vectors)

    def missing(self, day: float | None = None, side: int | None = None) -> Measure:
        """Share of participants without the event who were not measured at the last visit; of an arm, or of both.

        Parameters
        ----------
        day : float, optional
            Day of analysis [d]; the first by default.
        side : int, optional
            0 experimental, 1 control; both by default.

        Returns
        -------
        Measure
            Value and Monte Carlo standard error.
        """
        d, group = 0 if day is None else self.days.index(day), self.groups["counts"]
        sides = [0, 1] if side is None else [side]
        absent, events, there = (
            group[name].values[:, d][:, sides].sum(axis=-1) for name in ("missing", "events", "participants")
        )
        return mean(absent / np.maximum(there - events, 1), self.vectors)

    def duration(self, day: float | None = None) -> Measure:
        """Days of the calendar from the first enrolment until everybody's analysis is in.

        Parameters
        ----------
        day : float, optional
            Day of analysis [d]; the first by default.

        Returns
        -------
        Measure
            Days [d] and their Monte Carlo standard error.
        """
        d = 0 if day is None else self.days.index(day)
        return mean(self.groups["counts"]["duration_days"].values[:, d], self.vectors)

    def summary_rows(self) -> list[Row]:
        """All figures as tidy rows.

        Returns
        -------
        list of Row
            In the order of analyses, days and measures.
        """
        from simulator.studies.trial.summary import rows

        return rows(self)

    def table(self) -> tuple[Sequence[str], Iterable[Iterable[Any]]]:
        """All figures: analysis, metric, day, estimate, interval, Monte Carlo standard error, n.

        Returns
        -------
        tuple
            Heads; rows in their order.
        """
        from simulator.studies.trial.summary import Row

        return Row._fields, self.summary_rows()

    def _place(self, name: str, day: float | None) -> tuple[int, int]:
        if name not in self.analyses:
            raise KeyError(absent("analysis", name, self.analyses, "analyses"))
        if day is not None and day not in self.days:
            raise KeyError(absent("day", day, self.days))
        return self.analyses.index(name), 0 if day is None else self.days.index(day)

    def __repr__(self) -> str:
        return (
            f"<Trial {self.title!r}: {self.replicates:,} replicates of {self.size:,} participants, "
            f"{', '.join(self.analyses)}, seed {self.seed}>"
        )

    def _repr_html_(self) -> str:
        from simulator.studies.trial.html import html

        return html(self)


def _at(group: Group, place: tuple[int, ...]) -> Measure:
    """A figure of a group with its error and interval."""
    return Measure(*(float(group[name].values[place]) for name in Measure._fields))


def _of_parts(value: float, error: float, parts: int) -> Measure:
    """A figure whose error is that over so many parts."""
    return Measure(float(value), float(error), *map(float, mean_interval(value, error, parts)))
