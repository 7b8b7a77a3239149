"""Section of the validation of trials: several claims at one level, by each procedure."""

from __future__ import annotations

from typing import Any

import simulator as sim
from benchmarks.validation_base import NO_EFFECT, study
from simulator.analysis.replicates import share
from simulator.studies.trial.groups import decided
from simulator.studies.trial.plan import Plan, TrialOptions

PROCEDURES = ("hierarchical", "bonferroni", "holm", "hochberg", "co_primary", "graphical")
CLAIMS = ("joint_rank", "ancova", "stratified_logrank")
WEIGHTS = (0.6, 0.4, 0.0)
PASSES_ON = ([0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0])


def families(replicates: int = 10_000) -> dict[str, Any]:
    """Familywise error without an effect; power of each claim and of any with the drug, in a fifth of the trials."""
    base, out = sim.load("valor_extension").replace({"follow_up_days": 210, "trial.analysis_days": [196]}), {}
    base = base.replace({"trial.family": _family("holm")})
    asked = TrialOptions(CLAIMS, days=[196])
    for key, scenario, count in (("null", base.replace(NO_EFFECT), replicates), ("drug", base, replicates // 5)):
        done = study(scenario, asked, count)
        out[key] = {"replicates": count}
        for procedure in PROCEDURES:
            made = decided(_by(done.work.plan, procedure), done.found)
            shown = made.benefit | made.harm if key == "null" else made.benefit
            each = [[*share(one)] for one in shown.T]
            out[key][procedure] = {"each": each, "any": [*share(shown.any(axis=1))], "all": [*share(shown.all(axis=1))]}
    return out


def _family(procedure: str) -> dict[str, Any]:
    """The family of CLAIMS by a procedure."""
    claims: list[dict[str, Any]] = [{"analysis": name} for name in CLAIMS]
    if procedure == "graphical":
        for claim, weight, passed in zip(claims, WEIGHTS, PASSES_ON, strict=True):
            claim |= {"weight": weight, "passes_on": passed}
    return {"procedure": procedure, "claims": claims}


def _by(plan: Plan, procedure: str) -> Plan:
    return plan._replace(scenario=plan.scenario.replace({"trial.family": _family(procedure)}))
