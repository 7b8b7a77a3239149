"""The posterior of the disease-rate ratio, normal about the maximum and a prior, against a chain on all parameters."""

import numpy as np
import pytest

import simulator as sim
from simulator.analysis.trial import rate_ratio
from simulator.analysis.trial.borrowing import normal, updated
from simulator.analysis.trial.data import until
from simulator.replicate import Replicator
from simulator.studies.trial.plan import TrialOptions
from simulator.studies.trial.rows import observed
from simulator.studies.trial.study import Extent, prepare

PRIOR, CHAINS, STEPS, NODES = 0.3, 16, 3000, 17


@pytest.mark.slow
def test_the_normal_posterior_is_that_of_a_long_chain():
    """16 chains of Metropolis on all parameters, flat but for the log ratio; errors from the spread of their means.

    Four errors, and 5 % of its standard deviation that the normal may lack.
    """
    work = prepare(sim.load("centaur"), TrialOptions(("rate_ratio",)), Extent(1, 1))
    data = until(observed(work.plan, Replicator(work.choices).replicate(1, 0)), 168)
    told, rng = rate_ratio.sums(data), np.random.default_rng(1)
    top, information = rate_ratio._maximum(told, rate_ratio._start(told), NODES, near=False)
    root = np.linalg.cholesky(np.linalg.inv(information))

    def density(at):
        return rate_ratio.log_likelihood(told, at, NODES).sum(axis=-1) - (at[:, 0] / PRIOR) ** 2 / 2

    at = top + rng.normal(size=(CHAINS, len(top))) @ root.T
    now, drawn = density(at), np.empty((STEPS, CHAINS))
    for k in range(STEPS):
        new = at + rng.normal(size=at.shape) @ root.T * 2.38 / np.sqrt(len(top))
        there = density(new)
        moves = np.log(rng.random(CHAINS)) < there - now
        at, now = np.where(moves[:, None], new, at), np.where(moves, there, now)
        drawn[k] = at[:, 0]
    drawn = drawn[STEPS // 5 :]
    found = rate_ratio.rate_ratio(data, robust=False)
    posterior = updated(normal(0, PRIOR), found.value, found.se)
    mean, sd = posterior.moments
    assert abs(drawn.mean() - mean) < 4 * drawn.mean(axis=0).std(ddof=1) / CHAINS**0.5
    assert drawn.std() == pytest.approx(sd, rel=0.05)
    for ratio in (1.0, 0.8, 0.7):
        share = (drawn < np.log(ratio)).mean(axis=0)
        assert abs(share.mean() - float(posterior.below(np.log(ratio)))) < 4 * share.std(ddof=1) / CHAINS**0.5 + 0.01
