"""The targets' runs with another progression model (what each run sets, from `structures.yaml`) or starting values."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from simulator.catalog.claims import read_yaml
from simulator.errors import SimulatorError
from simulator.language.calibrated import starting_settings

if TYPE_CHECKING:
    from simulator.language import Scenario


def with_model(model: str, starting: bool = False) -> Callable[[str, Scenario], Scenario]:
    """From the name of a run and its scenario to the scenario of that model.

    Raises
    ------
    SimulatorError
        The runs have no settings for the model.
    """
    known = read_yaml("structures.yaml")
    if model not in known:
        raise SimulatorError(f"the evidence has no runs of the model {model!r}. There are {', '.join(known)}")

    def change(name: str, scenario: Scenario) -> Scenario:
        made = scenario.replace(known[model][name])
        return at_starting(name, made) if starting else made

    return change


def at_starting(_: str, scenario: Scenario) -> Scenario:
    """The scenario of a run with the values from which calibration starts."""
    return scenario.replace(starting_settings(scenario.content()))
