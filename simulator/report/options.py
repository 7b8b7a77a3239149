"""What every picture can be asked for: which arms, until which day, how wide, in which theme."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from simulator.report import style
from simulator.report.picture import PictureError, need_theme
from simulator.results import Result
from simulator.results.kinds import imported
from simulator.results.part import part
from simulator.results.study import StudyResult

if TYPE_CHECKING:
    from simulator.report.picture import Picture

WIDTHS = (3.5, 20.0)
PARTS = ("arms", "days")


def drawn(study: StudyResult, name: str, args: tuple[Any, ...], options: dict[str, Any]) -> Picture:
    """A picture of a study; it knows the checksum of the study's file.

    Parameters
    ----------
    study : StudyResult
    name : str
        The method of its pictures.
    args : tuple
        Of the method.
    options : dict
        `arms`, `days`, `width`, `theme` as in `Plots`; the others go to the method.

    Raises
    ------
    PictureError
        There is no such width or theme, or it is no run and has no arms or days to choose.
    """
    own = {key: value for key, value in options.items() if key not in ("arms", "days", "width", "theme")}
    width, theme = float(options.get("width") or style.current_width()), str(options.get("theme") or "light")
    if not WIDTHS[0] <= width <= WIDTHS[1]:
        raise PictureError(f"a picture cannot be {width:g} inches wide; choose {WIDTHS[0]:g} to {WIDTHS[1]:g}")
    need_theme(theme)
    chosen = {key: options[key] for key in PARTS if options.get(key) is not None}
    if chosen and not isinstance(study, Result):
        raise PictureError(f"{next(iter(chosen))} can be chosen in pictures of a run; this is {study.kind.title}")
    shown = _part(study, **chosen) if isinstance(study, Result) and chosen else study
    with style.page(width):
        picture: Picture = getattr(imported(study.kind.plots)(shown), name)(*args, **own)
    return replace(picture, made_from=study.file_sha256 or picture.made_from, theme=theme)


def _part(result: Result, arms: Iterable[str] | str | None = None, days: Any = None) -> Result:
    """Of a run: some arms; until the last of the days."""
    until = None if days is None else max(days) if isinstance(days, Iterable) else days
    return part(result, [arms] if isinstance(arms, str) else arms, until)
