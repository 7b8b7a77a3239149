"""Controls of earlier trials, and what they say about those of a new one: the prior of its control.

Priors are mixtures of normals (`borrowing`). `SD` is that of one participant, or 1 for the logarithm of a rate, the
error of one event; spreads between trials are in this unit, so that one number serves every outcome.

References
----------
Schmidli et al. (2014), doi:10.1111/biom.12242 (robust meta-analytic-predictive prior). Hobbs, Sargent & Carlin (2012),
doi:10.1214/12-BA722 (commensurate prior, spike and slab). Both have other numbers than the assumed ones here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np

from simulator.analysis.trial.borrowing import Normals, gauss, predictive, robust, worth
from simulator.analysis.trial.data import Group
from simulator.analysis.trial.errors import AnalysisError

WINDOW = 14.0
"""[d] How far the day of earlier controls may lie from that of the analysis."""
SLAB_NODES = 40
BORROWED, BETWEEN = 0.8, 0.25
ALIKE, SPIKE, SLAB = 0.5, 200.0, (0.01, 2.0)
"""The numbers that options have without a word; assumed."""
What = Literal["change", "events"]
WITHOUT: dict[str, str] = {"change": "change of the outcome", "events": "events of the endpoint"}


class Known(NamedTuple):
    """(h,) figures of earlier groups with their standard errors, and the SD of one participant or event."""

    value: np.ndarray
    se: np.ndarray
    sd: float


Prior = Callable[[Known], Normals | None]
"""The prior that a kind of borrowing makes of what is known; None where nothing is borrowed."""


def known(groups: Sequence[Group], what: What, day: float, name: str) -> Known:
    """What the earlier controls say of the analysis called `name`.

    Raises
    ------
    AnalysisError
        None of them tells this, until this day.
    """
    told = [one for one in groups if np.isfinite(one.mean if what == "change" else one.events)]
    near = [one for one in told if abs(one.day - day) <= WINDOW]
    if not near:
        days = ", ".join(sorted({f"{one.day:g}" for one in told}, key=float))
        fact = f"{name} borrows earlier controls, and there are none that tell {WITHOUT[what]}, until day {day:g}"
        raise AnalysisError(f"{fact}{f' (they do for {days})' if days else ''}. Add them, or choose another analysis")
    mean, sd, people, events, years = np.array([one[2:] for one in near], np.float64).T
    if what == "events":  # the logarithm of a rate, half an event more
        return Known(np.log((events + 0.5) / years), 1 / np.sqrt(events + 0.5), 1.0)
    pooled = float(np.sqrt(((people - 1) @ sd**2) / (people - 1).sum()))
    return Known(mean, sd / np.sqrt(people), pooled)


def predicted(borrowed: float = BORROWED, between: float = BETWEEN) -> Prior:
    """The robust meta-analytic-predictive prior.

    Parameters
    ----------
    borrowed : the probability that the controls are one more group like the earlier ones; the rest goes to what one
        participant would say. 0: nothing is borrowed.
    between : scale of the half-normal prior of the standard deviation between trials, in SDs.
    """
    part(borrowed, "borrowed")
    positive(between, "between")

    def prior(of: Known) -> Normals | None:
        if borrowed == 0:
            return None
        found = predictive(of.value, of.se, between=between * of.sd, about=(0.0, np.inf))
        return found if borrowed == 1 else robust(found, 1 - borrowed, found.moments[0], of.sd)

    return prior


def commensurate(
    alike: float = ALIKE, spike: float = SPIKE, slab_low: float = SLAB[0], slab_high: float = SLAB[1]
) -> Prior:
    """The commensurate prior: the control's mean is normal about that of the earlier controls with a precision κ.

    Parameters
    ----------
    alike : the probability of the spike.
    spike : the precision κ of the spike, in 1/SD²: both are nearly the same.
    slab_low, slab_high : the ends of the uniform distribution of κ otherwise.
    """
    part(alike, "alike")
    low, high = slab_low, slab_high
    if not 0 < low < high < spike:
        fact = f"a slab from {low:g} to {high:g} and a spike at {spike:g}"
        raise AnalysisError(f"{fact}: precisions rise from above 0, the slab's below the spike's. Correct them")

    def prior(of: Known) -> Normals:
        x, weight = gauss(SLAB_NODES)
        kappa = np.append(low + (high - low) * (x + 1) / 2, spike)
        weights = np.append((1 - alike) * weight / 2, alike)
        precision = float((1 / of.se**2).sum()) if (of.se > 0).all() else np.inf
        mean = float((of.value / of.se**2).sum() / precision) if precision < np.inf else float(of.value.mean())
        kept = weights > 0
        sd = np.sqrt(1 / precision + of.sd**2 / kappa)
        return Normals(weights[kept], np.full(kept.sum(), mean), sd[kept])

    return prior


def worth_of(prior: Normals | None, of: Known) -> float:
    """How many participants, or events, the prior stands for."""
    return 0.0 if prior is None else worth(prior, of.sd)


def part(value: float, option: str) -> None:
    """Refuse what is no probability."""
    if not 0 <= value <= 1:
        raise AnalysisError(f"{option} is a probability, and {value:g} is none. Write 0 to 1")


def positive(value: float, option: str) -> None:
    """Refuse what is no scale."""
    if not value > 0:
        raise AnalysisError(f"{option} is a scale, and {value:g} is none. Write a number above 0")
