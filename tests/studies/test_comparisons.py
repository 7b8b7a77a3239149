"""Trials of several arms: what the course of a replicate does, and contradictions that are refused."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import simulator as sim
from simulator.analysis.trial.reading import Contrast
from simulator.cli.trial_tables import arms_text
from simulator.errors import SimulatorError
from simulator.language.comparisons import Drop, Promising
from simulator.language.faults import ScenarioError
from simulator.report.trial import trial_content
from simulator.studies.trial.blocks import run
from simulator.studies.trial.comparisons import allocating, arms, course, dropping, resizing
from simulator.studies.trial.comparisons.dropping import UNSAFE
from simulator.studies.trial.comparisons.figures import figures
from simulator.studies.trial.plan import TrialOptions, people_of, plan
from simulator.studies.trial.request import forecast
from simulator.studies.trial.rows import ARM, ESTIMATED, WHOLE
from simulator.studies.trial.sequential import BENEFIT, FUTILITY
from simulator.studies.trial.study import Extent, prepare

WHAT = ("decided", "found")
WHY, LOOK, PARTICIPANTS, UNDECIDED = (ARM.index(name) for name in ("why", "look", "participants", "undecided"))
NOT_ESTIMATED = (np.nan,) * len(ESTIMATED)


@pytest.fixture(scope="module")
def doses():
    return sim.load("dose_finding").replace({"trial.size": 100, "trial.accrual_per_month": [{"rate": 3}]})


def found(scenario, replicates=12, threads=1, size=None):
    work = prepare(scenario, TrialOptions(("ancova",), size=size), Extent(replicates, 3))
    return work, run(work, threads)


def staged(scenario, test="dunnett", **stages):
    return scenario.replace({"trial.comparisons": {"test": test, "stages": {"shares": [0.5], **stages}}})


def test_each_arm_is_compared_as_a_trial_of_two_would(doses):
    work, block = found(doses, 4)
    for k, arm in enumerate(("low", "middle", "high")):
        other = doses.replace({"trial.comparisons": None})
        asked = TrialOptions(("ancova",), arms=(arm, "placebo"))
        two = run(prepare(other, asked, Extent(4, 3)), 1)
        np.testing.assert_array_equal(block.arms[:, 0, k, : len(ESTIMATED)], two.estimates[:, 0, 0])
    assert work.plan.arms == Contrast("low", "placebo")
    assert block.arms[..., PARTICIPANTS].tolist() == [[[20, 20, 20]]] * 4


@pytest.mark.slow
def test_truth_of_an_arm_is_that_of_its_own_trial(doses):
    of = {"replicates": 1, "analyses": ["ancova"], "truth": 10_000, "null": False}
    every = sim.trial(doses, **of).groups["comparisons"]["truth"].values[0]
    two = sim.trial(doses.replace({"trial.comparisons": None}), arms=["high", "placebo"], **of)
    assert every[2] == pytest.approx(two.truth("ancova").value)
    assert every[0] < every[1] < every[2]


@pytest.mark.slow
def test_courses_do_not_depend_on_threads_and_are_those_of_one_replicate(doses):
    scenario = staged(doses, allocate={"power": 1.0})
    (_, one), (_, two) = found(scenario, 60, 1), found(scenario, 60, 2)
    np.testing.assert_array_equal(one.arms, two.arms)
    np.testing.assert_array_equal(one.course, two.course)


def test_a_look_that_keeps_one_arm_ends_two(doses):
    _, block = found(staged(doses, drop={"keep_best": 1}))
    claimed = (block.arms[..., WHY] == BENEFIT) & (block.arms[..., LOOK] == 0)
    ended = (block.arms[:, 0, :, LOOK] == 0).sum(axis=1)
    assert ended.tolist() == np.where(claimed[:, 0].any(axis=1), 3, 2).tolist()  # a claim ends the trial
    assert (ended == 2).any()
    early = block.arms[:, 0][block.arms[:, 0, :, LOOK] == 0]
    assert {*early[:, WHY]} <= ({FUTILITY, BENEFIT, 0} if claimed.any() else {FUTILITY})
    assert (block.course[:, 0, WHOLE.index("participants")] < 100).all()


def test_places_of_dropped_arms_go_to_the_others(doses):
    _, block = found(staged(doses, drop={"keep_best": 1}, places="others"))
    last = block.arms[:, 0][(block.arms[:, 0, :, LOOK] == 1)]
    went_on = block.course[:, 0, WHOLE.index("looks")] == 1
    assert (block.course[went_on, 0, 0] == 100).all()
    assert last[:, PARTICIPANTS].mean() > 22


def test_everybody_is_dropped_where_nothing_is_good_enough(doses):
    """A conditional power of .999 at an early look: the trial ends there."""
    _, block = found(staged(doses, drop={"conditional_power": 0.999}), 6)
    assert (block.arms[..., LOOK] == 0).all()
    assert {*block.arms[..., WHY].ravel()} <= {FUTILITY, BENEFIT}


@pytest.mark.slow
def test_another_size_is_no_smaller_and_no_larger_than_it_may(doses):
    scenario = staged(doses, resize={"blinded": {"sd": 1.0}, "most": 1.4})
    work, block = found(scenario, 6)
    assert people_of(work.plan) == 140
    assert {*block.course[:, 0, 0]} == {140.0}  # the SD is far above 1
    _, same = found(staged(doses, resize={"blinded": {"sd": 50.0}, "most": 1.4}), 6)
    assert {*same.course[:, 0, 0]} == {100.0}
    np.testing.assert_array_equal(same.estimates, block.estimates)  # the trial without looks is the planned one


def test_a_claim_ends_the_trial_or_only_its_arm(doses):
    strong = doses.replace({"treatments.high.value": 0.01, "treatments.low.value": 1.0, "trial.size": 200})
    _, stops = found(staged(strong), 6)
    _, goes = found(staged(strong, goes_on=True), 6)
    made = (stops.arms[:, 0, 2, WHY] == BENEFIT) & (stops.arms[:, 0, 2, LOOK] == 0)
    assert made.any()
    assert (stops.course[made, 0, WHOLE.index("looks")] == 0).all()
    assert (goes.course[made, 0, WHOLE.index("looks")] == 1).all()


def test_mams_runs_and_drops_below_its_bounds(doses):
    _, block = found(staged(doses, "mams", shape="triangular"))
    assert (block.arms[..., WHY] == FUTILITY).any()


@pytest.mark.parametrize("test", [{"test": "dunnett"}, {"test": "mams", "shape": "triangular"}])
def test_an_arm_without_an_estimate_is_not_decided(doses, test, monkeypatch):
    """At the look no arm can be estimated: none is dropped, whatever drops; it is said how often that was."""
    real = arms.estimated

    def none_early(plan, name, data, number):
        return NOT_ESTIMATED if len(data.arm) < 45 else real(plan, name, data, number)  # 30 at the look, 60 at the end

    monkeypatch.setattr(arms, "estimated", none_early)
    drop = {"conditional_power": 0.9, "harm": 0.5, "keep_best": 1}
    work, block = found(staged(doses, drop=drop, **test), 4)
    assert (block.arms[..., LOOK] == 1).all()
    assert {*block.arms[..., WHY].ravel()} <= {0, BENEFIT}
    assert (block.arms[..., UNDECIDED] >= 1).all()
    group = figures(work, block, None)
    assert group["undecided"].values.tolist() == [[1.0, 1.0, 1.0]]


def test_errors_are_rejections_of_arms_without_an_effect(doses):
    """Only `low` has none: claims of the others are none of its, and a drop for harm claims nothing."""
    nothing = doses.replace({"treatments.low.value": 1.0, "trial.comparisons": {"test": "bonferroni"}})
    work, block = found(nothing, 6)
    block.arms[..., WHY] = [[BENEFIT, BENEFIT, BENEFIT]]
    assert figures(work, block, None)["error"].values.tolist() == [1.0]
    block.arms[..., WHY] = [[0, BENEFIT, BENEFIT]]
    assert figures(work, block, None)["error"].values.tolist() == [0.0]
    block.arms[:3, ..., WHY] = [[UNSAFE, BENEFIT, 0]]
    group = figures(work, block, None)
    assert group["error"].values.tolist() == [0.0]
    assert group["unsafe"].values.tolist() == [[0.5, 0.0, 0.0]]
    work, block = found(doses, 6)
    assert np.isnan(figures(work, block, None)["error"].values).all()  # every arm works: there is nothing to err about


def test_a_drop_for_harm_is_no_claim_of_harm(doses):
    bad = {f"treatments.{name}.value": 1.5 for name in ("low", "middle", "high")}
    _, block = found(staged(doses.replace(bad), drop={"harm": 0.3}), 6)
    assert (block.arms[..., WHY] == UNSAFE).any()


def test_a_hypothesis_that_was_rejected_stays_so(doses):
    """At the first look {2} is rejected and {2, 3} is not, by Pocock; then arm 3 does well and arm 2 as control."""
    scenario = staged(doses, goes_on=True, spending={"shape": "pocock"})
    work = prepare(scenario, TrialOptions(("ancova",)), Extent(1, 3))
    stages, nothing = work.plan.scenario.trial.comparisons.stages, np.zeros(0)
    state = course.State(arms.By(work.plan, "ancova", 0), stages, None, nothing, nothing, np.ones(3, bool), 100,
                         np.zeros((3, len(ARM))), nothing)  # fmt: skip
    rows, loading = np.zeros((3, len(ESTIMATED))), np.sqrt(np.full(3, 1 / 3))
    first = course._by_stages(state, arms.Compared(rows, np.array([-3.0, 2.3, -3.0]), loading), 0, (0.5, 1.0))
    assert not first.benefit.any()
    second = course._by_stages(state, arms.Compared(rows, np.array([6.0, 0.0, 6.0]), loading), 1, (0.5, 1.0))
    assert second.benefit[1]


def test_mams_has_a_lower_bound_where_one_is_asked_for(doses):
    """Without `lower` no bound of Pocock's or O'Brien and Fleming's drops an arm."""
    worse = doses.replace({f"treatments.{name}.value": 1.2 for name in ("low", "middle", "high")})
    _, block = found(staged(worse, "mams", shape="obrien_fleming"), 6)
    assert not (block.arms[..., WHY] == FUTILITY).any()
    _, block = found(staged(worse, "mams", shape="obrien_fleming", lower=0.0), 6)
    assert (block.arms[..., WHY] == FUTILITY).any()


