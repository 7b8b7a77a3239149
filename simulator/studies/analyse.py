"""The analyses of a trial on the data of real people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from inspect import signature
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulator.analysis.survival import Curve, kaplan_meier
from simulator.analysis.trial.data import TrialData, until
from simulator.analysis.trial.errors import AnalysisError, NotEstimableError
from simulator.analysis.trial.estimand import Strategy
from simulator.analysis.trial.estimate import Estimate
from simulator.analysis.trial.reading import Contrast, Read, Wanted, from_dataset
from simulator.analysis.trial.registry import Analysis, analysis
from simulator.datasets import Dataset, Note
from simulator.datasets.reading import read_data
from simulator.results.kinds import imported

if TYPE_CHECKING:
    from simulator.studies.twins.result import Twins

DEFAULT = ("ancova", "joint_rank")
NOTHING: Mapping[str, Any] = MappingProxyType({})
NOTICE = "For research, not for treatment decisions."
TICKS = 6


class Row(NamedTuple):
    """What an analysis found, or why it could not: `left_out` participants are not behind the estimate."""

    analysis: str
    measure: str
    estimate: Estimate | None
    refused: str
    left_out: int


class Arm(NamedTuple):
    """An arm: its participants, how many had the event, left before it, were not measured at the last visit."""

    name: str
    participants: int
    events: int
    left: int
    not_measured: int
    mean_days: float
    curve: Curve
    time: np.ndarray

    def at_risk(self, day: float) -> int:
        """How many are free of the event and under observation on a day."""
        return int((self.time >= day).sum())


class Followed(NamedTuple):
    """Participants who were followed to an event, by arm: what a picture of survival needs."""

    name: str
    endpoint: str
    day: float
    arms: tuple[Arm, ...]


@dataclass(frozen=True)
class Analysed:
    """Analyses of a data set: `rows` in the order asked, `arms` experimental and control, `notes` what was left out.

    `day` is the last day that counts; `visit` the planned day of the last visit; `endpoint` is "" where the data have
    no events.
    """

    name: str
    outcome: str
    endpoint: str
    day: float
    visit: float
    rows: tuple[Row, ...]
    arms: tuple[Arm, Arm]
    notes: tuple[Note, ...]

    @cached_property
    def plot(self) -> Any:
        """Its pictures: `found.plot.forest()`, `found.plot.survival()`."""
        return imported("simulator.report.plots.analysed:AnalysedPlots")(self)

    @property
    def days(self) -> list[float]:
        """Days of the table of survival, the last of follow-up among them."""
        return [round(one, 6) for one in np.linspace(0, self.day, TICKS + 1).tolist()]

    def document(self) -> dict[str, Any]:
        """Everything as plain data.

        Returns
        -------
        dict
            Data, estimates, survival and notes, for JSON.
        """
        return {
            "data": self.name,
            "experimental": self.arms[0].name,
            "control": self.arms[1].name,
            "outcome": self.outcome,
            "endpoint": self.endpoint or None,
            "day": self.day,
            "visit": self.visit,
            "analyses": [_told(row, self.endpoint) for row in self.rows],
            "arms": [_arm_told(arm, self.days) for arm in self.arms],
            "notes": [note._asdict() for note in self.notes],
            "notice": NOTICE,
        }

    def _repr_html_(self) -> str:
        from html import escape

        cells = ("analysis", "estimate", "lower", "upper", "p", "n", "left_out")
        body = ""
        for row in self.document()["analyses"]:
            texts = [f"{row[key]:.4g}" if isinstance(row[key], float) else str(row[key]) for key in cells]
            body += "<tr>" + "".join(f"<td>{escape(text)}</td>" for text in texts) + "</tr>"
        head = "".join(f"<th>{escape(key)}</th>" for key in cells)
        arms = " against ".join(escape(arm.name) for arm in self.arms)
        notes = "".join(f"<li>{escape(str(note))}</li>" for note in self.notes)
        return (
            f"<h4>{escape(self.name)}: {arms}</h4><table><tr>{head}</tr>{body}</table><ul>{notes}</ul><p>{NOTICE}</p>"
        )


def _told(row: Row, endpoint: str) -> dict[str, Any]:
    """An analysis as plain data; the interval is on the scale that people quote."""
    from simulator.studies.trial.estimands import estimated_by, told

    found: dict[str, Any] = {"analysis": row.analysis, "measure": row.measure, "refused": row.refused or None}
    one = row.estimate
    keys = ("estimate", "lower", "upper", "se", "scale", "df", "p", "n", "method")
    if one is None:
        found |= dict.fromkeys(keys)
    else:
        value, lower, upper = one.natural
        df = one.df if np.isfinite(one.df) else None
        found |= dict(zip(keys, (value, lower, upper, one.se, one.scale, df, one.p, one.n, one.method), strict=True))
    return found | {"left_out": row.left_out, "estimand": told(estimated_by(row.analysis, endpoint))}


def _arm_told(arm: Arm, days: Sequence[float]) -> dict[str, Any]:
    counts = {key: getattr(arm, key) for key in ("name", "participants", "events", "left", "not_measured", "mean_days")}
    curve = [{"day": day, "free": survival(arm.curve, day), "at_risk": arm.at_risk(day)} for day in days]
    return {**counts, "survival": curve}


def survival(curve: Curve, day: float) -> float:
    """The probability to be free of the event on a day."""
    k = int(np.searchsorted(curve.time, day, side="right"))
    return float(curve.survival[k - 1]) if k else 1.0


def analyse(
    data: Dataset | str | Path | Sequence[str | Path],
    analyses: Sequence[str] = DEFAULT,
    *,
    arms: Sequence[str] | None = None,
    day: float | None = None,
    outcome: str = "alsfrs_r",
    endpoint: str = "",
    covariates: Sequence[str] = (),
    visits: Sequence[float] = (),
    window: float = 14.0,
    options: Mapping[str, Mapping[str, Any]] = NOTHING,
    scores: Twins | str | Path | None = None,
) -> Analysed:
    """The analyses of `trial`, on the data of real people.

    Parameters
    ----------
    data : a data set, or files for `read_data`.
    analyses : names, such as `mmrm`.
    arms : the experimental arm and control. Which is which is never guessed from names.
    day : [d] last day that counts; the last visit is the planned one nearest to it, within `window`. By default all
        of follow-up.
    outcome : what function is measured by.
    endpoint : `event_free`, `death` or another time of the data; the first of these that they have by default.
    covariates : of every analysis that takes some.
    visits : [d] planned days, where the data have none or others are wanted; measurements within `window` belong to
        the nearest.
    window : [d] how far a measurement may lie from its planned day.
    options : options of analyses by name, such as `{"responder": {"least_change": -6}}`.
    scores : twins matched at baseline, or their folder: the prognostic scores of `ancova_prognostic` and
        `mmrm_prognostic`, and the covariate `prognostic_score`.

    Returns
    -------
    Analysed
        Estimates with their estimands, survival by arm, what was left out.

    Raises
    ------
    DataError
        The files cannot be used as they are.
    AnalysisError
        There is no such analysis, arm, outcome, endpoint, covariate or visit.

    Examples
    --------
    >>> import simulator as sim
    >>> found = sim.analyse("trial/", ["mmrm", "cox"], arms=["drug", "placebo"], day=364)  # doctest: +SKIP
    >>> found.rows[0].estimate.value  # doctest: +SKIP
    0.41
    """
    if not isinstance(data, Dataset):
        data = read_data(*([data] if isinstance(data, str | Path) else data))
    wanted = [analysis(name) for name in dict.fromkeys(analyses)]
    if unknown := [name for name in options if name not in analyses]:
        raise AnalysisError(f"options of {unknown[0]}: this analysis is not run. Add it to the analyses")
    contrast = _contrast(data, arms)
    read = from_dataset(data, Wanted(contrast, outcome, endpoint, tuple(visits), window))
    notes = [*data.notes, *read.notes]
    if scores is not None:
        read = read._replace(data=_scored(data, read, contrast, scores, notes))
    known, last = _until(read.data, day, window)
    if day is not None and last != day:
        notes.append(Note(1, "visit", f"day {day:g} is the visit planned for day {last:g}, within {window:g} d"))
    rows = tuple(_row(one, known, read.endpoint, covariates, options.get(one.name, {})) for one in wanted)
    end = float(known.time.max()) if day is None else max(day, last)
    pair = _arm(known, contrast.experimental, 1, end), _arm(known, contrast.control, 0, end)
    return Analysed(data.name, outcome, read.endpoint, end, last, rows, pair, tuple(notes))


def _contrast(data: Dataset, arms: Sequence[str] | None) -> Contrast:
    if arms is None or len(arms) != 2 or len(set(arms)) != 2:
        there = ", ".join(data.arms) or "none"
        raise AnalysisError(f"which arms are compared? There are {there}. Name two, the experimental one first")
    return Contrast(*arms)


def _scored(data: Dataset, read: Read, contrast: Contrast, scores: Twins | str | Path, notes: list[Note]) -> TrialData:
    """The data of the two arms with the scores of their twins."""
    from simulator.studies.twins.scores import scores_of

    found = scores_of(data, read.data.nominal_day, scores)
    notes.extend(found.notes)
    return read.data._replace(expected=found.expected[np.isin(data.participants.arm, list(contrast))])


def _until(data: TrialData, day: float | None, window: float) -> tuple[TrialData, float]:
    """What is known by the day, and the planned day of the last visit."""
    if day is None:
        return data, float(data.nominal_day[-1])
    last = float(data.nominal_day[np.abs(data.nominal_day - day).argmin()])
    if abs(last - day) > window or last <= 0:
        planned = ", ".join(f"{one:g}" for one in data.nominal_day[1:])
        raise AnalysisError(f"no visit is planned within {window:g} d of day {day:g}. Choose from {planned}")
    known = until(data, max(day, last))
    kept = known.nominal_day <= last
    expected = None if known.expected is None else known.expected[:, kept]
    return known._replace(
        nominal_day=known.nominal_day[kept],
        day=known.day[:, kept],
        outcome=known.outcome[:, kept],
        expected=expected,
    ), last


def _row(one: Analysis, data: TrialData, endpoint: str, covariates: Sequence[str], options: Mapping[str, Any]) -> Row:
    """One analysis, or why it cannot be done."""
    found = dict(options)
    takes = signature(one.run).parameters
    if covariates and "covariates" in takes:
        found.setdefault("covariates", tuple(covariates))
    if options:
        from simulator.studies.trial.plan import check_options

        check_options(one.name, options)
    if not endpoint and one.estimand.death in {Strategy.COMPOSITE, Strategy.WHILE_ALIVE}:
        return Row(one.name, one.measure, None, "the data have no events", data.n)
    try:
        estimate = one.run(data, **found)
    except NotEstimableError as error:
        return Row(one.name, one.measure, None, str(error), data.n)
    return Row(one.name, one.measure, estimate, "", data.n - estimate.n)


def _arm(data: TrialData, name: str, code: int, end: float) -> Arm:
    """The counts and the survival of an arm."""
    rows = data.arm == code
    absent = int((~data.event[rows] & ~np.isfinite(data.outcome[rows, -1])).sum())
    return arm_of(name, data.time[rows], data.event[rows], end)._replace(not_measured=absent)


def arm_of(name: str, time: np.ndarray, event: np.ndarray, end: float) -> Arm:
    """An arm from its times and events."""
    left = int((~event & (time < end)).sum())
    return Arm(name, len(time), int(event.sum()), left, 0, float(time.mean()), kaplan_meier(time, event), time)
