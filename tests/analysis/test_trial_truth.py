"""The truth of every estimand: invented people in both arms against sums over people and pairs, and laws."""

import numpy as np
import pytest

import simulator as sim
from simulator.analysis.trial.ancova import ancova
from simulator.analysis.trial.cox import cox
from simulator.analysis.trial.data import trial_data, where
from simulator.analysis.trial.pairs import comparisons
from simulator.analysis.trial.registry import ANALYSES
from simulator.analysis.trial.rmst import rmst
from simulator.analysis.trial.truth import QUANTITIES, Potential, facts, pooled, true_value
from simulator.replicate import Replicator, compiled
from simulator.studies.trial.plan import TrialOptions, plan
from simulator.studies.trial.population import looked_at, lossless, potential
from simulator.units import DAYS_PER_MONTH

PLANNED, DAY, PEOPLE = 28.0 * np.arange(8), 196.0, 60
QUICK = [name for name in ANALYSES if not name.startswith("rate_ratio")]


def people(seed: int, effect: float = 0.6, hazard: float = 0.5, n: int = PEOPLE) -> Potential:
    """People in both arms: lines that treatment slows, events earlier in who declines faster, two strata."""
    rng = np.random.default_rng(seed)
    stratum = rng.integers(0, 2, n)
    rate = rng.gamma(4, 0.25, n) * (1 + stratum)
    rates = np.stack([rate * effect, rate])
    course = rng.integers(30, 48, n)[:, None] - rates[:, :, None] * PLANNED / DAYS_PER_MONTH
    happens = rng.exponential(1, n) / (hazard * rates) * DAY
    time = np.minimum(happens, DAY)
    seen = np.where(happens[:, :, None] > PLANNED, np.round(course), np.nan).reshape(2 * n, -1)
    data = trial_data(
        arm=np.repeat((1, 0), n),
        stratum=np.tile(stratum, 2),
        nominal_day=PLANNED,
        outcome=seen,
        time=time.ravel(),
        event=(happens <= DAY).ravel(),
        covariates={"log_nfl": np.tile(np.log(rate), 2)},
    )
    return Potential(data, PLANNED, course, course, DAY, happens)


