"""Joint rank of survival and function: the Combined Assessment of Function and Survival (CAFS).

A participant's score s_i is the number of others who fared worse minus the number who fared better (see `pairs`). Sums
of scores over the treated are T = wins − losses against control, so T/(n₁ n₀) is the net benefit: the probability that
a treated participant fares better than a control, minus the probability of the reverse. Given the scores, the variance
of T over allocations is n₁ n₀/(n (n − 1)) Σ s_i²; with complete follow-up z is that of Mann and Whitney with ties.
Within strata of the randomisation, T, pairs and variances are added.

References
----------
Berry et al. (2013), doi:10.3109/21678421.2012.762930. Finkelstein & Schoenfeld (1999), Statistics in Medicine
18:1341-1354. Healy & Schoenfeld (2012), doi:10.1002/mus.23392.
"""

from __future__ import annotations

import numpy as np

from simulator.analysis.trial.data import TrialData, where
from simulator.analysis.trial.definition import Analysis
from simulator.analysis.trial.errors import NotEstimableError
from simulator.analysis.trial.estimand import PAV, STOPPING, Strategy, death, estimand
from simulator.analysis.trial.estimate import About, Estimate, wald
from simulator.analysis.trial.pairs import scores
from simulator.analysis.trial.potential import NOTHING, Options, Potential
from simulator.analysis.trial.wins import wins, within_strata

ESTIMAND = estimand(
    "rank among the participants of a stratum by time of the event, then by change of function",
    "net benefit: probability of faring better minus probability of faring worse",
    death(Strategy.COMPOSITE, "an event ranks below every event-free course, an early one below a late one"),
    STOPPING,
    PAV,
)


def joint_rank(data: TrialData, *, stratified: bool = True) -> Estimate:
    """Net benefit with the standard error of the permutation distribution; normal.

    Parameters
    ----------
    data : TrialData
        Participants of two arms.
    stratified : bool
        Pairs of one stratum of the randomisation only; otherwise all.

    Returns
    -------
    Estimate
        Value, standard error, interval and p.
    """
    groups = data.stratum if stratified else np.zeros(data.n, np.int64)
    fared = np.zeros(data.n)
    there = np.flatnonzero(np.bincount(groups))
    for one in there:
        fared[groups == one] = scores(where(data, groups == one)) if len(there) > 1 else scores(data)
    treated = data.treated
    size, n1 = np.bincount(groups), np.bincount(groups, treated)
    pairs = float(n1 @ (size - n1))
    if not pairs:
        raise NotEstimableError("joint rank: no stratum has participants in both arms")
    spread = np.bincount(groups, fared**2) * n1 * (size - n1) / np.maximum(size * (size - 1), 1)
    about = About("joint rank, permutation variance" + ", stratified" * (len(size) > 1), ESTIMAND)
    return wald(float(fared[treated].sum()) / pairs, float(np.sqrt(spread.sum())) / pairs, about, n=data.n)


def true_net_benefit(of: Potential, options: Options = NOTHING) -> float:
    """Probability of faring better minus that of faring worse among people of a stratum, or else of all."""
    won, lost = within_strata(of.data, of.day, 2) if options.get("stratified", True) else wins(of.data, of.day)
    return won - lost


ANALYSES = (
    Analysis("joint_rank", joint_rank, ESTIMAND, "net benefit", truth=true_net_benefit, changes=("stratified",)),
)
