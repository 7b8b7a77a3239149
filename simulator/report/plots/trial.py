"""The pictures of a trial that was run many times: `trial.plot.forest()`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulator.report.kinds import TrialKind

if TYPE_CHECKING:
    from simulator.report.picture import Picture
    from simulator.studies.trial.result import Trial


class TrialPlots:
    """The pictures of one trial. Each method draws one; `save` writes it, a notebook shows it.

    Raises
    ------
    PictureError
        The result does not hold what the picture needs, or the option is none of it.
    """

    def __init__(self, trial: Trial) -> None:
        self._trial = trial

    def forest(self, day: float | None = None, trials: int = 40) -> Picture:
        """The interval that each of the first trials finds, the spread of all, and the truth, by analysis.

        `day` is the day of analysis, the first by default.
        """
        from simulator.report.plots.forest import draw

        return draw(self._trial, day, trials)

    def power(self) -> Picture:
        """Power by the number of participants, and how many are needed, by analysis and day."""
        from simulator.report.plots.power import draw

        return draw(self._trial)

    def draw(self, kind: TrialKind | str, **options: Any) -> Picture:
        """A picture by its name; an option that this picture has not is refused."""
        from simulator.report.plots.needs import need_kind, need_options

        need_kind(kind, TrialKind, "a trial that was run many times")
        method = getattr(self, TrialKind(kind))
        need_options(kind, options, method)
        picture: Picture = method(**options)
        return picture

    @property
    def kinds(self) -> tuple[TrialKind, ...]:
        """The pictures that this trial can be drawn as."""
        return tuple(kind for kind in TrialKind if kind is not TrialKind.power or "power" in self._trial.groups)