def pairs(of: Potential, stratified: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """(m, m) who fares better on treatment than another in control; which pairs are of two people, of one stratum."""
    m = of.data.n // 2
    kept = ~np.eye(m, dtype=bool)
    if stratified:
        kept &= of.data.stratum[:m, None] == of.data.stratum[m:]
    return comparisons(of.data)[:m, m:], kept


def test_every_analysis_has_its_truth():
    assert all(one.truth is not None for one in ANALYSES.values())


@pytest.mark.parametrize("name", QUICK)
def test_without_an_effect_the_truth_is_nothing(name):
    """The same people in both arms; a hazard ratio that covariates adjust as well."""
    found = true_value(name, people(1, effect=1.0))
    assert found == pytest.approx(0.0, abs=1e-9)


def test_differences_of_function_by_hand():
    of = people(2)
    gap = of.course[0] - of.course[1]
    last = gap[:, -1] - gap[:, 0]
    for name in ("mi", "mmrm"):
        assert true_value(name, of) == pytest.approx(last.mean())
    assert true_value("random_slope", of) == pytest.approx(last.mean() / (DAY / DAYS_PER_MONTH))
    half = true_value("delayed_start", of, {"switch_day": 84, "kept_share": 0.5})
    assert half == pytest.approx(last.mean() - 0.5 * gap[:, 3].mean())
    assert np.exp(true_value("rate_ratio", of)) == pytest.approx(0.6)  # of straight lines, however long they are seen


def bent(seed: int) -> Potential:
    """The same people on courses that steepen, twice as much in control."""
    of = people(seed)
    return of._replace(course=of.course - np.array([0.005, 0.02])[:, None, None] * (PLANNED / DAYS_PER_MONTH) ** 3)


def test_the_slope_is_that_of_least_squares_and_not_end_to_end():
    of, months = bent(2), PLANNED / DAYS_PER_MONTH
    own = [[np.polyfit(months, course, 1)[0] for course in arm] for arm in of.course]
    assert true_value("random_slope", of) == pytest.approx(np.mean(own[0]) - np.mean(own[1]))
    end_to_end = (of.changes[0] - of.changes[1]).mean() / months[-1]
    assert abs(true_value("random_slope", of) - end_to_end) > 0.02


def test_the_rate_is_that_while_alive():
    of, months = bent(3), PLANNED / DAYS_PER_MONTH
    rates = np.empty((2, PEOPLE))
    for arm, person in np.ndindex(rates.shape):
        seen = of.last_day[arm, person] >= PLANNED
        seen[1] |= seen.sum() < 2  # who dies before the first visit: the line towards it
        rates[arm, person] = np.polyfit(months[seen], of.course[arm, person, seen], 1)[0]
    found = true_value("rate_ratio", of)
    assert found == pytest.approx(np.log(rates[0].mean() / rates[1].mean()))
    alive = facts(of)[[one.name for one in QUANTITIES].index("log_rate_ratio")]
    assert abs(found - alive) > 0.01  # as if alive it is another number


def test_always_survivors_are_measured_in_both_arms():
    of = people(3)
    m = of.data.n // 2
    treated, control = of.data.change[:m, -1], of.data.change[m:, -1]
    both = [k for k in range(m) if np.isfinite(treated[k]) and np.isfinite(control[k])]
    assert 5 < len(both) < m - 5
    for name in ("ancova", "ancova_nfl"):
        assert true_value(name, of) == pytest.approx(np.mean([treated[k] - control[k] for k in both]))
    survivors = facts(of)[[one.name for one in QUANTITIES].index("change_survivors")]
    assert survivors == pytest.approx(ancova(of.data).value)
    assert abs(survivors - true_value("ancova", of)) > 0.05


@pytest.mark.parametrize("seed", range(5))
def test_net_benefit_and_win_ratio_are_sums_over_pairs(seed):
    of = people(seed)
    signs, kept = pairs(of)
    won, lost = (signs[kept] > 0).mean(), (signs[kept] < 0).mean()
    of_all = {"stratified": False}
    assert true_value("joint_rank", of, of_all) == pytest.approx(won - lost)
    assert true_value("joint_rank_ancova", of) == true_value("joint_rank_mi", of) == pytest.approx(won - lost)
    assert true_value("win_ratio", of, of_all) == pytest.approx(np.log(won / lost))


@pytest.mark.parametrize("seed", range(5))
def test_within_strata_pairs_are_of_one_stratum(seed):
    """Pairs count alike in the joint rank; in the win ratio strata weigh as their people."""
    of = people(seed)
    signs, kept = pairs(of, stratified=True)
    m = of.data.n // 2
    size = np.bincount(of.data.stratum[:m])
    stratum = np.broadcast_to(of.data.stratum[:m, None], (m, m))
    share = {s: [((signs * side)[kept & (stratum == s)] > 0).mean() for side in (1, -1)] for s in (0, 1)}
    benefit = [share[s][0] - share[s][1] for s in (0, 1)]
    assert true_value("joint_rank", of) == pytest.approx(np.average(benefit, weights=size**2))
    won, lost = (np.average([share[s][k] for s in (0, 1)], weights=size) for k in (0, 1))
    assert true_value("win_ratio", of) == pytest.approx(np.log(won / lost))


def test_survival_by_hand():
    of = people(4)
    time, event = of.data.time.reshape(2, -1), of.data.event.reshape(2, -1)
    assert true_value("rmst", of) == pytest.approx((time[0] - time[1]).mean())
    assert true_value("rmst", of) == pytest.approx(rmst(of.data, horizon=DAY).value)
    cut = np.minimum(time, 100)
    assert true_value("rmst", of, {"horizon": 100}) == pytest.approx((cut[0] - cut[1]).mean())
    assert true_value("logrank", of) == cox(of.data).value
    assert true_value("cox", of, {"covariates": ("log_nfl",)}) == cox(of.data, covariates=("log_nfl",)).value
    assert true_value("stratified_logrank", of) == cox(of.data, stratified=True).value
    change, free = of.data.change[:, -1].reshape(2, -1), ~event
    responds = (np.nan_to_num(change, nan=-np.inf) >= -6) & free
    found = true_value("responder", of, {"least_change": -6.0})
    assert found == pytest.approx(responds[0].mean() - responds[1].mean())


def test_options_that_say_how_change_no_truth():
    of = people(5)
    assert true_value("ancova", of, {"robust": True}) == true_value("ancova", of)
    assert true_value("mi", of, {"imputations": 5}) == true_value("mi", of)


def test_individual_effects_are_those_of_each_person():
    of = people(6)
    at = {one.name: value for one, value in zip(QUANTITIES, facts(of), strict=True)}
    gained = (of.course[0] - of.course[1])[:, -1]
    days = np.subtract(*of.data.time.reshape(2, -1))
    for p in (5, 25, 50, 75, 95):
        assert at[f"gain_q{p:02d}"] == pytest.approx(np.quantile(gained, p / 100))
        assert at[f"days_q{p:02d}"] == pytest.approx(np.quantile(days, p / 100))
    assert at["gaining"] == np.mean(gained > 0)


@pytest.mark.slow
def test_its_error_is_that_of_the_mean_over_parts():
    """Truths of parts of 60 people spread so that their mean over 40 has the error that is told."""
    groups = [[true_value("joint_rank", people(40 * g + k)) for k in range(40)] for g in range(25)]
    means, errors = zip(*(pooled(np.array(one)) for one in groups), strict=True)
    assert np.std(means, ddof=1) == pytest.approx(np.mean(errors), rel=0.45)  # three errors of an SD of 25


@pytest.mark.parametrize("stratified", [False, True])
@pytest.mark.parametrize("name", ["joint_rank", "win_ratio"])
def test_the_estimate_tends_to_the_truth(name, stratified):
    """Many people, half of each stratum in each arm: estimate and truth agree within three standard errors."""
    of = people(7, n=1200)
    m, options = 1200, {"stratified": stratified}
    arm = np.zeros(m, bool)
    for code in (0, 1):
        mine = np.flatnonzero(of.data.stratum[:m] == code)
        arm[np.random.default_rng(code).permutation(mine)[: len(mine) // 2]] = True
    seen = where(of.data, np.concatenate([arm, ~arm]))
    found = ANALYSES[name].run(seen, **options)
    assert abs(found.value - true_value(name, of, options)) < 3 * found.se


# ---- of simulated people ----


@pytest.fixture(scope="module")
def simulated() -> Potential:
    asked = plan(sim.load("valor_trial"), TrialOptions(("ancova",)))
    return potential(asked, Replicator(compiled([lossless(asked.scenario)], 400)).population(1, 0), DAY)


def test_everybody_is_in_both_arms_and_nobody_leaves(simulated):
    of, m = simulated, simulated.data.n // 2
    assert m == 400
    np.testing.assert_array_equal(of.data.baseline[:m], of.data.baseline[m:])
    np.testing.assert_array_equal(of.data.stratum[:m], of.data.stratum[m:])
    np.testing.assert_array_equal(of.course[0, :, 0], of.course[1, :, 0])
    assert (of.data.time[~of.data.event] == DAY).all()
    alive = of.data.time[:, None] >= of.data.nominal_day + 14
    assert np.isfinite(of.data.outcome[alive & ~of.data.event[:, None]]).all()


def test_the_truth_of_a_study_is_that_of_its_people():
    """The mean over parts, of people who are in no replicate."""
    scenario = sim.load("valor_trial")
    found = sim.trial(scenario, replicates=1, analyses=["mmrm", "joint_rank"], truth=10_000, null=False)
    asked = plan(scenario, TrialOptions(("mmrm", "joint_rank")))
    space = Replicator(compiled([lossless(asked.scenario)], 2500))
    parts = [potential(asked, space.population(1, k), DAY) for k in range(4)]
    for name in asked.analyses:
        values = [true_value(name, part) for part in parts]
        assert found.truth(name).value == pytest.approx(np.mean(values), rel=1e-6)
        assert found.truth(name).mcse == pytest.approx(np.std(values, ddof=1) / 2, rel=1e-6)


def test_one_stratum_is_the_whole():
    of = people(8)
    one = of._replace(data=of.data._replace(stratum=np.zeros_like(of.data.stratum)))
    for name in ("joint_rank", "win_ratio"):
        assert true_value(name, one, {"stratified": False}) == true_value(name, one)


def test_function_on_permanent_ventilation_is_as_it_is_measured():
    """The truth falls by what a visit without noise measures then: two of three items of breathing."""
    quiet = {"visits.noise.alsfrs_r_points": 0.0, "visits.jitter_days": 0, "visits.entry_effect_points": 0.0}
    scenario = sim.load("valor_trial").replace({**quiet, "progression.survival.pav_probability": 1.0})
    asked = plan(scenario, TrialOptions(("mmrm",)))
    seen = Replicator(compiled([looked_at(lossless(asked.scenario), asked)], 1000)).population(1, 0)
    of = potential(asked, seen, DAY)
    measured = of.data.outcome.reshape(2, 1000, -1)
    ventilated = of.data.event.reshape(2, -1) & np.isfinite(measured[..., -1])
    assert ventilated.sum() > 20
    assert np.nanmax(np.abs(measured - of.course)) <= 0.5 + 1e-4  # rounded to whole points
    disease = seen.truth["alsfrs_r"][[list(asked.scenario.arms).index(arm) for arm in asked.arms]]
    lost = disease[..., list(seen.time).index(DAY)] - of.course[..., -1]
    assert (lost[ventilated] > 0).mean() > 0.9
    assert not lost[~of.data.event.reshape(2, -1)].any()
