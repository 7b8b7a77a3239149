"""Check of the block `estimand`: the analysis that it names, or some analysis, estimates what it says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from simulator.language.check import reads
from simulator.language.faults import Problem, suggest
from simulator.strategies import EVENTS, Contradiction, Strategy, contradiction, of_death, other_name


@reads("estimand")
def _estimand(scenario: Any) -> Iterator[Problem]:
    """What no analysis estimates is refused, and what the analysis that is named does not."""
    block = scenario.estimand
    if block is None:
        return
    if block.analysis is not None:
        yield from estimand_problems(block)
        return
    wanted = strategies(block)
    found = [contradiction(name, wanted) for name, able in of_death().items() if able is wanted["death"]]
    if None not in found:
        yield from _as_problem(found[0])


def estimand_problems(
    block: Any, analyses: Iterable[str] = (), endpoint: str | None = None, outcome: str | None = None
) -> Iterator[Problem]:
    """Where the block contradicts the analysis that it names, or else the analyses that are run.

    Parameters
    ----------
    block : Estimand
    analyses : names that exist.
    endpoint : `event_free` or `death`; what depends on it is left out while it is not known.
    outcome : what is measured; what depends on it is left out likewise.
    """
    if block.analysis is not None and block.analysis not in of_death():
        meant = other_name(block.analysis)
        remedy = f"Write {meant.split(',')[0]}" if meant else suggest(block.analysis, of_death(), "Analyses")
        yield Problem(("estimand", "analysis"), f"there is no analysis {block.analysis}", remedy)
        return
    wanted = strategies(block)
    for name in analyses if block.analysis is None else (block.analysis,):
        yield from _as_problem(contradiction(name, wanted, endpoint, outcome))


def strategies(block: Any) -> Mapping[str, Strategy]:
    """The strategies that the block states, by event."""
    stated = {key: getattr(block.intercurrent_events, key) for key in EVENTS}
    return {key: Strategy(one.strategy.replace("_", " ")) for key, one in stated.items() if one is not None}


def _as_problem(found: Contradiction | None) -> Iterator[Problem]:
    if found is not None:
        yield Problem(("estimand", "intercurrent_events", found.event), found.fact, found.remedy)
