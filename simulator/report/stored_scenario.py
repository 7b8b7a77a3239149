"""The scenario that a result holds, read once for all that asks for it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulator.language.scenario import Scenario
    from simulator.results.study import StudyResult


def stored_scenario(result: StudyResult) -> tuple[Scenario | None, str]:
    """The scenario that the result holds; or none, and why this version cannot read it."""
    return _parsed(result.scenario, result.scenario_name)


@lru_cache(maxsize=4)
def _parsed(text: str, name: str) -> tuple[Scenario | None, str]:
    from simulator.language import ScenarioError, parse

    try:
        return parse(text.encode("utf-8"), name), ""
    except ScenarioError as error:
        return None, str(error.errors[0])
