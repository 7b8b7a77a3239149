"""What an analysis of a trial is: its function, what it estimates, and the truth of that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from inspect import Parameter, signature
from typing import Any, Literal, NamedTuple

from simulator.analysis.trial.earlier import Prior
from simulator.analysis.trial.estimand import Estimand
from simulator.analysis.trial.estimate import Estimate
from simulator.analysis.trial.potential import Truth


class Borrows(NamedTuple):
    """From what the prior of a control is: of earlier controls their `change` or `events`, or prognostic `scores`.

    `kind` makes the prior of it, from those options of the analysis that it takes.
    """

    what: Literal["change", "events", "scores"]
    kind: Callable[..., Prior]

    def prior(self, options: Mapping[str, Any]) -> Prior:
        """The prior by these options; AnalysisError where they contradict themselves."""
        return self.kind(**{key: value for key, value in options.items() if key in _options(self.kind)})


class Analysis(NamedTuple):
    """An analysis: a file that holds one, or a plug-in, lists it under ANALYSES or hands it to `registry.register`.

    Parameters
    ----------
    name : str
        What people type.
    run : callable
        Its function of `TrialData` and options; returns an `Estimate`.
    estimand : Estimand
        What it estimates, with its strategy for death.
    measure : str
        What people quote; `{unit}` is that of the outcome.
    scale : {"identity", "log"}
        That of its estimates: "log", logarithms of the measure.
    truth : callable, optional
        The true value of what it estimates. Without one, a trial is run with `--truth 0`.
    changes : tuple of str
        Options that change what is estimated, not only how; they are passed to the truth.
    borrows : Borrows, optional
        What its control has a prior from.
    """

    name: str
    run: Callable[..., Estimate]
    estimand: Estimand
    measure: str
    scale: Literal["identity", "log"] = "identity"
    truth: Truth | None = None
    changes: tuple[str, ...] = ()
    borrows: Borrows | None = None

    @property
    def draws(self) -> bool:
        """Whether it draws random numbers, from an option `seed`: each replicate has its own."""
        return "seed" in _options(self.run)


@cache
def _options(run: Callable[..., Estimate]) -> Mapping[str, Parameter]:
    return signature(run).parameters


CHANGE = "difference of change, {unit}"
SLOPES = "difference of slopes, {unit} per month"
HAZARDS = "hazard ratio"
