"""The analyses by the names that people type: those of the files beside this one, and those that plug-ins register."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from pkgutil import iter_modules

from simulator import plugins
from simulator.analysis import trial
from simulator.analysis.trial.definition import Analysis
from simulator.analysis.trial.errors import AnalysisError
from simulator.analysis.trial.estimand import Estimand
from simulator.errors import absent
from simulator.strategies import EVENTS, contradiction, other_name

__all__ = ["ANALYSES", "Analysis", "agree", "analysis", "register"]
FIRST = (
    *("ancova", "mi", "controlled_mi", "mmrm", "random_slope", "joint_rank", "joint_rank_ancova", "win_ratio"),
    *("logrank", "cox", "rmst", "responder", "delayed_start", "rate_ratio", "prognostic"),
    *("ancova_map", "ancova_commensurate", "ancova_twins", "event_rate", "rate_ratio_posterior"),
)
"""Files whose analyses are listed first, in this order; others follow by their name."""
LATER = ("registry", "truth")
"""Files that read this registry."""


def _bundled() -> Iterator[Analysis]:
    """What the files beside this one list under ANALYSES."""
    files = {one.name for one in iter_modules(trial.__path__)} - {*FIRST, *LATER}
    for name in (*FIRST, *sorted(files)):
        yield from getattr(import_module(f"{trial.__name__}.{name}"), "ANALYSES", ())


_KNOWN: dict[str, Analysis] = {one.name: one for one in _bundled()}
ANALYSES: Mapping[str, Analysis] = _KNOWN


def register(one: Analysis) -> Analysis:
    """Add an analysis from outside the package.

    Parameters
    ----------
    one : Analysis
        Its name must be new.

    Returns
    -------
    Analysis
        The same.

    Raises
    ------
    AnalysisError
        Another analysis has the name.
    """
    if _KNOWN.setdefault(one.name, one) is not one:
        raise AnalysisError(f"there is an analysis {one.name} already. Choose another name")
    return one


def analysis(name: str) -> Analysis:
    """An analysis by name; AnalysisError with the names that exist, or the one that is meant."""
    plugins.load()
    if name not in ANALYSES:
        if meant := other_name(name):
            raise AnalysisError(f"there is no analysis '{name}'. Write {meant}")
        raise AnalysisError(absent("analysis", name, ANALYSES, "analyses"))
    return ANALYSES[name]


def agree(name: str, wanted: Estimand) -> None:
    """Refuse an estimand that the analysis does not estimate (see `contradiction`).

    Raises
    ------
    AnalysisError
        The analysis deals with an intercurrent event otherwise than the estimand says.
    """
    key = {event: key for key, event in EVENTS.items()}
    stated = {key.get(one.event, one.event): one.strategy for one in wanted.intercurrent_events}
    found = contradiction(analysis(name).name, stated)
    if found is not None:
        raise AnalysisError(f"{found.fact}. {found.remedy}")
