"""Priors of earlier controls: RBesT's published example of Crohn's disease, a long chain, and limits in closed form."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.analysis.trial.borrowing import Normals, less, normal, predictive, robust, updated, worth

Y = np.array([-51.0, -49, -36, -47, -90, -54])
SD = 88.0
SE = SD / np.sqrt([74, 166, 328, 20, 25, 58])
PRIOR = predictive(Y, SE, between=SD / 2, about=(0, SD))
RBEST = Normals(  # automixfit of RBesT 1.6-5, articles/introduction_normal
    np.array([0.50211765, 0.47187303, 0.02600932]),
    np.array([-52.8777341, -47.33641569, -43.90720135]),
    np.array([21.87731545, 7.73071395, 59.70377117]),
)


@pytest.mark.parametrize(
    ("mean", "sd", "quantiles"), [(-50.0, 19.2, (-91.6, -48.7, -13.4)), (-50.3, 19.1, (-90.8, -48.7, -14.3))]
)
def test_the_prior_is_that_of_rbest(mean, sd, quantiles):
    """Two published runs of 4,000 draws each; four of their Monte Carlo errors, of shares below their quantiles."""
    own, spread = PRIOR.moments
    assert own == pytest.approx(mean, abs=4 * sd / 4000**0.5)
    assert spread == pytest.approx(sd, abs=1.5)
    for p, value in zip((0.025, 0.5, 0.975), quantiles, strict=True):
        assert float(PRIOR.below(value)) == pytest.approx(p, abs=4 * (p * (1 - p) / 4000) ** 0.5)
    assert round((SD / PRIOR.moments[1]) ** 2) in (20, 21)  # 21 by the fitted mixture
    assert worth(normal(3.0, 2.0), 8.0) == pytest.approx(16)
    assert worth(PRIOR, SD) > (SD / PRIOR.moments[1]) ** 2  # its tails are long


def test_the_analysis_with_the_prior_is_that_of_rbest():
    """Its mixture gives its digits, .06315548 and 3.725917e-06; the exact prior differs as the fitted mixture does."""
    treated = updated(normal(-50, SD), -29.2, 14.0)
    theirs = updated(robust(RBEST, 0.2, -50, SD), -63.1, 13.9)
    assert less(treated, theirs) == pytest.approx(0.06315548, abs=2e-8)
    assert less(treated, theirs, -50) == pytest.approx(3.725917e-06, rel=1e-5)
    ours = updated(robust(PRIOR, 0.2, -50, SD), -63.1, 13.9)
    assert less(treated, ours) == pytest.approx(0.0632, abs=0.002)


@pytest.mark.slow
def test_the_prior_is_that_of_a_long_chain():
    """Gibbs steps for μ and θ, slices for τ by a grid; 40,000 steps, batches of 400 give the errors."""
    rng, steps = np.random.default_rng(5), 40_000
    grid = np.linspace(0.02, 260, 4000)
    prior = -((grid / (SD / 2)) ** 2) / 2
    mu, tau, drawn = -50.0, 15.0, np.empty(steps)
    for k in range(steps):
        precision = 1 / SE**2 + 1 / tau**2
        theta = rng.normal((Y / SE**2 + mu / tau**2) / precision, precision**-0.5)
        precision = len(Y) / tau**2 + 1 / SD**2
        mu = rng.normal(theta.sum() / tau**2 / precision, precision**-0.5)
        log = prior - len(Y) * np.log(grid) - ((theta - mu) ** 2).sum() / (2 * grid**2)
        mass = np.cumsum(np.exp(log - log.max()))
        tau = grid[np.searchsorted(mass, rng.random() * mass[-1])]
        drawn[k] = rng.normal(mu, tau)
    for value, found in ((drawn, PRIOR.moments[0]), (drawn < -70, float(PRIOR.below(-70)))):
        batches = value.reshape(100, -1).mean(axis=1)
        assert abs(batches.mean() - found) < 4 * batches.std() / 10


@given(st.floats(-5, 5), st.floats(0.1, 3), st.floats(-5, 5), st.floats(0.1, 3))
def test_one_normal_is_updated_in_closed_form(mean, sd, value, se):
    found = updated(normal(mean, sd), value, se)
    share = sd**2 / (sd**2 + se**2)
    assert found.moments == pytest.approx((mean + share * (value - mean), np.sqrt(share) * se))
    assert less(normal(mean, sd), normal(value, se)) == pytest.approx(1 - less(normal(value, se), normal(mean, sd)))


def test_without_heterogeneity_all_trials_are_one():
    found = predictive(Y, SE, between=1e-4, about=(0, 1e6))
    precision = (1 / SE**2).sum()
    assert found.moments == pytest.approx(((Y / SE**2).sum() / precision, precision**-0.5), rel=1e-5)


def test_a_control_unlike_the_earlier_ones_frees_itself_of_a_robust_prior():
    far = 40.0  # four SDs of the prior above it
    kept = [updated(robust(PRIOR, weight, -50, SD), far, 8.0).moments[0] for weight in (1e-9, 0.2, 1 - 1e-9)]
    assert kept[0] < kept[1] < kept[2] == pytest.approx(far - 90 * 64 / (64 + SD**2))
    assert kept[2] - kept[1] < 1.5
