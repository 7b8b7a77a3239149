"""A figure whose axes take two thirds of the time: a page has some forty, and most of their time goes into ticks.

What is skipped changes no picture: ticks are made from the settings of their axis without being copied from its first
one too, they are not clipped, and they are laid out once in a drawing, not three times. The methods are matplotlib's
own, some of them private; where a version has them no longer, drawing takes longer and is the same.
"""

from __future__ import annotations

from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import XAxis, YAxis
from matplotlib.figure import Figure


class _Once:
    """An axis that lays its ticks out once in a drawing."""

    _laid: Any = None
    _boxes: Any = None

    def draw(self, renderer: Any) -> None:
        self._laid = self._update_ticks()
        try:
            super().draw(renderer)  # type: ignore[misc]
        finally:
            self._laid = self._boxes = None

    def _update_ticks(self) -> Any:
        return super()._update_ticks() if self._laid is None else self._laid  # type: ignore[misc]

    def _get_ticklabel_bboxes(self, ticks: Any, renderer: Any) -> Any:
        if self._laid is None:
            return super()._get_ticklabel_bboxes(ticks, renderer)  # type: ignore[misc]
        if self._boxes is None:
            self._boxes = super()._get_ticklabel_bboxes(ticks, renderer)  # type: ignore[misc]
        return self._boxes

    def _copy_tick_props(self, src: Any, dest: Any) -> None:
        """Nothing: the new tick has the settings of its axis."""

    def reset_ticks(self) -> None:
        super().reset_ticks()  # type: ignore[misc]
        self.majorTicks: list[Any] = []  # or a first tick is made at once, to follow every setting
        self.minorTicks: list[Any] = []

    def _get_ticks_position(self) -> Any:
        self.get_major_ticks(1), self.get_minor_ticks(1)  # type: ignore[attr-defined]
        return super()._get_ticks_position()  # type: ignore[misc]

    def set_clip_path(self, path: Any, transform: Any = None) -> None:
        Artist.set_clip_path(self, path, transform)  # type: ignore[arg-type]


class _X(_Once, XAxis):
    pass


class _Y(_Once, YAxis):
    pass


class _Panel(Axes):
    """Axes with such axes."""

    def _init_axis(self) -> None:
        super()._init_axis()  # type: ignore[misc]
        self.xaxis.__class__, self.yaxis.__class__ = _X, _Y


class Sheet(Figure):
    """A figure of a page. `more`: inches that its title and notes take beyond what was planned; `head`: the title's."""

    more: float = 0.0
    head: float = 0.0

    def add_subplot(self, *args: Any, **options: Any) -> Axes:
        """Such axes in a place of a grid."""
        return super().add_subplot(*args, axes_class=_Panel, **options)
