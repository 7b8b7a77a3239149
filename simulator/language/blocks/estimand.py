"""Block `estimand`: what a trial is to estimate, in the five attributes of ICH E9(R1)."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from simulator.language.parts import Name, Text
from simulator.quantities import Part, fault

Strategy = Literal["treatment_policy", "hypothetical", "composite", "while_alive", "principal_stratum"]


class Handling(Part):
    """What is done about an intercurrent event, and in words how."""

    strategy: Strategy
    words: Text | None = None


class IntercurrentEvents(Part):
    """Events after the start of treatment that change what a measurement means; death among them.

    `stopping` treatment, permanent assisted ventilation (`pav`), non-invasive ventilation (`niv`), `crossover`.
    """

    death: Handling
    pav: Handling | None = None
    niv: Handling | None = None
    stopping: Handling | None = None
    crossover: Handling | None = None

    @model_validator(mode="after")
    def _after_death(self) -> IntercurrentEvents:
        if self.death.strategy == "treatment_policy":
            fact = "treatment policy cannot be a strategy for death: after death there is nothing to measure"
            remedy = "Write composite, while_alive, principal_stratum, or hypothetical, which will be flagged"
            raise fault(fact, remedy, "death")
        return self


class Estimand(Part):
    """Population, treatment, variable, intercurrent events with a strategy each, and summary measure.

    `analysis` is the one that estimates it; without, every analysis of the trial must be able to.
    """

    analysis: Name | None = None
    population: Text
    treatment: Text
    variable: Text
    intercurrent_events: IntercurrentEvents
    summary: Text
