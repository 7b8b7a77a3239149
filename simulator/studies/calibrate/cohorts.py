"""Whose patients the fitted summaries are: the covariance of one cohort's summaries, and cohorts that are drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.analysis import contrast
from simulator.catalog.targets import Target
from simulator.studies.calibrate.rows import Datum
from simulator.studies.evidence.sample import Figure, Floats, Sample
from simulator.studies.evidence.score import Runs, in_published_unit, sample
from simulator.studies.evidence.statistics import STATISTICS

Cohorts = Mapping[str, Mapping[str, Mapping[str, float]]]
"""Participants by run, group and arm; a group "" is everybody."""
Mask = NDArray[np.bool_]


class Cell(NamedTuple):
    """Participants of one group in one arm; two cells have nobody in common."""

    group: str
    arm: str
    n: float


class Share(NamedTuple):
    """What the participants of a cell add to a summary: each simulated one's contribution, and that of measuring.

    `noise` is the SD of one participant's measured change, with the sign of the contribution.
    """

    people: Floats
    noise: float


def covariance(data: Sequence[Datum], runs: Runs, cohorts: Cohorts) -> Floats:
    """Sampling covariance of the summaries of the published cohorts, (n_data, n_data).

    Every participant moves every summary that counts them, by the influence function of the statistic over the number
    of participants behind it; participants of one cell are independent, cells and cohorts are too. The composition of
    a cohort is as published, hence contributions are centred in each cell. A change from baseline shares the error of
    its first measurement with every other change of that variable. A summary without influences is left out: 0.
    """
    total = np.zeros((len(data), len(data)))
    for run, groups in cohorts.items():
        for cell in _cells(groups):
            found = {k: _share(one.target, cell, groups, runs) for k, one in enumerate(data) if one.target.run == run}
            shares = {k: share for k, share in found.items() if share is not None}
            if not shares:
                continue
            at = np.ix_(list(shares), list(shares))
            people = np.array([share.people - share.people.mean() for share in shares.values()])
            total[at] += cell.n * people @ people.T / people.shape[1]
            total[at] += cell.n * _noise([data[k].target for k in shares], list(shares.values()))
    return total


def _cells(groups: Mapping[str, Mapping[str, float]]) -> list[Cell]:
    return [Cell(group, arm, n) for group, arms in groups.items() for arm, n in arms.items()]


def _covered(target: Target, arm: str, groups: Mapping[str, Mapping[str, float]]) -> list[Cell]:
    """The cells whose participants a target counts in an arm."""
    return [cell for cell in _cells(groups) if cell.arm == arm and target.group in ("", cell.group)]


def _share(target: Target, cell: Cell, groups: Mapping[str, Mapping[str, float]], runs: Runs) -> Share | None:
    """A summary's share of a cell, or None: it does not count its participants, or has no influences."""
    sign = {target.against: -1.0, target.arm: 1.0}.get(cell.arm, 0.0)
    covered = _covered(target, cell.arm, groups)
    if not sign or cell not in covered:
        return None
    own = sample(target, runs, cell.arm)
    found = STATISTICS[target.statistic](own)
    if found.estimate.influence is None or len(found.estimate.influence) != own.size:
        return None
    sign *= -1 if target.scale == "percent_lower" else 1
    weight = sign / sum(one.n for one in covered)
    inside = sample(target.model_copy(update={"group": cell.group}), runs, cell.arm).who[own.who]
    return Share(weight * found.estimate.influence[inside], weight * _sd_of_noise(found, own.size))


def _sd_of_noise(found: Figure, size: int) -> float:
    """SD that measuring adds to one participant's change."""
    return float(np.sqrt(max(found.person - found.estimate.mcse**2 * size, 0.0)))


def _noise(targets: Sequence[Target], shares: Sequence[Share]) -> Floats:
    """Changes of one variable have their first measurement in common, on one day both."""
    same = np.array(
        [[(a.endpoint == b.endpoint) * (1 + (a.week == b.week)) / 2 for b in targets] for a in targets], np.float64
    )
    sd = np.array([share.noise for share in shares])
    return np.asarray(same * np.outer(sd, sd), np.float64)


def drawn(data: Sequence[Datum], runs: Runs, cohorts: Cohorts, rng: np.random.Generator) -> Floats:
    """The summaries of one set of cohorts whose participants are drawn from the simulated patients and measured."""
    errors: dict[tuple[str, str, float], Floats] = {}
    by_run = {datum.target.run: datum.target for datum in data}
    picked = {run: _pick(cohorts[run], target, runs, rng) for run, target in by_run.items()}
    return np.array([_summary(datum.target, runs, picked, errors, rng) for datum in data])


def _pick(
    groups: Mapping[str, Mapping[str, float]], target: Target, runs: Runs, rng: np.random.Generator
) -> dict[Cell, Mask]:
    """Participants of every cell of a target's run; nobody is in two."""
    picked: dict[Cell, Mask] = {}
    for group, arms in groups.items():
        inside = sample(target.model_copy(update={"group": group}), runs, next(iter(arms))).who
        order = rng.permutation(np.flatnonzero(inside))
        for arm, n in arms.items():
            mine, order = order[: int(n)], order[int(n) :]
            picked[Cell(group, arm, n)] = np.isin(np.arange(len(inside)), mine)
    return picked


def _summary(
    target: Target,
    runs: Runs,
    picked: Mapping[str, Mapping[Cell, Mask]],
    errors: dict[tuple[str, str, float], Floats],
    rng: np.random.Generator,
) -> float:
    """A summary over the participants that were picked, with the errors of their measurements."""
    found = []
    for arm in (target.arm, target.against) if target.against else (target.arm,):
        cells = picked[target.run].items()
        masks = [mask for cell, mask in cells if cell.arm == arm and target.group in ("", cell.group)]
        own = sample(target, runs, arm)._replace(who=np.any(masks, axis=0))
        figure = STATISTICS[target.statistic](own)
        noise = _errors_of_a_change(own, errors, rng) if _sd_of_noise(figure, own.size) else 0.0
        found.append(figure.estimate._replace(value=figure.estimate.value + noise))
    whole = contrast.independent(*found) if len(found) == 2 else found[0]
    return in_published_unit(target, whole, 0.0).value


def _errors_of_a_change(s: Sample, errors: dict[tuple[str, str, float], Floats], rng: np.random.Generator) -> float:
    """Mean error of the participants' changes; one day's error of a person is the same in every summary."""
    target = s.target
    for week in (target.week, 0.0):
        key = target.run, target.endpoint, week
        if key not in errors:
            errors[key] = rng.normal(0, s.noise(target.endpoint), len(s.who))
    late, first = (errors[target.run, target.endpoint, week][s.who] for week in (target.week, 0.0))
    return float((late - first).mean())
