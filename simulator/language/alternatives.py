"""The other assumptions of a decision: with each of them there must be a scenario, before anything is simulated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.language.faults import Fault, Problem, ScenarioError

if TYPE_CHECKING:
    from simulator.language.scenario import Scenario


def alternatives(scenario: Scenario) -> dict[str, Scenario]:
    """The scenario under each entry of `decision.scenarios`, by its name.

    Parameters
    ----------
    scenario : Scenario

    Returns
    -------
    dict
        Empty where there is no decision, or it has no such entries.

    Raises
    ------
    ScenarioError
        With the faults of all those that are none, each at its entry.
    """
    block = scenario.decision
    if block is None or not block.scenarios:
        return {}
    alone = scenario.model_copy(update={"decision": block.model_copy(update={"scenarios": None})})
    found: dict[str, Scenario] = {}
    faults: list[Fault] = []
    for name, settings in block.scenarios.items():
        values = {place: one.value for place, one in settings.items()}
        try:
            found[name] = alone.replace({place: int(x) if x.is_integer() else x for place, x in values.items()})
        except ScenarioError as error:
            path = ("decision", "scenarios", name)
            told = [Problem(path, f"with it {one.address}: {one.fact}", one.remedy) for one in error.errors]
            faults += map(scenario._origin.fault, told)
    if faults:
        raise ScenarioError(faults)
    return found
