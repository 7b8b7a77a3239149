"""The kinds of study results: their file, their manifest, their class and pictures, a row each.

Classes and pictures are named by text and imported when they are needed, so that a result below never imports what
draws it or made it. A new kind of study is a row here, or is registered.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, NamedTuple

from simulator.errors import UsageError


class Kind(NamedTuple):
    """A kind of study result.

    Parameters
    ----------
    name, title : str
        The kind in a word, and with its article.
    file, format : str
        Name of the file in a folder, and what its attribute `format` says.
    manifest : str
        What the manifest of the folder says under `format`.
    command : str
        The command that makes one.
    made, plots : str
        `module:class` of the result, and of its pictures.
    work : tuple of str
        Folders of finished parts, from which an interrupted study goes on.
    """

    name: str
    title: str
    file: str
    format: str
    manifest: str
    command: str
    made: str
    plots: str
    work: tuple[str, ...] = ()


RUN = Kind(
    "run",
    "a run",
    "result.nc",
    "als-simulator result 1",
    "als-simulator run 1",
    "als-sim run SCENARIO -o DIR",
    "simulator.results.tree:Result",
    "simulator.report.plots:Plots",
)
TRIAL = Kind(
    "trial",
    "a trial",
    "trial.nc",
    "als-simulator trial 1",
    "als-simulator trial 1",
    "als-sim trial SCENARIO -o DIR",
    "simulator.studies.trial.result:Trial",
    "simulator.report.plots.trial:TrialPlots",
    ("replicates",),
)
SWEEP = Kind(
    "sweep",
    "a sweep",
    "sweep.nc",
    "als-simulator sweep 1",
    "als-simulator sweep 1",
    "als-sim sweep SCENARIO -o DIR",
    "simulator.studies.sweep.result:Sweep",
    "simulator.report.plots.sweep:SweepPlots",
    ("points",),
)
SENSITIVITY = Kind(
    "sensitivity",
    "a sensitivity analysis",
    "sensitivity.json",
    "als-simulator sensitivity 1",
    "als-simulator sensitivity 1",
    "als-sim sensitivity SCENARIO -o DIR",
    "simulator.studies.sensitivity.document:Sensitivity",
    "simulator.report.plots.sensitivity:SensitivityPlots",
    ("sweep", "runs"),
)
DECISION = Kind(
    "decision",
    "a decision",
    "decision.json",
    "als-simulator decision 1",
    "als-simulator decision 1",
    "als-sim decide SCENARIO -o DIR",
    "simulator.studies.decide.result:Decided",
    "simulator.report.plots.decision:DecisionPlots",
    ("runs",),
)
TWINS = Kind(
    "twins",
    "twins of a cohort",
    "twins.nc",
    "als-simulator twins 1",
    "als-simulator twins 1",
    "als-sim twins DATA SCENARIO -o DIR",
    "simulator.studies.twins.result:Twins",
    "simulator.report.plots.twins:TwinsPlots",
)
ANALYSES = Kind(
    "analyses",
    "analyses of real people",
    "analyses.json",
    "als-simulator analyses 1",
    "als-simulator analyses 1",
    "als-sim analyse DATA -o DIR",
    "simulator.studies.analysed:Analysed",
    "simulator.report.plots.analysed:AnalysedPlots",
)
FIT = Kind(
    "fit",
    "a fit",
    "fit.nc",
    "als-simulator fit 1",
    "als-simulator fit 1",
    "als-sim fit DATA SCENARIO -o DIR",
    "simulator.studies.fit.result:Fit",
    "simulator.report.plots.fit:FitPlots",
    ("steps",),
)
KINDS = [RUN, TRIAL, SWEEP, SENSITIVITY, DECISION, TWINS, ANALYSES, FIT]


def register(kind: Kind) -> Kind:
    """Add a kind of study from outside the package: its folders and files are known, and `simulator.open` reads them.

    Parameters
    ----------
    kind : Kind
        Its name, file, format and manifest must be new.

    Returns
    -------
    Kind
        The same.

    Raises
    ------
    UsageError
        Another kind has one of them.
    """
    for one in KINDS:
        for column in ("name", "file", "format", "manifest"):
            if getattr(one, column) == getattr(kind, column):
                fact = f"{column} {getattr(kind, column)!r} is that of {one.title} already"
                raise UsageError(f"{fact}. Choose another for {kind.title}")
    KINDS.append(kind)
    return kind


def imported(place: str) -> Any:
    """What `module:name` names."""
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)
