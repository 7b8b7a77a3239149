"""The answer of a run: a sentence for each comparison, and the few figures behind it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from simulator.measures.headline import Headline
from simulator.studies.ranges import ANSWERING
from simulator.tables.numbers import after, fixed

if TYPE_CHECKING:
    from simulator.studies.draws import Drawn
    from simulator.studies.ranges import Ranges

PHRASES = {
    "alsfrs_r_change_death0": (
        "points of the ALSFRS-R, the dead at 0",
        "a change of {} in the ALSFRS-R, the dead at 0",
    ),
    "kings_4_or_dead": ("of 100 in King's stage 4 or dead", "{} of 100 in King's stage 4 or dead"),
    "event_free": ("of 100 alive without permanent ventilation", "{} of 100 alive without permanent ventilation"),
}
"""By metric: what is more or fewer in one arm than in another, and what one arm has."""
COLUMNS = (*ANSWERING, "event_free_months", "nfl_plasma_ratio")
"""Metrics of the table."""


class Figure(NamedTuple):
    """One figure of the answer: Monte Carlo standard error, and 5th and 95th percentile over parameters (NaN: none)."""

    metric: str
    label: str
    unit: str
    estimate: float
    mcse: float
    lower: float
    upper: float
    digits: int


class Comparison(NamedTuple):
    """One arm against another (`against` is empty where there is one arm) on one day."""

    arm: str
    against: str
    day: float
    figures: tuple[Figure, ...]

    @property
    def text(self) -> str:
        """The sentence."""
        who = f"{self.arm} against {self.against}" if self.against else self.arm
        said = "; ".join(_said(one, bool(self.against), k == 0) for k, one in enumerate(self.figures))
        return f"{who}, {after(self.day)}: {said}."


class Answer(NamedTuple):
    """The answer: comparisons, the figures of each arm, and where the ranges of the parameters come from."""

    day: float
    comparisons: tuple[Comparison, ...]
    arms: tuple[Comparison, ...]
    source: str

    def document(self) -> dict[str, Any]:
        """As plain data, with the sentences."""
        return {
            "day": self.day,
            "sentences": [one.text for one in self.comparisons],
            "comparisons": self.comparisons,
            "arms": self.arms,
            "parameters": self.source,
        }


def answer(found: Headline, ranges: Ranges) -> Answer:
    """The answer of one run, with the ranges of its parameters."""
    rows = [
        (row, ranges.of(row.metric, row.arm, row.against))
        for row in found.rows
        if row.day == found.main_day and not row.group
    ]
    return _answer(rows, found.main_day, ranges.source)


def answer_of_draws(found: Drawn, day: float) -> Answer:
    """The answer of a run over draws: medians, and percentiles over its own vectors."""
    source = (
        f"Figures are medians over {found.draws} vectors of the calibrated ensemble; parameters: their 5th to 95th "
        "percentile."
    )
    rows = [(row, (row.lower, row.upper)) for row in found.rows if row.day == day and not row.group]
    return _answer(rows, day, source)


def _answer(rows: Iterable[tuple[Any, tuple[float, float]]], day: float, source: str) -> Answer:
    figures: dict[tuple[str, str], dict[str, Figure]] = {}
    for row, ends in rows:
        one = Figure(row.metric, row.label, row.unit, row.estimate, row.mcse, *ends, row.digits)
        figures.setdefault((row.arm, row.against), {})[row.metric] = one
    arms = tuple(_one(pair, day, found, COLUMNS) for pair, found in figures.items() if not pair[1])
    wanted = [pair for pair in figures if pair[1]] or list(figures)
    known = (_one(pair, day, figures[pair], ANSWERING) for pair in wanted)
    return Answer(day, tuple(one for one in known if one.figures), arms, source)


def _one(pair: tuple[str, str], day: float, found: dict[str, Figure], names: Sequence[str]) -> Comparison:
    return Comparison(*pair, day, tuple(found[name] for name in names if name in found))


def _said(one: Figure, is_difference: bool, is_first: bool) -> str:
    """A figure in words with its two uncertainties apart."""
    between, level = PHRASES[one.metric]
    value = fixed(one.estimate, one.digits)
    text = f"{_more(one.estimate, one.digits)} {between}" if is_difference else level.format(value)
    errors = "?" if math.isnan(one.mcse) else fixed(one.mcse, one.digits)
    words = [f"Monte Carlo ± {errors}" if is_first else f"± {errors}"]
    if not math.isnan(one.lower):
        ends = _range(one) if is_difference else f"{fixed(one.lower, one.digits)} to {fixed(one.upper, one.digits)}"
        words.append(f"parameters {ends}")
    return f"{text} ({'; '.join(words)})"


def _more(value: float, digits: int) -> str:
    """How many more or fewer; as many where it rounds to 0."""
    size = fixed(abs(value), digits)
    if float(size) == 0:
        return "as many"
    return f"{size} {'fewer' if value < 0 else 'more'}"


def _range(one: Figure) -> str:
    """Sizes from the smaller to the larger; with their directions where one end is not that of the estimate."""
    low, high = sorted((one.lower, one.upper), key=abs)
    if min(one.lower, one.estimate) >= 0 or max(one.upper, one.estimate) <= 0:
        return f"{fixed(abs(low), one.digits)} to {fixed(abs(high), one.digits)}"
    return f"{_more(one.lower, one.digits)} to {_more(one.upper, one.digits)}"
