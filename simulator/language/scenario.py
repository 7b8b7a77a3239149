"""The scenario: ten core keys and the optional blocks, complete, checked and frozen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import PurePath
from typing import Annotated, Any, ClassVar

from pydantic import Field, PrivateAttr

from simulator.language.address import apply
from simulator.language.blocks.attrition import Attrition
from simulator.language.blocks.context_of_use import ContextOfUse
from simulator.language.blocks.decision import Decision
from simulator.language.blocks.ensemble import Ensemble
from simulator.language.blocks.estimand import Estimand
from simulator.language.blocks.output import Output
from simulator.language.blocks.person import Person
from simulator.language.blocks.rules import Rules
from simulator.language.blocks.safety import Safety
from simulator.language.blocks.sensitivity import Sensitivity
from simulator.language.blocks.strata import Stratum
from simulator.language.blocks.sweep import Sweep
from simulator.language.blocks.trial import Trial
from simulator.language.care import Epoch, Treatment, Visits
from simulator.language.document import Document
from simulator.language.dump import canonical, content, numbers, sources, to_yaml
from simulator.language.faults import Fault, Origin, Problem
from simulator.language.parts import Count, Interval, Name, Whole
from simulator.language.people import Disease, Entry
from simulator.language.registered import ByTag, registered
from simulator.mechanisms.regimen import Adherence
from simulator.models.specification import Specification
from simulator.quantities import Part

SCHEMA_VERSION = 1
NOWHERE = Origin("scenario", {}, {})

Progression = Annotated[Specification, ByTag("model")]


class Scenario(Part):
    """Everything a run needs to know, with units in the names and a source on every value that has one.

    Two scenarios are equal if they say the same, wherever they were read from. The order of variants, strata,
    arms and treatments is part of what they say; that of other keys is not.
    """

    schema_version: Annotated[int, Whole(1, SCHEMA_VERSION)]
    title: Name
    context_of_use: ContextOfUse | None = None
    patients: Count
    disease: Disease
    progression: Progression
    entry: Entry
    strata: Annotated[dict[Name, Stratum], Field(min_length=1)] | None = None
    treatments: dict[Name, Treatment]
    arms: Annotated[dict[Name, list[Epoch]], Field(min_length=1, max_length=20)]
    control: Name | None = None
    visits: Visits
    follow_up_days: Interval
    adherence: Adherence | None = None
    attrition: Attrition | None = None
    safety: Safety | None = None
    rules: Rules | None = None
    trial: Trial | None = None
    estimand: Estimand | None = None
    sweep: Sweep | None = None
    sensitivity: Sensitivity | None = None
    decision: Decision | None = None
    person: Person | None = None
    ensemble: Ensemble | None = None
    output: Output = Output()

    _build: ClassVar[Callable[[Mapping[str, Any], Document], Scenario]]  # set by `loading`, which checks what is built
    _origin: Origin = PrivateAttr(default_factory=lambda: NOWHERE)  # a default would be copied, deeply, each time

    _registered: ClassVar[tuple[int, ...]] = registered()

    @property
    def source_file(self) -> str:
        """The file the scenario was read from."""
        return self._origin.file

    @property
    def name(self) -> str:
        """The file's name without folder and ending."""
        return PurePath(self.source_file).stem

    @property
    def sha256(self) -> str:
        """Hash of what the scenario says; the file's name and the order of its sections are not part of it."""
        text = json.dumps(canonical(self), sort_keys=True, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scenario) and bool(canonical(self) == canonical(other))

    def __hash__(self) -> int:
        return hash(self.sha256)

    def __repr__(self) -> str:
        from simulator.language.display import text

        return text(self)

    def _repr_html_(self) -> str:
        from simulator.language.display import html

        return html(self)

    def explore(self, *, seed: int = 1, height: int = 900) -> Any:
        """The scenario with sliders, in a notebook: pictures, table and answer follow while one moves.

        The class stands above all packages that know scenarios; it is looked up when it is asked for.

        Parameters
        ----------
        seed : int
            Seed of the random numbers.
        height : int
            Of the frame, in pixels.

        Returns
        -------
        simulator.explorer.opening.Widget
            With the `address` of its page, for a tab of its own; `close()` ends it.
        """
        return import_module("simulator.explorer.opening").Widget(self, seed=seed, height=height)

    def fault(self, problem: Problem) -> Fault:
        """The problem with its place in the file.

        Parameters
        ----------
        problem : Problem
            What is wrong, with its path.

        Returns
        -------
        Fault
            With file, line and column.
        """
        return self._origin.fault(problem)

    def content(self) -> dict[str, Any]:
        """Plain data, complete, with the sources: what `resolved_yaml` writes.

        Returns
        -------
        dict
            Sections by key, for YAML or JSON.
        """
        data: dict[str, Any] = content(self)
        return data

    def numbers(self) -> dict[str, Any]:
        """Plain data with every sourced value as a float; a distribution stays `{shape: {...}}`.

        Returns
        -------
        dict
            Sections by key.
        """
        data: dict[str, Any] = numbers(self)
        return data

    def citations(self) -> tuple[str, ...]:
        """The sources of its values, without the places in them, each once.

        Returns
        -------
        tuple of str
            In the order of the scenario.
        """
        return tuple(dict.fromkeys(source.partition("; ")[0] for source in sources(self.content())))

    def resolved_yaml(self) -> str:
        """The complete scenario as YAML; it loads again to an equal scenario.

        Returns
        -------
        str
            YAML 1.2.
        """
        return to_yaml(self.content())

    def replace(self, settings: Mapping[str, object]) -> Scenario:
        """A scenario with other values at some addresses.

        Parameters
        ----------
        settings : mapping
            Address (a dotted path in the resolved scenario, lists by index) to value; whole subtrees are
            allowed, and keys of free mappings (variants, treatments, arms, strata) may be new.

        Returns
        -------
        Scenario
            Complete and checked; this one is not changed.

        Raises
        ------
        ScenarioError
            There is no such address, or the result is not valid.
        """
        origin = self._origin
        data = apply(self.content(), settings, origin, type(self))
        return type(self)._build(data, Document(None, origin, [], []))


def know_registered() -> None:
    """Let the schema know the models and mechanisms that were registered since it was made."""
    if Scenario._registered != (now := registered()):
        Scenario.model_rebuild(force=True)
        Scenario._registered = now