def test_rules_by_hand():
    z, there = np.array([2.0, 0.1, -2.0]), np.ones(3, bool)
    drop = Drop.model_validate({"conditional_power": 0.2, "harm": 0.05})
    futile, harm = dropping.dropped(drop, z, 0.5, 1.96, there)
    assert (futile.tolist(), harm.tolist()) == ([False, True, False], [False, False, True])
    unknown = np.array([np.nan, -1.0, 2.0])
    futile, harm = dropping.dropped(Drop.model_validate({"keep_best": 1, "harm": 0.5}), unknown, 0.5, 1.96, there)
    assert (futile.tolist(), harm.tolist()) == ([False, False, False], [False, True, False])
    best = dropping.dropped(Drop.model_validate({"keep_best": 1}), z, 0.5, 1.96, there)[0]
    assert best.tolist() == [False, True, True]
    chance = allocating.best(np.array([1.0, 0.0]), np.ones(2), np.array([0.6, 0.6]))
    assert chance.sum() == pytest.approx(1)
    assert chance[0] == pytest.approx(0.812, abs=1e-3)  # Φ(1/(.8 √2))
    assert allocating.weights(chance, 1.0, 0.25).tolist() == pytest.approx([*(0.75 * chance), 0.25])
    rng = np.random.default_rng(1)
    assert np.bincount(allocating.places([1, 0, 2], 9, rng)).tolist() == [3, 0, 6]
    share = np.bincount(allocating.drawn(np.array([0.5, 0.25, 0.25]), 4000, rng)) / 4000
    assert share == pytest.approx([0.5, 0.25, 0.25], abs=0.03)
    zone = Promising.model_validate({"least": 0.3, "power": 0.9})
    assert resizing.promising(zone, 0.2, 0.5, 1.96, 100) == 100  # hopeless
    assert resizing.promising(zone, 2.5, 0.5, 1.96, 100) == 100  # good enough
    assert resizing.promising(zone, 1.5, 0.5, 1.96, 100) > 100
    assert resizing.within(130.2, 100, 1.2) == 120
    assert resizing.within(np.inf, 100, 1.2) == 120


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"trial.comparisons": {"stages": {"shares": [0.01]}}}, "dropped before it began"),
        ({"trial.comparisons": {"stages": {"shares": [0.5], "drop": {"keep_best": 3}}}}, "nothing is dropped"),
        ({"trial.comparisons.test": "dunnett", "trial.comparisons.stages": {"shares": [0.5]}}, "a trend is tested"),
        ({"trial.comparisons": {"test": "mams"}}, "mams has bounds for stages, and there are none"),
        ({"trial.comparisons": {"test": "holm", "stages": {"shares": [0.5]}}}, "no test of stages that are combined"),
        ({"trial.comparisons": {"test": "mams", "stages": {"shares": [0.5], "shape": "pocock",
          "resize": {"blinded": {"sd": 1}, "most": 2}}}}, "hold for the planned numbers"),
        ({"trial.comparisons": {"test": "mams", "stages": {"shares": [0.5], "shape": "triangular", "lower": 0}}},
         "the triangle has a lower bound"),
        ({"trial.comparisons": {"stages": {"shares": [0.5], "lower": 0}}}, "a lower bound is one of mams"),
        ({"trial.comparisons": {"stages": {"shares": [0.6, 0.5]}}}, "the looks do not ascend"),
        ({"trial.comparisons": {"stages": {"shares": [0.5], "resize": {"most": 2}}}}, "no rule decides the size"),
        ({"trial.comparisons.trend.doses": {"low": 1, "high": 2}}, "doses are those of low, high"),
        ({"trial.interim": {"shares": [0.5]}}, "both decide how the level is spent"),
        ({"trial.allocation": {"placebo": 1, "high": 1}, "trial.comparisons": {"test": "holm"}}, "no level is shared"),
        ({"trial.comparisons": {"stages": {"shares": [0.5]}}, "trial.accrual_per_month": None}, "without accrual"),
    ],
)  # fmt: skip
def test_a_contradiction_is_refused_before_anything_runs(doses, change, fault):
    with pytest.raises(ScenarioError, match=fault):
        doses.replace(change)


