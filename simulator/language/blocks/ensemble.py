"""Block `ensemble`: vectors of values for some addresses of the scenario, which `--draws` takes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from simulator.language.parts import Text
from simulator.quantities import Part, fault

MOST = 2_000


class Ensemble(Part):
    """What is not known of the values at `addresses`: equally likely vectors, a number for each address."""

    addresses: Annotated[list[Text], Field(min_length=1, max_length=100)]
    vectors: Annotated[list[list[float]], Field(min_length=1, max_length=MOST)]

    @model_validator(mode="after")
    def _shape(self) -> Ensemble:
        if len(set(self.addresses)) < len(self.addresses):
            raise fault("an address stands here twice", "Write each once", "addresses")
        for vector in self.vectors:
            if len(vector) != len(self.addresses):
                fact = f"a vector has {len(vector)} numbers, and there are {len(self.addresses)} addresses"
                raise fault(fact, "Write a number for each address", "vectors")
        return self
