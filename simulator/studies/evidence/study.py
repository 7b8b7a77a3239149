"""The whole study: scores, the article's claims, known conflicts, and how many scores agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from simulator.catalog.claims import Claim, claims
from simulator.catalog.facts import points
from simulator.catalog.targets import Conflict, Target, targets
from simulator.studies.evidence.score import Runs, Score, all_scores, simulated

FAR = 3.5


class Beside(NamedTuple):
    """A simulated figure without a standard error of its own row: beside a claim or a conflict."""

    label: str
    simulated: float
    mcse: float
    reading: str


class Shares(NamedTuple):
    """How many of the scores of a role lie within 2 standard errors; `by_curve` lets a curve count as one row."""

    role: str
    design: bool
    rows: int
    within_2: float
    by_curve: float
    intervals: int
    inside: float
    far: tuple[str, ...]


class Evidence(NamedTuple):
    """Every target, claim and known conflict with its figures."""

    scores: list[Score]
    claims: list[tuple[Claim, list[Beside]]]
    conflicts: list[tuple[Conflict, list[Beside]]]
    values: str = "calibrated"

    def content(self) -> dict[str, Any]:
        """As plain data: targets, claims, conflicts."""
        return {
            "targets": [score._asdict() for score in self.scores],
            "claims": [claim.model_dump() | {"simulated": _plain(figures)} for claim, figures in self.claims],
            "conflicts": [
                {"title": one.title, "published": one.published, "not_simulated": one.not_simulated or None}
                | {"simulated": _plain(figures)}
                for one, figures in self.conflicts
            ],
        }


def _plain(figures: list[Beside]) -> list[dict[str, Any]]:
    return [figure._asdict() for figure in figures]


def evidence(
    runs: Runs | None = None, progress: Callable[[int, int], None] | None = None, values: str = "calibrated"
) -> Evidence:
    """Simulate what the targets need, and set everything beside what was published.

    Parameters
    ----------
    runs : Runs, optional
        The runs to read; by default those of the catalog's values.
    values : str
        What the runs' values are, for the reader.
    progress : callable, optional
        Called with (runs done, runs in all).
    """
    runs = Runs() if runs is None else runs
    every = targets()
    for done, name in enumerate(every.runs):
        _ = runs[name]
        if progress:
            progress(done + 1, len(every.runs))
    return Evidence(
        all_scores(runs),
        [(claim, _beside(every.claims.get(key, ()), runs)) for key, claim in claims().items()],
        [(conflict, _beside(conflict.figures, runs)) for conflict in every.conflicts],
        values,
    )


def _beside(figures: Sequence[Target], runs: Runs) -> list[Beside]:
    found = [(target, simulated(target, runs)) for target in figures]
    return [Beside(target.id, one.value, one.mcse, target.reading) for target, one in found]


def shares(scores: Iterable[Score], role: str, design: bool = True) -> Shares:
    """Agreement of a role's scores, with or without those whose standard error is the design's."""
    known = [s for s in scores if s.role == role and s.z is not None and (design or s.se_kind != "design")]
    weight = Counter(_curve(score) for score in known)
    within = [abs(score.z or 0) <= 2 for score in known]
    weights = [1 / weight[_curve(score)] for score in known]
    ruled = [score for score in known if "interval" in score.verdict]
    return Shares(
        role,
        design,
        len(known),
        sum(within) / max(len(known), 1),
        sum(w for w, one in zip(weights, within, strict=True) if one) / max(sum(weights), 1e-9),
        len(ruled),
        sum(score.verdict.startswith("inside") for score in ruled) / max(len(ruled), 1),
        tuple(score.id for score in known if abs(score.z or 0) > FAR),
    )


def _curve(score: Score) -> str:
    """The curve that a score belongs to, or itself."""
    return points()[score.id].curve if score.id in points() else score.id


def explained(key: str) -> list[int]:
    """Numbers of the known conflicts that explain a target."""
    return [number for number, one in enumerate(targets().conflicts, 1) if one.explains(key)]
