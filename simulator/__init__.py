"""An open simulator of SOD1-ALS: patients untreated, treated early, treated late, with the same random numbers.

The public names load on first use, so that importing the package takes no time.
For research, not for treatment decisions.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any
from warnings import warn

from simulator.version import __version__

if TYPE_CHECKING:
    from simulator.datasets import DataError, Dataset
    from simulator.datasets.reading import read_data
    from simulator.errors import SimulatorError
    from simulator.language import Scenario, ScenarioError, load
    from simulator.results import Result, StudyResult
    from simulator.results.opening import open_study as open  # noqa: A004 - used as `sim.open`
    from simulator.studies.analyse import analyse
    from simulator.studies.analysed import Analysed
    from simulator.studies.compare import compare
    from simulator.studies.decide.result import Decided
    from simulator.studies.decide.study import decide
    from simulator.studies.draws import one_draw
    from simulator.studies.fit.result import Fit
    from simulator.studies.fit.study import fit
    from simulator.studies.person.study import person
    from simulator.studies.replay import replay
    from simulator.studies.sensitivity.document import Sensitivity
    from simulator.studies.sensitivity.study import sensitivity
    from simulator.studies.simulate import simulate
    from simulator.studies.sweep.result import Sweep
    from simulator.studies.sweep.study import sweep
    from simulator.studies.trial.result import Trial
    from simulator.studies.trial.study import trial
    from simulator.studies.twins.result import Twins
    from simulator.studies.twins.study import twins

_HOMES = {
    "load": "simulator.language",
    "Scenario": "simulator.language",
    "ScenarioError": "simulator.language",
    "SimulatorError": "simulator.errors",
    "Analysed": "simulator.studies.analysed",
    "analyse": "simulator.studies.analyse",
    "DataError": "simulator.datasets",
    "Dataset": "simulator.datasets",
    "read_data": "simulator.datasets.reading",
    "simulate": "simulator.studies.simulate",
    "fit": "simulator.studies.fit.study",
    "Fit": "simulator.studies.fit.result",
    "person": "simulator.studies.person.study",
    "Result": "simulator.results",
    "StudyResult": "simulator.results",
    "one_draw": "simulator.studies.draws",
    "compare": "simulator.studies.compare",
    "replay": "simulator.studies.replay",
    "Trial": "simulator.studies.trial.result",
    "trial": "simulator.studies.trial.study",
    "decide": "simulator.studies.decide.study",
    "Decided": "simulator.studies.decide.result",
    "sensitivity": "simulator.studies.sensitivity.study",
    "Sensitivity": "simulator.studies.sensitivity.document",
    "sweep": "simulator.studies.sweep.study",
    "Sweep": "simulator.studies.sweep.result",
    "twins": "simulator.studies.twins.study",
    "Twins": "simulator.studies.twins.result",
}

__all__ = [
    "Analysed",
    "DataError",
    "Dataset",
    "Decided",
    "Fit",
    "Result",
    "Scenario",
    "ScenarioError",
    "Sensitivity",
    "SimulatorError",
    "StudyResult",
    "Sweep",
    "Trial",
    "Twins",
    "__version__",
    "analyse",
    "compare",
    "decide",
    "fit",
    "load",
    "one_draw",
    "open",
    "person",
    "read_data",
    "replay",
    "sensitivity",
    "simulate",
    "sweep",
    "trial",
    "twins",
]


_OLD_NAMES = {"open_result", "open_sensitivity", "open_sweep", "open_trial"}
"""Deprecated names of `open`, until version 0.3."""


def __getattr__(name: str) -> Any:
    if name == "open" or name in _OLD_NAMES:
        if name != "open":
            warn(f"simulator.{name} is now simulator.open", DeprecationWarning, stacklevel=2)
        return import_module("simulator.results.opening").open_study
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
