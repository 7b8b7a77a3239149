"""The log-rank test, plain and stratified, with Peto's estimate of the log hazard ratio.

At event time t with d events among Y at risk, Y₁ of them treated, the treated expect E = d Y₁/Y events with the
variance d (Y₁/Y)(1 − Y₁/Y)(Y − d)/(Y − 1). With O − E and V summed over times (and strata), z = (O − E)/√V; Peto's
estimate is (O − E)/V with standard error 1/√V, good for hazard ratios near 1.

References
----------
Peto & Peto (1972), doi:10.2307/2344317. Mantel (1966), Cancer Chemotherapy Reports 50:163-170.
Yusuf et al. (1985), doi:10.1016/s0033-0620(85)80003-7 (the estimate).
"""

from __future__ import annotations

import numpy as np

from simulator.analysis.trial.cox import cox, hazard_ratio
from simulator.analysis.trial.data import TrialData
from simulator.analysis.trial.definition import HAZARDS, Analysis
from simulator.analysis.trial.errors import NotEstimableError
from simulator.analysis.trial.estimand import STOPPING, Strategy, death, estimand
from simulator.analysis.trial.estimate import About, Estimate, wald
from simulator.analysis.trial.potential import NOTHING, Options, Potential
from simulator.analysis.trial.risk_sets import over_risk_sets, risk_sets

ESTIMAND = estimand(
    "time from baseline to the event",
    "log hazard ratio, close to the null (Peto)",
    death(Strategy.COMPOSITE, "death is the event, or one of the events that end event-free time"),
    STOPPING,
)


def logrank(data: TrialData) -> Estimate:
    """Log-rank test; its value is Peto's log hazard ratio, negative when treatment has fewer events than expected.

    Parameters
    ----------
    data : TrialData
        Participants of two arms.

    Returns
    -------
    Estimate
        On the logarithmic scale.
    """
    return _logrank(data, stratified=False)


def stratified_logrank(data: TrialData) -> Estimate:
    """Log-rank test within the strata of randomisation, added over them.

    Parameters
    ----------
    data : TrialData
        Participants of two arms.

    Returns
    -------
    Estimate
        On the logarithmic scale.
    """
    return _logrank(data, stratified=True)


def _logrank(data: TrialData, *, stratified: bool) -> Estimate:
    sets = risk_sets(data, stratified)
    arm = data.arm[sets.order].astype(np.float64)
    at_risk = (sets.stop - sets.first).astype(np.float64)
    share = over_risk_sets(sets, arm) / at_risk
    variance = sets.deaths * share * (1 - share) * (at_risk - sets.deaths) / np.maximum(at_risk - 1, 1)
    total = float(variance.sum())
    if total <= 0:
        raise NotEstimableError("log-rank: no event happened while both arms were at risk")
    excess = float(arm[sets.event].sum() - sets.deaths @ share)
    about = About("stratified log-rank" if stratified else "log-rank", ESTIMAND, "log")
    return wald(excess / total, 1 / np.sqrt(total), about, n=data.n)


def stratified_hazard_ratio(of: Potential, options: Options = NOTHING) -> float:
    """The limit of Cox's model within the strata of randomisation."""
    return cox(of.data, stratified=True).value


ANALYSES = (
    Analysis("logrank", logrank, ESTIMAND, HAZARDS, "log", truth=hazard_ratio),
    Analysis("stratified_logrank", stratified_logrank, ESTIMAND, HAZARDS, "log", truth=stratified_hazard_ratio),
)
