"""One scenario to its result: a crowd, or the twins of one person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulator.language.scenario import Scenario
    from simulator.results import Result


def simulate(scenario: Scenario, **arguments: Any) -> Result:
    """Simulate a scenario: see `simulator.run.simulate`, and `simulator.person` for one with a person."""
    if scenario.person is not None:
        from simulator.studies.person.study import person

        return person(scenario, **arguments)
    from simulator.run import simulate as crowd

    return crowd(scenario, **arguments)
