"""The flow of people from candidates to the end of follow-up, as boxes (after CONSORT 2010)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulator.report import style
from simulator.report.kinds import Kind
from simulator.report.people import ends, leavers, screened
from simulator.report.picture import Picture
from simulator.report.plots.needs import need_patients
from simulator.report.plots.vectors import over, vectors
from simulator.results import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROW, PAD, GAP = 0.17, 0.08, 0.2
"""Inches: a line of text, what surrounds those of a box, what is left between boxes."""
REASONS = 6
SIZE = 8.0


class Box(NamedTuple):
    """A box: where it stands in inches from the upper left, and its lines of words and count; the first is its head."""

    x: float
    y: float
    width: float
    lines: Sequence[tuple[str, str]]
    colour: str = style.INK.light

    @property
    def height(self) -> float:
        """With room around the lines."""
        return 2 * PAD + ROW * len(self.lines)

    @property
    def bottom(self) -> float:
        """Where it ends."""
        return self.y + self.height

    @property
    def middle(self) -> tuple[float, float]:
        """Its centre."""
        return self.x + self.width / 2, self.y + self.height / 2


def reasons(each: Sequence[Result]) -> list[tuple[str, np.ndarray]]:
    """Why candidates were left out, at each parameter vector: the most frequent first; beyond some, the rest as one."""
    counts = [dict(screened(one).reasons) for one in each]
    names = dict.fromkeys(name for one in counts for name in one)
    found = [(name, np.array([one.get(name, 0) for one in counts])) for name in names]
    found.sort(key=lambda one: -int(one[1].sum()))
    if len(found) <= REASONS:
        return found
    rest = found[REASONS - 1 :]
    return [*found[: REASONS - 1], (f"{len(rest)} other reasons", np.sum([counts for _, counts in rest], axis=0))]


def told(counts: np.ndarray) -> str:
    """A count or, over parameter vectors, median and range."""
    if len(counts) == 1:
        return f"{counts[0]:,}"
    middle, low, high = over(counts)
    return f"{middle:,.0f} ({low:,.0f}–{high:,.0f})"


def draw(result: Result) -> Picture:
    """The picture; two arms side by side on a narrow page, up to three on a wide one."""
    need_patients(result, Kind.flow)
    notes = [
        f"The same people are simulated in every arm, for {result.follow_up_days:,.0f} days. A candidate is counted at "
        "the first reason."
    ]
    each = vectors(result)
    if result.draws:
        notes.append(f"Counts: median (5th to 95th percentile) over {result.draws} parameter vectors.")
    if any(leavers(one).any() for one in each):
        notes.append("Who would leave a trial is among the others: leaving ends nobody's simulated course.")
    room = style.current_width() - 0.24
    top = _top(each, room)
    arms = _arms(result, each, room, top[-1].bottom + 2 * GAP)
    high = arms[-1].bottom + 0.1
    with style.drawing():
        figure = style.sheet("From candidates to the end", notes, 0.62 + 0.17 * len(notes) + high + 0.1)
        axes = figure.subplots()
        style.place(figure, len(notes), left=0.12, right=0.12, bottom=0.1)
        axes.set_xlim(-0.01, room + 0.01)
        axes.set_ylim(high, -0.01)
        axes.set_axis_off()
        for box in (*top, *arms):
            _draw(axes, box)
        _join(axes, top, arms)
    said = f"{told(_tried(each))} candidates, {result.n_patients:,} simulated, what became of them by arm"
    return Picture(Kind.flow, figure, said)


def _top(each: Sequence[Result], room: float) -> tuple[Box, Box, Box]:
    """Candidates, who was left out, who was simulated."""
    tried, n, left = _tried(each), each[0].n_patients, (0.32 if style.is_narrow() else 0.4) * room
    aside = left + GAP
    if _is_tight(each):
        left, aside = 0.6 * room, 0.36 * room
    first = Box(0, 0, left, [("candidates", told(tried))])
    why = [(text, told(counts)) for text, counts in reasons(each)]
    beside = Box(aside, first.bottom + 0.1, room - aside, [("left out", told(tried - n)), *why])
    return first, beside, Box(0, beside.bottom + 0.1, left, [("simulated", f"{n:,}")])


def _is_tight(each: Sequence[Result]) -> bool:
    """Whether counts with their ranges leave words no room beside each other."""
    return len(each) > 1 and style.is_narrow()


def _tried(each: Sequence[Result]) -> np.ndarray:
    """Candidates at each parameter vector."""
    return np.array([screened(one).candidates for one in each])


def _arms(result: Result, each: Sequence[Result], room: float, y: float) -> list[Box]:
    """A box for each arm, in rows from a height on."""
    across = 1 if _is_tight(each) else min(len(result.arms), 2 if style.is_narrow() else 3)
    indent = GAP if len(result.arms) > across else 0.0  # room for the line that leads to further rows
    wide = (room - indent + GAP / 2) / across
    drawn = style.lines(result.arms, result.control)
    left = np.array([leavers(one) for one in each])
    last = [(label, np.array([dict(ends(one))[label] for one in each])) for label, _ in ends(each[0])]
    found: list[Box] = []
    for k, arm in enumerate(result.arms):
        lines = [(arm, ""), *((label, told(counts[:, k])) for label, counts in last)]
        lines += [("would leave a trial", told(left[:, k]))] if left.any() else []
        if k and k % across == 0:
            y = found[-1].bottom + 2 * GAP
        found.append(Box(indent + wide * (k % across), y, wide - GAP / 2, lines, drawn[arm].colour))
    return found


def _join(axes: Axes, top: tuple[Box, Box, Box], arms: Sequence[Box]) -> None:
    """Lines from box to box: every arm hangs on a line that begins at those who were simulated."""
    first, beside, simulated = top
    how: dict[str, Any] = {"color": style.SOFT.light, "lw": 0.9}
    x = first.middle[0]
    axes.vlines(x, first.bottom, simulated.y, **how)
    axes.hlines(beside.middle[1], x, beside.x, **how)
    heights = sorted({box.y for box in arms})
    trunk = x if len(heights) == 1 else GAP / 2
    axes.vlines(trunk, simulated.bottom, heights[-1] - GAP, **how)
    for y in heights:
        row = [box.middle[0] for box in arms if box.y == y]
        axes.hlines(y - GAP, min(trunk, *row), max(trunk, *row), **how)
        axes.vlines(row, y - GAP, y, **how)


def _draw(axes: Axes, box: Box) -> None:
    """A box with its lines of text: words at the left, counts at the right."""
    from matplotlib.patches import Rectangle

    axes.add_patch(Rectangle((box.x, box.y), box.width, box.height, fill=False, ec=style.SOFT.light, lw=0.9))
    for k, (text, count) in enumerate(box.lines):
        weight = "normal" if k else "bold"
        y = box.y + PAD + ROW * (k + 0.5)
        room = box.width - 2 * PAD - style.measure(f"{count} ", SIZE, weight)
        how: dict[str, Any] = {"va": "center", "fontweight": weight, "fontsize": SIZE}
        words = style.fitted(text, room, SIZE, weight=weight)
        axes.text(box.x + PAD, y, words, color=style.INK.light if k else box.colour, **how)
        axes.text(box.x + box.width - PAD, y, count, ha="right", color=style.INK.light, **how)
