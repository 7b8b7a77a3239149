"""The analyses by the names that people type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from inspect import Parameter, signature
from typing import Literal, NamedTuple

from simulator.analysis.trial import (
    ancova,
    controlled_mi,
    cox,
    delayed_start,
    joint_rank,
    joint_rank_ancova,
    logrank,
    mi,
    mmrm,
    random_slope,
    rate_ratio,
    responder,
    rmst,
    win_ratio,
)
from simulator.analysis.trial.errors import AnalysisError
from simulator.analysis.trial.estimand import Estimand
from simulator.analysis.trial.estimate import Estimate
from simulator.strategies import EVENTS, contradiction, other_name


class Analysis(NamedTuple):
    """An analysis: what it is called, its function of `TrialData` and options, what it estimates.

    `measure` is what people quote, `{unit}` that of the outcome. `scale` is that of its estimates: "log", logarithms of
    the measure.
    """

    name: str
    run: Callable[..., Estimate]
    estimand: Estimand
    measure: str
    scale: Literal["identity", "log"] = "identity"

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
_ALL = (
    Analysis("ancova", ancova.ancova, ancova.ESTIMAND, CHANGE),
    Analysis("ancova_nfl", ancova.ancova_nfl, ancova.ESTIMAND, CHANGE),
    Analysis("mi", mi.mi, mi.ESTIMAND, CHANGE),
    Analysis("controlled_mi", controlled_mi.controlled_mi, controlled_mi.ESTIMAND, CHANGE),
    Analysis("mmrm", mmrm.mmrm, mmrm.ESTIMAND, CHANGE),
    Analysis("random_slope", random_slope.random_slope, random_slope.ESTIMAND, SLOPES),
    Analysis("joint_rank", joint_rank.joint_rank, joint_rank.ESTIMAND, "net benefit"),
    Analysis("joint_rank_ancova", joint_rank_ancova.joint_rank_ancova, joint_rank.ESTIMAND, "net benefit"),
    Analysis("joint_rank_mi", joint_rank_ancova.joint_rank_mi, joint_rank.ESTIMAND, "net benefit"),
    Analysis("win_ratio", win_ratio.win_ratio, win_ratio.ESTIMAND, "win ratio", "log"),
    Analysis("logrank", logrank.logrank, logrank.ESTIMAND, HAZARDS, "log"),
    Analysis("stratified_logrank", logrank.stratified_logrank, logrank.ESTIMAND, HAZARDS, "log"),
    Analysis("cox", cox.cox, cox.ESTIMAND, HAZARDS, "log"),
    Analysis("rmst", rmst.rmst, rmst.ESTIMAND, "difference of RMST, days"),
    Analysis("responder", responder.responder, responder.ESTIMAND, "difference of proportions"),
    Analysis("delayed_start", delayed_start.delayed_start, delayed_start.ESTIMAND, CHANGE),
    Analysis("rate_ratio", rate_ratio.rate_ratio, rate_ratio.ESTIMAND, "ratio of rates of decline", "log"),
)
ANALYSES: Mapping[str, Analysis] = {one.name: one for one in _ALL}


def analysis(name: str) -> Analysis:
    """An analysis by name; AnalysisError with the names that exist, or the one that is meant."""
    if name not in ANALYSES:
        if meant := other_name(name):
            raise AnalysisError(f"no analysis {name}. Write {meant}")
        raise AnalysisError(f"no analysis {name}. Choose from {', '.join(ANALYSES)}")
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
