"""Options and analyses beside the usual ones, against R (tests/golden/analyses.R, structures.R) and laws."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.analysis.trial.ancova import ancova
from simulator.analysis.trial.controlled_mi import WORDS, controlled_mi, tipping_point
from simulator.analysis.trial.cox import cox
from simulator.analysis.trial.data import TrialData, where
from simulator.analysis.trial.errors import AnalysisError, NotEstimableError
from simulator.analysis.trial.imputation import Plan
from simulator.analysis.trial.logrank import logrank
from simulator.analysis.trial.mi import mi
from simulator.analysis.trial.mmrm import ORDER, fit, mmrm
from simulator.analysis.trial.responder import responder
from simulator.analysis.trial.rmst import _means, rmst
from simulator.analysis.trial.structures import covariance
from tests.support.trials import COMPLETE, GOLDEN, USUAL, Invented, golden_trial, invented

R = json.loads((GOLDEN / "analyses.json").read_text())
STRUCTURED = json.loads((GOLDEN / "structures.json").read_text())
DATA = golden_trial()
seeds = st.integers(0, 2**32 - 1)
FEW = Invented(n=60, hazard=0.01)


def agrees(found, wanted, rtol):
    for name in set(wanted) & set(found._fields):
        assert getattr(found, name) == pytest.approx(wanted[name], rel=rtol), name


@pytest.mark.parametrize(
    ("key", "found", "rtol"),
    [
        ("responder_stratified", responder(DATA, least_change=-4.0), 1e-9),
        ("cox_lr", cox(DATA, covariates=("log_nfl",), test="likelihood_ratio"), 1e-6),
        ("cox_score", cox(DATA, covariates=("log_nfl",), test="score"), 1e-6),
        ("cox_firth", cox(DATA, covariates=("log_nfl",), test="likelihood_ratio", penalty=True), 1e-5),
        ("unstructured_kr", mmrm(DATA, df="kenward_roger"), 1e-5),
    ],
)
def test_r_gives_the_same(key, found, rtol):
    agrees(found, R[key], rtol)


@pytest.mark.parametrize("name", ["compound_symmetry", "ar1"])
def test_structured_covariances_are_those_of_nlme(name):
    """nlme stops a little before the maximum: five digits, the value (near 0) in standard errors."""
    wanted = STRUCTURED[name]
    found = mmrm(DATA, covariance=name)
    assert found.value == pytest.approx(wanted["value"], abs=2e-5 * wanted["se"])
    assert found.se == pytest.approx(wanted["se"], rel=2e-5)
    agrees(mmrm(DATA, covariance=name, df="kenward_roger"), wanted["kenward_roger"], 5e-5)
    sigma = fit(DATA, covariance=name)[1].state.sigma
    assert np.sqrt(np.diagonal(sigma)) == pytest.approx(wanted["sd"], rel=1e-3)
    assert sigma[0, 1] / np.sqrt(sigma[0, 0] * sigma[1, 1]) == pytest.approx(wanted["rho"], rel=1e-3)


@pytest.mark.slow
@given(seeds)
@settings(max_examples=5)
def test_structures_of_two_visits_are_no_structure(seed):
    data = invented(seed, Invented(n=80, visits=3, gaps=0.1))
    for how in ("satterthwaite", "kenward_roger"):
        wanted = mmrm(data, df=how)[:6] if how == "satterthwaite" else None
        for name in ORDER[1:]:
            found = mmrm(data, covariance=name, df=how)[:6]
            if wanted:
                assert found == pytest.approx(wanted, rel=1e-5)
            assert found[0] == pytest.approx(mmrm(data, df=how).value, rel=1e-5)


@pytest.mark.parametrize("name", ORDER[1:])
def test_derivatives_of_structures_are_differences(name):
    theta = np.r_[1.0, 2.0, 3.0, 2.5, 0.4, 0.2, 0.1][: 7 if name == "toeplitz" else 5]
    at = covariance(name, theta, 4)
    for i, e in enumerate(1e-5 * np.eye(len(theta))):
        up, down = (covariance(name, theta + side * e, 4) for side in (1, -1))
        np.testing.assert_allclose((up.sigma - down.sigma) / 2e-5, at.first[i], atol=1e-8)
        np.testing.assert_allclose((up.first - down.first) / 2e-5, at.second[:, i], atol=1e-8)


def monotone(data: TrialData) -> TrialData:
    """The same, without what was measured after a missed visit."""
    missed = np.logical_or.accumulate(np.isnan(data.outcome), axis=1)
    return data._replace(outcome=np.where(missed, np.nan, data.outcome))


@pytest.mark.parametrize("rule", WORDS)
def test_imputations_have_the_mean_of_their_rule(rule):
    """Regressions are drawn apart, so that the mean over imputations is what R finds with their estimates."""
    found = controlled_mi(monotone(DATA), rule=rule, imputations=500)
    within = found.se / np.sqrt(500)  # the variance between imputations is less than the whole
    assert found.value == pytest.approx(R[f"imputed_{rule}"], abs=3 * within)


@pytest.mark.slow
def test_rules_differ_where_somebody_is_missing_only():
    whole = invented(2, COMPLETE)
    assert all(controlled_mi(whole, rule=rule)[:2] == pytest.approx(ancova(whole)[:2]) for rule in WORDS)
    assert tipping_point(invented(2, COMPLETE._replace(log_rate_ratio=-0.8))) == -np.inf
    helped = invented(1, Invented(n=400, log_rate_ratio=-0.5))
    values = {rule: controlled_mi(helped, rule=rule, imputations=20).value for rule in WORDS}
    assert values["jump"] < values["increments"] < values["random"]
    assert values["jump"] < values["copy"] < values["random"]
    assert controlled_mi(helped, rule="random", imputations=20).value == pytest.approx(mi(helped).value, abs=0.1)
    with pytest.raises(AnalysisError, match=r"no rule 'j2r'\. Rules: random, jump"):
        controlled_mi(helped, rule="j2r")


@given(seeds)
@settings(max_examples=8)
def test_the_tipping_point_is_where_significance_ends(seed):
    data = invented(seed, Invented(n=150, log_rate_ratio=-0.5))
    delta = tipping_point(data, plan=Plan(5))
    if delta == 0:
        assert controlled_mi(data, rule="random", imputations=5).p > 0.05
        return
    at = {size: controlled_mi(data, rule="random", delta=size * delta, imputations=5).p for size in (0.99, 1.01)}
    assert at[0.99] < 0.05 < at[1.01]


def test_it_says_its_tipping_point():
    data = invented(1, Invented(n=300, log_rate_ratio=-0.5))
    found = controlled_mi(data, rule="random", tipping=True, delta=-1.0)
    delta = tipping_point(data)
    assert found.method.endswith(f"; significant up to a delta of {delta:+.3g}")
    assert "-1 for imputed values of the experimental arm" in found.method
    assert controlled_mi(DATA, tipping=True).method.endswith("; not significant without a delta")


# ---- survival ----


@given(seeds)
@settings(max_examples=4)
def test_three_tests_of_cox_agree_in_large_trials(seed):
    data = invented(seed, Invented(n=1500, hazard=0.05))
    for penalty in (False, True):
        wald, *others = (cox(data, test=test, penalty=penalty) for test in ("wald", "likelihood_ratio", "score"))
        for one in others:
            assert one.p == pytest.approx(wald.p, abs=0.01)
            assert (one.lower, one.upper) == pytest.approx((wald.lower, wald.upper), abs=0.02)


@pytest.mark.slow
@given(seeds)
@settings(max_examples=10)
def test_intervals_are_what_the_tests_do_not_reject(seed):
    data = invented(seed, USUAL)
    try:
        for test in ("likelihood_ratio", "score"):
            for penalty in (False, True):
                found = cox(data, test=test, penalty=penalty)
                assert found.lower < found.value < found.upper
                assert (found.p < 0.05) == (not found.lower < 0 < found.upper)
    except NotEstimableError:
        assert not np.bincount(data.arm[data.event], minlength=2).all()


def test_the_score_test_without_ties_is_the_log_rank_test():
    data = invented(3, USUAL)
    data = data._replace(time=data.time + np.linspace(0, 0.5, data.n))
    assert cox(data, test="score").p == pytest.approx(logrank(data).p, rel=1e-9)


def test_a_penalty_is_finite_where_an_arm_has_no_event():
    data = invented(3, FEW)
    data = data._replace(event=data.event & ~data.treated)
    with pytest.raises(NotEstimableError, match="0 events on treatment"):
        cox(data)
    found = cox(data, test="likelihood_ratio", penalty=True)
    assert np.isfinite(found[:6]).all() or found.df == np.inf
    assert -10 < found.value < 0
    assert found.lower < found.value < found.upper


def test_restricted_means_of_permutations_are_those_of_the_curves():
    order = np.lexsort((~DATA.event, DATA.time))
    arm, event = DATA.treated[order][None], DATA.event[order] & (DATA.time[order] <= 196)
    (treated, spread), (control, more) = (_means(DATA.time[order], event, mine, 196.0) for mine in (arm, ~arm))
    found = rmst(DATA, horizon=196.0)
    assert float((treated - control)[0]) == pytest.approx(found.value, rel=1e-12)
    assert float(np.sqrt(spread + more)[0]) == pytest.approx(found.se, rel=1e-12)


@pytest.mark.slow
def test_the_permutation_test_keeps_its_size_where_the_normal_one_does_not():
    """300 trials of 60 without an effect: 4 to 29 of them are rejected at 5 % in 99.9 % of such sets."""
    tests = {"normal": {}, "permutation": {"permutations": 200}}
    trials = [invented(seed, Invented(n=60, hazard=0.03)) for seed in range(300)]
    rejected = {test: sum(rmst(data, test=test, **how).p <= 0.05 for data in trials) for test, how in tests.items()}
    assert 4 <= rejected["permutation"] <= 29
    assert rejected["permutation"] < rejected["normal"]


def test_permutations_keep_to_the_strata_and_to_their_seed():
    one = rmst(DATA, test="permutation", seed=1)
    assert one == rmst(DATA, test="permutation", seed=1)
    assert one.p != rmst(DATA, test="permutation", seed=2).p
    assert one[:2] == rmst(DATA)[:2]
    with pytest.raises(AnalysisError, match=r"permutations are out of range\. Ask for 100 to 100,000"):
        rmst(DATA, test="permutation", permutations=50)
    alone = where(DATA, np.r_[np.flatnonzero(DATA.treated), np.flatnonzero(~DATA.treated)])
    split = alone._replace(stratum=alone.arm)  # within strata nothing can be exchanged
    assert rmst(split, test="permutation").p == 1


# ---- the mixed model ----


def test_kenward_and_roger_of_complete_data_is_ancova():
    whole = invented(4, COMPLETE._replace(n=60, visits=5))
    found = mmrm(whole, df="kenward_roger")
    assert found[:6] == pytest.approx(ancova(whole)[:6], rel=1e-6)


@given(seeds)
@settings(max_examples=10)
def test_kenward_and_roger_enlarge_the_error(seed):
    data = invented(seed, Invented(n=60, visits=5, gaps=0.1))
    assert mmrm(data, df="kenward_roger").se >= mmrm(data).se * (1 - 1e-9)


@given(seeds)
@settings(max_examples=10)
def test_a_more_general_covariance_is_likelier(seed):
    data = invented(seed, Invented(n=80, visits=5))
    value = {name: fit(data, covariance=name)[1].state.value for name in ORDER}
    assert value["unstructured"] >= value["toeplitz"] - 1e-6
    assert value["toeplitz"] >= max(value["ar1"], value["compound_symmetry"]) - 1e-6


def test_fallbacks_are_taken_in_order_and_said(monkeypatch):
    from simulator.analysis.trial import mmrm as module

    def none(*_):
        raise NotEstimableError("no maximum")

    monkeypatch.setattr(module, "maximum", none)
    with pytest.raises(NotEstimableError, match="no maximum"):
        mmrm(DATA)
    found = mmrm(DATA, fallback=True)
    assert found[:6] == mmrm(DATA, covariance="toeplitz")[:6]
    assert found.method == "MMRM, toeplitz covariance, REML, Satterthwaite df, unstructured not estimable"
    monkeypatch.setattr(module, "structured", none)
    with pytest.raises(NotEstimableError):
        mmrm(DATA, fallback=True)
