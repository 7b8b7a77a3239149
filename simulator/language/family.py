"""The part `family` of the block `trial`: several claims at one level, and by which procedure they are made."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from simulator.language.care import Assessment
from simulator.language.parts import Interval, Name
from simulator.quantities import Part, Share, fault

Procedure = Literal["hierarchical", "bonferroni", "holm", "hochberg", "graphical", "co_primary"]
WEIGHED = ("bonferroni", "holm", "graphical")
ROUNDING = 1e-9


class Claim(Part):
    """A claim of benefit by an analysis on one of the trial's days of analysis, the first by default.

    `outcome` and `endpoint` are those of the study by default. `weight`: its part of the level. `passes_on`: in a
    graph, the parts of that which the claims of the family get, in their order, once it is made.
    """

    analysis: Name
    day: Interval | None = None
    outcome: Assessment | None = None
    endpoint: Literal["event_free", "death"] | None = None
    weight: Share | None = None
    passes_on: list[Share] | None = None


class Family(Part):
    """Claims that share the level of the trial.

    `hierarchical`: in their order, each at the whole level, until one fails. `bonferroni`, `holm`: each has its part of
    the level, equal by default. `graphical`: each has a weight and passes on. `co_primary`: all or none.
    """

    procedure: Procedure
    claims: Annotated[list[Claim], Field(min_length=2, max_length=20)]

    @property
    def weights(self) -> list[float] | None:
        """Parts of the level by claim; None where none are written."""
        found = [claim.weight.value for claim in self.claims if claim.weight is not None]
        return found or None

    @property
    def transitions(self) -> list[list[float]] | None:
        """What each claim passes on; None where none does."""
        found = [[part.value for part in claim.passes_on] for claim in self.claims if claim.passes_on is not None]
        return found or None

    @model_validator(mode="after")
    def _shared_out(self) -> Family:
        if len({(one.analysis, one.day, one.outcome, one.endpoint) for one in self.claims}) < len(self.claims):
            raise fault("a claim is there twice", "Write each once", "claims")
        weights, rows = self.weights, self.transitions
        if weights is not None:
            self._weighed(weights)
        if self.procedure != "graphical":
            if rows is not None:
                raise fault(f"{self.procedure} passes nothing on", "Remove passes_on, or write graphical", "claims")
            return self
        if weights is None or rows is None or len(rows) != len(self.claims):
            raise fault("in a graph every claim has a weight and passes on", "Write both for each claim", "claims")
        self._is_graph(rows)
        return self

    def _weighed(self, weights: list[float]) -> None:
        """Parts of the level, one for each claim, no more than the whole."""
        if self.procedure not in WEIGHED:
            raise fault(f"{self.procedure} has no weights", "Remove them", "claims")
        if len(weights) != len(self.claims):
            fact = f"there are {len(weights)} weights for {len(self.claims)} claims"
            raise fault(fact, "Write one for each claim", "claims")
        if not 0 < sum(weights) <= 1 + ROUNDING:
            fact = f"the weights add up to {sum(weights):g}, and the level is 1 of itself"
            raise fault(fact, "Write weights that add up to 1", "claims")

    def _is_graph(self, rows: list[list[float]]) -> None:
        """A number for each claim; nothing stays, and no more goes out than there is."""
        count = len(self.claims)
        for number, row in enumerate(rows):
            if len(row) != count:
                fact = f"claim {number + 1} passes on {len(row)} parts to {count} claims"
                raise fault(fact, "Write a number for each claim, 0 for itself", "claims")
            if row[number]:
                fact = f"claim {number + 1} passes its level to itself"
                raise fault(fact, f"Write 0 as number {number + 1} of its passes_on", "claims")
            if sum(row) > 1 + ROUNDING:
                fact = f"claim {number + 1} passes on {sum(row):g} of its level"
                raise fault(fact, "Write parts that add up to 1 or less", "claims")
