"""Prognostic scores as a covariate of analyses: what is called PROCOVA.

References
----------
Schuler et al. (2022), Increasing the efficiency of randomized trial estimates via linear adjustment for a prognostic
score, doi:10.1515/ijb-2021-0072.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from simulator.datasets import Dataset, Note
from simulator.errors import UsageError
from simulator.results.opening import open_study
from simulator.studies.twins.result import Twins

SCORE = "prognostic_score"
"""Name of the covariate."""


def with_scores(data: Dataset, twins: Twins | str | Path, day: float | None = None) -> Dataset:
    """The data set with the covariate `prognostic_score`: the change that twins expect untreated.

    Parameters
    ----------
    data : the participants, by id those of the twins.
    twins : matched at baseline; or their folder.
    day : [d] the score is of the told day nearest to it; the last by default.

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
    at = float(found.days[-1]) if day is None else float(found.days[np.abs(found.days - day).argmin()])
    by_id = dict(zip((one.id for one in found.participants), found.scores(at).tolist(), strict=True))
    score = np.array([by_id.get(str(one), np.nan) for one in data.participants.id])
    if not np.isfinite(score).any():
        raise UsageError("nobody of the data has a score. Are they the participants of the twins?")
    notes = [Note(int(np.isfinite(score).sum()), "scores", f"the change that untreated twins expect by day {at:g}")]
    if lacking := int((~np.isfinite(score)).sum()):
        notes.append(Note(lacking, "participants", "without twins and so without a score: left out where it is used"))
    people = data.participants._replace(covariates={**data.participants.covariates, SCORE: score})
    return data._replace(participants=people, notes=(*data.notes, *notes))
