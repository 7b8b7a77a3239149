"""The analyses by the names that people type, and which strategies for death each can stand for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from simulator.analysis.trial import (
    ancova,
    cox,
    delayed_start,
    joint_rank,
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
from simulator.analysis.trial.estimand import DEATH, PAV, Estimand, Strategy
from simulator.analysis.trial.estimate import Estimate

COMPOSITE = frozenset({Strategy.COMPOSITE})
FUNCTION = frozenset({Strategy.HYPOTHETICAL})
SURVIVORS = frozenset({Strategy.PRINCIPAL_STRATUM})
ALIVE = frozenset({Strategy.WHILE_ALIVE})


class Analysis(NamedTuple):
    """An analysis: what it is called, its function of `TrialData` and options, what it estimates.

    `death` are the strategies for death that the function can stand for; `estimand` has one of them. `measure` is what
    people quote, `{unit}` that of the outcome. `scale` is that of its estimates: "log", logarithms of the measure.
    """

    name: str
    run: Callable[..., Estimate]
    estimand: Estimand
    death: frozenset[Strategy]
    measure: str
    scale: Literal["identity", "log"] = "identity"


CHANGE = "difference of change, {unit}"
SLOPES = "difference of slopes, {unit} per month"
HAZARDS = "hazard ratio"
_ALL = (
    Analysis("ancova", ancova.ancova, ancova.ESTIMAND, SURVIVORS, CHANGE),
    Analysis("ancova_nfl", ancova.ancova_nfl, ancova.ESTIMAND, SURVIVORS, CHANGE),
    Analysis("mi", mi.mi, mi.ESTIMAND, FUNCTION, CHANGE),
    Analysis("mmrm", mmrm.mmrm, mmrm.ESTIMAND, FUNCTION, CHANGE),
    Analysis("random_slope", random_slope.random_slope, random_slope.ESTIMAND, FUNCTION, SLOPES),
    Analysis("joint_rank", joint_rank.joint_rank, joint_rank.ESTIMAND, COMPOSITE, "net benefit"),
    Analysis("win_ratio", win_ratio.win_ratio, win_ratio.ESTIMAND, COMPOSITE, "win ratio", "log"),
    Analysis("logrank", logrank.logrank, logrank.ESTIMAND, COMPOSITE, HAZARDS, "log"),
    Analysis("stratified_logrank", logrank.stratified_logrank, logrank.ESTIMAND, COMPOSITE, HAZARDS, "log"),
    Analysis("cox", cox.cox, cox.ESTIMAND, COMPOSITE, HAZARDS, "log"),
    Analysis("rmst", rmst.rmst, rmst.ESTIMAND, COMPOSITE, "difference of RMST, days"),
    Analysis("responder", responder.responder, responder.ESTIMAND, COMPOSITE, "difference of proportions"),
    Analysis("delayed_start", delayed_start.delayed_start, delayed_start.ESTIMAND, FUNCTION, CHANGE),
    Analysis("rate_ratio", rate_ratio.rate_ratio, rate_ratio.ESTIMAND, ALIVE, "ratio of rates of decline", "log"),
)
ANALYSES: Mapping[str, Analysis] = {one.name: one for one in _ALL}


def analysis(name: str) -> Analysis:
    """An analysis by name; AnalysisError with the names that exist."""
    if name not in ANALYSES:
        raise AnalysisError(f"no analysis {name}. Choose from {', '.join(ANALYSES)}")
    return ANALYSES[name]


def agree(name: str, wanted: Estimand) -> None:
    """Refuse an estimand that the analysis does not estimate.

    Raises
    ------
    AnalysisError
        The estimand's strategy for death is not one that the analysis can stand for, or another event is to be dealt
        with otherwise than by using what is measured after it. Where death is composite, permanent assisted ventilation
        may be so too: it is then part of the event.
    """
    found = analysis(name)
    if wanted.death not in found.death:
        able = ", ".join(sorted(one.value for one in found.death))
        others = [one.name for one in _ALL if wanted.death in one.death]
        remedy = f"use {', '.join(others)}" if others else "no analysis here does"
        raise AnalysisError(f"{name} handles death as {able}, not as {wanted.death.value}: write that, or {remedy}")
    for one in wanted.intercurrent_events:
        able_too = COMPOSITE & found.death if one.event == PAV.event else frozenset()
        if one.event != DEATH and one.strategy not in {Strategy.TREATMENT_POLICY, *able_too}:
            raise AnalysisError(
                f"{name} uses what is measured after {one.event} (treatment policy), and the estimand says "
                f"{one.strategy.value}. Write treatment policy: no analysis here does otherwise"
            )
