"""What every progression model says about itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from simulator.quantities import Part


class Specification(Part):
    """The `progression` section of one model, whose name is its `model`.

    It has a section `survival` with `pav_probability` and `months_after_pav`.

    `BY_VARIANT` : parameters that differ by variant, mappings from its name. `OUTPUTS` : what the model has of the
    disease, of the variables of the truth. `SCORES_ITEMS` : whether it has the twelve items of the ALSFRS-R.
    `PRESYMPTOMATIC` : whether it has a course before onset. `DIAGNOSES` : whether diagnosis lies on its own clock.
    """

    model: str

    if TYPE_CHECKING:
        survival: Any

    BY_VARIANT: ClassVar[tuple[str, ...]]
    OUTPUTS: ClassVar[tuple[str, ...]]
    SCORES_ITEMS: ClassVar[bool]
    PRESYMPTOMATIC: ClassVar[bool] = False
    DIAGNOSES: ClassVar[bool] = False
