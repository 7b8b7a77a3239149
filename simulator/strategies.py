"""Strategies for intercurrent events, and which of them each analysis of a trial can stand for.

Only a scenario that states an estimand needs the analyses, by name: reading any other loads none.

References
----------
ICH E9(R1), Addendum on estimands and sensitivity analysis in clinical trials (2019).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from importlib import import_module
from typing import NamedTuple

EVENT_FREE = "event_free"
UNMEASURED = ("svc",)
"""Outcomes that cannot be measured on permanent ventilation."""


class Strategy(StrEnum):
    """How an intercurrent event is dealt with."""

    TREATMENT_POLICY = "treatment policy"
    HYPOTHETICAL = "hypothetical"
    COMPOSITE = "composite"
    WHILE_ALIVE = "while alive"
    PRINCIPAL_STRATUM = "principal stratum"


EVENTS = {
    "death": "death",
    "pav": "permanent assisted ventilation",
    "niv": "non-invasive ventilation",
    "stopping": "stopping treatment",
    "crossover": "crossover",
}
"""Keys of the block `estimand`, and what analyses call the events."""


def of_death() -> Mapping[str, Strategy]:
    """The strategy for death of each analysis, as its estimand says; loads the analyses when it is first asked."""
    registry = import_module("simulator.analysis.trial.registry")
    return {name: one.estimand.death for name, one in registry.ANALYSES.items()}


OTHER_NAMES: Mapping[str, str] = {
    "cafs": "joint_rank",
    "finkelstein_schoenfeld": "joint_rank",
    "wilcoxon": "joint_rank",
    "mann_whitney": "joint_rank",
    "net_benefit": "joint_rank",
    "win_odds": "win_ratio",
    "procova": "ancova_prognostic",
    "procova_mmrm": "mmrm_prognostic",
    "t_test": "ancova",
    "ancova_mi": "mi",
    "multiple_imputation": "mi",
    "j2r": "controlled_mi, with --option controlled_mi.rule=jump",
    "jump_to_reference": "controlled_mi, with --option controlled_mi.rule=jump",
    "copy_reference": "controlled_mi, with --option controlled_mi.rule=copy",
    "copy_increments": "controlled_mi, with --option controlled_mi.rule=increments",
    "tipping_point": "controlled_mi, with --option controlled_mi.rule=random and controlled_mi.tipping=true",
    "delta": "controlled_mi, with --option controlled_mi.rule=random and controlled_mi.delta=-1",
    "kenward_roger": "mmrm, with --option mmrm.df=kenward_roger",
    "mixed_model": "mmrm",
    "slope": "random_slope",
    "lme": "random_slope",
    "kaplan_meier": "logrank",
    "log_rank": "logrank",
    "hazard_ratio": "cox",
    "stratified_cox": "cox, with --option cox.stratified=true",
    "firth": "cox, with --option cox.penalty=true and cox.test=likelihood_ratio",
    "likelihood_ratio": "cox, with --option cox.test=likelihood_ratio",
    "cmh": "responder",
    "shared_parameter": "rate_ratio",
    "joint_model": "rate_ratio",
    "disease_rate_ratio": "rate_ratio",
    "healey": "rate_ratio_posterior",
    "map_prior": "ancova_map",
    "robust_map": "ancova_map",
    "commensurate": "ancova_commensurate",
    "historical_controls": "ancova_map",
}
"""What people call analyses otherwise, and what to write."""


def other_name(text: str) -> str | None:
    """What to write for a name of somebody's own; None where it is not known."""
    return OTHER_NAMES.get(text.strip().lower().replace("-", "_").replace(" ", "_"))


class Contradiction(NamedTuple):
    """Why an analysis does not estimate what is wanted: the event by its key, the fact, what to do."""

    event: str
    fact: str
    remedy: str


def contradiction(
    name: str, wanted: Mapping[str, Strategy], endpoint: str | None = None, outcome: str | None = None
) -> Contradiction | None:
    """What an analysis does about an event otherwise than wanted; None where it estimates what is wanted.

    It has its own strategy for death, and uses what is measured after any other event. Where death is composite,
    ventilation is so too if the endpoint is `event_free`; without an endpoint either is right. An outcome that cannot
    be measured on ventilation is missing from then on as it is after death; without an outcome either is right.
    """
    known = of_death()
    able = known[name]
    if wanted["death"] is not able:
        others = ", ".join(other for other, strategy in known.items() if strategy is wanted["death"])
        fact = f"{name} handles death as {able}, not as {wanted['death']}"
        return Contradiction("death", fact, f"Write {_key(able)}, or use {others}")
    for event, strategy in wanted.items():
        ends = event == "pav" and (able is Strategy.COMPOSITE or outcome is None or outcome in UNMEASURED)
        what = EVENTS.get(event, event)
        if ends and outcome in UNMEASURED and able is not Strategy.COMPOSITE and strategy is not able:
            fact = f"{name} handles {what}, on which {outcome} cannot be measured, as {able}, not as {strategy}"
            return Contradiction(event, fact, f"Write {_key(able)}")
        if event != "death" and strategy not in {Strategy.TREATMENT_POLICY, *([able] if ends else [])}:
            fact = f"{name} uses what is measured after {what}, which is treatment policy, not {strategy}"
            return Contradiction(event, fact, "Write treatment_policy: no analysis here does otherwise")
    return _of_ventilation(name, able, wanted, endpoint)


def _of_ventilation(
    name: str, able: Strategy, wanted: Mapping[str, Strategy], endpoint: str | None
) -> Contradiction | None:
    """Ventilation is part of the event, or it is not."""
    if endpoint is None or "pav" not in wanted or able is not Strategy.COMPOSITE:
        return None
    ends = Strategy.COMPOSITE if endpoint == EVENT_FREE else Strategy.TREATMENT_POLICY
    if wanted["pav"] is ends:
        return None
    other = "death" if endpoint == EVENT_FREE else EVENT_FREE
    fact = f"with the endpoint {endpoint}, {name} handles {EVENTS['pav']} as {ends}, not as {wanted['pav']}"
    return Contradiction("pav", fact, f"Write {_key(ends)}, or take the endpoint {other}")


def _key(strategy: Strategy) -> str:
    """How a scenario writes it."""
    return strategy.replace(" ", "_")
