"""Section `trial.prognostic`: which model expects how participants would change untreated."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from simulator.language.blocks.sweep import finite
from simulator.language.parts import Name, Text, Whole
from simulator.quantities import Part, fault


class Prognostic(Part):
    """Where prognostic scores are learnt: untreated people of this scenario, the true model, unless it says otherwise.

    `scenario` names another one that comes with the program, whose people are visited as the trial's are; `set` changes
    values by address, so that the model is wrong on purpose; `draws` takes so many vectors of the parameter ensemble in
    equal parts; `people` are simulated to learn from.
    """

    scenario: Name | None = None
    set: Annotated[dict[Text, Annotated[Any, AfterValidator(finite)]], Field(min_length=1)] | None = None
    draws: Annotated[int, Whole(1, 1_000)] | None = None
    people: Annotated[int, Whole(2_500, 1_000_000)] = 20_000

    @model_validator(mode="after")
    def _says_something(self) -> Prognostic:
        for address in self.set or {}:
            if address.partition(".")[0] in ("trial", "visits", "arms", "follow_up_days"):
                raise fault(f"{address} is of the trial, not of the model", "Change the model alone", "set")
        return self
