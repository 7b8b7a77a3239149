"""The study as cells of tables, for the terminal and for the scoreboard."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from simulator.catalog.facts import Fact
from simulator.catalog.targets import published, targets
from simulator.studies.evidence.score import Score
from simulator.studies.evidence.study import FAR, Beside, Evidence, Shares, explained, shares

HEADER = ["target", "what", "published", "simulated", "z", "error", "verdict"]
ROLES = ("calibration", "validation")


def number(value: float | None) -> str:
    """Three significant digits, or four for large numbers."""
    if value is None or math.isnan(value):
        return "-"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text


def with_error(value: float, mcse: float) -> str:
    """A simulated value with its Monte Carlo standard error."""
    return f"{number(value)} ± {mcse:.2g}" if np.isfinite(value) and mcse else number(value)


def what(key: str) -> str:
    """What a target is about."""
    row = published(key)
    if not isinstance(row, Fact):
        return f"{row.endpoint}, {row.stratum}, {row.arm}, week {row.week}"
    parts = [row.quantity, row.arm, row.time, "SD" if key.endswith("/sd") else None]
    return ", ".join(part for part in parts if part) + ("" if row.read_in_source else " (recalled)")


def cells(score: Score) -> list[str]:
    """One line of the table of targets."""
    interval = f" ({number(score.interval[0])} to {number(score.interval[1])})" if score.interval else ""
    shown = "-" if score.simulated is None else with_error(score.simulated, score.mcse or 0)
    numbers = explained(score.id) if score.z is not None and abs(score.z) > 2 else []
    why = f" [conflict {', '.join(map(str, numbers))}]" if numbers else ""
    z = "-" if score.z is None else f"{score.z:+.1f}"
    return [
        score.id,
        what(score.id),
        number(score.published) + interval,
        shown,
        z,
        score.se_kind or "-",
        score.verdict + why,
    ]


def table(scores: Iterable[Score], role: str) -> list[list[str]]:
    """The targets of a role that are simulated, with a header."""
    return [HEADER, *(cells(score) for score in scores if score.role == role and score.simulated is not None)]


def agreement(scores: list[Score]) -> list[str]:
    """How many scores agree, in words: both roles, with and without the design's errors."""
    return [_agreement(shares(scores, role, design)) for role in ROLES for design in (True, False)]


def _agreement(found: Shares) -> str:
    which = "all standard errors" if found.design else "without those of the design"
    far = f"beyond {FAR} SE: {', '.join(found.far)}" if found.far else f"none beyond {FAR} SE"
    return (
        f"{found.role}, {which}: {found.rows} rows, {found.within_2:.0%} within 2 SE ({found.by_curve:.0%} if a curve "
        f"counts as one row), {found.inside:.0%} of {found.intervals} inside the published interval; {far}"
    )


def missing(found: Evidence) -> list[list[str]]:
    """Rows that cannot be simulated, and why."""
    rows = [[score.id, what(score.id), score.verdict] for score in found.scores if score.simulated is None]
    return [["target", "what", "why"], *rows]


def conflicts(found: Evidence) -> list[list[str]]:
    """Known conflicts, numbered, each with its figures."""
    rows = [["", "known conflict", "published", "simulated"]]
    for k, (one, figures) in enumerate(found.conflicts, 1):
        rows.append([str(k), one.title, one.published, beside(figures) or f"not simulated: {one.not_simulated}"])
    return rows


def beside(figures: list[Beside]) -> str:
    """Figures in a row."""
    return "; ".join(f"{each.label} {with_error(each.simulated, each.mcse)}" for each in figures)


def claims(found: Evidence) -> list[list[str]]:
    """The article's claims with publications, verdict and simulated figures."""
    rows = [["", "claim", "article", "published", "verdict", "simulated"]]
    for one, figures in found.claims:
        rows.append([one.id, one.claim, one.article, one.published, one.verdict, beside(figures) or "-"])
    return rows


def readings() -> list[str]:
    """What had to be decided to express a row."""
    return [
        f"{key}: {target.reading}" for key, target in targets().targets.items() if target.reading and "/" not in key
    ]
