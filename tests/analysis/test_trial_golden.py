"""Trial analyses against R (survival, nlme, lmerTest, sandwich, mice; see tests/golden/trial.R), statsmodels, scipy."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.analysis.trial import cox, imputation, joint_rank, logrank, mmrm, random_slope, win_ratio
from simulator.analysis.trial.ancova import ancova, ancova_nfl
from simulator.analysis.trial.data import TrialData, trial_data, until, where
from simulator.analysis.trial.estimate import Estimate
from simulator.analysis.trial.pairs import comparisons
from simulator.analysis.trial.responder import responder
from simulator.analysis.trial.rmst import rmst
from simulator.units import DAYS_PER_MONTH
from tests.support.trials import COMPLETE, GOLDEN, Invented, golden_trial, invented

R = json.loads((GOLDEN / "trial.json").read_text())
DATA = golden_trial()
seeds = st.integers(0, 2**32 - 1)


def agrees(found: Estimate, wanted: dict, rtol: float = 1e-6) -> None:
    names = set(wanted) & set(Estimate._fields)
    assert {"value", "se"} <= names
    for name in names:
        assert getattr(found, name) == pytest.approx(wanted[name], rel=rtol), name


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ("ancova", ancova(DATA)),
        ("ancova_hc3", ancova(DATA, robust=True)),
        ("ancova_nfl", ancova_nfl(DATA)),
        ("cox", cox.cox(DATA)),
        ("cox_nfl", cox.cox(DATA, covariates=("log_nfl",))),
        ("cox_nfl_stratified", cox.cox(DATA, covariates=("log_nfl",), stratified=True)),
        ("rmst", rmst(DATA, horizon=196)),
        ("mmrm", mmrm.mmrm(DATA)),
        ("joint_rank", joint_rank.joint_rank(DATA, stratified=False)),
        ("joint_rank_stratified", joint_rank.joint_rank(DATA)),
        ("win_ratio_stratified", win_ratio.win_ratio(DATA)),
    ],
)
def test_r_gives_the_same(key, found):
    agrees(found, R[key])


@pytest.mark.parametrize("name", ["logrank", "stratified_logrank"])
def test_logrank_is_survdiff(name):
    found, wanted = getattr(logrank, name)(DATA), R[name]
    assert found.z**2 == pytest.approx(wanted["chisq"], rel=1e-9)
    assert found.value == pytest.approx(wanted["excess"] / wanted["variance"], rel=1e-9)


def test_the_golden_trial_has_what_is_hard():
    """Ties, gaps, dropout, both strata: else the comparison would say little."""
    times = DATA.time[DATA.event]
    assert len(np.unique(times)) < len(times)
    seen = np.isfinite(DATA.outcome)
    assert (~seen[:, 1:-1] & seen[:, 2:]).any()
    assert (~DATA.event & (DATA.time < 196)).any()


def test_mmrm_finds_the_covariance_of_r_and_the_estimate_of_nlme():
    """nlme stops a little before the maximum: five digits."""
    fitted = mmrm.fit(DATA)[1].state
    np.testing.assert_allclose(fitted.sigma, R["mmrm"]["sigma"], rtol=1e-5)
    assert mmrm.mmrm(DATA).value == pytest.approx(R["mmrm"]["gls"]["value"], rel=2e-5)
    assert mmrm.mmrm(DATA).se == pytest.approx(R["mmrm"]["gls"]["se"], rel=2e-5)


def test_random_slope_is_that_of_lme_and_lmer():
    found, wanted = random_slope.random_slope(DATA), R["random_slope"]
    agrees(found, wanted, rtol=5e-5)
    assert (found.value, found.se) == pytest.approx(wanted["lmer"], rel=1e-5)


SLOPES = json.loads((GOLDEN / "slopes.json").read_text())


@pytest.mark.parametrize("key", [key for key in SLOPES if key.startswith("seed")])
def test_random_slopes_stay_in_the_space_of_covariances_as_lmer_does(key):
    """Five of the eight fits are singular: a variance of 0 or a correlation of ±1."""
    wanted = SLOPES[key]
    y = np.array(wanted["y"], np.float64)
    n, visits = y.shape
    data = trial_data(
        arm=np.arange(1, n + 1) % 2,
        nominal_day=DAYS_PER_MONTH * np.arange(visits),
        outcome=y,
        time=np.full(n, 200.0),
        event=np.zeros(n, bool),
    )
    found = random_slope.random_slope(data)
    assert (found.value, found.se) == pytest.approx((wanted["value"], wanted["se"]), rel=1e-5)
    assert found.df == pytest.approx(wanted["df"], rel=1e-4)


def test_half_of_the_golden_fits_are_singular():
    singular = [one["singular"] for key, one in SLOPES.items() if key.startswith("seed")]
    assert singular.count(True) == 5
    assert singular.count(False) == 3


def test_rubins_rules_are_those_of_mice():
    wanted = R["rubin"]
    found = imputation.combine(np.array(wanted["values"]), np.array(wanted["variances"]), wanted["df_complete"])
    assert found == pytest.approx((wanted["value"], wanted["se"], wanted["df"]), rel=1e-9)


# ---- other programs in Python ----


@pytest.mark.slow
@given(seeds)
def test_cox_is_that_of_statsmodels(seed):
    duration = pytest.importorskip("statsmodels.duration.hazard_regression")
    data = tied(invented(seed, Invented(n=80, hazard=0.1)))
    x = np.column_stack([data.arm, data.covariate("log_nfl")])
    theirs = duration.PHReg(data.time, x, data.event.astype(int), strata=data.stratum, ties="efron").fit(disp=0)
    ours = cox.cox(data, covariates=("log_nfl",), stratified=True)
    assert (ours.value, ours.se) == pytest.approx((theirs.params[0], theirs.bse[0]), rel=1e-5)


@given(seeds)
def test_logrank_is_that_of_statsmodels(seed):
    survdiff = pytest.importorskip("statsmodels.duration.survfunc").survdiff
    data = tied(invented(seed, Invented(n=80, hazard=0.1)))
    plain, _ = survdiff(data.time, data.event.astype(int), data.arm)
    strata, _ = survdiff(data.time, data.event.astype(int), data.arm, strata=data.stratum)
    assert logrank.logrank(data).z ** 2 == pytest.approx(plain, rel=1e-9)
    assert logrank.stratified_logrank(data).z ** 2 == pytest.approx(strata, rel=1e-9)


def tied(data: TrialData) -> TrialData:
    return data._replace(time=28 * np.ceil(data.time / 28))


@given(seeds)
def test_newcombe_is_that_of_statsmodels(seed):
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    data = invented(seed)
    found = responder(data, least_change=-5, stratified=False)
    responds = (np.nan_to_num(data.change[:, -1], nan=-99) >= -5) & ~data.event
    treated, control = responds[data.treated], responds[~data.treated]
    theirs = proportion.confint_proportions_2indep(
        treated.sum(), len(treated), control.sum(), len(control), compare="diff", method="newcomb"
    )
    assert (found.lower, found.upper) == pytest.approx(theirs, rel=1e-9)
    z, p = proportion.proportions_ztest([treated.sum(), control.sum()], [len(treated), len(control)])
    assert found.p == pytest.approx(p, rel=1e-9)
    assert np.sign(found.value) == np.sign(z)


@pytest.mark.slow
@given(seeds)
def test_hc3_is_that_of_statsmodels(seed):
    models = pytest.importorskip("statsmodels.api")
    data = invented(seed)
    x = np.column_stack([np.ones(data.n), data.arm, data.baseline, data.stratum])
    rows = np.isfinite(data.change[:, -1])
    theirs = models.OLS(data.change[rows, -1], x[rows]).fit()
    assert ancova(data).se == pytest.approx(theirs.bse[1], rel=1e-9)
    assert ancova(data, robust=True).se == pytest.approx(theirs.HC3_se[1], rel=1e-9)


@given(seeds)
def test_with_complete_follow_up_the_joint_rank_is_mann_whitney(seed):
    stats = pytest.importorskip("scipy.stats")
    data = whole(invented(seed, COMPLETE))
    last = data.change[:, -1]
    theirs = stats.mannwhitneyu(
        last[data.treated], last[~data.treated], method="asymptotic", use_continuity=False, alternative="two-sided"
    )
    assert joint_rank.joint_rank(data, stratified=False).p == pytest.approx(theirs.pvalue, rel=1e-9)
    scores = comparisons(data).sum(axis=1)
    np.testing.assert_array_equal(scores, 2 * stats.rankdata(last) - data.n - 1)


@given(seeds)
def test_with_complete_follow_up_the_net_benefit_is_brunner_munzel(seed):
    stats = pytest.importorskip("scipy.stats")
    data = whole(invented(seed, COMPLETE))
    last = data.change[:, -1]
    theirs = stats.brunnermunzel(last[~data.treated], last[data.treated], distribution="normal")
    found, odds = win_ratio.net_benefit(data), win_ratio.win_odds(data)
    assert found.z == pytest.approx(theirs.statistic, rel=1e-9)
    assert odds.natural[0] == pytest.approx((1 + found.value) / (1 - found.value))


def whole(data: TrialData) -> TrialData:
    """Whole points, so that there are ties."""
    return data._replace(outcome=np.round(data.outcome))


def test_an_analysis_at_a_day_knows_nothing_later():
    early = until(DATA, 112)
    assert early.outcome.shape == (108, 5)
    assert early.time.max() == 112
    assert not early.event[DATA.time > 112].any()
    assert early.event.sum() == (DATA.event & (DATA.time <= 112)).sum()


def test_at_an_interim_look_everybody_has_an_own_day():
    own = np.where(np.arange(108) < 50, 60.0, 203.0)
    look = until(DATA, own)
    np.testing.assert_array_equal(look.outcome[:50, 3:], np.nan)
    np.testing.assert_array_equal(look.outcome[:50, :3], DATA.outcome[:50, :3])
    np.testing.assert_array_equal(look.outcome[50:], DATA.outcome[50:])
    np.testing.assert_array_equal(look.time, np.minimum(DATA.time, own))
    assert not look.event[:50][DATA.time[:50] > 60].any()


def test_who_lacks_a_covariate_is_left_out():
    lacking = DATA.covariate("log_nfl").copy()
    lacking[:8] = np.nan
    data = DATA._replace(covariates={"log_nfl": lacking})
    rest = where(DATA, np.arange(108) >= 8)
    assert ancova_nfl(data) == ancova_nfl(rest)
    assert cox.cox(data, covariates=("log_nfl",)) == cox.cox(rest, covariates=("log_nfl",))
    assert cox.cox(data, covariates=("log_nfl",)).n == 100
