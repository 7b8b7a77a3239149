"""What an analysis estimates: the five attributes of an estimand.

References
----------
ICH E9(R1), Addendum on estimands and sensitivity analysis in clinical trials (2019). Kurland et al. (2009),
Longitudinal data with follow-up truncated by death, doi:10.1214/09-STS293.
"""

from __future__ import annotations

from typing import NamedTuple

from simulator.analysis.trial.errors import AnalysisError
from simulator.strategies import EVENTS, Strategy

__all__ = ["DEATH", "PAV", "STOPPING", "Estimand", "IntercurrentEvent", "Strategy", "death", "estimand"]
DEATH = EVENTS["death"]


class IntercurrentEvent(NamedTuple):
    """An event after the start of treatment that changes what a measurement means, and what is done about it."""

    event: str
    strategy: Strategy
    words: str


class Estimand(NamedTuple):
    """Population, treatment, variable, intercurrent events and summary measure. Make one with `estimand`."""

    population: str
    treatment: str
    variable: str
    intercurrent_events: tuple[IntercurrentEvent, ...]
    summary: str

    @property
    def death(self) -> Strategy:
        """The strategy for death."""
        return next(one.strategy for one in self.intercurrent_events if one.event == DEATH)

    @property
    def flags(self) -> tuple[str, ...]:
        """What the reader must be told before the number."""
        if self.death is not Strategy.HYPOTHETICAL:
            return ()
        return ("death is handled by the hypothetical strategy: the value describes people who cannot exist",)


def estimand(
    variable: str,
    summary: str,
    *events: IntercurrentEvent,
    population: str = "all randomised participants",
    treatment: str = "assignment to the experimental arm against assignment to control",
) -> Estimand:
    """The estimand with these attributes.

    Raises
    ------
    AnalysisError
        Nothing is said about death, an event is named twice, or death has the strategy `treatment policy`: after
        death there is no variable whose value could be used whether or not the event occurred.
    """
    names = [one.event for one in events]
    if names.count(DEATH) != 1 or len(set(names)) < len(names):
        raise AnalysisError(f"intercurrent events {names}: name each once, and death among them")
    found = Estimand(population, treatment, variable, events, summary)
    if found.death is Strategy.TREATMENT_POLICY:
        choices = ", ".join(one.value for one in Strategy if one is not Strategy.TREATMENT_POLICY)
        raise AnalysisError(f"{variable}: treatment policy cannot be a strategy for death. Choose one of {choices}")
    return found


# What every analysis does about the two events that are not death.
STOPPING = IntercurrentEvent(EVENTS["stopping"], Strategy.TREATMENT_POLICY, "values after stopping are used")
PAV = IntercurrentEvent(EVENTS["pav"], Strategy.TREATMENT_POLICY, "function is used as measured after it")


def death(strategy: Strategy, words: str) -> IntercurrentEvent:
    """Death with a strategy."""
    return IntercurrentEvent(DEATH, strategy, words)
