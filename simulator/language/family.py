"""The part `family` of the block `trial`: several claims at one level, and by which procedure they are made."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from simulator.language.parts import Interval, Name
from simulator.quantities import Part, Share, fault

Procedure = Literal["hierarchical", "bonferroni", "holm", "hochberg", "graphical", "co_primary"]
WEIGHED = ("bonferroni", "holm", "graphical")
ROUNDING = 1e-9


class Claim(Part):
    """A claim of benefit by an analysis on one of the trial's days of analysis, the first by default."""

    analysis: Name
    day: Interval | None = None


class Family(Part):
    """Claims that share the level of the trial.

    `hierarchical`: in their order, each at the whole level, until one fails. `bonferroni`, `holm`: each has its part of
    the level, `weights`, equal by default. `graphical`: `weights`, and `transitions`, whose row i says in which parts
    the level of claim i goes to the others once it is made. `co_primary`: all or none.
    """

    procedure: Procedure
    claims: Annotated[list[Claim], Field(min_length=2, max_length=20)]
    weights: list[Share] | None = None
    transitions: list[list[Share]] | None = None

    @model_validator(mode="after")
    def _shared_out(self) -> Family:
        if len({(claim.analysis, claim.day) for claim in self.claims}) < len(self.claims):
            raise fault("a claim is there twice", "Write each once", "claims")
        if self.weights is not None:
            self._weighed([weight.value for weight in self.weights])
        if self.procedure != "graphical":
            if self.transitions is not None:
                raise fault(f"{self.procedure} has no transitions", "Remove them, or write graphical", "transitions")
            return self
        if self.weights is None or self.transitions is None:
            raise fault("a graph has weights and transitions", "Write both")
        self._is_graph([[part.value for part in row] for row in self.transitions])
        return self

    def _weighed(self, weights: list[float]) -> None:
        """Parts of the level, one for each claim, no more than the whole."""
        if self.procedure not in WEIGHED:
            raise fault(f"{self.procedure} has no weights", "Remove them", "weights")
        if len(weights) != len(self.claims):
            fact = f"there are {len(weights)} weights for {len(self.claims)} claims"
            raise fault(fact, "Write one for each claim, in their order", "weights")
        if not 0 < sum(weights) <= 1 + ROUNDING:
            more = f"the weights add up to {sum(weights):g}"
            raise fault(f"{more}, and the level is 1 of itself", "Write weights that add up to 1", "weights")

    def _is_graph(self, rows: list[list[float]]) -> None:
        """A row for each claim; nothing stays, and no more goes out than there is."""
        count = len(self.claims)
        if len(rows) != count or any(len(row) != count for row in rows):
            fact = f"the transitions are no table of {count} rows of {count}"
            raise fault(fact, "Write a row for each claim, a number for each other", "transitions")
        for number, row in enumerate(rows):
            if row[number]:
                fact = f"claim {number + 1} passes its level to itself"
                raise fault(fact, "Write 0 on the diagonal", "transitions")
            if sum(row) > 1 + ROUNDING:
                fact = f"claim {number + 1} passes on {sum(row):g} of its level"
                raise fault(fact, "Write a row that adds up to 1 or less", "transitions")
