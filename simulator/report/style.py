"""How pictures look: colours that colour-blind people tell apart, one width, axes without ornament.

References
----------
Okabe & Ito (2008), Color Universal Design; the yellow is left out and the orange darkened, to be read on white.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDE, NARROW = 7.2, 4.4
"""Inches: a page's column; what can be read on a phone too, where letters of 8.5 points are 10 pixels high."""
BROAD = 6.0  # from this width on panels stand side by side
NARROWEST = 1.4  # inches beside the axes of a narrow page, at most
LINE = 0.155  # inches: the least distance of two lines of text
FONT = "DejaVu Sans"  # comes with matplotlib, so that every machine measures text alike


_WIDTH: ContextVar[float] = ContextVar("width", default=WIDE)

Dash = str | tuple[float, tuple[float, ...]]


class Colour(NamedTuple):
    """A colour on white paper, and what stands for it on a dark screen."""

    light: str
    dark: str


INK = Colour("#262626", "#e8e8e8")
SOFT = Colour("#666666", "#a9adb3")
GRID = Colour("#e4e4e4", "#33373e")
PAPER = Colour("#ffffff", "#15181d")
CONTROL = Colour("#4d4d4d", "#c4c4c4")
SERIES = (
    Colour("#0072b2", "#56b4e9"),
    Colour("#d55e00", "#ff9145"),
    Colour("#009e73", "#37c99f"),
    Colour("#c0639a", "#e59cc6"),
    Colour("#b07800", "#e6a817"),
)
NAMES = ("ink", "soft", "grid", "paper", "control", "blue", "vermilion", "green", "purple", "orange")
COLOURS = dict(zip(NAMES, (INK, SOFT, GRID, PAPER, CONTROL, *SERIES), strict=True))
DASHES: tuple[Dash, ...] = ((0, (5, 1.4)), (0, (1.6, 1.2)), (0, (8, 1.4, 1.6, 1.4)), "-")
"""Of arms beside the control, which is solid: where two courses are one, both colours are seen."""

RC: Any = {
    "font.family": FONT,
    "font.size": 8.5,
    "text.color": INK.light,
    "axes.edgecolor": SOFT.light,
    "axes.labelcolor": INK.light,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.titley": 1.0,  # or every title measures every label of its axes
    "axes.unicode_minus": True,
    "grid.color": GRID.light,
    "grid.linewidth": 0.7,
    "xtick.color": SOFT.light,
    "ytick.color": SOFT.light,
    "xtick.labelcolor": INK.light,
    "ytick.labelcolor": INK.light,
    "figure.facecolor": PAPER.light,
    "axes.facecolor": PAPER.light,
    "savefig.facecolor": PAPER.light,
    "savefig.dpi": 200,
    "path.simplify_threshold": 0.2,
    "text.parse_math": False,  # an arm may be called $1$
    "svg.fonttype": "none",  # text stays text: it can be searched, and follows the page into the dark
    "svg.hashsalt": "als-simulator",  # the same picture has the same names inside, hence the same bytes
}


class Line(NamedTuple):
    """How an arm is drawn."""

    colour: str
    dash: Dash

    @property
    def order(self) -> float:
        """What lies on what: dashed lines on the solid one."""
        return 2.0 if self.dash == "-" else 2.5


