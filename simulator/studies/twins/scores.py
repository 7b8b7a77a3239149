"""Prognostic scores of real participants, from their twins: what is called PROCOVA.

References
----------
Schuler et al. (2022), Increasing the efficiency of randomized trial estimates via linear adjustment for a prognostic
score, doi:10.1515/ijb-2021-0072.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from simulator.datasets import Dataset, Note
from simulator.errors import UsageError
from simulator.results.opening import open_study
from simulator.studies.analysed import Scored
from simulator.studies.twins.result import Twins

Floats = NDArray[np.float64]


def scores_of(data: Dataset, visits: Floats, twins: Twins | str | Path) -> Scored:
    """The prognostic scores of participants at planned visits.

    Parameters
    ----------
    data : the participants, by id those of the twins.
    visits : (v,) [d] planned days; each takes the told day nearest to it, baseline that of no change.
    twins : matched at baseline; or their folder.

    Raises
    ------
    UsageError
        Something else is there, twins know of what was measured after baseline, or nobody of the data has a score.
    """
    found = twins if isinstance(twins, Twins) else open_study(twins)
    if not isinstance(found, Twins):
        raise UsageError(f"{twins} is {found.kind.title}. Name the folder of als-sim twins")
    if found.until > 0:
        fact = f"these twins know what was measured to day {found.until}, which treatment may have changed"
        raise UsageError(f"{fact}. Match baseline alone: --until-day 0")
    near = [float(found.days[np.abs(found.days - day).argmin()]) for day in visits]
    each = {day: found.scores(day) for day in {*near[1:]}}
    none = np.where(np.isfinite(found.scores()), 0.0, np.nan)
    by_visit = np.stack([none, *(each[day] for day in near[1:])], axis=1)
    place = {one.id: k for k, one in enumerate(found.participants)}
    rows = np.array([place.get(str(one), -1) for one in data.participants.id])
    expected = np.where(rows[:, None] >= 0, by_visit[rows], np.nan)
    has = np.isfinite(expected[:, -1])
    if not has.any():
        raise UsageError("nobody of the data has a score. Are they the participants of the twins?")
    told = f"the change that untreated twins expect, of the last visit that by day {near[-1]:g}"
    notes = [Note(int(has.sum()), "scores", told)]
    if lacking := int((~has).sum()):
        notes.append(Note(lacking, "participants", "without twins and so without a score: left out where it is used"))
    far = [f"{day:g} (day {at:g})" for day, at in zip(visits[1:].tolist(), near[1:], strict=True) if abs(day - at) >= 1]
    if far:
        notes.append(Note(len(far), "visits", f"take the score of the told day nearest to them: {', '.join(far)}"))
    return Scored(expected, tuple(notes))
