"""Laws of analyses that borrow controls, and brute force as their oracle."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import simpson
from scipy.special import betainc, ndtr
from scipy.stats import gamma, norm

from simulator.analysis.trial.borrowing import Normals, normal
from simulator.analysis.trial.data import Group
from simulator.analysis.trial.earlier import Known, known, predicted
from simulator.analysis.trial.errors import AnalysisError, NotEstimableError
from simulator.analysis.trial.event_rate import Counted, ratio
from simulator.analysis.trial.posterior import Fitted, difference, fitted
from simulator.analysis.trial.rate_ratio import rate_ratio
from simulator.analysis.trial.registry import ANALYSES, analysis
from tests.support.trials import invented

DAY = 196.0
CONTROLS = (Group("one", DAY, -6.0, 5.0, 40, 6, 20.0), Group("two", DAY - 5, -5.2, 4.0, 25, 2, 13.0))
BORROWING = [name for name, one in ANALYSES.items() if one.borrows is not None]
OF_CHANGE = ("ancova_map", "ancova_commensurate", "ancova_twins")
WHAT = ("value", "lower", "upper", "p")


def trial(seed=1, earlier=CONTROLS):
    data = invented(seed)
    score = -5 + np.random.default_rng(seed).normal(size=data.n)
    return data._replace(earlier=earlier, expected=np.repeat(score[:, None], len(data.nominal_day), axis=1))


@pytest.mark.parametrize("seed", [1, 2])
def test_without_borrowing_it_is_ancova(seed):
    data, far = trial(seed), tuple(one._replace(sd=1e7) for one in CONTROLS)
    wanted = analysis("ancova").run(data)
    nothing = analysis("ancova_map").run(data, borrowed=0.0)
    unknown = analysis("ancova_map").run(data._replace(earlier=far), borrowed=1.0)
    slab = {"alike": 0.0, "slab_low": 1e-14, "slab_high": 1e-13}
    wide = analysis("ancova_commensurate").run(data, **slab)
    for found in (nothing, unknown, wide):
        np.testing.assert_allclose([getattr(found, one) for one in WHAT], [getattr(wanted, one) for one in WHAT], 1e-5)
    assert nothing.value == pytest.approx(wanted.value, rel=1e-12)
    twins = analysis("ancova_twins").run(data, **slab)
    assert twins.value == pytest.approx(analysis("ancova_prognostic").run(data).value, abs=1e-6)
    assert " 0.0 participants" in nothing.method


@settings(max_examples=30, deadline=None)
@given(st.floats(-5, 5), st.floats(-5, 5), st.floats(-9, 9), st.floats(0.2, 9), st.integers(4, 90), st.integers(4, 90))
def test_one_normal_shrinks_as_the_conjugate_formula_says(delta, gamma_hat, mean, sd, n_treated, n_control):
    """Two samples with σ = 2 known: the control's mean is updated, the other is not."""
    fit = Fitted(
        delta, gamma_hat, 1 / n_treated + 1 / n_control, 1 / n_control, -1 / n_control, 4.0, 10**7, 0, n_control
    )
    found = difference(fit, normal(mean, sd))
    precision = n_control / 4 + 1 / sd**2
    control = (gamma_hat * n_control / 4 + mean / sd**2) / precision
    error = np.sqrt(4 / n_treated + 1 / precision)
    assert found.delta.moments == pytest.approx((delta + gamma_hat - control, error), rel=1e-4, abs=1e-3)
    assert found.borrowed == pytest.approx(4 / sd**2, rel=1e-4, abs=1e-4)


def test_the_posterior_is_that_of_brute_force():
    """The mean and two probabilities over a grid of σ and γ; δ given both is normal. The prior has its own oracle."""
    of, fit = Known(np.array([-6.0, -5.2, -7.0]), np.array([0.8, 0.9, 0.7]), 5.0), fitted(trial())
    of_control = predicted(0.7, 0.2)(of)
    found = difference(fit, of_control)
    step = np.sqrt(fit.variance * fit.of_gamma)
    gamma_ = np.linspace(fit.gamma - 9 * step, fit.gamma + 9 * step, 801)
    sigma = np.sqrt(fit.variance) * np.linspace(0.6, 1.8, 301)
    prior = norm.pdf(gamma_[:, None], of_control.mean, of_control.sd) @ of_control.weight
    log = -(fit.df + 1) * np.log(sigma) - fit.df * fit.variance / (2 * sigma**2)
    weight = np.exp(log - log.max())[:, None] * norm.pdf(fit.gamma, gamma_, sigma[:, None] * np.sqrt(fit.of_gamma))
    weight = weight * prior
    slope = fit.of_both / fit.of_gamma
    mean = fit.delta + slope * (gamma_ - fit.gamma) + 0 * sigma[:, None]
    sd = sigma[:, None] * np.sqrt(fit.of_delta - fit.of_both * slope)

    def over(values):
        return simpson(simpson(weight * values, x=gamma_, axis=1), x=sigma) / simpson(
            simpson(weight, x=gamma_, axis=1), x=sigma
        )

    assert over(mean) == pytest.approx(found.delta.moments[0], abs=1e-6)
    assert over(ndtr(-mean / sd)) == pytest.approx(float(found.delta.below(0.0)), abs=1e-7)
    assert over(ndtr((1 - mean) / sd)) == pytest.approx(float(found.delta.below(1.0)), abs=1e-7)


