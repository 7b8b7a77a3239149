"""An open simulator of SOD1-ALS: patients untreated, treated early, treated late, with the same random numbers.

The public names load on first use, so that importing the package takes no time.
For research, not for treatment decisions.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from simulator.accessors import Accessor
from simulator.version import __version__

if TYPE_CHECKING:
    from simulator.language import Scenario, ScenarioError, load
    from simulator.results import Result, open_result
    from simulator.studies.compare import compare
    from simulator.studies.person.study import person
    from simulator.studies.replay import replay
    from simulator.studies.simulate import simulate

_HOMES = {
    "load": "simulator.language",
    "Scenario": "simulator.language",
    "ScenarioError": "simulator.language",
    "simulate": "simulator.studies.simulate",
    "person": "simulator.studies.person.study",
    "Result": "simulator.results",
    "open_result": "simulator.results",
    "compare": "simulator.studies.compare",
    "replay": "simulator.studies.replay",
}

Accessor.places["plot"] = "simulator.report.plots:Plots"  # `Result.plot`

__all__ = [
    "Result",
    "Scenario",
    "ScenarioError",
    "__version__",
    "compare",
    "load",
    "open_result",
    "person",
    "replay",
    "simulate",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