def lines(arms: Sequence[str], control: str) -> dict[str, Line]:
    """Colour and dash of each arm: the control in grey and solid, no two of the first twenty others alike."""
    others = [arm for arm in arms if arm != control]
    found = {arm: Line(SERIES[k % 5].light, DASHES[(k + k // 20) % 4]) for k, arm in enumerate(others)}
    return {arm: found.get(arm, Line(CONTROL.light, "-")) for arm in arms}


@contextmanager
def drawing() -> Iterator[None]:
    """Draw in the house's style, whatever the user's own settings are; within it, as it is."""
    from matplotlib import rc_context, rcdefaults, rcParams

    if rcParams["svg.hashsalt"] == RC["svg.hashsalt"]:
        yield
        return
    with rc_context():
        rcdefaults()
        with rc_context(RC):
            yield


@contextmanager
def page(width: float) -> Iterator[None]:
    """Draw pictures of this width in inches."""
    token = _WIDTH.set(width)
    try:
        yield
    finally:
        _WIDTH.reset(token)


def current_width() -> float:
    """Inches of the pictures that are drawn now."""
    return _WIDTH.get()


def is_narrow() -> bool:
    """Whether there is no room for panels side by side."""
    return _WIDTH.get() < BROAD


@lru_cache(maxsize=1024)
def _advance(letter: str, weight: str) -> float:
    """Inches that a letter of one point takes."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    font = get_font(findfont(FontProperties(family=FONT, weight=weight)))
    font.set_size(72, 72)
    return float(font.load_char(ord(letter)).linearHoriAdvance) / 65536 / 72 / 72


def measure(text: str, size: float = 8.5, weight: str = "normal") -> float:
    """Inches that a line of text is wide."""
    return (
        1.02 * size * sum(_advance(letter, weight) for letter in text)
    )  # drawn on pixels, letters are that much wider


def wrapped(text: str, room: float, size: float = 8.5, weight: str = "normal") -> list[str]:
    """Lines of a text, none wider than so many inches where its words allow it."""
    lines = [""]
    for word in text.split():
        more = f"{lines[-1]} {word}".strip()
        if lines[-1] and measure(more, size, weight) > room:
            lines.append(word)
        else:
            lines[-1] = more
    return lines


def fitted(text: str, room: float, size: float = 8.5, *, weight: str = "normal", end: bool = False) -> str:
    """As much of a text as fits into so many inches: its beginning, or its `end`."""
    if measure(text, size, weight) <= room:
        return text
    kept = len(text) - 1
    while kept > 1 and measure(f"{text[:kept]}…", size, weight) > room:
        kept -= 1
    return f"…{text[-kept:]}" if end else f"{text[:kept]}…"


def beside(text: str, left: float, size: float = 8.5) -> str:
    """What stands in a margin of so many inches, left of the axes: on a narrow page two lines, where it takes them."""
    room = (min(left, NARROWEST) if is_narrow() else left) - 0.15
    if not is_narrow() or measure(text, size) <= room:
        return fitted(text, room, size)
    first, *rest = wrapped(text, room, size)
    return "\n".join(fitted(line, room, size) for line in (first, " ".join(rest)) if line)


def sheet(title: str, notes: Sequence[str], height: float) -> Figure:
    """A figure with its title and what must be known to read it, in as many lines as that takes; these add to it.

    An empty note is a line for a `key`. On a narrow page the others are one paragraph.
    """
    from simulator.report.sheets import Sheet

    width = _WIDTH.get()
    room = width - 0.24
    heads = wrapped(title, room, 11.5, "bold")
    parts = [list(some) for _, some in groupby(notes, bool)]
    told = [[" ".join(some)] if some[0] and is_narrow() else some for some in parts]
    lines = [line for some in told for note in some for line in wrapped(note, room)]
    more = 0.17 * (len(lines) - len(notes)) + 0.2 * (len(heads) - 1)
    tall, left = height + more, 0.12 / width
    figure = Sheet(figsize=(width, tall))
    figure.more, figure.head = more, 0.2 * (len(heads) - 1)
    for k, line in enumerate(heads):
        figure.text(left, 1 - (0.1 + 0.2 * k) / tall, line, va="top", fontsize=11.5, fontweight="bold")
    for k, line in enumerate(lines):
        y = 1 - (0.37 + 0.2 * (len(heads) - 1) + 0.17 * k) / tall
        figure.text(left, y, line, va="top", color=SOFT.light)
    return figure


def place(figure: Figure, notes: int, *, left: float = 0.6, right: float = 0.2, bottom: float = 0.5) -> None:
    """Margins of the axes in inches, below a title and so many lines of notes."""
    width, height = figure.get_size_inches()
    top = 1 - (0.62 + 0.17 * notes + figure.more) / height  # type: ignore[attr-defined]
    if is_narrow():  # names at the side are shorter
        left, right = (min(side, NARROWEST) for side in (left, right))
    figure.subplots_adjust(left=left / width, right=1 - right / width, bottom=bottom / height, top=top)


def short(name: str, limit: int = 16) -> str:
    """A name that fits where there is room for so many letters; on a narrow page for fewer."""
    limit = min(limit, 14) if is_narrow() and limit <= 16 else limit
    return name if len(name) <= limit else f"{name[: limit - 1]}…"


def rows(axes: Axes, names: Sequence[str], drawn: dict[str, Line]) -> None:
    """Axes whose rows are arms, named in their colours at the left."""
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_yticks(range(len(names)), [short(name) for name in names])
    for name, text in zip(names, axes.get_yticklabels(), strict=True):
        text.set_color(drawn[name].colour)
    axes.tick_params(length=0, axis="y")
    axes.grid(visible=False)
    axes.spines["left"].set_visible(False)


def key(figure: Figure, words: Sequence[tuple[str, str]], line: int) -> None:
    """Words in their colours, side by side, in the place of notes: what the colours stand for."""
    width, height = figure.get_size_inches()
    more = figure.more if line else figure.head  # type: ignore[attr-defined]
    x, y = 0.12 / width, 1 - (0.37 + 0.17 * line + more) / height
    for text, colour in words:
        wide = measure(text, weight="bold") / width
        if x + wide > 1:  # on to the next line
            x, y = 0.12 / width, y - 0.17 / height
        figure.text(x, y, text, va="top", color=colour, fontweight="bold")
        x += wide + 0.2 / width


def inches(axes: Axes) -> tuple[float, float]:
    """Width and height of the axes."""
    box = axes.get_window_extent()
    return box.width / axes.figure.dpi, box.height / axes.figure.dpi


class Label(NamedTuple):
    """A text at the end of a curve."""

    y: float
    text: str
    colour: str


def label_ends(axes: Axes, labels: Sequence[Label], x: float = 1.015) -> None:
    """Texts right of the axes, at the height where their curves end, moved apart where they would overlap."""
    axes.get_ylim()  # settles the limits, which the places of the curves depend on
    gap = LINE / inches(axes)[1]
    heights = [axes.transAxes.inverted().transform(axes.transData.transform((0, one.y)))[1] for one in labels]
    order = sorted(range(len(labels)), key=lambda k: heights[k])
    for k, height in zip(order, spread([heights[k] for k in order], gap), strict=True):
        axes.text(x, height, labels[k].text, transform=axes.transAxes, va="center", color=labels[k].colour)


def spread(heights: Sequence[float], gap: float) -> list[float]:
    """Ascending heights moved as little as it takes to be `gap` apart, and within 0 and 1 where there is room."""
    groups: list[tuple[float, int]] = []  # centre and size
    for height in heights:
        centre, size = height, 1
        while groups and groups[-1][0] + gap * (groups[-1][1] - 1) / 2 > centre - gap * (size - 1) / 2 - gap:
            before, count = groups.pop()
            centre = (before * count + centre * size) / (count + size)
            size += count
        groups.append((centre, size))
    apart = [centre + gap * (k - (size - 1) / 2) for centre, size in groups for k in range(size)]
    below = [min(height, 1 - gap * (len(apart) - 1 - k)) for k, height in enumerate(apart)]
    return [max(height, gap * k) for k, height in enumerate(below)]