@pytest.mark.parametrize("name", OF_CHANGE)
def test_turning_the_outcome_turns_the_sign_and_a_shift_of_all_changes_nothing(name):
    data, run = trial(), ANALYSES[name].run
    one = run(data)
    turned = [group._replace(mean=-group.mean) for group in CONTROLS]
    other = run(data._replace(outcome=-data.outcome, earlier=tuple(turned), expected=-data.expected))
    np.testing.assert_allclose([other.value, other.lower, other.upper], [-one.value, -one.upper, -one.lower], 1e-6)
    moved = data.outcome + np.where(data.nominal_day > 0, 3.0, 0.0)
    later = tuple(group._replace(mean=group.mean + 3) for group in reversed(CONTROLS))
    other = run(data._replace(outcome=moved, earlier=later, expected=data.expected + 3))
    np.testing.assert_allclose([getattr(other, x) for x in WHAT], [getattr(one, x) for x in WHAT], 1e-6)


@pytest.mark.parametrize("name", ["ancova_map", "ancova_commensurate"])
def test_the_further_earlier_controls_are_the_less_is_borrowed(name):
    data = trial()
    at = fitted(data).gamma
    counts = []
    for drift in (0.0, 4.0, 8.0, 40.0):
        there = tuple(one._replace(mean=at - drift) for one in CONTROLS)
        counts.append(float(ANALYSES[name].run(data._replace(earlier=there)).method.split()[-2]))
    assert counts[0] == max(counts) > 10
    assert max(map(abs, counts[1:])) < 4  # below 0 where two places of control are likely
    assert abs(counts[-1]) < 1


def test_probabilities_of_events_are_those_of_beta_where_nothing_is_borrowed():
    """Jeffreys' priors: P(λ_T < λ_C) is a beta distribution; exchanged arms turn the sign."""
    for treated, control in ((Counted(0, 11.0), Counted(0, 12.0)), (Counted(3, 20.0), Counted(9, 18.0))):
        one, other = ratio(treated, control, None, "", 9), ratio(control, treated, None, "", 9)
        slower = betainc(treated.events + 0.5, control.events + 0.5, treated.years / (treated.years + control.years))
        assert one.p == pytest.approx(2 * min(slower, 1 - slower), rel=1e-6)
        np.testing.assert_allclose([one.value, one.lower, one.upper, one.p],
                                   [-other.value, -other.upper, -other.lower, other.p], 1e-5)  # fmt: skip


def test_rates_without_time_at_risk_are_none():
    data = trial()
    with pytest.raises(NotEstimableError, match="no time at risk"):
        analysis("event_rate_map").run(data._replace(time=np.zeros(data.n)))


@pytest.mark.parametrize(("events", "years"), [(0, 9.0), (4, 11.0)])
def test_borrowed_events_are_those_of_brute_force(events, years):
    prior, treated = Normals(np.array([0.7, 0.3]), np.array([-1.4, -1.0]), np.array([0.3, 1.0])), Counted(2, 20.0)
    found = ratio(treated, Counted(events, years), prior, "", 9)
    x = np.linspace(-9, 3, 6001)
    weight = np.exp(events * x - years * np.exp(x)) * (norm.pdf(x[:, None], prior.mean, prior.sd) @ prior.weight)
    below = simpson(weight * gamma.cdf(np.exp(x), 2.5, scale=1 / 20), x=x) / simpson(weight, x=x)
    assert float(found.method.split("P(below 1) ")[1].split(";")[0]) == pytest.approx(below, abs=1e-4)
    t = np.random.default_rng(1).gamma(2.5, 1 / 20, 400_000)
    drawn = np.log(t) - np.random.default_rng(2).choice(x, len(t), p=weight / weight.sum())
    assert found.value == pytest.approx(drawn.mean(), abs=4 * drawn.std() / len(t) ** 0.5)
    assert found.se == pytest.approx(drawn.std(), rel=0.01)
    np.testing.assert_allclose([found.lower, found.upper], np.quantile(drawn, [0.025, 0.975]), atol=0.02)


@pytest.mark.slow
def test_the_posterior_of_the_disease_rate_ratio_shrinks_to_no_effect():
    data = invented(1)
    found, plain = analysis("rate_ratio_posterior").run(data, prior_sd=0.3), rate_ratio(data)
    share = 0.09 / (0.09 + plain.se**2)
    assert (found.value, found.se) == pytest.approx((share * plain.value, share**0.5 * plain.se))
    wide = analysis("rate_ratio_posterior").run(data, prior_sd=1e4)
    assert (wide.value, wide.lower, wide.p) == pytest.approx((plain.value, plain.lower, plain.p), rel=1e-5)


@pytest.mark.parametrize("name", [name for name in BORROWING if name != "ancova_twins"])
def test_borrowing_without_data_is_refused(name):
    for earlier in ((), (Group("late", 364.0, -6.0, 5.0, 40, 3, 20.0),), (Group("empty", DAY),)):
        with pytest.raises(AnalysisError, match=f"{name} borrows earlier controls, and there are none that tell"):
            ANALYSES[name].run(trial(earlier=earlier))
    with pytest.raises(AnalysisError, match=r"until day 196 \(they do for 364\)"):
        known((Group("late", 364.0, -6.0, 5.0, 40, 3, 20.0),), ANALYSES[name].borrows.what, DAY, name)


@pytest.mark.parametrize(
    ("name", "options", "fault"),
    [
        ("ancova_map", {"borrowed": 1.2}, "borrowed is a probability"),
        ("ancova_map", {"between": 0.0}, "between is a scale"),
        ("ancova_commensurate", {"alike": -0.1}, "alike is a probability"),
        ("event_rate_commensurate", {"slab_low": 3.0}, "precisions rise"),
        ("ancova_twins", {"spike": 1.0}, "precisions rise"),
        ("rate_ratio_posterior", {"prior_sd": 0.0}, "prior_sd is a scale"),
    ],
)
def test_options_that_contradict_themselves_are_refused(name, options, fault):
    with pytest.raises(AnalysisError, match=fault):
        ANALYSES[name].run(trial(), **options)
