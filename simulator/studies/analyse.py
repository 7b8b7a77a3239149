"""The analyses of a trial on the data of real people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from inspect import signature
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.analysis.trial import earlier as borrowing
from simulator.analysis.trial.data import TrialData, until
from simulator.analysis.trial.errors import AnalysisError, NotEstimableError
from simulator.analysis.trial.estimand import Strategy
from simulator.analysis.trial.reading import Contrast, Read, Selection, from_dataset
from simulator.analysis.trial.registry import Analysis, analysis
from simulator.datasets import Dataset, Note
from simulator.datasets.reading import read_data
from simulator.datasets.tidy import as_lines, from_lines
from simulator.language.earlier import earlier_controls
from simulator.studies.analysed import Analysed, Arm, Row, Scored, arm_of
from simulator.studies.trial.borrowed import of_written

if TYPE_CHECKING:
    from simulator.studies.twins.result import Twins

DEFAULT = ("ancova", "joint_rank")
NOTHING: Mapping[str, Any] = MappingProxyType({})


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
    scores: Twins | Scored | str | Path | None = None,
    earlier: str | Path | Sequence[Mapping[str, Any]] = (),
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
    earlier : earlier controls that analyses borrow: a YAML file with the key `earlier_controls`, as in the block
        `trial` of a scenario, or a list of such mappings.

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
    asked: dict[str, Any] = {
        "analyses": list(analyses),
        "arms": None if arms is None else list(arms),
        "day": day,
        "outcome": outcome,
        "endpoint": endpoint,
        "covariates": list(covariates),
        "visits": list(visits),
        "window": window,
        "options": {name: dict(one) for name, one in options.items()},
    }
    written = earlier_controls(earlier) if earlier else []
    if written:
        asked["earlier"] = [one.model_dump(mode="json", exclude_none=True) for one in written]
    wanted = [analysis(name) for name in dict.fromkeys(analyses)]
    if unknown := [name for name in options if name not in analyses]:
        raise AnalysisError(f"options of {unknown[0]}: this analysis is not run. Add it to the analyses")
    contrast = _contrast(data, arms)
    read = from_dataset(data, Selection(contrast, outcome, endpoint, tuple(visits), window))
    notes, scored = [*data.notes, *read.notes], None
    if scores is not None:
        read, scored = _scored(data, read, contrast, scores)
        notes.extend(Note(*note) for note in scored["notes"])
    known, last = _until(read.data, day, window)
    if day is not None and last != day:
        notes.append(Note(1, "visit", f"day {day:g} is the visit planned for day {last:g}, within {window:g} d"))
    known = known._replace(earlier=of_written(written, outcome, read.endpoint))
    for one in wanted:
        _check_borrowed(one, known, options.get(one.name, {}))
    rows = tuple(_row(one, known, read.endpoint, covariates, options.get(one.name, {})) for one in wanted)
    end = float(known.time.max()) if day is None else max(day, last)
    pair = _arm(known, contrast.experimental, 1, end), _arm(known, contrast.control, 0, end)
    return Analysed(
        data.name,
        outcome,
        read.endpoint,
        end,
        last,
        rows,
        pair,
        tuple(notes),
        lines=as_lines(data),
        arguments=asked,
        data_notes=tuple(data.notes),
        data_files=data.files,
        scored=scored,
    )


def _contrast(data: Dataset, arms: Sequence[str] | None) -> Contrast:
    if arms is None or len(arms) != 2 or len(set(arms)) != 2:
        there = ", ".join(data.arms) or "none"
        raise AnalysisError(f"which arms are compared? There are {there}. Name two, the experimental one first")
    return Contrast(*arms)


def again(stored: Analysed) -> Analysed:
    """The analyses that a stored result came from, on the data that it holds."""
    data = from_lines(stored.lines, stored.name)._replace(notes=stored.data_notes, files=stored.data_files)
    scores = None
    if stored.scored is not None:
        expected = np.array(stored.scored["expected"], np.float64)  # None is NaN
        scores = Scored(expected, tuple(Note(*note) for note in stored.scored["notes"]))
    return analyse(data, **stored.arguments, scores=scores)


def _check_borrowed(one: Analysis, data: TrialData, options: Mapping[str, Any]) -> None:
    """Refuse to borrow what is not there."""
    if one.borrows is not None:
        one.borrows.prior(options)
        if one.borrows.what != "scores":
            borrowing.known(data.earlier, one.borrows.what, float(data.nominal_day[-1]), one.name)


def _scored(
    data: Dataset, read: Read, contrast: Contrast, scores: Twins | Scored | str | Path
) -> tuple[Read, dict[str, Any]]:
    """What was read of the two arms with the scores of their twins, and the scores as plain data."""
    from simulator.studies.twins.scores import scores_of

    found = scores if isinstance(scores, Scored) else scores_of(data, read.data.nominal_day, scores)
    mine = np.isin(data.participants.arm, list(contrast))
    told = {"expected": found.expected.tolist(), "notes": [[*note] for note in found.notes]}
    return read._replace(data=read.data._replace(expected=found.expected[mine])), told


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
