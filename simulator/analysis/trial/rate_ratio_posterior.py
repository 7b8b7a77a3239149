"""The posterior of the disease-rate ratio, as HEALEY analyses function and death: a shared-parameter model.

The likelihood of `rate_ratio` is normal about its maximum (Laplace), the prior of the log ratio is normal about no
effect; p is twice the smaller tail, so that 1 − p/2 is the probability that the drug slows the disease, or does not.
"""

from __future__ import annotations

from simulator.analysis.trial.borrowing import normal, updated
from simulator.analysis.trial.data import TrialData
from simulator.analysis.trial.definition import Analysis
from simulator.analysis.trial.earlier import positive
from simulator.analysis.trial.estimate import About, Estimate
from simulator.analysis.trial.posterior import estimate
from simulator.analysis.trial.rate_ratio import ESTIMAND, rate_ratio, true_rate_ratio


def rate_ratio_posterior(data: TrialData, *, prior_sd: float = 0.3, robust: bool = True) -> Estimate:
    """Posterior of the log ratio of rates.

    Parameters
    ----------
    data : TrialData
        Participants of two arms.
    prior_sd : float
        Standard deviation of the normal prior of the log ratio about 0.
    robust : bool
        The sandwich error of the likelihood; without it that of its curvature.

    Returns
    -------
    Estimate
        Posterior mean, standard deviation and interval of the log ratio.
    """
    positive(prior_sd, "prior_sd")
    found = rate_ratio(data, robust=robust)
    after = updated(normal(0.0, prior_sd), found.value, found.se)
    words = f"posterior of the disease-rate ratio, prior SD {prior_sd:g}; P(below 1) {float(after.below(0.0)):.4f}"
    return estimate(after, About(words, ESTIMAND, "log"), found.n)


RATES = "ratio of rates of decline"
ANALYSES = (Analysis("rate_ratio_posterior", rate_ratio_posterior, ESTIMAND, RATES, "log", truth=true_rate_ratio),)
