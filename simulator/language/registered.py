"""Sections of which there are several: the one that a tag names, among those in a registry when a scenario is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Union

from pydantic import Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema

from simulator.mechanisms import MECHANISMS, Mechanism
from simulator.models import MODELS
from simulator.models.specification import Specification
from simulator.quantities import Part

REGISTRIES: Mapping[type[Part], Mapping[str, type[Part]]] = {Mechanism: MECHANISMS, Specification: MODELS}
"""The registry of a class of sections."""


class ByTag:
    """The annotation of such a section; `tag` is the key that names it."""

    def __init__(self, tag: str) -> None:
        self.tag = tag

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        sections: Any = Union[tuple(REGISTRIES[source].values())]  # noqa: UP007 - made from the registry
        return handler.generate_schema(Annotated[sections, Field(discriminator=self.tag)])


def registered() -> tuple[int, ...]:
    """How many sections there are in each registry: more of them make another schema."""
    return tuple(map(len, REGISTRIES.values()))
