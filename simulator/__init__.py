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
    from simulator.datasets import DataError, Dataset
    from simulator.datasets.reading import read_data
    from simulator.errors import SimulatorError
    from simulator.language import Scenario, ScenarioError, load
    from simulator.results import Result
    from simulator.studies.analyse import Analysed, analyse
    from simulator.studies.compare import compare
    from simulator.studies.draws import one_draw
    from simulator.studies.opening import open_result
    from simulator.studies.person.study import person
    from simulator.studies.replay import replay
    from simulator.studies.sensitivity.document import Sensitivity, open_sensitivity
    from simulator.studies.sensitivity.study import sensitivity
    from simulator.studies.simulate import simulate
    from simulator.studies.sweep.study import sweep
    from simulator.studies.sweep.swept import Sweep, open_sweep
    from simulator.studies.trial.folder import open_trial
    from simulator.studies.trial.result import Trial
    from simulator.studies.trial.study import trial

_HOMES = {
    "load": "simulator.language",
    "Scenario": "simulator.language",
    "ScenarioError": "simulator.language",
    "SimulatorError": "simulator.errors",
    "Analysed": "simulator.studies.analyse",
    "analyse": "simulator.studies.analyse",
    "DataError": "simulator.datasets",
    "Dataset": "simulator.datasets",
    "read_data": "simulator.datasets.reading",
    "simulate": "simulator.studies.simulate",
    "person": "simulator.studies.person.study",
    "Result": "simulator.results",
    "one_draw": "simulator.studies.draws",
    "open_result": "simulator.studies.opening",
    "compare": "simulator.studies.compare",
    "replay": "simulator.studies.replay",
    "Trial": "simulator.studies.trial.result",
    "open_trial": "simulator.studies.trial.folder",
    "trial": "simulator.studies.trial.study",
    "sensitivity": "simulator.studies.sensitivity.study",
    "Sensitivity": "simulator.studies.sensitivity.document",
    "open_sensitivity": "simulator.studies.sensitivity.document",
    "sweep": "simulator.studies.sweep.study",
    "Sweep": "simulator.studies.sweep.swept",
    "open_sweep": "simulator.studies.sweep.swept",
}

Accessor.places["Analysed.plot"] = "simulator.report.plots.analysed:AnalysedPlots"
Accessor.places["Result.plot"] = "simulator.report.plots:Plots"
Accessor.places["Sensitivity.plot"] = "simulator.report.plots.sensitivity:SensitivityPlots"
Accessor.places["Sweep.plot"] = "simulator.report.plots.sweep:SweepPlots"
Accessor.places["Trial.plot"] = "simulator.report.plots.trial:TrialPlots"

__all__ = [
    "Analysed",
    "DataError",
    "Dataset",
    "Result",
    "Scenario",
    "ScenarioError",
    "Sensitivity",
    "SimulatorError",
    "Sweep",
    "Trial",
    "__version__",
    "analyse",
    "compare",
    "load",
    "one_draw",
    "open_result",
    "open_sensitivity",
    "open_sweep",
    "open_trial",
    "person",
    "read_data",
    "replay",
    "sensitivity",
    "simulate",
    "sweep",
    "trial",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