def test_the_plan_knows_the_most_who_may_enter(doses):
    asked = plan(
        staged(doses, resize={"promising": {"least": 0.3, "power": 0.9}, "most": 2.0}), TrialOptions(("ancova",))
    )
    assert people_of(asked) == 200


@pytest.fixture(scope="module")
def on_threads():
    work = prepare(sim.load("valor_trial"), TrialOptions(("ancova", "joint_rank")), Extent(120, 3))
    return work, run(work, 2)


@pytest.mark.slow
def test_replicates_are_the_same_on_any_executor(on_threads, tmp_path):
    """An executor that is given; and one that stops half-way leaves blocks with which the study goes on."""
    work, expected = on_threads
    with ThreadPoolExecutor(2) as pool:
        made = run(work, 1, tmp_path, executor=pool)
    for one, other in zip(made, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    kept = sorted((tmp_path / "replicates").iterdir())
    assert len(kept) == 3
    kept[1].unlink()
    done = []
    again = run(work, 1, tmp_path, lambda now, total: done.append(now), executor="threads")
    np.testing.assert_array_equal(again.estimates, expected.estimates)
    assert done[0] == 70  # two of three blocks were there


@pytest.mark.slow
def test_replicates_are_the_same_on_processes(on_threads):
    work, expected = on_threads
    made = run(work, 1, executor="processes")
    np.testing.assert_array_equal(made.estimates, expected.estimates)


def test_an_executor_that_is_none_is_refused(on_threads):
    with pytest.raises(SimulatorError, match="there is no executor 'gpu'"):
        run(on_threads[0], 1, executor="gpu")


def test_a_forecast_counts_and_computes_nothing_of_the_study():
    found = forecast(sim.load("valor_trial"), TrialOptions(("ancova",)), Extent(120, 3, truth=10_000), 2)
    assert found[:5] == (240, 60, 2, 6, 10_000)
    assert found.bytes > 1e6
    assert found.seconds > 0


@pytest.fixture(scope="module")
def without_a_trend(doses):
    nothing = doses.replace({f"treatments.{name}.value": 1.0 for name in ("low", "middle", "high")})
    return sim.trial(nothing, replicates=4, analyses=["ancova"], truth=0, null=False, seed=3)


def test_a_trend_that_is_never_found_is_said_with_its_interval(without_a_trend):
    words = " ".join(arms_text(without_a_trend))
    assert "A trend over the doses is found in 0.0 % (0.0 to 49.0 %)." in words  # Wilson's interval of 0 of 4
    assert max(map(len, arms_text(without_a_trend))) <= 80


def test_a_trial_that_looks_for_no_trend_says_nothing_of_one(doses):
    plain = doses.replace({"trial.comparisons": {"test": "dunnett"}})
    found = sim.trial(plain, replicates=2, analyses=["ancova"], truth=0, null=False, seed=3)
    assert not [line for line in arms_text(found) if "trend" in line]


def test_the_report_has_the_tables_of_the_arms(without_a_trend):
    page = trial_content(without_a_trend)
    decided, of = (next(one for one in page.tables if f"{what} of the arms" in one.caption) for what in WHAT)
    assert [row[0] for row in decided.rows] == ["low", "middle", "high", "any", "error"]
    assert [row[0] for row in of.rows] == ["low", "middle", "high", "all"]
    assert any("trend over the doses" in one for one in page.answer)
