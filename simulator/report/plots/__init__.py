"""The pictures of a result: `result.plot.survival()`; a file of this folder draws each."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from simulator.report.kinds import Kind

Draw: TypeAlias = "Callable[..., Picture]"
REGISTERED: dict[str, Draw] = {}
"""Pictures of a run from outside the package: a function of the result and options, by name."""

if TYPE_CHECKING:
    from simulator.report.picture import Picture
    from simulator.results import Result


def register(name: str) -> Callable[[Draw], Draw]:
    """Add a picture of a run from outside the package: `result.plot.NAME()` and `als-sim plot DIR NAME` draw it.

    Parameters
    ----------
    name : str
        A new name.

    Returns
    -------
    callable
        A decorator for the function that draws: it takes the result and options, and returns a `Picture`.

    Raises
    ------
    PictureError
        There is such a picture already.
    """
    from simulator.report.picture import PictureError

    def add(draw: Draw) -> Draw:
        if name in list(Kind) or REGISTERED.setdefault(name, draw) is not draw:
            raise PictureError(f"there is a picture {name} already. Choose another name")
        return draw

    return add


class Plots:
    """The pictures of one result. Each method draws one; `save` writes it, a notebook shows it.

    As `result.plot.survival(arms=["early_start"], days=364, width=4.4, theme="dark")` each takes, beside its own
    options, the arms that are shown, the last day, the width in inches (7.2; below 6 panels stand one above the
    other), and light or dark.

    Raises
    ------
    PictureError
        The result does not hold what the picture needs; the message says what does.
    DrawnError
        The result is over draws, and the picture shows the course under one parameter vector.
    """

    def __init__(self, result: Result) -> None:
        self._whole = result

    @property
    def _result(self) -> Result:
        """The result, of one parameter vector."""
        self._whole.need_one_vector("a picture")
        return self._whole

    def trajectories(self, outcome: str = "alsfrs_r", patients: int = 30, death: str = "") -> Picture:
        """One outcome over time in each arm, the dead at the worst value: single patients, spread, mean.

        Parameters
        ----------
        outcome : str
        patients : int
            Single patients that are drawn.
        death : {"", "zero", "survivors"}
            Who has died counts as 0, or is left out: the mean of survivors rises when those who decline fastest die.
            By default 0 where the outcome has a worst value.
        """
        from simulator.report.plots import over_draws, trajectories

        if self._whole.draws:
            return over_draws.trajectories(self._whole, outcome)
        return trajectories.draw(self._result, outcome, patients, death)

    def function(self) -> Picture:
        """Which share is alive and above a score, over time in each arm."""
        from simulator.report.plots import function, over_draws

        return over_draws.function(self._whole) if self._whole.draws else function.draw(self._result)

    def survival(self) -> Picture:
        """Event-free survival by arm with its Monte Carlo error or, over draws, the range of the parameters."""
        from simulator.report.plots import over_draws, survival

        return over_draws.survival(self._whole) if self._whole.draws else survival.draw(self._result)

    def strata(self, by: str = "stratum", outcome: str = "") -> Picture:
        """Event-free survival by stratum, variant, sex …, with hazard ratio and log-rank test of each comparison.

        Parameters
        ----------
        by : {"stratum", "variant", "sex", "onset_site"}
        outcome : {"", "alsfrs_r"}
            Median function with the middle half of everybody, the dead at 0, in the place of survival.
        """
        from simulator.report.plots.strata import draw

        return draw(self._whole, by, outcome)

    def incidence(self) -> Picture:
        """Cumulative incidence of death, permanent ventilation and dropout, by arm."""
        from simulator.report.plots.incidence import draw

        return draw(self._whole)

    def subgroups(self) -> Picture:
        """Forest of subgroups: what the first comparison gains by stratum, variant, sex, site of onset, age."""
        from simulator.report.plots.subgroups import draw

        return draw(self._whole)

    def adverse(self) -> Picture:
        """Cumulative incidence of adverse events, serious ones and the most frequent kinds, by arm."""
        from simulator.report.plots.adverse import draw

        return draw(self._whole)

    def milestones(self) -> Picture:
        """Carriers: cumulative incidence of trigger, phenoconversion, onset, diagnosis, by arm."""
        from simulator.report.plots.milestones import draw

        return draw(self._whole)

    def engagement(self) -> Picture:
        """Drug concentration in tissue and how far the target is lowered, by arm."""
        from simulator.report.plots import engagement, over_draws

        return over_draws.engagement(self._whole) if self._whole.draws else engagement.draw(self._result)

    def waterfall(self) -> Picture:
        """Each patient's change of the ALSFRS-R by the main day in order, the dead as worst; a panel for each arm."""
        from simulator.report.plots.waterfall import draw

        return draw(self._whole)

    def swimmer(self, patients: int = 30) -> Picture:
        """Courses of single patients with ventilation, feeding tube, dropout and death; a panel for each arm.

        Parameters
        ----------
        patients : int
            How many, from the first on.
        """
        from simulator.report.plots.swimmer import draw

        return draw(self._result, patients)

    def observed(self, outcome: str = "", patients: int = 60) -> Picture:
        """Spaghetti of what the visits measured, with the mean of those measured; a panel for each arm.

        Parameters
        ----------
        outcome : str
            What was measured; by default ALSFRS-R, or the first of the others that visits measure.
        patients : int
            Single patients that are drawn.
        """
        from simulator.report.plots.observed import draw

        return draw(self._whole, outcome, patients)

    def flow(self) -> Picture:
        """Flow of people from candidates through screening to the end of follow-up, by arm (CONSORT)."""
        from simulator.report.plots.flow import draw

        return draw(self._whole)

    def posterior(self) -> Picture:
        """Prior against posterior of each calibrated value that the scenario holds."""
        from simulator.report.plots.posterior import draw

        return draw(self._whole)

    def occupancy(self) -> Picture:
        """Which share is alive, on permanent ventilation, or dead, over time in each arm."""
        from simulator.report.plots import occupancy, over_draws

        return over_draws.occupancy(self._whole) if self._whole.draws else occupancy.draw(self._result)

    def stages(self) -> Picture:
        """Which share is in which King's stage, over time in each arm."""
        from simulator.report.plots import over_draws, stages

        return over_draws.stages(self._whole) if self._whole.draws else stages.draw(self._result)

    def biomarkers(self) -> Picture:
        """Neurofilament and SOD1 over time, with the doses."""
        from simulator.report.plots import biomarkers, over_draws

        return over_draws.biomarkers(self._whole) if self._whole.draws else biomarkers.draw(self._result)

    def published(self) -> Picture:
        """VALOR's published curves, and what the simulated visits of the same stratum and arm measured."""
        from simulator.report.plots.published import draw

        return draw(self._whole)

    def benefit(self) -> Picture:
        """Who gains how much: the same patient in two arms."""
        from simulator.report.plots.benefit import draw

        return draw(self._whole)

    def patient(self, number: int = 0) -> Picture:
        """One patient's course in every arm, and what the visits saw."""
        from simulator.report.plots import over_draws, patient

        return (over_draws.patient if self._whole.draws else patient.draw)(self._whole, number)

    def person(self) -> Picture:
        """One person's fan: function of all twins, the dead at 0, and the chance to be event-free, by arm."""
        from simulator.report.plots.person import draw

        return draw(self._result)

    def __getattr__(self, name: str) -> Callable[..., Picture]:
        if name not in REGISTERED:
            raise AttributeError(f"there is no picture {name!r}")
        return partial(REGISTERED[name], self._result)

    def draw(self, kind: Kind | str, **options: Any) -> Picture:
        """A picture by its name; an option that this picture has not is refused."""
        from simulator.report.plots.needs import need_kind, need_options

        need_kind(kind, (*Kind, *REGISTERED), "a run")
        method = getattr(self, str(kind))
        need_options(kind, options, method)
        picture: Picture = method(**options)
        return picture

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The pictures that this result can be drawn as."""
        from simulator.report.plots.needs import drawable, drawable_over_draws

        return drawable_over_draws(self._whole) if self._whole.draws else drawable(self._whole)
