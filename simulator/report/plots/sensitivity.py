"""The pictures of a sensitivity analysis: `found.plot.tornado()`; a file of this folder draws each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulator.report.kinds import SensitivityKind
from simulator.report.plots.needs import need_kind, need_options

if TYPE_CHECKING:
    from simulator.report.picture import Picture
    from simulator.studies.sensitivity.document import Sensitivity


class SensitivityPlots:
    """The pictures of one analysis.

    Raises
    ------
    PictureError
        The analysis was made by another method than the picture shows.
    """

    def __init__(self, found: Sensitivity) -> None:
        self._found = found

    def tornado(self) -> Picture:
        """The outcome at the 5th and the 95th percentile of each value, the widest first."""
        from simulator.report.plots.tornado import draw

        return draw(self._found)

    def sobol(self) -> Picture:
        """First and total order of each value with 95 % intervals."""
        from simulator.report.plots.sobol import draw

        return draw(self._found)

    def draw(self, kind: SensitivityKind | str, **options: Any) -> Picture:
        """A picture by its name; these have no options."""
        need_kind(kind, SensitivityKind, "a sensitivity analysis")
        method = getattr(self, SensitivityKind(kind))
        need_options(kind, options, method)
        picture: Picture = method()
        return picture

    @property
    def kinds(self) -> tuple[SensitivityKind, ...]:
        """The pictures that this analysis can be drawn as."""
        made = {"oneway": (SensitivityKind.tornado,), "sobol": (SensitivityKind.sobol,)}
        return made.get(self._found.method, ())
